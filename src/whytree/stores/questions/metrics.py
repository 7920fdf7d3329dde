"""What a metric counts, in all and in each stretch of the calendar. Each question is one readable query; nothing but sums
leaves the store.

People are counted after their ids were joined (`sql.PERSON`); with `unit`, companies in their place. The calendar is the
product's: `zone` is its time zone. A period holds `start` and everything before `end`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ..events import Row, store
from ..pieces.companies import Unit, has_unit, unit_sql
from ..pieces.filters import Bound, Selection, is_named, named, passes, selected
from ..pieces.sql import CALENDAR, PEOPLE
from ..pieces.stretches import Interval, bucket_sql


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

_IN_PERIOD = """PREWHERE {named}
    WHERE product = {{product:UInt32}}
    AND timestamp >= {{start:DateTime64(3, 'UTC')}} AND timestamp < {{end:DateTime64(3, 'UTC')}}{passes}"""

_COUNT = f"""
SELECT {_COUNTS}
FROM (
    SELECT {{unit}} AS who, count() AS times
    FROM events
    {_IN_PERIOD}
    GROUP BY who
)
"""

_COUNT_OVER = f"""
SELECT bucket, {_COUNTS}
FROM (
    SELECT {{bucket}} AS bucket, {{unit}} AS who, count() AS times
    FROM events
    {_IN_PERIOD}
    GROUP BY bucket, who
)
GROUP BY bucket
ORDER BY bucket
"""

# A person enters once, with the first `from` of the period, and converts with a `to` that follows within the window.
# One whose window is still open belongs to neither side yet: counting the quick ones early would flatter the number.
_CONVERSION_OVER = """
SELECT
    {bucket} AS bucket,
    countIf(closed) AS entered,
    countIf(closed AND arrayExists(at -> {hit}, ends)) AS converted,
    countIf(NOT closed) AS open
FROM (
    SELECT
        {person} AS who,
        minIf(timestamp, {begins}) AS entry,
        addSeconds(entry, {{window:UInt32}}) AS until,
        until <= {{as_of:DateTime64(3, 'UTC')}} AS closed,
        groupArrayIf(timestamp, {goal}) AS ends
    FROM events
    PREWHERE event IN {{names:Array(String)}}
    WHERE product = {{product:UInt32}}
      AND {since}{has_unit}
      AND timestamp <= addSeconds({{end:DateTime64(3, 'UTC')}}, {{window:UInt32}})
    GROUP BY who
    HAVING countIf({begins}) > 0 AND entry >= {{start:DateTime64(3, 'UTC')}}
)
GROUP BY bucket
ORDER BY bucket
"""


def count(product_id: int, did: Selection, start: datetime, end: datetime, *, unit: Unit = None) -> Counted:
    """All occurrences in the period."""
    bound = Bound()
    who = unit_sql(unit, bound, [did])
    sql = _COUNT.format(unit=who, named=is_named(did, bound), passes=passes(did, bound) + has_unit(unit))
    rows = store().query(sql, bound.values | {"product": product_id, "start": start, "end": end}, PEOPLE)
    return _counted(rows[0])


def count_over(
    product_id: int,
    did: Selection,
    start: datetime,
    end: datetime,
    *,
    zone: str,
    each: Interval = "day",
    unit: Unit = None,
) -> dict[date, Counted]:
    """The same for each stretch in which there was one."""
    bound = Bound()
    who = unit_sql(unit, bound, [did])
    sql = _COUNT_OVER.format(
        bucket=bucket_sql(each), unit=who, named=is_named(did, bound), passes=passes(did, bound) + has_unit(unit)
    )
    parameters = bound.values | {"product": product_id, "start": start, "end": end, "zone": zone}
    return {row["bucket"]: _counted(row) for row in store().query(sql, parameters, CALENDAR)}


def conversion_over(
    product_id: int,
    entry: Selection,
    goal: Selection,
    window: timedelta,
    start: datetime,
    end: datetime,
    *,
    as_of: datetime,
    zone: str,
    each: Interval = "day",
    unit: Unit = None,
) -> dict[date, Converted]:
    """People who did `entry` in the period, by the stretch of their first one, and whether `goal` followed within `window`.

    Both ends of the window count. Where `entry` and `goal` are one event, the goal is its next occurrence. `as_of` is
    the moment up to which everything is known. The whole period's answer is the sum of its stretches.
    """
    hit = f"at {'>' if entry == goal else '>='} entry AND at <= until"
    asked = _Followed(product_id, entry, goal, window, start, end, as_of, zone, each, unit=unit)
    return _followed(asked, hit, since=_FROM_START)


def retention_over(
    product_id: int,
    begin: Selection,
    back: Selection,
    lead: timedelta,
    window: timedelta,
    start: datetime,
    end: datetime,
    *,
    as_of: datetime,
    zone: str,
    each: Interval = "day",
    unit: Unit = None,
) -> dict[date, Converted]:
    """People who did `begin` for the very first time in the period, and whether `back` came from `lead` to before `window`
    after it: with 7 and 8 days that is their day 7, as 24 hours from their own beginning on.
    """
    hit = "at >= addSeconds(entry, {lead:UInt32}) AND at < until"
    asked = _Followed(product_id, begin, back, window, start, end, as_of, zone, each, lead, unit)
    return _followed(asked, hit, since="1")


_FROM_START = "timestamp >= {start:DateTime64(3, 'UTC')}"


@dataclass(frozen=True)
class _Followed:
    product_id: int
    entry: Selection
    goal: Selection
    window: timedelta
    start: datetime
    end: datetime
    as_of: datetime
    zone: str
    each: Interval
    lead: timedelta = timedelta(0)
    unit: Unit = None


def _followed(asked: _Followed, hit: str, *, since: str) -> dict[date, Converted]:
    bound = Bound()
    who = unit_sql(asked.unit, bound, [asked.entry, asked.goal])
    sql = _CONVERSION_OVER.format(
        bucket=bucket_sql(asked.each, "entry"),
        person=who,
        has_unit=has_unit(asked.unit),
        hit=hit,
        begins=f"({selected(asked.entry, bound)}) AND timestamp < {{end:DateTime64(3, 'UTC')}}",
        goal=f"({selected(asked.goal, bound)})",
        since=since,
    )
    parameters = bound.values | {
        "product": asked.product_id,
        "names": named([asked.entry, asked.goal]),
        "window": int(asked.window.total_seconds()),
        "start": asked.start,
        "end": asked.end,
        "as_of": asked.as_of,
        "zone": asked.zone,
    }
    if asked.lead:
        parameters["lead"] = int(asked.lead.total_seconds())
    rows = store().query(sql, parameters, CALENDAR)
    return {row["bucket"]: Converted(row["entered"], row["converted"], row["open"]) for row in rows}


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


_ACTIVE_EACH_DAY = """
SELECT toDate(timestamp, {zone:String}) AS day, uniq(person) AS people
FROM events
WHERE product = {product:UInt32}
  AND timestamp >= {start:DateTime64(3, 'UTC')} AND timestamp < {end:DateTime64(3, 'UTC')}
GROUP BY day
"""


def active_each_day(product_id: int, start: datetime, end: datetime, *, zone: str) -> dict[date, int]:
    """About how many people sent anything at all, on each day on which somebody did: whether capture was up."""
    parameters = {"product": product_id, "start": start, "end": end, "zone": zone}
    return {row["day"]: row["people"] for row in store().query(_ACTIVE_EACH_DAY, parameters, CALENDAR)}


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
