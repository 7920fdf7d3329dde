"""Units of the past as an experiment would have met them: how many entered a day, and what they did afterwards.

What an experiment can show is asked of these before it starts; and an A/A test draws lots among them again and again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ..events import Row, store
from ..pieces.companies import unit_sql
from ..pieces.filters import Bound, Selection, selected
from ..pieces.sql import ASKING, INTERNAL_EVENTS, PERSON
from ..questions import amounts
from ..questions.amounts import Placed
from .exposure_units import NOT_IN_ROLLOUT, Drawn, Goal, Placing, Switched
from .exposures import MOST_CELLS


@dataclass(frozen=True)
class Entry:
    """What a person enters with: meeting `flag`, doing `did`, or without either anything at all."""

    did: Selection | None = None
    flag: str = ""


@dataclass(frozen=True)
class Asked:
    """Who entered from `start` to `end`, and how much of `goal` they did within `window` after; with `placing` the numbers that
    came with it, or how long each took. With `drawn` companies are units, as an experiment that draws them counts them.
    """

    product_id: int
    entry: Entry
    goal: Goal
    window: timedelta
    start: datetime
    end: datetime
    without: Sequence[int] = ()
    placing: Placing | None = None
    drawn: Drawn | None = None
    switched: Switched | None = None


@dataclass(frozen=True)
class PeriodOfUnits:
    """Who entered in a period of a switchback (by its number), and what they came to in it, as a switchback counts."""

    period: int
    region: str
    units: int
    top: float
    bottom: float


@dataclass(frozen=True)
class Sums:
    """Over units: what is counted and what that is divided by (1 where by nothing), with centred squares and products."""

    n: int
    top: float
    bottom: float
    top_m2: float
    bottom_m2: float
    together: float


@dataclass(frozen=True)
class DayOfUnits:
    """Who entered on a day (UTC), and the sums of those whose window is over."""

    day: date
    units: int
    closed: Sums


@dataclass(frozen=True)
class DrawnArm:
    """One arm of one drawing of lots, over units whose window is over."""

    drawing: int
    arm: int
    sums: Sums


_ENTERS = {
    "flag": "event = '$exposure' AND properties['flag'] = {flag:String} AND properties['reason'] NOT IN {not_in_rollout:Array(String)}",
    "event": "({entry})",
    "": "event NOT IN {internal:Array(String)}",
}

_UNITS = """
SELECT
    {unit} AS who, {company} AS company, {region} AS region,
    minIf(toUnixTimestamp64Milli(timestamp), {enters}) AS entered,
    entered + {{window:Int64}} <= {{end_ms:Int64}} AS closed,
    groupArrayIf((toUnixTimestamp64Milli(timestamp), {amount}), {goal}) AS done,
    arrayFilter(d -> {within}, done) AS inside,
    {value} AS value, {under} AS under, {numbers} AS xs
FROM events
WHERE product = {{product:UInt32}}
  AND timestamp >= {{start:DateTime64(3, 'UTC')}} AND timestamp <= {{end:DateTime64(3, 'UTC')}}
  AND ({enters} OR {goal}{or_under})
  AND {person} NOT IN {{without:Array(UInt64)}}{counted}
GROUP BY who
HAVING countIf({enters}) > 0{has_unit}
"""

# A company entered with the first of its people, and is counted by those whose window is over.
_GATHERED = """
SELECT
    company AS who, min(entered) AS entered, max(closed) AS closed,
    sumIf(u.value, u.closed) AS value, sumIf(u.under, u.closed) AS under, arrayFlatten(groupArrayIf(u.xs, u.closed)) AS xs
