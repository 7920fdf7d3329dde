"""Sessions: stretches of what somebody does without a pause longer than so many minutes, told at the time of asking.

A person's events are sorted and cut where the pause is too long. Nothing is stored: a late event, a merge of two people
or another length of pause is right at once. Over five million events it took twice as long as a funnel of three steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from ..events import Row, store
from ..pieces.filters import Bound, By, Selection, group_sql, is_named, passes
from ..pieces.sql import ASKING, INTERNAL_EVENTS, PERSON
from ..pieces.stretches import Interval, bucket_sql
from .funnels import MOST_GROUPS


@dataclass(frozen=True)
class Asked:
    """Sessions that began in this time. `only` those in which somebody did this, where it names no event anything of the sort."""

    start: datetime
    end: datetime
    idle_minutes: int
    interval: Interval
    zone: str
    only: Selection | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """Some sessions together."""

    sessions: int
    people: int
    bounced: int  # of one event only
    seconds: float | None  # median from the first to the last event
    p90_seconds: float | None
    events: float | None  # mean in a session
    pages: float | None  # mean of page views and screens in those that have any


@dataclass(frozen=True)
class Told:
    """All of them, those that began in each stretch, and those of each group, largest first; None is all smaller groups together."""

    whole: Sums
    stretches: dict[date | datetime, Sums]
    groups: dict[str | None, Sums]


@dataclass(frozen=True, slots=True)
class Place:
    """A page or screen at which sessions begin or end; "" when the event had none."""

    name: str
    entered: int
    left: int
    bounced: int


#: What somebody did at a place: came in there, left from there, or both with nothing else.
End = Literal["entered", "left", "bounced"]
ENDS: dict[End, str] = {
    "entered": "piece[1].5 = {place}",
    "left": "piece[-1].5 = {place}",
    "bounced": "length(piece) = 1 AND piece[1].5 = {place}",
}


@dataclass(frozen=True)
class Some:
    """Some of the sessions: of a group, at a place, or of one event only."""

    by: tuple[By, ...] = ()
    group: str = ""
    place: str | None = None
    end: End | None = None


# One row a session. Each is an array of (time, event_id, whether it is a page, whether it is what is asked for, texts) in
# the order of time. Texts cost three times what a number does, so lengths are told without them, and without the id, which
# says what came first at one moment.
_SESSIONS = """
SELECT who, one_id, last_at, piece, piece[1].1 AS began, (piece[-1].1 - piece[1].1) / 1000 AS lasted
FROM (
    SELECT {person} AS who, argMax(distinct_id, timestamp) AS one_id, max(timestamp) AS last_at,
        arraySort(groupArray((toUnixTimestamp64Milli(timestamp) AS at, {moment}))) AS moments,
        arrayMap(moment -> moment.1, moments) AS times,
        arrayMap((time, pause) -> pause > {{idle:Int64}}, times, arrayDifference(times)) AS begins,
        arraySplit((moment, starts) -> starts, moments, begins) AS pieces,
        arrayJoin(arrayFilter(piece -> piece[1].1 >= toUnixTimestamp64Milli({{start:DateTime64(3, 'UTC')}})
            AND piece[1].1 < toUnixTimestamp64Milli({{end:DateTime64(3, 'UTC')}}){with_meant}, pieces)) AS piece
    FROM events
    WHERE product = {{product:UInt32}} AND event NOT IN {{internal:Array(String)}}
        AND timestamp >= subtractMilliseconds({{start:DateTime64(3, 'UTC')}}, {{idle:Int64}})
        AND timestamp < addHours({{end:DateTime64(3, 'UTC')}}, 24)
    GROUP BY who
)
"""
_PAGES = "event IN ('$pageview', '$screen')"

_SUMS = """
SELECT grouping(bucket) AS no_bucket, grouping(value) AS no_value, bucket, value,
    count() AS sessions, uniqExact(who) AS people, countIf(length(piece) = 1) AS bounced,
    quantileExactOrNull(0.5)(lasted) AS seconds,
    quantileExactOrNull(0.9)(lasted) AS p90_seconds,
    avgOrNull(length(piece)) AS events,
    avgIfOrNull(seen, seen > 0) AS pages
