"""A world with a known truth: people meet a flag on a ramp, and what they do afterwards is drawn from it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.utils import timezone
from msgspec.structs import replace

from tests.terminal import Terminal
from whytree.engines.flags import Rules, evaluate

ACTIVATED = {"version": 1, "kind": "conversion", "from": "signed_up", "to": "planted", "within_days": 7}
SPAM = {"version": 1, "kind": "unique", "event": "spammed"}
DAYS_AGO = 40

_ids = count(1)


@pytest.fixture
def metrics(actor: Any, product: Any) -> None:
    from whytree.analytics.services import create_metric

    create_metric(actor, product, key="activated_7d", name="Activated in 7 days", definition=ACTIVATED)
    create_metric(actor, product, key="spam", name="Spam accounts", definition=SPAM, direction="down")


@pytest.fixture
def solution(actor: Any, product: Any) -> Any:
    from whytree.tree.services import create_opportunity, create_solution

    opportunity = create_opportunity(actor, product, title="“Why do you need my phone number?”")
    return create_solution(actor, product, opportunity=opportunity, title="Ask for the phone number later")


@pytest.fixture
def hypothesis(actor: Any, solution: Any, metrics: None) -> Any:
    from whytree.tree.services import create_hypothesis

    return create_hypothesis(
        actor,
        solution,
        change="The phone number is asked for at the first booking",
        who="new people",
        behaviour="finish signing up",
        metric_key="activated_7d",
        forecast_low=1.0,
        forecast_likely=4.0,
        forecast_high=9.0,
        horizon_days=28,
        guardrails=[{"metric_key": "spam", "direction": "up", "margin": 3.0}],
    )


@pytest.fixture
def flag(actor: Any, product: Any, hypothesis: Any) -> Any:
    from whytree.flags.services import create_flag

    return create_flag(actor, product, key="ask_later", hypothesis=hypothesis, at=long_ago())


def long_ago(days: float = DAYS_AGO) -> datetime:
    return timezone.now() - timedelta(days=days)


def look_at_reviews() -> None:
    """What the hourly job does, with the jobs it asks for."""
    from whytree.learning.jobs import fill_reviews
    from whytree.workspace.background.jobs import run_next

    fill_reviews({})
    while run_next("test"):
        pass


@dataclass(frozen=True)
class World:
    """How people behave. `lost` is the share of the treatment's people whose exposure never arrives."""

    people: int = 6_000
    baseline: tuple[float, float] = (0.20, 0.40)
    effect: float = 0.0
    spam_effect: float = 0.0
    lost: float = 0.0
    returning: float = 0.8
    seed: int = 1


#: What part of the rollout gets the change, and since how many days ago: the baseline drifts while it is raised.
RAMP: Mapping[int, Mapping[str, int]] = {
    40: {"off": 90, "on": 10},
    30: {"off": 75, "on": 25},
    22: {"off": 50, "on": 50},
}


@pytest.fixture
def open_on_a_ramp(actor: Any, product: Any, flag: Any) -> None:
    """The flag's own history, by its services; the prediction locks by itself."""
    from whytree.flags.services import open_flag, set_rollout
    from whytree.learning.models import OutcomeReview

    (first, weights), *rest = RAMP.items()
    open_flag(actor, product, flag.key, weights=weights, at=long_ago(first))
    for days, later in rest:
        set_rollout(actor, product, flag.key, weights=later, at=long_ago(days))
    # the review was put off until everybody in this world had time: it is read as of the day it fell due, a moment ago
    OutcomeReview.objects.update(due_at=timezone.now())


@pytest.fixture
def live_through(store: Any, product: Any, open_on_a_ramp: None) -> Callable[[World], None]:
    """Write a world's exposures and events into the store."""

    def write(world: World) -> None:
        rows = [row | {"product": product.pk} for row in happenings(world, timezone.now())]
        for start in range(0, len(rows), 20_000):
            store.insert("events", rows[start : start + 20_000])

    return write


def happenings(world: World, now: datetime) -> Iterator[dict[str, Any]]:
    """Everybody's exposures and what they did. Who planted comes back more often, and may then be in another arm."""
    rng = random.Random(world.seed)
    for person in range(1, world.people + 1):
        entry = rng.uniform(0.01, DAYS_AGO - 0.1)
        arm = arm_at(person, entry)
        if arm == "on" and rng.random() < world.lost:
            continue
        yield exposure(person, arm, now - timedelta(days=entry))
        share = world.baseline[0] + (world.baseline[1] - world.baseline[0]) * (1 - entry / DAYS_AGO)
        planted = rng.random() < share + (world.effect if arm == "on" else 0.0)
        if planted:
            yield event(person, "planted", now - timedelta(days=entry - rng.uniform(0.0, 6.9)))
        if rng.random() < 0.05 + (world.spam_effect if arm == "on" else 0.0):
            yield event(person, "spammed", now - timedelta(days=entry - 0.5))
        again = entry - rng.uniform(0.5, 6)
        if again > 0 and rng.random() < (world.returning if planted else world.returning / 4):
            yield exposure(person, arm_at(person, again), now - timedelta(days=again))


_RULES = Rules(
    key="ask_later",
    variants={"on": True, "off": False},
    default_variant="off",
    off_variant="off",
    weights={"on": 1, "off": 1},
    coverage=10_000,
    is_on=True,
)


def arm_at(person: int, days_ago: float) -> str:
    """The variant the real evaluator gives under the weights that were in force."""
    weights = next(weights for since, weights in reversed(RAMP.items()) if days_ago <= since)
    return evaluate(replace(_RULES, weights=dict(weights)), str(person)).variant


def exposure(person: int, arm: str, at: datetime) -> dict[str, Any]:
    return event(person, "$exposure", at) | {"properties": {"flag": "ask_later", "variant": arm, "reason": "SPLIT"}}


def event(person: int, name: str, at: datetime) -> dict[str, Any]:
    return {
        "person": person,
        "distinct_id": str(person),
        "event": name,
        "timestamp": at,
        "received_at": at,
        "event_id": next(_ids),
    }


@pytest.fixture
def invoke(terminal: Terminal) -> Callable[..., str]:
    """`invoke("review", "list")` as Alice; what it prints."""
    return terminal.said
