"""Tables on disk, and the command that judges them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from whytree.site.cli import build
from whytree.workspace.client import CommandError

Analyze = Callable[..., Any]


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def command_line() -> Any:
    return build()


@pytest.fixture
def analyze(command_line: Any) -> Analyze:
    """``whytree experiment analyze FILE ...`` as JSON, as the screen (``screen=True``), or as the error's sentence."""

    def run(file: Path, *words: str, screen: bool = False, unit: str = "user", arm: str = "arm") -> Any:
        line = ["experiment", "analyze", str(file), "--unit", unit, "--arm", arm, *words]
        result = CliRunner().invoke(command_line, line if screen else [*line, "--json"], env={"COLUMNS": "120"})
        if isinstance(result.exception, CommandError):
            return result.exception.message
        assert result.exit_code == 0, result.output or result.exception
        return result.stdout if screen else json.loads(result.stdout, parse_constant=_no_constant)

    return run


def rows(per_arm: dict[str, list[object]], header: str = "user,arm,value") -> str:
    """A table with a row a value; users are numbered through."""
    lines, user = [header], 0
    for arm, values in per_arm.items():
        for value in values:
            user += 1
            lines.append(f"u{user},{arm},{value}")
    return "\n".join(lines) + "\n"


def _no_constant(word: str) -> None:
    """NaN and Infinity are no JSON."""
    raise AssertionError(word)
