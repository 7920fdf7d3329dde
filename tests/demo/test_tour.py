"""The tour leads somewhere, and docs/demo.md tells the same one."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.urls import resolve

from tests.servers import ROOT, live_env
from whytree.demo import repository, tour
from whytree.demo.commands import LINE

BASE = "http://127.0.0.1:8787"


def _stops() -> str:
    return "\n".join("\n".join((stop.words, *stop.then)) for stop in tour.tour(BASE, Path(".demo")))


def test_every_address_of_the_tour_is_a_page() -> None:
    paths = re.findall(rf"{BASE}(/\S+)", _stops())
    assert len(paths) >= 5
    for path in paths:
        resolve(path)


def test_the_guide_stops_where_the_tour_stops() -> None:
    guide = (ROOT / "docs" / "demo.md").read_text(encoding="utf-8")
    for ref in set(re.findall(r"\b(?:SOL|OPP|REV)-\d+|form\.py:\d+", _stops())):
        assert ref in guide


def test_the_line_of_the_tour_is_in_the_repository() -> None:
    path, _, number = LINE.partition(":")
    folder = Path(repository.__file__).parent / "texts" / "commits"
    newest = sorted(folder.glob(f"*/{path}.txt"))[-1]
    assert "phone" in newest.read_text(encoding="utf-8").splitlines()[int(number) - 1]


def test_it_names_the_command_as_it_has_to_be_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    typed = tour.command()
    assert typed.startswith(str(Path(sys.executable).parent))


@pytest.mark.live
def test_a_taken_port_is_told_before_the_story_is(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "whytree", "demo", "--data", str(tmp_path / "demo"), "--port", port],
            env=live_env(tmp_path / "usual"),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 1
    assert f"whytree demo --port {int(port) % 65535 + 1}" in done.stderr
    assert not (tmp_path / "demo" / "whytree.sqlite3").exists()
