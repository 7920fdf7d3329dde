"""Which events and properties there are, how much of them, since when and until when.

Events are counted where they are, so their numbers are exact. Properties are counted at the door as they come, since
only there their JSON type is known; `recount` puts right what a crash or the removal of events left askew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .events import store


@dataclass(frozen=True, slots=True)
class CataloguedEvent:
    name: str
    volume: int
    people: int
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class CataloguedProperty:
    """One property of one event; `types` with the most frequent first."""

    event: str
    name: str
    types: tuple[str, ...]
    volume: int
    first_seen: datetime
    last_seen: datetime


_EVENTS = """
SELECT event AS name, count() AS volume, uniq(person) AS people, min(timestamp) AS first_seen, max(timestamp) AS last_seen
FROM events
WHERE product = {product:UInt32}
GROUP BY event
ORDER BY volume DESC, name
"""


def catalogued_events(product: int) -> list[CataloguedEvent]:
    """Every event name of a product, most frequent first. `people` counts ids, within 1 % or so."""
    return [CataloguedEvent(**row) for row in store().query(_EVENTS, {"product": product})]


_PROPERTIES = """
SELECT event, property AS name, groupArray(type) AS types, sum(n) AS volume, min(first) AS first_seen,
    max(last) AS last_seen
FROM (
    SELECT event, property, type, sum(volume) AS n, min(first_seen) AS first, max(last_seen) AS last
    FROM catalogue
    WHERE product = {product:UInt32} AND ({event:String} = '' OR event = {event:String}) AND property != '$import'
    GROUP BY event, property, type
    ORDER BY event, property, n DESC, type
)
GROUP BY event, property
ORDER BY event, volume DESC, name
"""


def catalogued_properties(product: int, event: str = "") -> list[CataloguedProperty]:
    """The properties of one event, or of all of them, most frequent first."""
    rows = store().query(_PROPERTIES, {"product": product, "event": event})
    return [CataloguedProperty(**{**row, "types": tuple(row["types"])}) for row in rows]


def count_properties(rows: Sequence[dict[str, Any]]) -> None:
    """Add what came in: rows of product, event, property, type, volume, first_seen and last_seen."""
    store().insert("catalogue", rows)


_COUNT_NOW = """
SELECT event, key AS property, count() AS volume, min(timestamp) AS first_seen, max(timestamp) AS last_seen
FROM events
ARRAY JOIN mapKeys(properties) AS key
WHERE product = {product:UInt32}
GROUP BY event, key
"""

_KNOWN_TYPES = """
SELECT event, property, groupArray((type, n)) AS types
FROM (
    SELECT event, property, type, sum(volume) AS n
    FROM catalogue
    WHERE product = {product:UInt32}
    GROUP BY event, property, type
)
GROUP BY event, property
"""


def recount(product: int) -> int:
    """Count the properties of a product anew; how many there are. The types seen before keep their shares."""
    known = {(row["event"], row["property"]): row["types"] for row in store().query(_KNOWN_TYPES, {"product": product})}
    rows = [
        {"product": product, "type": kind, **counted, "volume": volume}
        for counted in store().query(_COUNT_NOW, {"product": product})
        for kind, volume in _shares(
            known.get((counted["event"], counted["property"]), [("text", 1)]), counted["volume"]
        )
    ]
    store().execute(
        "ALTER TABLE catalogue DELETE WHERE product = {product:UInt32}", {"product": product}, {"mutations_sync": 2}
    )
    store().insert("catalogue", rows)
    return len(rows)


def _shares(types: Sequence[tuple[str, int]], total: int) -> list[tuple[str, int]]:
    """`total` spread over the types as they were, in whole numbers that add up; a type once seen stays."""
    before = sum(volume for _, volume in types) or 1
    spread = [(kind, total * volume // before) for kind, volume in types]
    kind, volume = spread[0]
    return [(kind, volume + total - sum(count for _, count in spread)), *spread[1:]]


@dataclass(frozen=True, slots=True)
class PutAside:
    """Something that was sent and is no event, with the reason."""

    received_at: datetime
    kind: str
    reason: str
    event: str
    distinct_id: str
    message_id: str
    source: str
    body: str


_ASIDE = """
SELECT received_at, kind, reason, event, distinct_id, message_id, source, body
FROM quarantine
WHERE product = {product:UInt32}
ORDER BY received_at DESC, message_id
LIMIT {limit:UInt32}
"""


def latest_put_aside(product: int, limit: int = 50) -> list[PutAside]:
    return [PutAside(**row) for row in store().query(_ASIDE, {"product": product, "limit": limit})]


def count_put_aside(product: int, since: datetime) -> int:
    """How many were put aside since then."""
    number: int = store().value(
        "SELECT count() AS n FROM quarantine "
        "WHERE product = {product:UInt32} AND received_at >= {since:DateTime64(3, 'UTC')}",
        {"product": product, "since": since},
    )
    return number


def refused_before(product: int, message_ids: Sequence[str]) -> set[str]:
    """Which of these refused merges are on record already."""
    rows = store().query(
        "SELECT DISTINCT message_id FROM quarantine "
        "WHERE product = {product:UInt32} AND kind = 'merge' AND message_id IN {ids:Array(String)}",
        {"product": product, "ids": list(message_ids)},
    )
    return {row["message_id"] for row in rows}
