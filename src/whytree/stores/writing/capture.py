"""What capture asks of the store: ids it has, rows it may hold twice, what was put aside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..events import EventStore, store

CHUNK = 20_000  # ids in one statement


def recent_ids(events: EventStore, since: datetime, limit: int) -> list[int]:
    """The ids received last, at most `limit` of them."""
    rows = events.query(
        "SELECT event_id FROM events WHERE received_at >= {since:DateTime64(3, 'UTC')} "
        "ORDER BY received_at DESC LIMIT {limit:UInt64}",
        {"since": since, "limit": limit},
    )
    return [row["event_id"] for row in rows]


def ids_received_since(events: EventStore, since: datetime, ids: Sequence[int]) -> set[int]:
    """Which of these ids are in the store, received at `since` or later."""
    found: set[int] = set()
    for start in range(0, len(ids), CHUNK):
        rows = events.query(
            "SELECT DISTINCT event_id FROM events "
            "WHERE received_at >= {since:DateTime64(3, 'UTC')} AND event_id IN {ids:Array(UInt64)}",
            {"since": since, "ids": list(ids[start : start + CHUNK])},
        )
        found |= {row["event_id"] for row in rows}
    return found


def ids_of_people(product: int, persons: Sequence[int], ids: Sequence[int]) -> set[int]:
    """Which of these ids are in the store at all, given whose they are: the sorting key makes that quick."""
    rows = store().query(
        "SELECT DISTINCT event_id FROM events "
        "WHERE product = {product:UInt32} AND person IN {persons:Array(UInt64)} AND event_id IN {ids:Array(UInt64)}",
        {"product": product, "persons": list(persons), "ids": list(ids)},
    )
    return {row["event_id"] for row in rows}


_TWICE = """
SELECT event_id
FROM events
WHERE event_id IN (SELECT event_id FROM events WHERE received_at >= {since:DateTime64(3, 'UTC')})
GROUP BY event_id
HAVING count() > 1
LIMIT {limit:UInt32}
"""

_SPARE = """
SELECT part, row
FROM (
    SELECT _part AS part, _part_offset AS row,
        row_number() OVER (PARTITION BY event_id ORDER BY received_at, _part, _part_offset) AS place
    FROM events
    WHERE event_id IN {ids:Array(UInt64)}
)
WHERE place > 1
"""


def remove_repetitions(since: datetime, limit: int = 10_000) -> int:
    """Take out every row but the first received of those that share an id with something received since; how many.

    A row is named by its part and place in it. A merge in between renames the part, and that row stays for next time.
    """
    ids = [row["event_id"] for row in store().query(_TWICE, {"since": since, "limit": limit})]
    if not ids:
        return 0
    spare = [(row["part"], row["row"]) for row in store().query(_SPARE, {"ids": ids})]
    if not spare:
        return 0
    parts, rows = zip(*spare, strict=True)
    store().execute(
        "ALTER TABLE events DELETE WHERE (_part, _part_offset) IN "
        "arrayZip({parts:Array(String)}, {rows:Array(UInt64)})",
        {"parts": list(parts), "rows": list(rows)},
        {"mutations_sync": 2},
    )
    return len(spare)


def put_aside(rows: Sequence[dict[str, Any]], events: EventStore | None = None) -> None:
    """Keep what did not become an event, with the reason, for 90 days."""
    (events or store()).insert("quarantine", rows)


def delete_import(product: int, run: str) -> int:
    """Take out everything one import brought; how many rows."""
    condition = "product = {product:UInt32} AND source = 'import' AND properties['$import'] = {run:String}"
    parameters = {"product": product, "run": run}
    rows = store().value(f"SELECT count() FROM events WHERE {condition}", parameters)
    store().execute(f"ALTER TABLE events DELETE WHERE {condition}", parameters, {"mutations_sync": 2})
    return int(rows)


_IDENTIFIED = """
SELECT product, event, distinct_id, source, properties, timestamp
FROM events
WHERE received_at >= {since:DateTime64(3, 'UTC')}
    AND (event = '$identify' OR arrayExists(name -> startsWith(name, '$set'), mapKeys(properties)))
ORDER BY timestamp
"""


def identified_since(since: datetime) -> list[dict[str, Any]]:
    """The events received since then that said something about their person."""
    return store().query(_IDENTIFIED, {"since": since})


def exposed_since(since: datetime) -> list[dict[str, Any]]:
    """The flags that somebody was exposed to, by events received since then, when first, and whether a secret key said so."""
    return store().query(
        "SELECT product, properties['flag'] AS flag, source != 'capture' AS trusted, min(timestamp) AS first_at "
        "FROM events WHERE event = '$exposure' AND received_at >= {since:DateTime64(3, 'UTC')} "
        "GROUP BY product, flag, trusted",
        {"since": since},
    )
