"""What people did after they met a flag: one row of sums for each period of constant weights and each arm.

No row about a person leaves the store; `engines.stats` makes the comparison from these sums.

Who belongs where:

- A person enters with the first exposure, into its arm and the period it fell in. What happened before never counts.
- Somebody seen in a second arm *while the weights stood still* (before their window closed) is quarantined: the draw
  was broken for them, by a client without a stable id or by two ids that turned out to be one person.
- Somebody whom a change of weights moved to another arm stays in the first one and is counted as moved. Leaving them
  out would remove those who came back, and mostly from the arm that was shrunk: that invents effects.
- Only people whose window has closed are summed up; the others are seen, and wait.

Sums are *centred*: a mean and the sum of squared deviations from it. Amounts go through ClickHouse's updating
`varPopStable`: a plain sum of squares in floating point loses everything where the mean is large against the spread. How
often something happened is a whole number; its sums are whole numbers too, exact, and centred here without any loss.

Where companies are drawn (`Drawn`), a company is one unit: as a whole, for what is counted of companies; or its people
gathered, for what is counted of people, so that a cell's `before` is how many they are and its mean a ratio of sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from ..events import Row, store
from ..pieces.filters import Selection
from ..pieces.sql import PEOPLE
from ..questions.amounts import Placed, placed
from .exposure_units import NOT_IN_ROLLOUT, REACHED, Asked, Drawn, Goal, Placing, Switched

__all__ = [
    "MOST_CELLS",
    "NOT_IN_ROLLOUT",
    "REACHED",
    "ArmSums",
    "Drawn",
    "Goal",
    "Placing",
    "Span",
    "Sums",
    "Switched",
    "by_period_and_arm",
    "entries_by_day",
    "percentiles",
    "placings",
]


@dataclass(frozen=True)
class Span:
    """A period of constant weights: `start` <= t < `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Sums:
    """One goal in one cell, over people whose window has closed: how many did it, the mean, and the squares about it.

    `before` and `before_m2` are the same of the covariate, or of what the goal is divided by; `together` is the sum of
    products of both deviations.
    """

    converted: int
    mean: float
    m2: float
    largest: float
    unreadable: int = 0
    before: float = 0.0
    before_m2: float = 0.0
    together: float = 0.0


@dataclass(frozen=True)
class ArmSums:
    """One arm among those who entered in one period (`period` counts from 0, in the order that was asked for).

    `closed` are people whose window has closed; `sums` stand in the order of the goals that were asked for.
    """

    period: int
    arm: str
    seen: int
    closed: int
    moved: int
    quarantined: int
    sums: tuple[Sums, ...]
    part: str = ""
    """What the column asked for was when they first met the flag."""
    people: int = 0
    """Where companies are drawn: their people whose window has closed."""


_ARMS = """
SELECT
    place - 1 AS period,
    arm,
    part,
    countIf(NOT was_quarantined) AS seen,
    countIf(counts) AS closed,
    countIf(was_moved) AS moved,
    countIf(was_quarantined) AS quarantined,
    {persons} AS people{columns}
FROM ({people})
WHERE place > 0
GROUP BY place, arm, part
ORDER BY period, arm, part
"""

#: Cells of a switchback that are read: more are no regions, but people.
MOST_CELLS = 100_000

_CONVERTED = """,
    countIf(counts AND times{i} > 0) AS converted{i}"""
_TIMES = """,
    sumIf(times{i}, counts) AS total{i},
    sumIf(times{i} * times{i}, counts) AS squares{i},
    maxIf(times{i}, counts) AS largest{i}"""
_AMOUNT = """,
    avgIf(value{i}, counts) AS mean{i},
    varPopStableIf(value{i}, counts) AS spread{i},
    maxIf(value{i}, counts) AS largest{i},
    sumIf(unreadable{i}, counts) AS unreadable{i}"""
_COVARIATE = """,
    avgIf(before{i}, counts) AS before_mean{i},
    varPopStableIf(before{i}, counts) AS before_spread{i},
    covarPopStableIf(value{i}, before{i}, counts) AS together{i}"""


def by_period_and_arm(
    product_id: int,
    flag_key: str,
    spans: Sequence[Span],
    goals: Sequence[Goal],
    window: timedelta,
    *,
    as_of: datetime,
    without: Sequence[int] = (),
    since: datetime | None = None,
    by: str = "",
    reached: Selection | None = None,
    drawn: Drawn | None = None,
    switched: Switched | None = None,
) -> list[ArmSums]:
    """What people did of each goal within `window` of first meeting the flag, in one pass over the events.

    People first exposed outside all `spans` (the flag was off, a client was late) are left out, and so are the people
    in `without`, hashes of those marked internal. `since`: how far back a first exposure is looked for, where the flag
    was open before the first span; whoever met it then is no new person now.
    `by`: a column of the event (`filters.COLUMNS`), whose value at the first exposure parts the cells further.
    `reached`: parts them by whether they did that within the window (`REACHED`). `drawn`: companies are the units.
    `switched`: the spans' one stretch in equal periods: a person counts anew in each, and a cell's `period` is its number.
    """
    if not spans:
        return []
    asked = Asked(goals, by, drawn, reached, switched)
    columns = "".join(_columns(goal, asked.gathers).format(i=i) for i, goal in enumerate(goals))
    persons = "sumIf(people, counts)" if asked.gathers else "0"
    sql = _ARMS.format(columns=columns, people=asked.units_sql(), persons=persons)
    known = _parameters(product_id, flag_key, spans, window, as_of, without) | asked.parameters(spans[0].start, since)
    if switched is not None:
        sql += f"LIMIT {MOST_CELLS}"
        known["as_of"] += known["window"]  # a period ends a person's time in it, whatever the metric's window
    rows = store().query(sql, known, PEOPLE)
    return [_arm(row, goals, asked.gathers) for row in rows]


def _columns(goal: Goal, gathers: bool) -> str:
    if gathers:
        return _CONVERTED + _AMOUNT + _COVARIATE
    if _is_whole(goal):
        return _CONVERTED if goal.once else _CONVERTED + _TIMES
    return _CONVERTED + _AMOUNT + (_COVARIATE if goal.before or goal.under else "")


def _is_whole(goal: Goal) -> bool:
    """Whether all there is to sum are whole numbers."""
    return not goal.amount and goal.cap is None and goal.before is None and goal.under is None


_TOPS = "SELECT {columns} FROM ({people}) WHERE place > 0 AND counts"


def percentiles(
    product_id: int,
    flag_key: str,
    spans: Sequence[Span],
    goals: Sequence[tuple[Goal, float]],
    window: timedelta,
    *,
    as_of: datetime,
    without: Sequence[int] = (),
    since: datetime | None = None,
    drawn: Drawn | None = None,
    switched: Switched | None = None,
) -> list[float | None]:
    """Each goal's quantile (0.999) over all arms' people whose window has closed: where a cap lies. None: nobody.

    Of companies that are counted themselves, over companies; of people gathered in them, over people.
    """
    if not spans or not goals:
        return [None] * len(goals)
    asked = Asked([goal for goal, _ in goals], drawn=drawn, switched=switched)
    columns = ", ".join(f"quantileExact({share!r})(value{i}) AS top{i}" for i, (_, share) in enumerate(goals))
    sql = _TOPS.format(columns=f"count() AS people, {columns}", people=asked.people_sql())
    known = _parameters(product_id, flag_key, spans, window, as_of, without) | asked.parameters(spans[0].start, since)
    known["as_of"] += known["window"] if switched is not None else 0
    row = store().query(sql, known, PEOPLE)[0]
    return [float(row[f"top{i}"]) if row["people"] else None for i in range(len(goals))]


# A row a unit whose window has closed, with all of its numbers, as `amounts.placed` wants them.
_NUMBERS = "SELECT (place, arm, part) AS bucket, xs, 0 AS waits FROM ({people}) WHERE place > 0 AND counts"
_NUMBERS_OF_COMPANIES = """
SELECT
    (argMin(place, (entry, who)), any(arm), argMin(part, (entry, who))) AS bucket,
    arrayFlatten(groupArrayIf(xs, counts)) AS xs, 0 AS waits
FROM ({people})
WHERE place > 0 AND company != ''
GROUP BY company
HAVING uniqExact(arm) = 1
"""


def placings(
    product_id: int,
    flag_key: str,
    spans: Sequence[Span],
    placing: Placing,
    reach: float,
    window: timedelta,
    *,
    as_of: datetime,
    without: Sequence[int] = (),
    since: datetime | None = None,
    by: str = "",
    drawn: Drawn | None = None,
) -> dict[tuple[int, str, str], Placed]:
    """The quantile by period, arm and part, with the values `reach` standard errors (of the share below) to each side.

    A unit's numbers stay together: several of one person, or of one company's people, are no independent news. Times are
    in seconds, infinite for who did not get there.
    """
    if not spans:
        return {}
    goal = Goal(placing.did.events[0], amount=placing.amount, did=placing.did)
    asked = Asked([goal], by, drawn)
    numbers = _NUMBERS_OF_COMPANIES if asked.gathers else _NUMBERS
    sql = numbers.format(people=asked.people_sql(placing))
    known = _parameters(product_id, flag_key, spans, window, as_of, without) | asked.parameters(spans[0].start, since)
    return {(place - 1, arm, part): one for (place, arm, part), one in placed(sql, known, placing.share, reach).items()}


_ENTRIES = """
SELECT toDate(fromUnixTimestamp64Milli(entry, 'UTC'), {{zone:String}}) AS day, arm, count() AS people
FROM ({people})
WHERE place > 0 AND NOT was_quarantined
GROUP BY day, arm
ORDER BY day, arm
"""


def entries_by_day(
    product_id: int,
    flag_key: str,
    spans: Sequence[Span],
    window: timedelta,
    *,
    as_of: datetime,
    zone: str,
    without: Sequence[int] = (),
    since: datetime | None = None,
    drawn: Drawn | None = None,
) -> dict[tuple[date, str], int]:
    """How many units entered each arm on each day of `zone`."""
    if not spans:
        return {}
    asked = Asked([], drawn=drawn)
    sql = _ENTRIES.format(people=asked.units_sql())
    known = (
        _parameters(product_id, flag_key, spans, window, as_of, without)
        | asked.parameters(spans[0].start, since)
        | {"zone": zone}
    )
    rows = store().query(sql, known, PEOPLE)
    return {(row["day"], row["arm"]): row["people"] for row in rows}


def _parameters(
    product_id: int, flag_key: str, spans: Sequence[Span], window: timedelta, as_of: datetime, without: Sequence[int]
) -> dict[str, Any]:
    return {
        "product": product_id,
        "flag": flag_key,
        "not_in_rollout": list(NOT_IN_ROLLOUT),
        "window": int(window / timedelta(milliseconds=1)),
        "starts": [_milliseconds(span.start) for span in spans],
        "ends": [_milliseconds(span.end) for span in spans],
        "end": as_of,
        "as_of": _milliseconds(as_of),
        "without": list(without),
    }


def _arm(row: Row, goals: Sequence[Goal], gathers: bool) -> ArmSums:
    heads = {name: row[name] for name in ("period", "arm", "part", "seen", "closed", "moved", "quarantined", "people")}
    return ArmSums(**heads, sums=tuple(_sums(row, i, goal, gathers) for i, goal in enumerate(goals)))


def _sums(row: Row, i: int, goal: Goal, gathers: bool) -> Sums:
    n = row["closed"]
    if not n:
        return Sums(0, 0.0, 0.0, 0.0)
    if _is_whole(goal) and not gathers:
        return _whole_sums(row, i, goal, n)
    known = Sums(
        row[f"converted{i}"], row[f"mean{i}"], row[f"spread{i}"] * n, row[f"largest{i}"], row[f"unreadable{i}"]
    )
    if not goal.before and not goal.under and not gathers:
        return known
    return Sums(
        known.converted,
        known.mean,
        known.m2,
        known.largest,
        known.unreadable,
        row[f"before_mean{i}"],
        row[f"before_spread{i}"] * n,
        row[f"together{i}"] * n,
    )


def _whole_sums(row: Row, i: int, goal: Goal, n: int) -> Sums:
    """Squares about the mean, in whole numbers to the last step: (n sum(x^2) - sum(x)^2) / n."""
    did = row[f"converted{i}"]
    total, squares = (did, did) if goal.once else (row[f"total{i}"], row[f"squares{i}"])
    largest = min(did, 1) if goal.once else row[f"largest{i}"]
    return Sums(did, total / n, (n * squares - total * total) / n, float(largest))


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
