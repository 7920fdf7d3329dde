"""What is changed or taken away under a running experiment or rollout: refused where it would lie, told where it may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from tests.experiments.world import World, happenings, long_ago, write
from whytree.experiments.queries import find_experiment
from whytree.experiments.verdict.reading import read
from whytree.tree.models import Solution
from whytree.tree.services import set_state

BASE = "/products/sprout"
Ran = Callable[..., Any]
PLAN = [
    {"key": "activated", "role": "primary"},
    {"key": "spam", "role": "guardrail", "margin": 3.0},
    {"key": "orders", "role": "secondary"},
]


@pytest.fixture
def running(ran: Ran) -> Any:
    return ran(20, looks="always", metrics=PLAN)


def test_arms_and_hypothesis_stay_what_they_are_while_it_runs(running: Any, api: Any, as_alice: Any) -> None:
    flag = f"{BASE}/flags/ask_later"
    for edit, says in (
        ({"variants": {"off": False, "on": False}}, "EXP-1 runs on ask_later, and “on” is an arm of it"),
        ({"hypothesis": None}, "EXP-1 tests HYP-1 on ask_later"),
    ):
        refused = api.patch(flag, edit)
        assert (refused.status, says in refused.body["message"]) == (409, True)
    assert api.patch(flag, {"variants": {"off": False, "on": True, "never": True}}).status == 200
    page = as_alice.get("/p/sprout/flags/ask_later").content.decode()
    assert "An experiment runs on it" in page
    assert "Coverage and weights are its plan." in page
    api.post(f"{BASE}/experiments/EXP-1/stop", {"reason": "Enough."}).must_succeed()
    assert api.patch(flag, {"hypothesis": None}).status == 200


def test_what_a_metric_counts_and_wants_is_copied_by_the_start(
    running: Any, api: Any, store: Any, product: Any
) -> None:
    write(store, product, happenings(World(days=19, effect=0.15)))
    at = timezone.now()
    before = read(find_experiment(product, "EXP-1"), at).analysis.metrics
    redefined = {"definition": {"version": 1, "kind": "count", "event": "planted"}, "direction": "down"}
    api.patch(f"{BASE}/metrics/orders", redefined).must_succeed()
    api.patch(f"{BASE}/metrics/activated", {"direction": "down"}).must_succeed()
    assert read(find_experiment(product, "EXP-1"), at).analysis.metrics == before
    assert before[0].comparisons[0].standing == "better"
    refused = api.delete(f"{BASE}/metrics/orders")
    assert (refused.status, refused.body["message"]) == (
        409,
        "EXP-1 counts orders and is not decided. Decide it first.",
    )


def test_a_metric_that_guards_a_rollout_is_neither_redefined_nor_removed(
    actor: Any, product: Any, metrics: Any, api: Any
) -> None:
    from whytree.experiments.rollouts.services import start_rollout
    from whytree.flags.services import create_flag

    flag = create_flag(actor, product, key="plain", at=long_ago(2))
    start_rollout(actor, product, flag=flag, guardrails=[{"metric_key": "orders", "direction": "down", "margin": 0.1}])
    new = {"definition": {"version": 1, "kind": "count", "event": "planted"}}
    for refused in (api.patch(f"{BASE}/metrics/orders", new), api.delete(f"{BASE}/metrics/orders")):
        assert (refused.status, "orders guards the rollout of plain" in refused.body["message"]) == (409, True)
    assert api.patch(f"{BASE}/metrics/orders", {"name": "All orders"}).status == 200


@pytest.mark.parametrize(
    ("how", "says"),
    [("archive", "is archived."), ("off", "is off."), ("one arm", "")],
)
def test_a_flag_taken_away_under_it_is_said_first(
    ran: Ran, api: Any, cli: Any, store: Any, product: Any, how: str, says: str
) -> None:
    ran(20, metrics=PLAN)
    write(store, product, happenings(World(people=600, days=19)))
    flag = f"{BASE}/flags/ask_later"
    done = {
        "archive": lambda: api.delete(flag),
        "off": lambda: api.post(f"{flag}/rollout", {"is_on": False}),
        "one arm": lambda: api.post(f"{flag}/rollout", {"weights": {"on": 1, "off": 0}}),
    }[how]()
    assert done.status == 200, done.body
    found = api.get(f"{BASE}/experiments/EXP-1").ok
    checks = {one["name"]: one for one in found["result"]["analysis"]["health"]}
    assert checks["flag"]["standing"] == "look"
    assert any(doubt.startswith("Flag: ask_later ") for doubt in found["doubts"])
    assert found["headline"].endswith(f"stands still on day 21 of 30: ask_later {says}" if says else "day 21 of 30.")
    shown = cli("experiment", "list")
    assert not says or f"but ask_later {says[:-1]}" in shown
    review = api.get(f"{BASE}/reviews/REV-1").ok["headline"]
    assert review.startswith(f"Nobody new gets “Ask for the phone number later”: ask_later {says}" if says else "“Ask")
    if how == "one arm":
        assert "gives everybody “on” now" in checks["flag"]["sentence"]


def test_a_solution_that_was_taken_back_by_hand_is_said(running: Any, api: Any, actor: Any, store: Any) -> None:
    set_state(actor, Solution.objects.get(), "rolled_back")
    checks = api.get(f"{BASE}/experiments/EXP-1").ok["result"]["analysis"]["health"]
    (told,) = [one["sentence"] for one in checks if one["name"] == "solution"]
    assert told == "SOL-1 is rolled back while EXP-1 runs, and people still get its arms. Stop it, and decide."
