"""The tree from the command line."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from whytree.tree.models import MOVES, State

DOCS = Path(__file__).resolve().parents[2] / "docs" / "tree.md"


def test_a_tree_is_written_printed_taken_out_and_brought_back(terminal: Any, tmp_path: Path) -> None:
    outcome = terminal.cli_json("outcome", "add", "Harvests within a week", "--metric", "m", "--baseline", "12")["ref"]
    problem = terminal.cli_json("opportunity", "add", "I wanted to look first", "--under", outcome)["ref"]
    solution = terminal.cli_json("solution", "add", "Browse as a guest", "--under", problem)["ref"]
    forecast = ("--low", "1", "--likely", "3", "--high", "6")
    said = terminal.cli("hypothesis", "add", solution, "--change", "guest mode", "--metric", "m", *forecast).stdout
    assert said.rstrip().endswith(f"guest mode under {solution} · open")
    assert "weak" in terminal.cli("evidence", "add", problem, "Asks for a look", "--person", "ana").stdout
    note = terminal.cli_json("note", "add", solution, "Do guests come back?", "--kind", "question")
    assert "Do guests come back?" in terminal.cli("note", "list").stdout
    assert "Answered" in terminal.cli("note", "answer", str(note["id"]), "Half of them").stdout
    assert terminal.cli_json("solution", "state", solution, "building")["state"] == "building"
    printed = terminal.cli("tree", "--advice").stdout
    for shown in ("Harvests within a week", "1 heard, evidence weak", "building", "One person said this."):
        assert shown in " ".join(printed.split()).replace("│ ", "")
    first, second = tmp_path / "one.json", tmp_path / "two.json"
    terminal.cli("export", "tree", str(first))
    assert "As before" in terminal.cli("import", "tree", str(first)).stdout
    terminal.cli("export", "tree", str(second))
    assert first.read_bytes() == second.read_bytes()


def test_moving_closing_and_reopening(terminal: Any) -> None:
    one = terminal.cli_json("opportunity", "add", "one")["ref"]
    two = terminal.cli_json("opportunity", "add", "two", "--under", one)["ref"]
    refused = terminal.cli("move", one, "--under", two, check=False)
    assert refused.returncode == 1
    assert "stands below it" in refused.stderr
    assert terminal.cli_json("move", two)["parent"] is None
    assert terminal.cli_json("close", two, "--reason", "nobody has it")["closed_at"]
    assert terminal.cli_json("reopen", two)["closed_at"] is None


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"{", "is not JSON"), (b"\xff\xfe", "is not UTF-8"), (b'{"a": 1}', "no tree file"), (None, "cannot be read")],
)
def test_a_file_that_is_none_is_refused_in_a_sentence(
    terminal: Any, tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "tree.json"
    if content is not None:
        path.write_bytes(content)
    refused = terminal.cli("import", "tree", str(path), check=False)
    assert refused.returncode == 1
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_dry_run_says_so(terminal: Any, tmp_path: Path) -> None:
    path = tmp_path / "tree.json"
    path.write_text(json.dumps({"whytree_tree": 1, "nodes": [{"id": "OUT-4711", "title": "Far away"}]}), "utf-8")
    said = terminal.cli("import", "tree", str(path), "--dry-run").stdout
    assert "Would be new: 1 nodes" in said
    assert "Nothing was written." in said


def test_the_docs_name_every_move() -> None:
    rows = dict(re.findall(r"^\| ([a-z ]+) \| (.+) \|$", DOCS.read_text("utf-8"), re.MULTILINE))
    for state in State:
        written = rows[state.label].replace(" (reopened)", "").split(", ")
        assert sorted(written) == sorted(move.label for move in MOVES[state]), state
