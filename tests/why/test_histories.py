"""Each shape of history, asked in the clone and from the store: the right solution, or "unexplained"; never a wrong one."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.code.histories import SHAPES, Shape, shallow
from tests.code.repositories import Clone
from tests.why.conftest import Tree, tie_tickets
from whytree.flags.services import create_flag
from whytree.why.queries import Ask, explain
from whytree.why.refs import parse_ref

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`


@pytest.fixture
def tied(actor: Any, product: Any, tree: Tree) -> None:
    """Tickets and the flag that lead to the tree, as `histories` says."""
    tie_tickets(actor, product, tree)
    create_flag(actor, product, key="defer_phone", solution=tree.defer)


def numbered(clone: Clone, where: str) -> str:
    path, words = where.split(": ")
    return f"{path}:{clone.line(path, words)}"


def told(cli: Any, clone: Clone, ref: str) -> Any:
    result = cli("why", ref, "--json", cwd=clone.path)
    assert result.exit_code == 0, result.output or result.exception
    return json.loads(result.output)


@pytest.mark.parametrize("make", SHAPES.values(), ids=SHAPES.keys())
def test_a_line_leads_to_the_right_solution_or_nowhere(
    cli: Any, product: Any, tied: None, clone: Clone, make: Shape
) -> None:
    expected = {numbered(clone, where): solution for where, solution in make(clone).items()}
    assert None in expected.values()
    assert any(expected.values())
    unread = {ref: told(cli, clone, ref) for ref in expected}
    result = cli("repository", "add", str(clone.path))
    assert result.exit_code == 0, result.output or result.exception
    for ref, solution in expected.items():
        here, stored = told(cli, clone, ref), explain(product, Ask(parse_ref(ref)))
        assert (here["solution"] or {}).get("ref") == solution, (ref, here["commit"], here["links"])
        assert (stored.solution.ref if stored.solution else None) == solution, ref
        assert here["explained"] == stored.explained == (solution is not None), ref
        # A clone that was not read in knows no flags in diffs; whatever else it says, it says the same.
        if unread[ref]["explained"]:
            assert unread[ref]["links"] == here["links"], ref
        else:
            assert solution is None or here["links"][0]["rule"] == "flag in diff", ref


def test_what_a_shallow_clone_cannot_see_is_not_laid_on_its_oldest_commit(
    cli: Any, product: Any, tied: None, clone: Clone, tmp_path: Path
) -> None:
    cut = shallow(clone, tmp_path / "shallow")
    for ref, solution in {"a.py:1": None, "b.py:1": None, "c.py:1": "SOL-2"}.items():
        answer = told(cli, cut, ref)
        assert (answer["solution"] or {}).get("ref") == solution, ref
        assert solution or "git fetch --unshallow" in answer["notes"][-1]
