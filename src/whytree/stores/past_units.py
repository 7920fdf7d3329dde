"""People of the past as an experiment would have met them: how many entered a day, and what they did afterwards.

What an experiment can show is asked of these before it starts; and an A/A test draws lots among them again and again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from .events import store
from .exposures import NOT_IN_ROLLOUT
from .sql import ASKING, INTERNAL_EVENTS, PERSON


@dataclass(frozen=True)
class Entry:
    """What a person enters with: meeting `flag`, doing `event`, or without either anything at all."""

    event: str = ""
    flag: str = ""


@dataclass(frozen=True)
class Asked:
    """Who entered from `start` to `end`, and how often they did `goal` within `window` after; `once`: whether at all."""

    product_id: int
    entry: Entry
    goal: str
    once: bool
    window: timedelta
    start: datetime
    end: datetime
    without: Sequence[int] = ()


@dataclass(frozen=True)
class DayOfUnits:
    """Who entered on a day (UTC); of the `closed`, whose window is over, the mean and the squares about it."""

    day: date
    people: int
    closed: int
    mean: float
    m2: float


@dataclass(frozen=True)
class DrawnArm:
    """One arm of one drawing of lots, over people whose window is over."""

    drawing: int
    arm: int
    people: int
    mean: float
    m2: float


_ENTERS = {
    "flag": "event = '$exposure' AND properties['flag'] = {flag:String} AND properties['reason'] NOT IN {not_in_rollout:Array(String)}",
    "event": "event = {entry:String}",
    "": "event NOT IN {internal:Array(String)}",
}

_UNITS = """
SELECT who, entered, value, entered + {{window:Int64}} <= {{end_ms:Int64}} AS closed
FROM (
    SELECT
        {person} AS who,
        minIf(toUnixTimestamp64Milli(timestamp), {enters}) AS entered,
        groupArrayIf(toUnixTimestamp64Milli(timestamp), event = {{goal:String}}) AS done,
        arrayCount(at -> at >= entered AND at <= entered + {{window:Int64}}, done) AS times,
        toFloat64(if({{once:UInt8}}, least(times, 1), times)) AS value
    FROM events
    WHERE product = {{product:UInt32}}
      AND timestamp >= {{start:DateTime64(3, 'UTC')}} AND timestamp <= {{end:DateTime64(3, 'UTC')}}
      AND ({enters} OR event = {{goal:String}})
      AND {person} NOT IN {{without:Array(UInt64)}}
    GROUP BY who
    HAVING countIf({enters}) > 0
)
"""

_BY_DAY = """
SELECT
    toDate(fromUnixTimestamp64Milli(entered, 'UTC')) AS day,
    count() AS people,
    countIf(closed) AS counted,
    avgIf(value, closed) AS mean,
    varPopStableIf(value, closed) AS spread
FROM ({units})
GROUP BY day
ORDER BY day
"""

# Each drawing hashes everybody anew; a person is in one arm of each.
_DRAWN = """
SELECT
    drawing,
    arraySum(bound -> cityHash64(who, drawing) % {{total:UInt64}} >= bound, {{bounds:Array(UInt64)}}) AS arm,
    count() AS people,
    avg(value) AS mean,
    varPopStable(value) AS spread
FROM (SELECT who, value FROM ({units}) WHERE closed ORDER BY cityHash64(who) LIMIT {{most:UInt32}})
ARRAY JOIN range({{drawings:UInt32}}) AS drawing
GROUP BY drawing, arm
ORDER BY drawing, arm
"""


def by_day(asked: Asked) -> list[DayOfUnits]:
    """A row for each day on which somebody entered, oldest first."""
    rows = store().query(_BY_DAY.format(units=_units(asked)), _parameters(asked), ASKING)
    return [
        DayOfUnits(
            row["day"],
            row["people"],
            row["counted"],
            row["mean"] if row["counted"] else 0.0,
            row["spread"] * row["counted"] if row["counted"] else 0.0,
        )
        for row in rows
    ]


def drawn(asked: Asked, weights: Sequence[int], *, drawings: int, most: int) -> list[DrawnArm]:
    """Lots drawn `drawings` times among these people (`most` of them), with these weights; arms count from 0."""
    bounds = [sum(weights[: at + 1]) for at in range(len(weights) - 1)]
    more = {"bounds": bounds, "total": sum(weights), "drawings": drawings, "most": most}
    rows = store().query(_DRAWN.format(units=_units(asked)), _parameters(asked) | more, ASKING)
    return [
        DrawnArm(row["drawing"], row["arm"], row["people"], row["mean"], row["spread"] * row["people"]) for row in rows
    ]


def _units(asked: Asked) -> str:
    kind = "flag" if asked.entry.flag else "event" if asked.entry.event else ""
    return _UNITS.format(person=PERSON, enters=_ENTERS[kind])


def _parameters(asked: Asked) -> dict[str, object]:
    return {
        "product": asked.product_id,
        "flag": asked.entry.flag,
        "entry": asked.entry.event,
        "not_in_rollout": list(NOT_IN_ROLLOUT),
        "internal": list(INTERNAL_EVENTS),
        "goal": asked.goal,
        "once": int(asked.once),
        "window": int(asked.window / timedelta(milliseconds=1)),
        "start": asked.start,
        "end": asked.end,
        "end_ms": round(asked.end.timestamp() * 1000),
        "without": list(asked.without),
    }
