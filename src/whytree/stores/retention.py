"""Who comes back: of those who began in one stretch of the calendar, how many did something in each later one."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from .events import store
from .filters import Bound, Selection, named, selected
from .sql import ASKING, PERSON

Interval = Literal["day", "week", "month"]

# Stretches are numbered, so that "three weeks later" is a sum; each number's first day gives it a name again.
_NUMBERS: dict[Interval, str] = {
    "day": "toInt64(toRelativeDayNum(toDate(timestamp, {zone:String})))",
    "week": "intDiv(toInt64(toRelativeDayNum(toMonday(timestamp, {zone:String}))) + 3, 7)",
    "month": "toInt64(toRelativeMonthNum(toDate(timestamp, {zone:String})))",
}


@dataclass(frozen=True)
class Coming:
    """What begins and what counts as coming back. `first_time`: only a person's very first beginning, ever."""

    begin: Selection
    back: Selection
    interval: Interval
    first_time: bool = True
    #: Coming back in a stretch, or in it or any later one.
    or_later: bool = False


@dataclass(frozen=True)
class Cohort:
    """People who began in the stretch `number` (its first day is `start`); `back[k]` of them came back `k` stretches later."""

    number: int
    start: date
    people: int
    back: tuple[int, ...]


_RETENTION = """
SELECT cohort, count() AS people, sumForEach(hits) AS back
FROM (
    SELECT arrayJoin(cohorts) AS cohort, arrayMap(k -> toUInt64({hit}), range(0, {{stretches:UInt32}})) AS hits
    FROM (
        SELECT {person} AS who, {cohorts} AS cohorts, groupUniqArrayIf({number}, {back}) AS backs
        FROM events
        WHERE product = {{product:UInt32}} AND event IN {{names:Array(String)}} AND {since}
        GROUP BY who
        HAVING notEmpty(cohorts)
    )
)
GROUP BY cohort
ORDER BY cohort
"""


def retention(
    product_id: int, coming: Coming, start: datetime, end: datetime, *, stretches: int, zone: str
) -> list[Cohort]:
    """Cohorts of those who began in the period (`start` <= t < `end`), oldest first, each followed for `stretches`.

    Stretch 0 is the one they began in. Coming back counts whenever it was in a stretch, in stretch 0 also before they
    began. The period should begin with a stretch.
    """
    bound = Bound()
    number = _NUMBERS[coming.interval]
    begin = f"({selected(coming.begin, bound)})"
    within = "timestamp >= {start:DateTime64(3, 'UTC')} AND timestamp < {end:DateTime64(3, 'UTC')}"
    if coming.first_time:
        first = f"minIf(timestamp, {begin})"
        inside = f"{first} >= {{start:DateTime64(3, 'UTC')}} AND {first} < {{end:DateTime64(3, 'UTC')}}"
        cohorts = f"if(countIf({begin}) > 0 AND {inside}, [minIf({number}, {begin})], [])"
    else:
        cohorts = f"groupUniqArrayIf({number}, {begin} AND {within})"
    sql = _RETENTION.format(
        hit="arrayExists(at -> at >= cohort + k, backs)" if coming.or_later else "has(backs, cohort + k)",
        person=PERSON,
        cohorts=cohorts,
        number=number,
        back=f"({selected(coming.back, bound)})",
        since="1" if coming.first_time else "timestamp >= {start:DateTime64(3, 'UTC')}",
    )
    parameters = bound.values | {
        "product": product_id,
        "names": named([coming.begin, coming.back]),
        "start": start,
        "end": end,
        "stretches": stretches,
        "zone": zone,
    }
    return [
        Cohort(row["cohort"], first_day(coming.interval, row["cohort"]), row["people"], tuple(row["back"]))
        for row in store().query(sql, parameters, ASKING)
    ]


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
