"""A command against a running server is mostly imports, so it must not load what it does not need."""

import subprocess
import sys
from typing import Any

import pytest

from tests.code.repositories import Clone


@pytest.mark.live
def test_asking_a_running_server_loads_neither_django_nor_an_engine_nor_another_http_client(
    live: Any, clone: Clone
) -> None:
    clone.commit("Add", **{"a.py": "a\n"})
    command = [sys.executable, "-X", "importtime", "-m", "whytree", "why", "a.py:1"]
    done = subprocess.run(command, env=live.env, cwd=clone.path, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "whytree" in loaded
    assert not loaded & {
        "django",
        "ninja",
        "chdb",
        "clickhouse_connect",
        "numpy",
        "scipy",
        "httpx",
        "pandas",
        "vl_convert",
    }


@pytest.mark.live
def test_commands_that_people_wait_for_are_read_without_the_others(live: Any, clone: Clone) -> None:
    clone.commit("Add", **{"a.py": "a\n"})
    program = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
        "sys.argv = ['whytree', 'why', 'a.py:1']; from whytree.site.start import main; main()"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=live.env, cwd=clone.path, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "whytree.why.commands" in loaded
    assert not loaded & {"whytree.tree.commands", "whytree.voice.commands", "whytree.flags.commands"}
