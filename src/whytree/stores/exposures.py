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

from .amounts import Placed, placed
from .companies import Companies, unit_sql
from .events import Row, store
from .filters import COLUMNS, Bound, Selection, selected
from .sql import PEOPLE, PERSON


@dataclass(frozen=True)
class Span:
    """A period of constant weights: `start` <= t < `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Goal:
    """What is counted of a person within the window: how often `event` happened; `once`: whether it did at all.

    With `amount`, a property, its sum over those events instead; what holds no finite number adds nothing and is counted.
    `cap` is the most that one person may add up to. `before` asks for the same of the time before the exposure, as a
    covariate. `did` says it more closely than `event`: with filters, or one of several. `after`: only from so long after
    the exposure on, and before the window's end, or before `until` after the exposure. `bearing`: how many of the events
    carry the amount. `under`: what this is divided by, over all people together.
    """

    event: str
    once: bool = False
    amount: str = ""
    cap: float | None = None
    before: timedelta | None = None
    did: Selection | None = None
    after: timedelta = timedelta(0)
    until: timedelta | None = None
    bearing: bool = False
    under: "Goal | None" = None

    @property
    def selection(self) -> Selection:
        return self.did or Selection((self.event,))


@dataclass(frozen=True)
class Placing:
    """A quantile over what people did within the window: of the numbers in `amount` that come with the events; without
    one, of how long each took to the first of them, where who did not get there took longer than everybody who did.
    """

    did: Selection
    share: float
    amount: str = ""


@dataclass(frozen=True)
class Drawn:
    """Companies are drawn in place of people. `gathered`: a company's people are counted; else the company itself is."""

    companies: Companies
    gathered: bool = True


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


#: The part of those who did what was asked for (`reached`); the others' is empty.
REACHED = "reached"

# Clients may report every evaluation; these reasons say that the person was not in the rollout.
NOT_IN_ROLLOUT = ("DEFAULT", "DISABLED", "ERROR")

_EXPOSED = """
    event = '$exposure'
    AND properties['flag'] = {flag:String}
    AND properties['reason'] NOT IN {not_in_rollout:Array(String)}
"""

# One row a person: where they belong, and what they did, each as (moment, which event, amounts).
_PEOPLE = """
SELECT
    who,
    arraySort(met) AS meetings,
    meetings[1].2 AS arm,
    meetings[1].1 AS entry,
    {part} AS part, {company} AS company,
    entry + {{window:Int64}} AS until,
    arrayFirstIndex((s, e) -> entry >= s AND entry < e, {{starts:Array(Int64)}}, {{ends:Array(Int64)}}) AS place,
    arrayFirst(m -> m.2 != arm, meetings) AS other,
    other.2 != '' AND other.1 <= until AS two_arms,
    two_arms AND other.1 < {{ends:Array(Int64)}}[place] AS was_quarantined,
    two_arms AND NOT was_quarantined AS was_moved,
    until <= {{as_of:Int64}} AND NOT was_quarantined AS counts,
    arrayFilter(d -> d.1 >= entry AND d.1 <= until, done) AS within{before},
    within.2 AS within_what{values}
FROM (
    SELECT
        {unit} AS who,
        groupArrayIf(
            (toUnixTimestamp64Milli(timestamp), properties['variant']{met}),
            {exposed} AND timestamp >= {{start:DateTime64(3, 'UTC')}}
        ) AS met,
        groupArrayIf(
            (toUnixTimestamp64Milli(timestamp), toUInt8(transform(event, {{events:Array(String)}}, {{numbers:Array(UInt8)}}, 0)){amounts}),
            event IN {{events:Array(String)}}
        ) AS done
    FROM events
    WHERE product = {{product:UInt32}}
      AND (event = '$exposure' OR event IN {{events:Array(String)}})
      AND timestamp >= {{earliest:DateTime64(3, 'UTC')}} AND timestamp <= {{end:DateTime64(3, 'UTC')}}
      AND {person} NOT IN {{without:Array(UInt64)}}
    GROUP BY who
    HAVING notEmpty(met){has_unit}
)
"""

# A company's people in one arm, then the company: it belongs where the first of its people entered.
_GATHERED = """
SELECT
    arraySort(groupArray((first, own_arm, own_place, own_part))) AS cells,
    cells[1].2 AS arm, cells[1].3 AS place, cells[1].4 AS part, cells[1].1 AS entry,
    max(odd) OR arrayExists(c -> c.2 != arm AND c.3 = place, cells) AS was_quarantined,
    length(cells) > 1 AND NOT was_quarantined AS was_moved,
    argMin(own_people, (first, own_arm)) AS people,
    people > 0 AND NOT was_quarantined AS counts{picked}
FROM (
    SELECT
        company, arm AS own_arm, min(entry) AS first, argMin(place, (entry, who)) AS own_place, argMin(part, (entry, who)) AS own_part,
        max(was_quarantined) AS odd, countIf(counts) AS own_people{summed}
    FROM ({people})
    WHERE place > 0 AND company != ''
    GROUP BY company, arm
)
GROUP BY company
"""
_SUMMED = """,
        sumIf(times{i}, counts) AS own_times{i}, sumIf(value{i}, counts) AS own_value{i},
        sumIf(unreadable{i}, counts) AS own_unreadable{i}, {before} AS own_before{i}"""
