"""Whether a server runs on a folder: its lock says so, not a process id that anybody may have by now. And when it dies."""

import json
import os
import socket
import threading
from pathlib import Path

import pytest

from whytree.workspace.terminal.client import Client, CommandError
from whytree.workspace.terminal.serving import announced, running_server
from whytree.workspace.terminal.wire import LocalHttp


def test_it_runs_until_it_ends(tmp_path: Path) -> None:
    assert running_server(tmp_path) == ""
    with announced(tmp_path, "http://127.0.0.1:8787"):
        assert running_server(tmp_path) == "http://127.0.0.1:8787"
    assert running_server(tmp_path) == ""


def test_what_a_killed_one_left_is_no_server_though_its_process_id_lives(tmp_path: Path) -> None:
    """In a container the next server has the very id of the killed one, and would have waited for itself for ever."""
    (tmp_path / "server.json").write_text(json.dumps({"pid": os.getpid(), "url": "http://127.0.0.1:8787"}))
    assert running_server(tmp_path) == ""


def test_a_server_that_dies_during_a_download_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dies = threading.Thread(target=lambda: listener.accept()[0].close())
        dies.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(CommandError, match=r"does not answer: .* Is the server running"):
            Client(LocalHttp(url, {}, 10), url).download("/workspace/backup", tmp_path / "copy.tar.gz")
        dies.join()
    assert list(tmp_path.iterdir()) == []
