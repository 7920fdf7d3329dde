"""The states of a solution: what may follow what."""

from typing import Any

import pytest

from whytree.tree import services
from whytree.tree.models import MOVES, Solution, State

from .conftest import Garden


def test_every_state_has_its_moves_and_leads_on() -> None:
    assert set(MOVES) == set(State)
    assert all(MOVES.values())


def test_it_goes_the_long_way(api: Any, garden: Garden) -> None:
    for state in ("testing", "building", "live", "measured", "kept"):
        assert api.post("/products/sprout/solutions/SOL-1/state", {"state": state}).ok["state"] == state


@pytest.mark.parametrize(
    ("start", "to"),
    [("idea", "kept"), ("live", "kept"), ("live", "dropped"), ("dropped", "live"), ("building", "measured")],
)
def test_it_refuses_a_move_that_is_not_allowed_and_names_those_that_are(
    api: Any, garden: Garden, start: str, to: str
) -> None:
    closed = {"closed_at": garden.solution.created_at, "close_reason": "x"} if start == "dropped" else {}
    Solution.objects.update(state=start, **closed)
    answer = api.post("/products/sprout/solutions/SOL-1/state", {"state": to, "reason": "x"})
    assert answer.status == 409
    assert "it can become" in answer.body["message"]


def test_dropping_wants_a_reason(api: Any, garden: Garden) -> None:
    assert api.post("/products/sprout/solutions/SOL-1/state", {"state": "dropped"}).status == 400
    dropped = api.post(
        "/products/sprout/solutions/SOL-1/state", {"state": "dropped", "reason": "9 of 400 pressed it"}
    ).ok
    assert dropped["closed_at"]
    assert dropped["close_reason"] == "9 of 400 pressed it"


def test_the_same_state_again_changes_nothing(garden: Garden, actor: Any) -> None:
    before = garden.solution.updated_at
    assert services.set_state(actor, garden.solution, "idea").updated_at == before


def test_an_unknown_state_is_refused(api: Any, garden: Garden) -> None:
    assert api.post("/products/sprout/solutions/SOL-1/state", {"state": "done"}).status == 400