_PICKED = """,
    argMin(own_times{i}, (first, own_arm)) AS times{i}, argMin(own_value{i}, (first, own_arm)) AS value{i},
    argMin(own_unreadable{i}, (first, own_arm)) AS unreadable{i}, argMin(own_before{i}, (first, own_arm)) AS before{i}"""

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
) -> list[ArmSums]:
    """What people did of each goal within `window` of first meeting the flag, in one pass over the events.

    People first exposed outside all `spans` (the flag was off, a client was late) are left out, and so are the people
    in `without`, hashes of those marked internal. `since`: how far back a first exposure is looked for, where the flag
    was open before the first span; whoever met it then is no new person now.
    `by`: a column of the event (`filters.COLUMNS`), whose value at the first exposure parts the cells further.
    `reached`: parts them by whether they did that within the window (`REACHED`). `drawn`: companies are the units.
    """
    if not spans:
        return []
    asked = _Asked(goals, by, drawn, reached)
    columns = "".join(_columns(goal, asked.gathers).format(i=i) for i, goal in enumerate(goals))
    persons = "sumIf(people, counts)" if asked.gathers else "0"
    sql = _ARMS.format(columns=columns, people=asked.units_sql(), persons=persons)
    known = _parameters(product_id, flag_key, spans, window, as_of, without) | asked.parameters(spans, since)
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
) -> list[float | None]:
    """Each goal's quantile (0.999) over all arms' people whose window has closed: where a cap lies. None: nobody.

    Of companies that are counted themselves, over companies; of people gathered in them, over people.
    """
    if not spans or not goals:
        return [None] * len(goals)
    asked = _Asked([goal for goal, _ in goals], drawn=drawn)
    columns = ", ".join(f"quantileExact({share!r})(value{i}) AS top{i}" for i, (_, share) in enumerate(goals))
    sql = _TOPS.format(columns=f"count() AS people, {columns}", people=asked.people_sql())
    known = _parameters(product_id, flag_key, spans, window, as_of, without) | asked.parameters(spans, since)
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
    asked = _Asked([goal], by, drawn)
    numbers = _NUMBERS_OF_COMPANIES if asked.gathers else _NUMBERS
    sql = numbers.format(people=asked.people_sql(placing))
    known = _parameters(product_id, flag_key, spans, window, as_of, without) | asked.parameters(spans, since)
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
    asked = _Asked([], drawn=drawn)
    sql = _ENTRIES.format(people=asked.units_sql())
    known = (
        _parameters(product_id, flag_key, spans, window, as_of, without)
        | asked.parameters(spans, since)
        | {"zone": zone}
    )
    rows = store().query(sql, known, PEOPLE)
    return {(row["day"], row["arm"]): row["people"] for row in rows}


