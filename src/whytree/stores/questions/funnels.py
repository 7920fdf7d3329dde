"""How far people come along a row of steps.

    funnel(product, Steps((Selection(("opened",)), Selection(("paid",))), timedelta(days=1)), Period(start, end))

A person is followed from each of their first steps in the period; what counts is how far their best try came. A later
step may be done when the period is over, as long as it falls within the window, which begins with the first step; both
ends of it count. Other events may lie between. Each step takes an event of its own. What happened at one moment
counts in the order of the steps. `Steps` says what may be asked beyond that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from ..events import store
from ..pieces.cohorts import AT, SINCE_1900
from ..pieces.filters import Bound, By, Selection, field_sql, group_sql, is_named, named, passes, selected
from ..pieces.sql import ASKING, INTERNAL_EVENTS, PERSON
from .funnel_rows import Following, any_order_sql, bits_sql, followed_sql, gathered_sql

#: Groups of a breakdown that are told apart; the others are added up.
MOST_GROUPS = 12
#: With fewer, too many pairs of one person's values would share a place; that is a period of more than a year.
FEWEST_PLACES = 2**28
#: Of one person, where each step may be in another group.
MOST_VALUES = 100
Order = Literal["ordered", "strict", "any"]
NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True)
class Period:
    """When people begin: `start` <= t < `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Without:
    """What ends a try when it happens after it came to step `after` and before it comes to step `before`."""

    selection: Selection
    after: int
    before: int


@dataclass(frozen=True)
class Steps:
    """What has to be done, and how much time there is from the first to the last.

    strict      nothing else of a person lies between two steps
    any         in whichever order; then the steps are numbers: one of them, two of them, ...
    held        a field that has one and the same value along the way; events without it do not count
    optional    steps (1 is the first) that one may leave out; the one after them comes from the one before them. Somebody
                did an optional step who did it within the window after the required step before it
    first_time  a person begins only with the first first step of their life, when that lies in the period
    """

    selections: tuple[Selection, ...]
    window: timedelta
    order: Order = "ordered"
    held: str = ""
    without: tuple[Without, ...] = ()
    optional: frozenset[int] = frozenset()
    first_time: bool = False

    @property
    def before(self) -> tuple[int, ...]:
        """For each step the required one before it; 0 for the first."""
        found, last = [], 0
        for step in range(1, len(self.selections) + 1):
            found.append(last)
            last = last if step in self.optional else step
        return tuple(found)

    @property
    def apart(self) -> bool:
        """Whether no event can be two steps."""
        events = [event for one in self.selections for event in one.events]
        return len(set(events)) == len(events)

    @property
    def is_plain(self) -> bool:
        """Whether the engine's own function means the same: it takes one event for two steps when both mean it."""
        return self.apart and not (self.order != "ordered" or self.without or self.optional)


@dataclass(frozen=True)
class Reached:
    """How many people came at least to each step, in the steps' order. `value` is a group's; None is everybody (else)."""

    people: tuple[int, ...]
    value: str | None = None


@dataclass
class Asking:
    """A funnel on its way to SQL: `people` is a subquery with a row a person, and `parameters` are what it binds.

    Its columns: `who`; `came`, a bit for every step; with times `at1`, `at2`, ... in milliseconds since 1900 (0: never),
    of the try that came furthest; and what `more` adds, aggregates over a person's events.
    """

    product_id: int
    steps: Steps
    period: Period
    bound: Bound = field(default_factory=Bound)

    def first_step(self) -> str:
        """Whether an event begins a try."""
        condition = f"({selected(self.steps.selections[0], self.bound)} AND timestamp < {_END})"
        if not self.steps.first_time:
            return condition
        first = self.steps.selections[0]
        firsts = (
            f"SELECT {PERSON} AS p, min(timestamp) AS first_at FROM events PREWHERE {is_named(first, self.bound)} "
            f"WHERE product = {{product:UInt32}}{passes(first, self.bound)} GROUP BY p HAVING first_at >= {_START} AND first_at < {_END}"
        )
        return f"({condition} AND ({PERSON}, timestamp) IN ({firsts}))"

    def people(self, more: Mapping[str, str] = NOTHING, *, times: bool = False) -> str:
        """`more` are aggregates by the names they get."""
        steps = self.steps
        conditions = [self.first_step(), *(f"({selected(one, self.bound)})" for one in steps.selections[1:])]
        plain = steps.is_plain and not times
        if plain and not more and self._places >= FEWEST_PLACES:
            return self._side_by_side(conditions)
        each = self._leveled(conditions, more) if plain else self._followed(conditions, more, times=times)
        if not steps.held:
            return each
        names = [*self._times(times), *more]
        best = "".join(f", argMax({name}, c) AS {name}" for name in names)
        return (
            f"SELECT who, groupBitOr(c) AS came{best} FROM (SELECT * EXCEPT came, came AS c FROM ({each})) GROUP BY who"
        )

    def _leveled(self, conditions: list[str], more: Mapping[str, str]) -> str:
        """A row a person, or a person and what is held; as the engine's own function follows them."""
        held, does_hold, each = self._held()
        level = f"windowFunnel({{window:UInt64}})({AT}, {', '.join(conditions)})"
        came = f"toUInt32(bitShiftLeft(toUInt64(1), {level}) - 1) AS came"
        return (
            f"SELECT {PERSON} AS who{held}, {came}{_named(more)} FROM {self._events()}{does_hold} "
            f"GROUP BY who{each} HAVING came > 0"
        )

    def _side_by_side(self, conditions: list[str]) -> str:
        """A row a person of whom something is held: what is of one value lies in a stretch of time of its own, further from
        any other than the window is long. So a person is one group, and not one a value (docs/decisions/0062).
        """
        value = field_sql(self.steps.held, self.bound)
        room, places = (self.bound.add("UInt64", number) for number in (self._room, self._places))
        since = f"toUInt64(toUnixTimestamp64Milli(timestamp) - toUnixTimestamp64Milli({_START}))"
        moment = f"{since} + xxh3({value}) % {places} * {room}"
        level = f"windowFunnel({{window:UInt64}})({moment}, {', '.join(conditions)})"
        return (
            f"SELECT {PERSON} AS who, toUInt32(bitShiftLeft(toUInt64(1), {level}) - 1) AS came FROM {self._events()} "
            f"AND {value} != '' GROUP BY who HAVING came > 0"
        )

    @property
    def _room(self) -> int:
        """Milliseconds: what is asked about, and once more the window before the next value begins."""
        return int((self.period.end - self.period.start + 2 * self.steps.window) / timedelta(milliseconds=1)) + 1

    @property
    def _places(self) -> int:
        """How many values lie side by side in the times that the engine can tell; none where nothing is held."""
        return (2**63 - 1) // self._room if self.steps.held else 0

    def _followed(self, conditions: list[str], more: Mapping[str, str], *, times: bool) -> str:
        """The same rows by arrays, for what that function cannot say."""
        steps, n = self.steps, len(self.steps.selections)
        ends = [self._ends(step) for step in range(1, n + 1)]
        if steps.order == "any":
            conditions[0] = f"({selected(steps.selections[0], self.bound)})"
            ends = [f"timestamp < {_END}"]
        held, does_hold, each = self._held()
        gathered = (
            f"WITH toInt64({AT}) AS t, {bits_sql(conditions, ends)} SELECT {PERSON} AS who{held}, "
            f"{gathered_sql(n, apart=steps.apart)} AS rows{_named(more)} FROM {self._events()}"
            f"{MATTERS[steps.order]}{does_hold} GROUP BY who{each}"
        )
        others = "".join(f", {name}" for name in more)
        picked = self._picked(self._times(times))
        return f"SELECT who, {picked}{others} FROM ({self._along(gathered, times=times)}) WHERE came > 0"

    def _held(self) -> tuple[str, str, str]:
        """Of a field that is held: its column, that an event has it, and what people are grouped by beside."""
        if not self.steps.held:
            return "", "", ""
        return f", {field_sql(self.steps.held, self.bound)} AS held", " AND held != ''", ", held"

    def _times(self, wanted: bool) -> list[str]:
        return [f"at{step}" for step in range(1, len(self.steps.selections) + 1)] if wanted else []

    def _along(self, gathered: str, *, times: bool) -> str:
        steps = self.steps
        if steps.order == "any":
            return any_order_sql(len(steps.selections), gathered)
        ended = {step for one in steps.without for step in range(one.after, one.before)}
        strict = steps.order == "strict"
        following = Following(steps.before, steps.optional, frozenset(ended), times, steps.apart, strict)
        return followed_sql(following, gathered)

    def _picked(self, columns: Sequence[str]) -> str:
        if self.steps.order != "any":
            return ", ".join(["came", *columns])
        found = ["toUInt32(bitShiftLeft(toUInt64(1), level) - 1) AS came"]
        found += [
            f"{'begun' if place == 0 else f'if(level > {place}, ended, 0)'} AS {name}"
            for place, name in enumerate(columns)
        ]
        return ", ".join(found)

    def _ends(self, step: int) -> str:
        """Whether an event ends the tries that came to `step`."""
        some = [one for one in self.steps.without if one.after <= step < one.before]
        return " OR ".join(f"({selected(one.selection, self.bound)})" for one in some) if some else "0"

    def _events(self) -> str:
        own = "event NOT IN {own:Array(String)}" if self.steps.order == "strict" else "event IN {names:Array(String)}"
        return (
            f"events PREWHERE {own} WHERE product = {{product:UInt32}} AND timestamp >= {_START} "
            f"AND timestamp <= addMilliseconds({_END}, {{window:UInt64}})"
        )

    @property
    def parameters(self) -> dict[str, Any]:
        strict = self.steps.order == "strict"
        every = [*self.steps.selections, *(one.selection for one in self.steps.without)]
        names = {"own": list(INTERNAL_EVENTS)} if strict else {"names": named(every)}
        return self.bound.values | names | self.times

    @property
    def times(self) -> dict[str, Any]:
        return {
            "product": self.product_id,
            "start": self.period.start,
            "end": self.period.end,
            "window": int(self.steps.window.total_seconds() * 1000),
        }

    def rows(self, sql: str, **more: Any) -> list[dict[str, Any]]:
        return store().query(sql, self.parameters | more, ASKING)


#: Events that do a step or end a try.
MATTERS: Mapping[Order, str] = {"ordered": " AND (mask != 0 OR ends != 0)", "strict": "", "any": " AND mask != 0"}
_START = "{start:DateTime64(3, 'UTC')}"
_END = "{end:DateTime64(3, 'UTC')}"

# Everybody is in one group, so groups add up: the others are summed after they were counted, and people are read once.
_FUNNEL_BY = """
SELECT place <= {{groups:UInt32}} AS own, if(own, value, '') AS shown, {sums}
FROM (
    SELECT value, {counts}, row_number() OVER (ORDER BY count() DESC, value) AS place
    FROM ({people})
    GROUP BY value
)
GROUP BY own, shown
ORDER BY own DESC, sum1 DESC, shown
"""


def funnel(product_id: int, steps: Steps, period: Period) -> Reached:
    """Everybody."""
    asking = Asking(product_id, steps, period)
    row = asking.rows(f"SELECT {_counts(steps)} FROM ({asking.people()})")[0]
    return Reached(_people(row, steps))


def funnel_by(
    product_id: int, steps: Steps, period: Period, by: Sequence[By], *, any_step: bool = False
) -> list[Reached]:
    """By what `by` was at each person's first first step in the period; the largest groups, then all others as one.

    With `any_step` somebody is in the group of each of their steps, and so perhaps in several.
    """
    asking = Asking(product_id, steps, period)
    numbers = range(1, len(steps.selections) + 1)
    sums = ", ".join(f"sum(reached{step}) AS sum{step}" for step in numbers)
    people = asking.people(group_column(asking, by, any_step=any_step))
    each = f"SELECT * REPLACE (arrayJoin(value) AS value) FROM ({people})" if any_step else people
    rows = asking.rows(_FUNNEL_BY.format(counts=_counts(steps), sums=sums, people=each), groups=MOST_GROUPS)
    found = [
        Reached(tuple(row[f"sum{step}"] for step in numbers), row["shown"] if row["own"] else None) for row in rows
    ]
    if not any_step or all(one.value is not None for one in found):
        return found
    own = asking.bound.add("Array(String)", [one.value for one in found[:-1]])
    sql = f"SELECT {_counts(steps)} FROM ({people}) WHERE arrayExists(one -> NOT has({own}, one), value)"
    return [*found[:-1], Reached(_people(asking.rows(sql)[0], steps))]  # each of the others once


def group_column(asking: Asking, by: Sequence[By], *, any_step: bool = False) -> dict[str, str]:
    """`value`, the group that a person belongs to: where they were at their first first step in the period; or all of them."""
    bound = asking.bound
    if any_step:
        some = " OR ".join(f"({selected(one, bound)})" for one in asking.steps.selections)
        return {"value": f"groupUniqArrayIf({MOST_VALUES})({group_sql(by, bound)}, {some})"}
    if asking.steps.order == "any":
        return {"value": f"argMin({group_sql(by, bound)}, timestamp)"}
    return {"value": f"argMinIf({group_sql(by, bound)}, timestamp, {asking.first_step()})"}


def steps_over(product_id: int, steps: Steps, period: Period, bucket: str, zone: str) -> dict[Any, tuple[int, ...]]:
    """By the stretch in which each person did their first first step of the period. `bucket` is SQL over `timestamp`."""
    asking = Asking(product_id, steps, period)
    first = "1" if steps.order == "any" else asking.first_step()
    people = asking.people({"bucket": f"minIf({bucket}, {first})"})
    rows = asking.rows(f"SELECT bucket, {_counts(steps)} FROM ({people}) GROUP BY bucket ORDER BY bucket", zone=zone)
    return {row["bucket"]: _people(row, steps) for row in rows}


@dataclass(frozen=True)
class Took:
    """How many seconds it took people from one step to another: how many did it, quartiles, and how many by each edge."""

    from_step: int
    to_step: int
    people: int
    quarter: float
    median: float
    three_quarters: float
    within: tuple[int, ...] = ()


def times(product_id: int, steps: Steps, period: Period, edges: Sequence[int]) -> list[Took]:
    """From each required step to the next, and last from the first to the last with `within`, by `edges` in seconds.

    Of the try that came furthest first. In any order only the whole way has a time.
    """
    asking = Asking(product_id, steps, period)
    pairs = [] if steps.order == "any" else [(before, step) for step, before in _required(steps) if before]
    last = _required(steps)[-1][0]
    pairs.append((1, last))
    parts = []
    for number, (one, two) in enumerate(pairs):
        done = f"bitTest(came, {two - 1})"
        took = f"(at{two} - at{one}) / 1000"
        parts.append(f"countIf({done}) AS n{number}")
        parts.append(f"quantilesExactInclusiveIf(0.25, 0.5, 0.75)({took}, {done}) AS q{number}")
    done = f"bitTest(came, {last - 1})"
    parts += [f"countIf({done} AND at{last} - at1 <= {edge * 1000}) AS e{place}" for place, edge in enumerate(edges)]
    row = asking.rows(f"SELECT {', '.join(parts)} FROM ({asking.people(times=True)})")[0]
    found = [
        Took(one, two, row[f"n{number}"], *(row[f"q{number}"] if row[f"n{number}"] else (0.0, 0.0, 0.0)))
        for number, (one, two) in enumerate(pairs)
    ]
    whole = found.pop()
    within = tuple(row[f"e{place}"] for place in range(len(edges)))
    return [
        *found,
        Took(whole.from_step, whole.to_step, whole.people, whole.quarter, whole.median, whole.three_quarters, within),
    ]


@dataclass(frozen=True)
class Some:
    """Some people of a funnel: who came to `step` (1 is the first), and of these who did or did not come to `further`.

    `value` is that of a group, of fields `by`; with None all groups. `any_step` as in `funnel_by`.
    """

    step: int
    further: int | None = None
    came_further: bool = True
    by: tuple[By, ...] = ()
    value: str | None = None
    any_step: bool = False


_WHO = """
SELECT who, one_id
FROM ({people})
WHERE {which}
ORDER BY last_at DESC, who
"""


def who(product_id: int, steps: Steps, period: Period, some: Some) -> list[tuple[int, str]]:
    """People of a funnel, those seen last first: hash and one id."""
    asking = Asking(product_id, steps, period)
    more = {"last_at": "max(timestamp)", "one_id": "argMax(distinct_id, timestamp)"}
    which = [f"bitTest(came, {some.step - 1})"]
    if some.further is not None:
        which.append(f"{'' if some.came_further else 'NOT '}bitTest(came, {some.further - 1})")
    if some.by:
        more |= group_column(asking, some.by, any_step=some.any_step)
        value = asking.bound.add("String", some.value or "")
        which.append(f"has(value, {value})" if some.any_step else f"value = {value}")
    sql = _WHO.format(people=asking.people(more), which=" AND ".join(which))
    return [(row["who"], row["one_id"]) for row in asking.rows(sql)]


def seconds(at: int) -> float:
    """A column `at...` as a moment: seconds since 1970."""
    return (at - SINCE_1900) / 1000


def _required(steps: Steps) -> list[tuple[int, int]]:
    """Each required step with the one before it."""
    return [(step, before) for step, before in enumerate(steps.before, 1) if step not in steps.optional]


def _named(more: Mapping[str, str]) -> str:
    return "".join(f", {sql} AS {name}" for name, sql in more.items())


def _counts(steps: Steps) -> str:
    numbers = range(1, len(steps.selections) + 1)
    return ", ".join(f"countIf(bitTest(came, {step - 1})) AS reached{step}" for step in numbers)


def _people(row: dict[str, Any], steps: Steps) -> tuple[int, ...]:
    return tuple(row[f"reached{step}"] for step in range(1, len(steps.selections) + 1))
