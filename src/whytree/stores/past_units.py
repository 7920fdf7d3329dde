"""People of the past as an experiment would have met them: how many entered a day, and what they did afterwards.

What an experiment can show is asked of these before it starts; and an A/A test draws lots among them again and again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from .events import store
from .exposures import NOT_IN_ROLLOUT, Goal
from .filters import Bound, Selection, selected
from .sql import ASKING, INTERNAL_EVENTS, PERSON


@dataclass(frozen=True)
class Entry:
    """What a person enters with: meeting `flag`, doing `did`, or without either anything at all."""

    did: Selection | None = None
    flag: str = ""


@dataclass(frozen=True)
class Asked:
    """Who entered from `start` to `end`, and how much of `goal` they did within `window` after."""

    product_id: int
    entry: Entry
    goal: Goal
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
    "event": "({entry})",
    "": "event NOT IN {internal:Array(String)}",
}

_UNITS = """
SELECT who, entered, value, entered + {{window:Int64}} <= {{end_ms:Int64}} AS closed
FROM (
    SELECT
        {person} AS who,
        minIf(toUnixTimestamp64Milli(timestamp), {enters}) AS entered,
        groupArrayIf((toUnixTimestamp64Milli(timestamp), {amount}), {goal}) AS done,
        arraySum(d -> if({within} AND isFinite(d.2), d.2, 0), done) AS much,
        if({{once:UInt8}}, toFloat64(much != 0), toFloat64(much)) AS value
    FROM events
    WHERE product = {{product:UInt32}}
      AND timestamp >= {{start:DateTime64(3, 'UTC')}} AND timestamp <= {{end:DateTime64(3, 'UTC')}}
      AND ({enters} OR {goal})
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
    units, known = _units(asked)
    rows = store().query(_BY_DAY.format(units=units), known, ASKING)
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
    units, known = _units(asked)
    rows = store().query(_DRAWN.format(units=units), known | more, ASKING)
    return [
        DrawnArm(row["drawing"], row["arm"], row["people"], row["mean"], row["spread"] * row["people"]) for row in rows
    ]


def _units(asked: Asked) -> tuple[str, dict[str, object]]:
    """The people as SQL, and what it binds."""
    entry, goal, bound = asked.entry, asked.goal, Bound()
    enters = _ENTERS["flag" if entry.flag else "event" if entry.did else ""]
    if entry.did:
        enters = enters.format(entry=selected(entry.did, bound))
    amount = "1."
    if goal.amount:
        amount = f"ifNull(toFloat64OrNull(properties[{bound.add('String', goal.amount)}]), nan)"
    within = "d.1 >= entered AND d.1 <= entered + {window:Int64}"
    if goal.after:
        after = bound.add("Int64", int(goal.after / timedelta(milliseconds=1)))
        within = f"d.1 >= entered + {after} AND d.1 < entered + {{window:Int64}}"
    sql = _UNITS.format(
        person=PERSON, enters=enters, amount=amount, goal=f"({selected(goal.selection, bound)})", within=within
    )
    return sql, bound.values | {
        "product": asked.product_id,
        "flag": entry.flag,
        "not_in_rollout": list(NOT_IN_ROLLOUT),
        "internal": list(INTERNAL_EVENTS),
        "once": int(goal.once),
        "window": int(asked.window / timedelta(milliseconds=1)),
        "start": asked.start,
        "end": asked.end,
        "end_ms": round(asked.end.timestamp() * 1000),
        "without": list(asked.without),
    }