FROM ({people}) AS u
WHERE company != ''
GROUP BY company
"""

_SUMS = """
    countIf(closed) AS n,
    avgIf(value, closed) AS top, avgIf(under, closed) AS bottom,
    varPopStableIf(value, closed) AS top_spread, varPopStableIf(under, closed) AS bottom_spread,
    covarPopStableIf(value, under, closed) AS products"""

# As a switchback counts: a person anew in each period, of whom only that period is looked at.
_BY_PERIOD = """
SELECT who.2 AS period, region, count() AS units, avg(value) AS top, avg(under) AS bottom
FROM ({units})
GROUP BY period, region
ORDER BY period, region
LIMIT {{most:UInt32}}
"""

_BY_DAY = """
SELECT toDate(fromUnixTimestamp64Milli(entered, 'UTC')) AS day, count() AS units,{sums}
FROM ({units})
GROUP BY day
ORDER BY day
"""

# Each drawing hashes everybody anew; a unit is in one arm of each.
_ARM = "arraySum(bound -> cityHash64(who, drawing) % {total:UInt64} >= bound, {bounds:Array(UInt64)})"

_CROWD = """
SELECT who, closed, value, under, xs FROM ({units}) WHERE closed{has_numbers}
ORDER BY cityHash64(who) LIMIT {{most:UInt32}}
"""

_DRAWN = """
SELECT drawing, {arm} AS arm,{sums}
FROM ({crowd})
ARRAY JOIN range({{drawings:UInt32}}) AS drawing
GROUP BY drawing, arm
ORDER BY drawing, arm
"""

# As `amounts.placed` wants them.
_PLACED = "SELECT (0, 0) AS bucket, xs, 0 AS waits FROM ({crowd})"
_PLACED_DRAWN = """
SELECT (drawing, {arm}) AS bucket, xs, 0 AS waits
FROM ({crowd})
ARRAY JOIN range({{drawings:UInt32}}) AS drawing
"""

EVERYBODY = 2**32 - 1


def by_day(asked: Asked) -> list[DayOfUnits]:
    """A row for each day on which somebody entered, oldest first."""
    units, known = _units(asked)
    rows = store().query(_BY_DAY.format(sums=_SUMS, units=units), known, ASKING)
    return [DayOfUnits(row["day"], row["units"], _sums(row)) for row in rows]


def by_period(asked: Asked) -> list[PeriodOfUnits]:
    """A row for each period of `asked.switched` and region in which somebody entered."""
    units, known = _units(asked)
    rows = store().query(_BY_PERIOD.format(units=units), known | {"most": MOST_CELLS}, ASKING)
    return [PeriodOfUnits(row["period"], row["region"], row["units"], row["top"], row["bottom"]) for row in rows]


def placed(asked: Asked, reach: float) -> Placed | None:
    """Where the percentile lies among all whose window is over, and the values `reach` standard errors to each side."""
    crowd, known = _crowd(asked, EVERYBODY)
    return amounts.placed(_PLACED.format(crowd=crowd), known, _placing(asked).share, reach).get((0, 0))


def drawn(asked: Asked, weights: Sequence[int], *, drawings: int, most: int) -> list[DrawnArm]:
    """Lots drawn `drawings` times among these units (`most` of them), with these weights; arms count from 0."""
    crowd, known = _crowd(asked, most)
    sql = _DRAWN.format(arm=_ARM, sums=_SUMS, crowd=crowd)
    rows = store().query(sql, known | _lots(weights, drawings), ASKING)
    return [DrawnArm(row["drawing"], row["arm"], _sums(row)) for row in rows]


def placed_drawn(
    asked: Asked, weights: Sequence[int], reach: float, *, drawings: int, most: int
) -> dict[tuple[int, int], Placed]:
    """The percentile of each drawing and arm."""
    crowd, known = _crowd(asked, most)
    sql = _PLACED_DRAWN.format(arm=_ARM, crowd=crowd)
    return amounts.placed(sql, known | _lots(weights, drawings), _placing(asked).share, reach)


def _placing(asked: Asked) -> Placing:
    if asked.placing is None:
        raise ValueError("only a percentile is placed")
    return asked.placing


def _lots(weights: Sequence[int], drawings: int) -> dict[str, object]:
    bounds = [sum(weights[: at + 1]) for at in range(len(weights) - 1)]
    return {"bounds": bounds, "total": sum(weights), "drawings": drawings}


def _sums(row: Row) -> Sums:
    n = row["n"]
    if not n:
        return Sums(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return Sums(n, row["top"], row["bottom"], row["top_spread"] * n, row["bottom_spread"] * n, row["products"] * n)


def _crowd(asked: Asked, most: int) -> tuple[str, dict[str, object]]:
    units, known = _units(asked)
    sql = _CROWD.format(units=units, has_numbers=" AND notEmpty(xs)" if asked.placing else "")
    return sql, known | {"most": most}


def _units(asked: Asked) -> tuple[str, dict[str, object]]:
    """The units as SQL, and what it binds."""
    entry, goal, bound = asked.entry, asked.goal, Bound()
    enters = _ENTERS["flag" if entry.flag else "event" if entry.did else ""]
    if entry.did:
        enters = enters.format(entry=selected(entry.did, bound))
    within = "d.1 >= entered AND d.1 <= entered + {window:Int64}"
    if goal.after:
        after = bound.add("Int64", int(goal.after / timedelta(milliseconds=1)))
        within = f"d.1 >= entered + {after} AND d.1 < entered + {{window:Int64}}"
    under, or_under = "1.", ""
    if goal.under is not None:
        meant = f"({selected(goal.under.selection, bound)})"
        those = f"groupArrayIf((toUnixTimestamp64Milli(timestamp), {_amount(goal.under.amount, bound)}), {meant})"
        under, or_under = _value(goal.under, f"arrayFilter(d -> {within}, {those})"), f" OR {meant}"
    amount = asked.placing.amount if asked.placing is not None else goal.amount
    unit, company, has_unit, region, counted = PERSON, "''", "", "''", ""
    if asked.switched is not None:
        unit, counted = f"({PERSON}, {asked.switched.period})", f" AND {asked.switched.counts}"
        if asked.switched.by:
            region = f"argMinIf(properties[{bound.add('String', asked.switched.by)}], timestamp, {enters})"
    if asked.drawn is not None:
        own = unit_sql(asked.drawn.companies, bound)
        if asked.drawn.gathered:
            company = f"argMinIf({own}, timestamp, {enters})"
        else:
            unit, has_unit = own, " AND who != ''"
    sql = _UNITS.format(
        person=PERSON,
        unit=unit,
        company=company,
        has_unit=has_unit,
        region=region,
        counted=counted,
        enters=enters,
        amount=_amount(amount, bound),
        goal=f"({selected(goal.selection, bound)})",
        or_under=or_under,
        within=within,
        value=_value(goal, "inside"),
        under=under,
        numbers=_numbers(asked.placing),
    )
    if asked.drawn is not None and asked.drawn.gathered:
        sql = _GATHERED.format(people=sql)
    return sql, bound.values | {
        "product": asked.product_id,
        "flag": entry.flag,
        "not_in_rollout": list(NOT_IN_ROLLOUT),
        "internal": list(INTERNAL_EVENTS),
        "window": int(asked.window / timedelta(milliseconds=1)),
        "start": asked.start,
        "end": asked.end,
        "end_ms": round(asked.end.timestamp() * 1000),
        "without": list(asked.without),
    }


def _amount(name: str, bound: Bound) -> str:
    return f"ifNull(toFloat64OrNull(properties[{bound.add('String', name)}]), nan)" if name else "1."


def _value(goal: Goal, done: str) -> str:
    """What one unit comes to; what holds no finite number adds nothing."""
    if goal.bearing:
        value = f"toFloat64(arrayCount(d -> isFinite(d.2), {done}))"
    else:
        value = f"toFloat64(arraySum(d -> if(isFinite(d.2), d.2, 0), {done}))"
    return f"toFloat64({value} != 0)" if goal.once else value


def _numbers(placing: Placing | None) -> str:
    """All numbers of one unit; without an amount how long it took, for ever where it did not get there."""
    if placing is None:
        return "CAST([], 'Array(Float64)')"
    if placing.amount:
        return "arrayMap(d -> d.2, arrayFilter(d -> isFinite(d.2), inside))"
    return "[if(notEmpty(inside), (arrayMin(d -> d.1, inside) - entered) / 1000, inf)]"