FROM (
    SELECT who, piece, lasted, arrayCount(moment -> moment.3, piece) AS seen, {bucket} AS bucket, {value} AS value
    FROM ({sessions})
)
GROUP BY GROUPING SETS ((), (bucket), (value))
ORDER BY bucket, value
"""

_LARGEST = """
SELECT piece[1].5 AS value
FROM ({sessions})
GROUP BY value
ORDER BY count() DESC, value
LIMIT {{groups:UInt32}}
"""

_PLACES = """
SELECT name, countIf(side = 'in') AS entered, countIf(side = 'out') AS left, countIf(side = 'in' AND alone) AS bounced
FROM (
    SELECT length(piece) = 1 AS alone,
        arrayJoin([('in', piece[1].5), ('out', piece[-1].5)]) AS end, end.1 AS side, end.2 AS name
    FROM ({sessions})
)
GROUP BY name
ORDER BY entered DESC, left DESC, name
LIMIT {{limit:UInt32}}
"""

_WHO = """
SELECT who, any(one_id) AS one_id, argMax(piece[{end}].6, began) AS event
FROM ({sessions})
WHERE {which}
GROUP BY who
ORDER BY max(last_at) DESC, who
"""


def sums(product: int, asked: Asked, by: Sequence[By] = ()) -> Told:
    """A session is of the group that its first event is of."""
    bound, value, texts = Bound(), "''", []
    groups = _largest(product, asked, by) if by else ()
    if by:
        own, texts = bound.add("Array(String)", list(groups)), [group_sql(by, bound)]
        # the sign before a value tells a group of its own from all others together
        value = f"if(piece[1].5 IN {own}, concat('=', piece[1].5), '')"
    bucket = bucket_sql(asked.interval, "fromUnixTimestamp64Milli(began, 'UTC')")
    sessions = _sessions(asked, bound, *texts, pages=_PAGES)
    sql = _SUMS.format(bucket=bucket, value=value, sessions=sessions)
    rows = _rows(sql, product, asked, bound, zone=asked.zone)
    told = {row["value"]: _sums(row) for row in rows if row["no_bucket"] and not row["no_value"]}
    found: dict[str | None, Sums] = {group: told[f"={group}"] for group in groups if f"={group}" in told}
    if by and "" in told:
        found[None] = told[""]
    return Told(
        next((_sums(row) for row in rows if row["no_bucket"] and row["no_value"]), NONE),
        {row["bucket"]: _sums(row) for row in rows if not row["no_bucket"]},
        found,
    )


def places(product: int, asked: Asked, limit: int = 50) -> list[Place]:
    """Where they began and ended, most entered first."""
    bound = Bound()
    sql = _PLACES.format(sessions=_sessions(asked, bound, "path"))
    return [Place(**row) for row in _rows(sql, product, asked, bound, limit=limit)]


def who(product: int, asked: Asked, some: Some) -> list[tuple[int, str, str]]:
    """Whose they are, those seen last first: hash, one id, and the event that their latest one began with; or left with."""
    bound, which = Bound(), []
    text = group_sql(some.by, bound) if some.by else "path"
    if some.place is not None:
        which.append(ENDS[some.end or "entered"].format(place=bound.add("String", some.place)))
    elif some.end == "bounced":
        which.append("length(piece) = 1")
    if some.by:
        which.append(f"piece[1].5 = {bound.add('String', some.group)}")
    sessions = _sessions(asked, bound, text, "event")
    sql = _WHO.format(sessions=sessions, which=" AND ".join(which) or "1", end="-1" if some.end == "left" else "1")
    return [(row["who"], row["one_id"], row["event"]) for row in _rows(sql, product, asked, bound)]


def _largest(product: int, asked: Asked, by: Sequence[By]) -> tuple[str, ...]:
    bound = Bound()
    sql = _LARGEST.format(sessions=_sessions(asked, bound, group_sql(by, bound)))
    return tuple(row["value"] for row in _rows(sql, product, asked, bound, groups=MOST_GROUPS))


def _sessions(asked: Asked, bound: Bound, *texts: str, pages: str = "0") -> str:
    meant, with_meant = "0", ""
    if asked.only is not None:
        named = is_named(asked.only, bound) if any(asked.only.events) else "1"
        meant, with_meant = f"({named}{passes(asked.only, bound)})", " AND arrayExists(moment -> moment.4, piece)"
    moment = ["event_id" if texts else "0", pages, meant, *(f"toString({text})" for text in texts)]
    return _SESSIONS.format(person=PERSON, moment=", ".join(moment), with_meant=with_meant)


def _sums(row: Row) -> Sums:
    return Sums(**{name: row[name] for name in Sums.__slots__})


NONE = Sums(0, 0, 0, None, None, None, None)


def _rows(sql: str, product: int, asked: Asked, bound: Bound, **more: object) -> list[Row]:
    known = {
        "product": product,
        "start": asked.start,
        "end": asked.end,
        "idle": asked.idle_minutes * 60_000,
        "internal": list(INTERNAL_EVENTS),
    }
    return store().query(sql, bound.values | known | more, ASKING)
