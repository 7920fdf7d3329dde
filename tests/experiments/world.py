"""People who meet a flag, and what they do afterwards, with a known truth. One day is like the other."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

CONVERSION = {"version": 1, "kind": "conversion", "from": "signed_up", "to": "planted", "within_days": 7}
UNIQUE_SPAM = {"version": 1, "kind": "unique", "event": "spammed"}
COUNT_ORDERS = {"version": 1, "kind": "count", "event": "ordered"}

_ids = count(1)


@dataclass(frozen=True)
class World:
    """`effect` is added to the share of the treatment that plants, `spam` to the share that spams."""

    people: int = 4_000
    days: float = 30
    baseline: float = 0.30
    effect: float = 0.0
    spam: float = 0.0
    lost: float = 0.0
    twice: float = 0.0
    arms: tuple[str, ...] = ("off", "on")
    seed: int = 1
    events: dict[str, str] = field(default_factory=dict)


def long_ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def happenings(world: World, flag: str = "ask_later") -> Iterator[dict[str, Any]]:
    """Exposures over the last `days`, and what followed."""
    rng = random.Random(world.seed)
    for person in range(1, world.people + 1):
        arm = world.arms[person % len(world.arms)]
        treated = arm != world.arms[0]
        if treated and rng.random() < world.lost:
            continue
        entry = rng.uniform(0.01, world.days)
        yield exposure(person, arm, long_ago(entry), flag)
        if rng.random() < world.twice:
            yield exposure(person, world.arms[(person + 1) % len(world.arms)], long_ago(entry - 0.005), flag)
        if rng.random() < world.baseline + (world.effect if treated else 0.0):
            yield event(person, "planted", long_ago(entry - min(entry, rng.uniform(0.0, 6.9))))
        if rng.random() < 0.05 + (world.spam if treated else 0.0):
            yield event(person, "spammed", long_ago(entry - min(entry, 0.5)))
        for _ in range(rng.randrange(4)):
            amount = f"{1e9 + rng.gauss(5.0 if treated else 0.0, 10.0)!r}"
            yield event(person, "ordered", long_ago(entry - min(entry, rng.uniform(0, 6)))) | {
                "properties": {"amount": amount}
            }


def exposure(person: int, arm: str, at: datetime, flag: str = "ask_later") -> dict[str, Any]:
    return event(person, "$exposure", at) | {"properties": {"flag": flag, "variant": arm, "reason": "SPLIT"}}


def event(person: int, name: str, at: datetime) -> dict[str, Any]:
    return {
        "person": person,
        "distinct_id": str(person),
        "event": name,
        "timestamp": at,
        "received_at": at,
        "event_id": next(_ids),
    }


def write(store: Any, product: Any, rows: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> None:
    rows = [row | {"product": product.pk} for row in rows]
    for start in range(0, len(rows), 20_000):
        store.insert("events", rows[start : start + 20_000])
