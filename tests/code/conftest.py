"""The command line against this process's database, and clones to run it in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.code.repositories import Clone
from tests.terminal import Terminal


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "sprout-app")


@pytest.fixture
def cli(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """`cli("why", "a.py:1", cwd=folder)` as Alice; gives typer's result, errors included in `output`."""
    monkeypatch.setenv("COLUMNS", "140")

    def run(*words: str, cwd: Path = tmp_path, stdin: str = "") -> Any:
        return terminal.run(*words, cwd=cwd, stdin=stdin)

    return run


def refusal(result: Any) -> str:
    """The sentence a command ended with."""
    from whytree.workspace.terminal.client import CommandError

    assert isinstance(result.exception, CommandError), result.output
    return result.exception.message
