"""What a metric counts, by day and in all. Each question is one readable query; nothing but sums leaves the store.

People are counted after their ids were joined (`sql.PERSON`). Days are the product's days: `zone` is its time zone.
A period holds `start` and everything before `end`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from .events import Row, store
from .sql import PEOPLE, PERSON


@dataclass(frozen=True)
class Counted:
    """Occurrences of one event.

    `squares` is the sum over people of (their occurrences)^2 and `largest` the most that one of them has: what a count
    is worth depends on how many people stand behind it.
    """

    events: int
    people: int
    squares: int
    largest: int


@dataclass(frozen=True)
class Converted:
    """Of the people who entered and whose window has closed, how many converted. `open` are those still under way."""

    entered: int
    converted: int
    open: int


_COUNTS = "sum(times) AS events, count() AS people, sum(times * times) AS squares, max(times) AS largest"

_IN_PERIOD = """
    product = {product:UInt32}
    AND event = {event:String}
    AND timestamp >= {start:DateTime64(3, 'UTC')} AND timestamp < {end:DateTime64(3, 'UTC')}
"""

_COUNT = f"""
SELECT {_COUNTS}
FROM (
    SELECT {PERSON} AS who, count() AS times
    FROM events
    WHERE {_IN_PERIOD}
    GROUP BY who
)
"""

_COUNT_BY_DAY = f"""
SELECT day, {_COUNTS}
FROM (
    SELECT toDate(timestamp, {{zone:String}}) AS day, {PERSON} AS who, count() AS times
    FROM events
    WHERE {_IN_PERIOD}
    GROUP BY day, who
)
GROUP BY day
ORDER BY day
"""

# A person enters once, with the first `from` of the period, and converts with a `to` that follows within the window.
# One whose window is still open belongs to neither side yet: counting the quick ones early would flatter the number.
_CONVERSION_BY_DAY = """
SELECT
    toDate(entry, {{zone:String}}) AS day,
    countIf(closed) AS entered,
    countIf(closed AND arrayExists(at -> at {after} entry AND at <= until, ends)) AS converted,
    countIf(NOT closed) AS open
FROM (
    SELECT
        {person} AS who,
        minIf(timestamp, event = {{from:String}} AND timestamp < {{end:DateTime64(3, 'UTC')}}) AS entry,
        addSeconds(entry, {{window:UInt32}}) AS until,
        until <= {{as_of:DateTime64(3, 'UTC')}} AS closed,
        groupArrayIf(timestamp, event = {{to:String}}) AS ends
    FROM events
    WHERE product = {{product:UInt32}}
      AND event IN ({{from:String}}, {{to:String}})
      AND timestamp >= {{start:DateTime64(3, 'UTC')}}
      AND timestamp <= addSeconds({{end:DateTime64(3, 'UTC')}}, {{window:UInt32}})
    GROUP BY who
    HAVING countIf(event = {{from:String}} AND timestamp < {{end:DateTime64(3, 'UTC')}}) > 0
)
GROUP BY day
ORDER BY day
"""


def count(product_id: int, event: str, start: datetime, end: datetime) -> Counted:
    """All occurrences of `event` in the period."""
    rows = store().query(_COUNT, {"product": product_id, "event": event, "start": start, "end": end}, PEOPLE)
    return _counted(rows[0])


def count_by_day(product_id: int, event: str, start: datetime, end: datetime, *, zone: str) -> dict[date, Counted]:
    """The same for each day on which there was one."""
    parameters = {"product": product_id, "event": event, "start": start, "end": end, "zone": zone}
    return {row["day"]: _counted(row) for row in store().query(_COUNT_BY_DAY, parameters, PEOPLE)}


def conversion_by_day(
    product_id: int,
    entry: str,
    goal: str,
    window: timedelta,
    start: datetime,
    end: datetime,
    *,
    as_of: datetime,
    zone: str,
) -> dict[date, Converted]:
    """People who did `entry` in the period, by the day of their first one, and whether `goal` followed within `window`.

    Both ends of the window count. Where `entry` and `goal` are one event, the goal is its next occurrence. `as_of` is
    the moment up to which everything is known. The whole period's answer is the sum of its days.
    """
    sql = _CONVERSION_BY_DAY.format(person=PERSON, after=">" if entry == goal else ">=")
    parameters = {
        "product": product_id,
        "from": entry,
        "to": goal,
        "window": int(window.total_seconds()),
        "start": start,
        "end": end,
        "as_of": as_of,
        "zone": zone,
    }
    rows = store().query(sql, parameters, PEOPLE)
    return {row["day"]: Converted(row["entered"], row["converted"], row["open"]) for row in rows}


def _counted(row: Row) -> Counted:
    return Counted(row["events"], row["people"], row["squares"], row["largest"])


_LAST_SEEN = """
SELECT count() AS seen, max(timestamp) AS last_at
FROM events
WHERE product = {product:UInt32} AND event = {event:String}
"""


def last_seen(product_id: int, event: str) -> datetime | None:
    """When the event last happened; None when it never did."""
    row = store().query(_LAST_SEEN, {"product": product_id, "event": event})[0]
    return row["last_at"] if row["seen"] else None


_SEEN_BETWEEN = """
SELECT count() AS seen, min(timestamp) AS first_at, max(timestamp) AS last_at
FROM events
WHERE product = {product:UInt32} AND event IN {events:Array(String)}
"""


def seen_between(product_id: int, events: Sequence[str]) -> tuple[datetime | None, datetime | None]:
    """When one of these events was first and last seen; None twice when none ever was."""
    row = store().query(_SEEN_BETWEEN, {"product": product_id, "events": list(events)})[0]
    return (row["first_at"], row["last_at"]) if row["seen"] else (None, None)


_LAST_SEEN_EACH = """
SELECT event, max(timestamp) AS last_at
FROM events
WHERE product = {product:UInt32} AND event IN {events:Array(String)} AND timestamp <= {as_of:DateTime64(3, 'UTC')}
GROUP BY event
"""


def last_seen_each(product_id: int, events: Sequence[str], *, as_of: datetime) -> dict[str, datetime]:
    """When each of these events last happened, up to then; without those that never did."""
    rows = store().query(_LAST_SEEN_EACH, {"product": product_id, "events": list(events), "as_of": as_of})
    return {row["event"]: row["last_at"] for row in rows}


_SOURCES = """
SELECT DISTINCT source
FROM events
WHERE product = {product:UInt32} AND event IN {events:Array(String)}
  AND timestamp >= {start:DateTime64(3, 'UTC')} AND timestamp <= {end:DateTime64(3, 'UTC')}
ORDER BY source
"""


def sources_of(product_id: int, events: Sequence[str], start: datetime, end: datetime) -> list[str]:
    """Through which kinds of door these events came in: capture, server, import."""
    rows = store().query(_SOURCES, {"product": product_id, "events": list(events), "start": start, "end": end})
    return [row["source"] for row in rows]
