"""Two processes on one folder: the second one is told who is there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from whytree.stores.engine.lock import FolderLock
from whytree.stores.errors import StoreLocked

ROOT = Path(__file__).resolve().parents[2]

HOLD = """
import sys
from pathlib import Path
from whytree.stores.engine.lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "events"


def _holder(folder: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_it_names_the_process_that_holds_the_folder(folder: Path) -> None:
    with _holder(folder) as process:
        with pytest.raises(StoreLocked, match=rf"process {process.pid}\b.*stop it first"):
            FolderLock(folder).acquire()
        process.communicate()


def test_it_names_the_address_of_a_running_server(folder: Path) -> None:
    with _holder(folder) as process:
        server = {"pid": process.pid, "url": "http://127.0.0.1:8787"}
        (folder.parent / "server.json").write_text(json.dumps(server))
        with pytest.raises(StoreLocked, match=r"answers at http://127\.0\.0\.1:8787"):
            FolderLock(folder).acquire()
        process.communicate()


def test_a_killed_process_leaves_no_lock_behind(folder: Path) -> None:
    with _holder(folder) as process:
        process.kill()
        process.communicate()
    lock = FolderLock(folder)
    lock.acquire()
    lock.release()


def test_a_second_engine_on_the_folder_is_refused_with_that_sentence(folder: Path) -> None:
    from whytree.stores.engine.connection import Embedded

    with _holder(folder) as process:
        with pytest.raises(StoreLocked):
            Embedded(folder, 256).open()
        process.communicate()
