"""Closing with a reason, reopening, and taking it back."""

from typing import Any

import pytest
from django.utils import timezone

from whytree.tree import services
from whytree.tree.models import Solution, State
from whytree.workspace.records.activity import last_undoable, undo

from .conftest import Garden


@pytest.mark.parametrize("reason", ["", "  "])
def test_it_wants_a_reason(api: Any, garden: Garden, reason: str) -> None:
    answer = api.post("/products/sprout/nodes/TST-1/close", {"reason": reason})
    assert answer.status == 400
    assert "Say why" in answer.body["message"]


def test_what_is_open_below_stops_it(api: Any, garden: Garden) -> None:
    answer = api.post("/products/sprout/nodes/OUT-1/close", {"reason": "another team has it"})
    assert answer.status == 409
    assert "OPP-1" in answer.body["message"]


def test_it_closes_all_below_when_told_so(api: Any, garden: Garden) -> None:
    closed = api.post("/products/sprout/nodes/OUT-1/close", {"reason": "another team has it", "with_children": True}).ok
    assert closed["close_reason"] == "another team has it"
    solution = api.get("/products/sprout/solutions/SOL-1").ok
    assert (solution["state"], solution["close_reason"]) == ("dropped", "Closed with OUT-1: another team has it")
    assert api.get("/products/sprout/outcomes").ok == []
    assert len(api.get("/products/sprout/outcomes?closed=true").ok) == 1


def test_what_people_already_have_cannot_be_dropped(api: Any, garden: Garden, actor: Any) -> None:
    services.set_state(actor, garden.solution, State.LIVE)
    answer = api.post("/products/sprout/nodes/OPP-1/close", {"reason": "x", "with_children": True})
    assert answer.status == 409
    assert "SOL-1 is live" in answer.body["message"]
    assert not Solution.objects.get().is_closed


def test_a_locked_prediction_outlives_the_closing_above_it(api: Any, garden: Garden, actor: Any) -> None:
    services.lock_prediction(actor, garden.hypothesis, at=timezone.now())
    assert api.post("/products/sprout/nodes/SOL-1/close", {"reason": "too dear", "with_children": True}).status == 200
    assert api.get("/products/sprout/hypotheses/HYP-1").ok["closed_at"] is None


def test_reopening_makes_a_dropped_solution_an_idea_again(api: Any, garden: Garden) -> None:
    api.post("/products/sprout/nodes/SOL-1/close", {"reason": "too dear", "with_children": True})
    assert api.post("/products/sprout/nodes/SOL-1/close", {"reason": "again"}).status == 409
    assert api.post("/products/sprout/nodes/ASM-1/reopen").status == 409, "its solution is closed"
    assert api.post("/products/sprout/nodes/SOL-1/reopen").ok["standing"] == "idea"
    assert api.post("/products/sprout/nodes/SOL-1/reopen").status == 409


def test_it_can_be_taken_back(garden: Garden, actor: Any, product: Any) -> None:
    services.close_node(actor, garden.test, reason="a mistake")
    last = last_undoable(actor, product)
    assert last is not None
    undo(actor, product, last.pk)
    garden.test.refresh_from_db()
    assert not garden.test.is_closed
