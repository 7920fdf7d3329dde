"""Units as an exposure query asks for them: what is counted of each, and each as a row of SQL.

A unit is a person; where companies are drawn a company, as a whole or with its people gathered; where periods are drawn
(a switchback) a person anew in each period, of whom only that period is looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..pieces.companies import Companies, unit_sql
from ..pieces.filters import COLUMNS, Bound, Selection, selected
from ..pieces.sql import PERSON


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
class Switched:
    """Periods are drawn in place of people: of `length` from `start` on, without the `washout` at the start of each. `by`
    is the property of the exposure that says the region, which parts the cells; "": there are none.
    """

    start: datetime
    length: timedelta
    washout: timedelta = timedelta(0)
    by: str = ""

    @property
    def _since(self) -> str:
        return f"(toUnixTimestamp64Milli(timestamp) - {round(self.start.timestamp() * 1000)})"

    @property
    def period(self) -> str:
        """The period's number, from 0, as SQL."""
        return f"intDiv({self._since}, {_milliseconds(self.length)})"

    @property
    def counts(self) -> str:
        """Whether a moment is in no washout, as SQL."""
        return f"{self._since} % {_milliseconds(self.length)} >= {_milliseconds(self.washout)}"


def _milliseconds(span: timedelta) -> int:
    return int(span / timedelta(milliseconds=1))


#: The part of those who did what was asked for (`reached`); the others' is empty.
REACHED = "reached"

# Clients may report every evaluation; these reasons say that the person was not in the rollout.
NOT_IN_ROLLOUT = ("DEFAULT", "DISABLED", "ERROR")

EXPOSED = """
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
    {place} AS place,
    arrayFirst(m -> m.2 != arm, meetings) AS other,
    other.2 != '' AND other.1 <= until AS two_arms,
    two_arms AND {still} AS was_quarantined,
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
      AND {person} NOT IN {{without:Array(UInt64)}}{counted}
    GROUP BY who
    HAVING notEmpty(met){has_unit}
)
"""

_PLACE = "arrayFirstIndex((s, e) -> entry >= s AND entry < e, {starts:Array(Int64)}, {ends:Array(Int64)})"
_STILL = "other.1 < {ends:Array(Int64)}[place]"

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


class Asked:
    """The goals as SQL: which events and properties are read, and what becomes of them."""

    def __init__(
        self,
        goals: Sequence[Goal],
        by: str = "",
        drawn: Drawn | None = None,
        reached: Selection | None = None,
        switched: Switched | None = None,
    ) -> None:
        if by and by not in COLUMNS:
            raise ValueError(f"{by} is no column of an event")
        self._goals = goals
        self._by = by
        self._drawn = drawn
        self._switched = switched
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
        unit, has_unit, place, still, counted = PERSON, "", _PLACE, _STILL, ""
        met, part, company = (f", toString({self._by})", "meetings[1].3", "''") if self._by else ("", "''", "''")
        if self._switched is not None:
            unit, place, still = f"({PERSON}, {self._switched.period})", "who.2 + 1", "true"
            counted = f" AND {self._switched.counts}"
            if self._switched.by:
                met, part = ", properties[{region:String}]", "meetings[1].3"
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
            place=place,
            still=still,
            counted=counted,
            exposed=EXPOSED,
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

    def parameters(self, first: datetime, since: datetime | None) -> dict[str, Any]:
        """What the SQL binds; `first` is when the first period of constant weights began."""
        start = min(since or first, first)
        named = {f"amount{i}": name for i, name in enumerate(self._amounts)}
        if self._switched is not None and self._switched.by:
            named["region"] = self._switched.by
        return (
            named
            | self._bound.values
            | {
                "events": self._events,
                "numbers": list(range(1, len(self._events) + 1)),
                "start": start,
                "earliest": min(start, first - self._longest),
            }
        )
