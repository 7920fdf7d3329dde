"""Numbers that come with events, added up for each person; their quantiles; and how long people took.

Nothing but sums and single values leaves the store. People are counted after their ids were joined (`sql.PERSON`); with
`unit`, companies in their place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from ..events import Row, store
from ..pieces.companies import Unit, has_unit, unit_sql
from ..pieces.filters import Bound, Selection, field_sql, named, selected
from ..pieces.sql import ASKING, INTERNAL_EVENTS
from ..pieces.stretches import Interval, bucket_sql

#: total: how often; people: whether at all; sum: of `field`; numbers: how many events carry one; carriers: whether any does.
Counts = Literal["total", "people", "sum", "numbers", "carriers"]

#: What stands for a stretch where the whole period is one.
WHOLE = date(1970, 1, 1)


@dataclass(frozen=True)
class Part:
    """What is added up for a person. A number is what reads as a finite one; other texts add nothing."""

    selection: Selection
    measure: Counts = "total"
    field: str = ""


@dataclass(frozen=True)
class Period:
    """`start` <= t < `end`; with a `zone` cut into stretches of its calendar, without one in one piece."""

    start: datetime
    end: datetime
    zone: str = ""
    each: Interval = "day"

    def bucket(self, at: str = "timestamp") -> str:
        return bucket_sql(self.each, at) if self.zone else "toDate(0)"

    @property
    def parameters(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end} | ({"zone": self.zone} if self.zone else {})


@dataclass(frozen=True)
class Sums:
    """Two parts, x and y, over people: totals, means, and centred squares and products.

    `people` have either part, `bearers` a y that is not 0, `doers` such an x. `squares` is the plain sum of x^2.
    """

    people: int
    bearers: int
    doers: int
    top: float
    bottom: float
    top_mean: float
    bottom_mean: float
    top_m2: float
    bottom_m2: float
    together: float
    squares: float
    largest: float
    smallest: float


@dataclass(frozen=True)
class Placed:
    """A quantile of `rows` values of `people`, and the values where the ends of its interval lie.

    `open` are people whose time is not over.
    """

    people: int
    rows: int
    value: float
    low: float
    high: float
    open: int = 0


_SUMMED = """
    count() AS people, countIf(y != 0) AS bearers, countIf(x != 0) AS doers, sum(x) AS top, sum(y) AS bottom,
    avg(x) AS top_mean, avg(y) AS bottom_mean,
    varPopStable(x) AS top_spread, varPopStable(y) AS bottom_spread, covarPopStable(x, y) AS products,
    sum(x * x) AS squares, max(x) AS largest, min(x) AS smallest"""

_SUMS = f"""
SELECT
    bucket,{_SUMMED}
