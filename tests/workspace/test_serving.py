"""Whether a server runs on a folder: its lock says so, not a process id that anybody may have by now."""

import json
import os
from pathlib import Path

from whytree.workspace.terminal.serving import announced, running_server


def test_it_runs_until_it_ends(tmp_path: Path) -> None:
    assert running_server(tmp_path) == ""
    with announced(tmp_path, "http://127.0.0.1:8787"):
        assert running_server(tmp_path) == "http://127.0.0.1:8787"
    assert running_server(tmp_path) == ""


def test_what_a_killed_one_left_is_no_server_though_its_process_id_lives(tmp_path: Path) -> None:
    """In a container the next server has the very id of the killed one, and would have waited for itself for ever."""
    (tmp_path / "server.json").write_text(json.dumps({"pid": os.getpid(), "url": "http://127.0.0.1:8787"}))
    assert running_server(tmp_path) == ""
