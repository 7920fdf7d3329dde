"""What one person did, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..events import store
from ..pieces.sql import INTERNAL_EVENTS, PERSON


@dataclass(frozen=True, slots=True)
class Moment:
    """One event in a person's timeline."""

    timestamp: datetime
    event: str
    distinct_id: str
    platform: str
    os: str
    browser: str
    version: str
    path: str
    properties: dict[str, str]
    flags: dict[str, str]
    source: str
    event_id: int

    @property
    def is_exposure(self) -> bool:
        return self.event == "$exposure"


@dataclass(frozen=True, slots=True)
class Seen:
    """When somebody was seen, and how much they did."""

    first_at: datetime
    last_at: datetime
    events: int


_TIMELINE = """
SELECT timestamp, event, distinct_id, platform, os, browser, version, path, properties, flags, source, event_id
FROM events
WHERE product = {product:UInt32} AND person IN {persons:Array(UInt64)}
    AND (timestamp, event_id) < ({before:DateTime64(3, 'UTC')}, {before_id:UInt64})
ORDER BY timestamp DESC, event_id DESC
LIMIT {limit:UInt32}
"""

_FAR = datetime(2290, 1, 1)
LAST_ID = 2**64 - 1


def timeline(
    product: int, persons: Sequence[int], *, before: datetime | None = None, before_id: int = LAST_ID, limit: int = 100
) -> list[Moment]:
    """A person's events by the hashes of all their ids; `before` and `before_id` of the last one go on from there."""
    rows = store().query(
        _TIMELINE,
        {
            "product": product,
            "persons": list(persons),
            "before": before or _FAR,
            "before_id": before_id,
            "limit": limit,
        },
    )
    return [Moment(**row) for row in rows]


_SEEN = f"""
SELECT {PERSON} AS who, min(timestamp) AS first_at, max(timestamp) AS last_at,
    countIf(event NOT IN {{internal:Array(String)}}) AS events
FROM events
WHERE product = {{product:UInt32}} AND person IN {{persons:Array(UInt64)}}
GROUP BY who
"""


def seen(product: int, persons: Sequence[int]) -> dict[int, Seen]:
    """By canonical person: when these ids were seen first and last, and their number of events."""
    rows = store().query(_SEEN, {"product": product, "persons": list(persons), "internal": list(INTERNAL_EVENTS)})
    return {row["who"]: Seen(row["first_at"], row["last_at"], row["events"]) for row in rows}


_SEEN_SINCE = f"""
SELECT {PERSON} AS who, anyLast(distinct_id) AS distinct_id, min(timestamp) AS first_at, max(timestamp) AS last_at
FROM events
WHERE product = {{product:UInt32}} AND received_at >= {{since:DateTime64(3, 'UTC')}}
GROUP BY who
"""


@dataclass(frozen=True, slots=True)
class SeenSince:
    """When somebody was seen, by events received since a moment; `distinct_id` is one of their ids."""

    distinct_id: str
    first_at: datetime
    last_at: datetime


def seen_since(product: int, since: datetime) -> dict[int, SeenSince]:
    """By canonical person: who was seen in what was received since then."""
    rows = store().query(_SEEN_SINCE, {"product": product, "since": since})
    return {row["who"]: SeenSince(row["distinct_id"], row["first_at"], row["last_at"]) for row in rows}


_COUNTS = """
SELECT event, count() AS n
FROM events
WHERE product = {product:UInt32} AND person IN {persons:Array(UInt64)} AND event NOT IN {internal:Array(String)}
GROUP BY event
ORDER BY n DESC, event
LIMIT {limit:UInt32}
"""


def event_counts(product: int, persons: Sequence[int], limit: int = 12) -> list[tuple[str, int]]:
    """What this person does most."""
    rows = store().query(
        _COUNTS, {"product": product, "persons": list(persons), "internal": list(INTERNAL_EVENTS), "limit": limit}
    )
    return [(row["event"], row["n"]) for row in rows]


_LATELY = f"""
SELECT who, argMax(distinct_id, timestamp) AS distinct_id, max(timestamp) AS last_at, count() AS events
FROM (
    SELECT {PERSON} AS who, distinct_id, timestamp
    FROM events
    WHERE product = {{product:UInt32}} AND received_at > {{since:DateTime64(3, 'UTC')}}
    ORDER BY received_at DESC
    LIMIT {{sample:UInt32}}
)
GROUP BY who
ORDER BY last_at DESC
LIMIT {{limit:UInt32}}
"""


def seen_lately(product: int, since: datetime, *, sample: int = 5_000, limit: int = 100) -> list[dict[str, Any]]:
    """People behind the newest events: `who`, `distinct_id`, `last_at`, `events` among those."""
    return store().query(_LATELY, {"product": product, "since": since, "sample": sample, "limit": limit})


def any_event(product: int) -> bool:
    """Whether this product has received anything at all."""
    return bool(
        store().query("SELECT 1 AS one FROM events WHERE product = {product:UInt32} LIMIT 1", {"product": product})
    )