class _Asked:
    """The goals as SQL: which events and properties are read, and what becomes of them."""

    def __init__(
        self, goals: Sequence[Goal], by: str = "", drawn: Drawn | None = None, reached: Selection | None = None
    ) -> None:
        if by and by not in COLUMNS:
            raise ValueError(f"{by} is no column of an event")
        self._goals = goals
        self._by = by
        self._drawn = drawn
        self._bound = Bound()
        self._reached = None if reached is None else Goal(reached.events[0], did=reached)
        read = [*goals, *(goal.under for goal in goals if goal.under), *([self._reached] if self._reached else [])]
        self._events = list(dict.fromkeys(event for goal in read for event in goal.selection.events))
        self._amounts = list(dict.fromkeys(goal.amount for goal in read if goal.amount))
        self._selections = list(dict.fromkeys(goal.did for goal in read if goal.did))
        self._longest = max((goal.before for goal in goals if goal.before), default=timedelta(0))

    @property
    def gathers(self) -> bool:
        """Whether a unit is a company whose people are counted."""
        return self._drawn is not None and self._drawn.gathered

    def units_sql(self) -> str:
        """A row for each unit that was drawn."""
        if not self.gathers:
            return self.people_sql()
        summed, picked = "", ""
        for i, goal in enumerate(self._goals):
            before = f"sumIf(before{i}, counts)" if goal.under else "toFloat64(countIf(counts))"
            summed += _SUMMED.format(i=i, before=before)
            picked += _PICKED.format(i=i)
        return _GATHERED.format(people=self.people_sql(), summed=summed, picked=picked)

    def people_sql(self, placing: Placing | None = None) -> str:
        amounts = "".join(
            f", ifNull(toFloat64OrNull(properties[{{amount{i}:String}}]), nan)" for i in range(len(self._amounts))
        )
        amounts += "".join(f", toUInt8({selected(did, self._bound)})" for did in self._selections)
        before = ",\n    arrayFilter(d -> d.1 < entry, done) AS earlier" if self._longest else ""
        values = "".join(self._value(i, goal) for i, goal in enumerate(self._goals))
        if placing is not None:
            values += f",\n    {self._numbers(self._goals[0])} AS xs"
        unit, has_unit = PERSON, ""
        met, part, company = (f", toString({self._by})", "meetings[1].3", "''") if self._by else ("", "''", "''")
        if self._reached is not None:
            part = f"if(arrayExists(d -> {self._is_meant(self._reached)}, within), '{REACHED}', '')"
        if self._drawn is not None:
            own = unit_sql(self._drawn.companies, self._bound)
            if self._drawn.gathered:
                met, company = f"{met}, {own}", f"meetings[1].{4 if self._by else 3}"
            else:
                unit, has_unit = own, " AND who != ''"
        return _PEOPLE.format(
            person=PERSON,
            unit=unit,
            has_unit=has_unit,
            exposed=_EXPOSED,
            amounts=amounts,
            before=before,
            values=values,
            met=met,
            part=part,
            company=company,
        )

    def _numbers(self, goal: Goal) -> str:
        """All numbers of one person; how long they took, for ever where they did not get there."""
        if goal.amount:
            carries = f"{self._is_meant(goal)} AND isFinite(d.{self._field(goal)})"
            return f"arrayMap(d -> d.{self._field(goal)}, arrayFilter(d -> {carries}, within))"
        reached = f"arrayFilter(d -> {self._is_meant(goal)}, within)"
        return f"[if(notEmpty({reached}), (arrayMin(d -> d.1, {reached}) - entry) / 1000, inf)]"

    def _value(self, i: int, goal: Goal) -> str:
        inside = self._inside(goal)
        parts = [
            f"{self._times(goal, inside)} AS times{i}",
            f"{self._counted(goal, inside)} AS value{i}",
            f"{self._unreadable(goal, inside)} AS unreadable{i}",
        ]
        if goal.under:
            parts.append(f"{self._counted(goal.under, self._inside(goal.under))} AS before{i}")
        elif goal.before:
            since = int(goal.before / timedelta(milliseconds=1))
            parts.append(f"{self._counted(goal, f'arrayFilter(d -> d.1 >= entry - {since}, earlier)')} AS before{i}")
        return "".join(f",\n    {part}" for part in parts)

    def _inside(self, goal: Goal) -> str:
        if not goal.after and goal.until is None:
            return "within"
        end = "until" if goal.until is None else f"entry + {int(goal.until / timedelta(milliseconds=1))}"
        return f"arrayFilter(d -> d.1 >= entry + {int(goal.after / timedelta(milliseconds=1))} AND d.1 < {end}, within)"

    def _is_meant(self, goal: Goal) -> str:
        """Whether `d` is one of these events."""
        if goal.did:
            return f"d.{3 + len(self._amounts) + self._selections.index(goal.did)} = 1"
        return f"d.2 = {self._events.index(goal.event) + 1}"

    def _times(self, goal: Goal, where: str) -> str:
        if goal.did:
            return f"arrayCount(d -> {self._is_meant(goal)}, {where})"
        what = self._events.index(goal.event) + 1
        return f"countEqual({'within_what' if where == 'within' else f'{where}.2'}, {what})"

    def _counted(self, goal: Goal, where: str) -> str:
        if goal.amount:
            carries = f"{self._is_meant(goal)} AND isFinite(d.{self._field(goal)})"
            value = f"arraySum(d -> if({carries}, d.{self._field(goal)}, 0), {where})"
            if goal.bearing:
                value = f"toFloat64(arrayCount(d -> {carries}, {where}))"
        else:
            value = f"toFloat64({self._times(goal, where)})"
        if goal.once:
            return f"toFloat64({value} != 0)" if goal.amount else f"least({value}, 1.)"
        return value if goal.cap is None else f"least({value}, {float(goal.cap)!r})"

    def _unreadable(self, goal: Goal, where: str) -> str:
        if not goal.amount:
            return "0"
        return f"arrayCount(d -> {self._is_meant(goal)} AND NOT isFinite(d.{self._field(goal)}), {where})"

    def _field(self, goal: Goal) -> int:
        return 3 + self._amounts.index(goal.amount)

    def parameters(self, spans: Sequence[Span], since: datetime | None) -> dict[str, Any]:
        start = min(since or spans[0].start, spans[0].start)
        named = {f"amount{i}": name for i, name in enumerate(self._amounts)}
        return (
            named
            | self._bound.values
            | {
                "events": self._events,
                "numbers": list(range(1, len(self._events) + 1)),
                "start": start,
                "earliest": min(start, spans[0].start - self._longest),
            }
        )


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


_FIRST = f"""
SELECT count() AS exposures, min(timestamp) AS first_at
FROM events
WHERE product = {{product:UInt32}} AND {_EXPOSED}
"""


def first_exposure(product_id: int, flag_key: str) -> datetime | None:
    """When the first person met the flag; None when nobody has."""
    parameters = {"product": product_id, "flag": flag_key, "not_in_rollout": list(NOT_IN_ROLLOUT)}
    row = store().query(_FIRST, parameters)[0]
    return row["first_at"] if row["exposures"] else None


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
