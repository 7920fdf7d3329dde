"""The command line against this process's database, and clones to run it in."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.code.repositories import Clone


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "sprout-app")


@cache
def application() -> Any:
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


@pytest.fixture
def cli(api: Any, open_connection: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """`cli("why", "a.py:1", cwd=folder)` as Alice; gives typer's result, errors included in `output`."""
    import httpx
    from typer.testing import CliRunner

    from whytree.site.cli import build
    from whytree.workspace.terminal import client

    monkeypatch.setenv("WHYTREE_TOKEN", api.token)
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.setattr(client, "running_server", lambda data: "")
    monkeypatch.setattr(client, "_in_process", lambda: httpx.WSGITransport(app=application()))

    def run(*words: str, cwd: Path = tmp_path, stdin: str = "") -> Any:
        monkeypatch.chdir(cwd)
        return CliRunner().invoke(build(), list(words), input=stdin)

    return run


def refusal(result: Any) -> str:
    """The sentence a command ended with."""
    from whytree.workspace.terminal.client import CommandError

    assert isinstance(result.exception, CommandError), result.output
    return result.exception.message
