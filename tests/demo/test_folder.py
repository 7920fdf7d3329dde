"""The demo's folder: only ever its own, and a telling that was cut off is seen."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from whytree.demo.folder import Folder
from whytree.workspace.terminal.client import CommandError
from whytree.workspace.terminal.serving import announced

TODAY = datetime(2026, 6, 10, tzinfo=UTC)


def test_a_new_folder_is_empty(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "demo")
    with folder.held():
        assert folder.state == "empty"


def test_a_telling_that_was_begun_and_not_finished_is_half_told(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.begin(TODAY)
    assert folder.state == "half told"
    folder.finish({"people": 20_000})
    assert folder.state == "told"
    assert folder.today == TODAY
    assert folder.loaded == {"people": 20_000}


def test_a_record_that_was_cut_off_is_half_told(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text('{"version": 1, "tod')
    assert Folder(tmp_path).state == "half told"


def test_git_does_not_see_it(tmp_path: Path) -> None:
    Folder(tmp_path).begin(TODAY)
    assert (tmp_path / ".gitignore").read_text() == "*\n"


def test_clearing_takes_everything_out(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with folder.held():
        folder.begin(TODAY)
        (tmp_path / "events").mkdir()
        (tmp_path / "events" / "data").write_text("x")
        folder.clear()
        assert folder.state == "empty"


def test_it_leaves_a_folder_alone_that_is_no_demo(tmp_path: Path) -> None:
    (tmp_path / "whytree.sqlite3").write_text("somebody's real data")
    folder = Folder(tmp_path)
    with pytest.raises(CommandError, match="no demo, so it is left alone"):
        folder.clear()
    assert (tmp_path / "whytree.sqlite3").read_text() == "somebody's real data"


def test_it_is_not_cleared_while_a_server_runs_on_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.begin(TODAY)
    with (
        announced(tmp_path, "http://127.0.0.1:8787"),
        pytest.raises(CommandError, match=r"running at http://127\.0\.0\.1:8787"),
    ):
        folder.clear()
    assert folder.state == "half told"


def test_two_tellings_at_once_are_refused(tmp_path: Path) -> None:
    with Folder(tmp_path).held(), pytest.raises(CommandError, match="another process"), Folder(tmp_path).held():
        pass


def test_the_persons_own_settings_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYTREE_DATA", "/somewhere/else")
    monkeypatch.setenv("WHYTREE_DATABASE_URL", "postgresql://real@host/whytree")
    monkeypatch.setenv("WHYTREE_TOKEN_FILE", "/run/secrets/token")
    monkeypatch.setenv("WHYTREE_PORT", "9000")
    Folder(tmp_path).move_in()
    assert os.environ["WHYTREE_DATA"] == str(tmp_path)
    assert "WHYTREE_DATABASE_URL" not in os.environ
    assert "WHYTREE_TOKEN_FILE" not in os.environ
    assert os.environ["WHYTREE_PORT"] == "9000"
