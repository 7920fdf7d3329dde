"""Who comes back: of those who began in one stretch of the calendar, how many did something in each later one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from ..events import store
from ..pieces.cohorts import AT
from ..pieces.filters import Bound, By, Selection, group_sql, named, selected
from ..pieces.sql import ASKING, PERSON
from .funnels import MOST_GROUPS

Interval = Literal["day", "week", "month"]
#: Back in that very stretch; in it or any later one; in it and in every one before it.
Back = Literal["on", "later", "streak"]
Clock = Literal["calendar", "rolling"]

# Stretches are numbered, so that "three weeks later" is a sum; each number's first day gives it a name again.
_DAY = "toInt64(toInt32(toDate32(timestamp, {zone:String})))"
NUMBERS: dict[Interval, str] = {
    "day": _DAY,
    "week": f"toInt64(floor(({_DAY} + 3) / 7))",
    "month": "toInt64(toYear(toDate32(timestamp, {zone:String}))) * 12 + toMonth(toDate32(timestamp, {zone:String}))",
}
#: How long a stretch is by the rolling clock, in days: from somebody's beginning on, to the second.
ROLLING: dict[Interval, int] = {"day": 1, "week": 7, "month": 30}


@dataclass(frozen=True)
class Coming:
    """What begins and what counts as coming back. `first_time`: only a person's very first beginning, ever.

    calendar    stretch 0 is the day, week or month that somebody began in
    rolling     stretch 0 is the 24 hours (7 days, 30 days) that begin with it: of each stretch the first beginning counts
    """

    begin: Selection
    back: Selection
    interval: Interval
    first_time: bool = True
    how: Back = "on"
    clock: Clock = "calendar"
    #: Instead of single stretches: from one to another, both of them in it.
    brackets: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Followed:
    """Who began when, for how many stretches they are followed (0 is the first), and whose calendar it is."""

    start: datetime
    end: datetime
    stretches: int
    zone: str


@dataclass(frozen=True)
class Cohort:
    """People who began in the stretch `number` (its first day is `start`); `back[k]` of them came back `k` stretches later.

    With brackets `back` has one number for each of them.
    """

    number: int
    start: date
    people: int
    back: tuple[int, ...]
    value: str | None = None


_EACH = """
SELECT who, one_id, last_at, {value}begun.1 AS cohort, arrayMap(bracket -> toUInt64({hit}), {brackets}) AS hits
FROM (
    SELECT {person} AS who, {begun} AS begins, {backs} AS backs,
        argMax(distinct_id, timestamp) AS one_id, max(timestamp) AS last_at{group}
    FROM events
    PREWHERE event IN {{names:Array(String)}}
    WHERE product = {{product:UInt32}} AND {since}
    GROUP BY who
    HAVING notEmpty(begins)
)
ARRAY JOIN begins AS begun
"""

_RETENTION = """
SELECT cohort, count() AS people, sumForEach(hits) AS back
FROM ({each})
GROUP BY cohort
ORDER BY cohort
"""

# Whoever began is in one group, so groups add up: the others are summed after they were counted, and events are read once.
_RETENTION_BY = """
SELECT cohort, place <= {{most:UInt32}} AS own, if(own, value, '') AS shown, sum(n) AS people, sumForEach(hit) AS back
FROM (
    SELECT *, dense_rank() OVER (ORDER BY size DESC, value) AS place
    FROM (
        SELECT cohort, value, count() AS n, sumForEach(hits) AS hit, sum(n) OVER (PARTITION BY value) AS size
        FROM ({each})
        GROUP BY cohort, value
    )
)
GROUP BY cohort, own, shown
ORDER BY cohort, own DESC, shown
"""


def retention(product_id: int, coming: Coming, followed: Followed, *, by: Sequence[By] = ()) -> list[Cohort]:
    """Cohorts of those who began in the period (`start` <= t < `end`), oldest first, each followed for `stretches`.

    Coming back counts whenever it was in a stretch, by the calendar in stretch 0 also before they began. The period should
    begin with a stretch. With `by` the cohorts of each group, by where a person was at their first beginning in the period.
    """
    bound = Bound()
    each = _each_sql(coming, followed, bound, by)
    parameters = _parameters(product_id, coming, followed, bound)
    if not by:
        rows = store().query(_RETENTION.format(each=each), parameters, ASKING)
        return [_cohort(coming, row) for row in rows]
    rows = store().query(_RETENTION_BY.format(each=each), parameters | {"most": MOST_GROUPS}, ASKING)
    return [_cohort(coming, row, row["shown"] if row["own"] else None) for row in rows]


def _cohort(coming: Coming, row: dict[str, Any], value: str | None = None) -> Cohort:
    start = first_day(coming.interval, row["cohort"])
    return Cohort(row["cohort"], start, row["people"], tuple(row["back"]), value)


def who(
    product_id: int,
    coming: Coming,
    followed: Followed,
    *,
    cohort: int | None,
    after: int,
    came: bool | None,
    by: Sequence[By] = (),
    value: str = "",
    upto: int | None = None,
) -> list[tuple[int, str]]:
    """People behind a cell, those seen last first: hash and one id. `came` None is everybody who began; no `cohort` is all,
    or all up to and with `upto`.

    `after` counts stretches, or brackets where there are some. With `by`, those of the group `value`.
    """
    bound = Bound()
    each = _each_sql(coming, followed, bound, by)
    which = [f"value = {bound.add('String', value)}" if by else "1"]
    if cohort is not None:
        which.append(f"cohort = {bound.add('Int64', cohort)}")
    if upto is not None:
        which.append(f"cohort <= {bound.add('Int64', upto)}")
    if came is not None:
        which.append(f"hits[{bound.add('UInt32', after + 1)}] = {bound.add('UInt64', int(came))}")
    sql = (
        f"SELECT who, any(one_id) AS one_id, max(last_at) AS last_at FROM ({each}) "
        f"WHERE {' AND '.join(which)} GROUP BY who ORDER BY last_at DESC, who"
    )
    rows = store().query(sql, _parameters(product_id, coming, followed, bound), ASKING)
    return [(row["who"], row["one_id"]) for row in rows]


def _each_sql(coming: Coming, followed: Followed, bound: Bound, by: Sequence[By]) -> str:
    """A row for every beginning: who, in which cohort, and in which stretches they came back."""
    number, rolling = NUMBERS[coming.interval], coming.clock == "rolling"
    begin, back = f"({selected(coming.begin, bound)})", f"({selected(coming.back, bound)})"
    within = "timestamp >= {start:DateTime64(3, 'UTC')} AND timestamp < {end:DateTime64(3, 'UTC')}"
    moment = f"toInt64({AT})"
    if coming.first_time:
        first = f"minIf(timestamp, {begin})"
        inside = f"{first} >= {{start:DateTime64(3, 'UTC')}} AND {first} < {{end:DateTime64(3, 'UTC')}}"
        nobody = "CAST([], 'Array(Tuple(Int64, Int64))')"
        one = f"({number}, {moment})".replace("timestamp", first)  # both grow with time
        begun = f"if(countIf({begin}) > 0 AND {inside}, [{one}], {nobody})"
    else:
        firsts = f"minMapIf(map({number}, {moment}), {begin} AND {within})"
        begun = f"arrayZip(mapKeys({firsts}), mapValues({firsts}))"
    length = ROLLING[coming.interval] * 86_400_000
    came = f"intDiv(at - begun.2, {length})" if rolling else "at - begun.1"
    ahead = "at >= begun.2 AND " if rolling else ""
    hits = {
        "on": f"arrayExists(at -> {ahead}{came} >= bracket.1 AND {came} <= bracket.2, backs)",
        "later": f"arrayExists(at -> {ahead}{came} >= bracket.1, backs)",
        "streak": f"length(arrayDistinct(arrayFilter(k -> k >= 1 AND k <= bracket.1, "
        f"arrayMap(at -> {came}, arrayFilter(at -> {ahead}1, backs))))) = bracket.1"
        f" AND (bracket.1 > 0 OR arrayExists(at -> {ahead}{came} = 0, backs))",
    }
    group = ""
    if by:
        group = f", argMinIf({group_sql(by, bound)}, timestamp, {begin} AND {within}) AS value"
    return _EACH.format(
        value="value, " if by else "",
        hit=hits[coming.how],
        brackets=_brackets(coming, followed, bound),
        person=PERSON,
        begun=begun,
        backs=f"groupUniqArrayIf({moment if rolling else number}, {back})",
        group=group,
        since="1" if coming.first_time else "timestamp >= {start:DateTime64(3, 'UTC')}",
    )


def _brackets(coming: Coming, followed: Followed, bound: Bound) -> str:
    brackets = coming.brackets or tuple((number, number) for number in range(followed.stretches))
    ones, twos = (bound.add("Array(Int64)", [bracket[place] for bracket in brackets]) for place in (0, 1))
    return f"arrayZip({ones}, {twos})"


def _parameters(product_id: int, coming: Coming, followed: Followed, bound: Bound) -> dict[str, Any]:
    return bound.values | {
        "product": product_id,
        "names": named([coming.begin, coming.back]),
        "start": followed.start,
        "end": followed.end,
        "zone": followed.zone,
    }


def number_of(interval: Interval, day: date) -> int:
    """The number of the stretch that a day lies in."""
    if interval == "month":
        return day.year * 12 + day.month
    days = (day - _EPOCH).days
    return days if interval == "day" else (days + 3) // 7


def first_day(interval: Interval, number: int) -> date:
    """The first day of a stretch."""
    if interval == "month":
        return date((number - 1) // 12, (number - 1) % 12 + 1, 1)
    return _EPOCH + timedelta(days=number if interval == "day" else number * 7 - 3)


_EPOCH = date(1970, 1, 1)