FROM (
    SELECT {{bucket}} AS bucket, {{person}} AS who, {{top}} AS x, {{bottom}} AS y
    FROM events
    PREWHERE event IN {{{{names:Array(String)}}}}
    WHERE product = {{{{product:UInt32}}}}
      AND timestamp >= {{{{start:DateTime64(3, 'UTC')}}}} AND timestamp < {{{{end:DateTime64(3, 'UTC')}}}}
      AND ({{condition}}){{has_unit}}
    GROUP BY bucket, who
)
GROUP BY bucket
ORDER BY bucket
"""


def sums(product_id: int, top: Part, bottom: Part, period: Period, *, unit: Unit = None) -> dict[date, Sums]:
    """Both parts by stretch, or under `WHOLE`; one in which nobody did either is left out."""
    bound = Bound()
    who = unit_sql(unit, bound, [top.selection, bottom.selection])
    sql = _SUMS.format(
        bucket=period.bucket(),
        person=who,
        has_unit=has_unit(unit),
        top=_part_sql(top, bound),
        bottom=_part_sql(bottom, bound),
        condition=f"({selected(top.selection, bound)}) OR ({selected(bottom.selection, bound)})",
    )
    names = named([top.selection, bottom.selection])
    rows = store().query(sql, _parameters(product_id, names, period, bound), ASKING)
    return {row["bucket"]: _sums(row) for row in rows}


# A day on which a person did anything counts, with what they did of it then: so a longer period is no larger number.
_A_DAY = f"""
SELECT{_SUMMED}
FROM (
    SELECT who, sum(on_day) AS x, toFloat64(count()) AS y
    FROM (
        SELECT toDate(timestamp, {{{{zone:String}}}}) AS day, {{person}} AS who, {{part}} AS on_day
        FROM events
        WHERE product = {{{{product:UInt32}}}}
          AND timestamp >= {{{{start:DateTime64(3, 'UTC')}}}} AND timestamp < {{{{end:DateTime64(3, 'UTC')}}}}
          AND event NOT IN {{{{internal:Array(String)}}}}{{has_unit}}
        GROUP BY day, who
    )
    GROUP BY who
)
"""


def a_day(product_id: int, part: Part, period: Period, *, unit: Unit = None) -> Sums:
    """The part over the days (of the period's zone) on which somebody did anything at all: x and y of each person."""
    bound = Bound()
    sql = _A_DAY.format(person=unit_sql(unit, bound), has_unit=has_unit(unit), part=_part_sql(part, bound))
    known = bound.values | period.parameters | {"product": product_id, "internal": list(INTERNAL_EVENTS)}
    return _sums(store().query(sql, known, ASKING)[0])


def _sums(row: Row) -> Sums:
    n = row["people"]
    names = ("people", "bearers", "doers", "top", "bottom", "top_mean", "bottom_mean", "squares", "largest", "smallest")
    return Sums(
        **{name: row[name] for name in names},
        top_m2=row["top_spread"] * n,
        bottom_m2=row["bottom_spread"] * n,
        together=row["products"] * n,
    )


def _part_sql(part: Part, bound: Bound) -> str:
    """A part of one person, among that person's events."""
    meant = f"({selected(part.selection, bound)})"
    if part.measure in ("total", "people"):
        return f"toFloat64(countIf({meant}){' > 0' if part.measure == 'people' else ''})"
    number = number_sql(part.field, bound)
    carries = f"{meant} AND isFinite({number})"
    if part.measure == "sum":
        return f"sumIf({number}, {carries})"
    return f"toFloat64(countIf({carries}){' > 0' if part.measure == 'carriers' else ''})"


def number_sql(field: str, bound: Bound) -> str:
    """A property as a number; not a number where it is none."""
    return f"ifNull(toFloat64OrNull({field_sql(field, bound)}), nan)"


# Each person's values stay together: several of one person are no independent news, so that the error of the share below
# the quantile is a ratio's, over people. The interval's ends are the values where that share lies an error's reach away.
_PLACED = """
SELECT
    bucket, still_open, length(each) AS people, length(ordered) AS rows, value,
    ordered[1 + toUInt64(greatest(0., least(rows - 1., round(({{share:Float64}} - reach) * rows))))] AS low,
    ordered[1 + toUInt64(greatest(0., least(rows - 1., round(({{share:Float64}} + reach) * rows))))] AS high
FROM (
    SELECT
        bucket, still_open, each, ordered,
        (length(ordered) - 1) * {{share:Float64}} AS place,
        ordered[1 + toUInt64(floor(place))] AS under,
        under + (place - floor(place)) * (ordered[least(length(ordered), 2 + toUInt64(floor(place)))] - under) AS value,
        arrayMap(xs -> arrayCount(x -> x <= value, xs), each) AS below,
        arrayMap(xs -> length(xs), each) AS sizes,
        arraySum(below) / arraySum(sizes) AS share,
        arraySum((b, s) -> pow(b - share * s, 2), below, sizes) AS spread,
        length(each) AS n,
        {{reach:Float64}} * sqrt(spread / greatest(n - 1, 1) / n) / (arraySum(sizes) / n) AS reach
    FROM (
        SELECT bucket, sum(waits) AS still_open, groupArrayIf(xs, notEmpty(xs)) AS each, arraySort(arrayFlatten(each)) AS ordered
        FROM ({people})
        GROUP BY bucket
    )
    WHERE notEmpty(ordered)
)
ORDER BY bucket
"""

_NUMBERS = """
SELECT bucket, who, groupArray(x) AS xs, 0 AS waits
FROM (
    SELECT {bucket} AS bucket, {person} AS who, {number} AS x
    FROM events
    PREWHERE event IN {{names:Array(String)}}
    WHERE product = {{product:UInt32}}
      AND timestamp >= {{start:DateTime64(3, 'UTC')}} AND timestamp < {{end:DateTime64(3, 'UTC')}}
      AND {condition}{has_unit}
)
WHERE isFinite(x)
GROUP BY bucket, who
"""

# As in `metrics`: a person enters once, with the first `from` of the period, and counts when the window is over.
_TIMES = """
SELECT
    {bucket} AS bucket,
    until > {{as_of:DateTime64(3, 'UTC')}} AS waits,
    arrayMin(arrayFilter(at -> at {after} entry, ends)) AS reached,
    if(NOT waits AND arrayExists(at -> at {after} entry AND at <= until, ends),
       [dateDiff('millisecond', entry, reached) / 1000], CAST([], 'Array(Float64)')) AS xs
FROM (
    SELECT
        {person} AS who,
        minIf(timestamp, {begins}) AS entry,
        addSeconds(entry, {{window:UInt32}}) AS until,
        groupArrayIf(timestamp, {goal}) AS ends
    FROM events
    PREWHERE event IN {{names:Array(String)}}
    WHERE product = {{product:UInt32}}
      AND timestamp >= {{start:DateTime64(3, 'UTC')}}
      AND timestamp <= addSeconds({{end:DateTime64(3, 'UTC')}}, {{window:UInt32}}){has_unit}
    GROUP BY who
    HAVING countIf({begins}) > 0
)
"""


def quantile(
    product_id: int,
    selection: Selection,
    field: str,
    share: float,
    reach: float,
    period: Period,
    *,
    unit: Unit = None,
) -> dict[date, Placed]:
    """The value below which `share` of the numbers lie, by stretch or under `WHOLE`. `reach` counts standard errors."""
    bound = Bound()
    who = unit_sql(unit, bound, [selection])
    people = _NUMBERS.format(
        bucket=period.bucket(),
        person=who,
        has_unit=has_unit(unit),
        number=number_sql(field, bound),
        condition=selected(selection, bound),
    )
    return placed(people, _parameters(product_id, named([selection]), period, bound), share, reach)


def time_to(
    product_id: int,
    entry: Selection,
    goal: Selection,
    window: timedelta,
    share: float,
    reach: float,
    period: Period,
    *,
    as_of: datetime,
    unit: Unit = None,
) -> dict[date, Placed]:
    """The same of the seconds from `entry` to `goal`, over people who got there within `window`, by the stretch of entry."""
    bound = Bound()
    who = unit_sql(unit, bound, [entry, goal])
    people = _TIMES.format(
        bucket=period.bucket("entry"),
        person=who,
        has_unit=has_unit(unit),
        after=">" if entry == goal else ">=",
        begins=f"({selected(entry, bound)}) AND timestamp < {{end:DateTime64(3, 'UTC')}}",
        goal=f"({selected(goal, bound)})",
    )
    known = _parameters(product_id, named([entry, goal]), period, bound)
    return placed(people, known | {"window": int(window.total_seconds()), "as_of": as_of}, share, reach)


def placed(people: str, parameters: Mapping[str, Any], share: float, reach: float) -> dict[Any, Placed]:
    """The quantile in each bucket. `people` is SQL with a row a unit: its `bucket`, its numbers `xs`, and whether it `waits`."""
    known = {**parameters, "share": share, "reach": reach}
    rows = store().query(_PLACED.format(people=people), known, ASKING)
    names = ("people", "rows", "value", "low", "high")
    return {row["bucket"]: Placed(**{name: row[name] for name in names}, open=row["still_open"]) for row in rows}


def _parameters(product_id: int, names: Sequence[str], period: Period, bound: Bound) -> dict[str, Any]:
    return bound.values | period.parameters | {"product": product_id, "names": list(names)}
