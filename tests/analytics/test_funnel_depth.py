"""What funnels can be asked beyond steps in a row, against a plain Python oracle that tries every choice of events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count as counting
from statistics import quantiles
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whytree.stores.pieces.filters import Selection
from whytree.stores.questions.funnels import Period, Reached, Some, Steps, Without, funnel, steps_over, times, who

START = datetime(2026, 5, 1, tzinfo=UTC)
BEGIN, STOP = 0, 30  # minutes: who begins in between is followed
PERIOD = Period(START, START + timedelta(minutes=STOP))
_products = counting(7000)


@dataclass(frozen=True)
class Row:
    person: int
    event: str
    minute: int
    doc: str = ""


@dataclass(frozen=True)
class Spec:
    """A funnel in letters: `AB|CD` are three steps, the middle one of which is B or C."""

    words: tuple[str, ...]
    window: int = 60
    order: Any = "ordered"
    held: bool = False
    without: tuple[tuple[str, int, int], ...] = ()
    optional: frozenset[int] = frozenset()
    first_time: bool = False

    @property
    def steps(self) -> Steps:
        return Steps(
            tuple(Selection(tuple(word.split("|"))) for word in self.words),
            timedelta(minutes=self.window),
            self.order,
            "doc" if self.held else "",
            tuple(Without(Selection((event,)), after, before) for event, after, before in self.without),
            self.optional,
            self.first_time,
        )


@dataclass
class Told:
    """What the oracle says of one person: the steps they came to, and when the furthest try came to each."""

    came: set[int] = field(default_factory=set)
    at: dict[int, int] = field(default_factory=dict)


def write(store: Any, rows: list[Row]) -> int:
    product = next(_products)
    store.insert(
        "events",
        [
            {
                "product": product,
                "person": row.person,
                "timestamp": START + timedelta(minutes=row.minute),
                "event": row.event,
                "event_id": number,
                "distinct_id": str(row.person),
                "received_at": START,
                "properties": {"doc": row.doc} if row.doc else {},
            }
            for number, row in enumerate(rows)
        ],
    )
    return product


def tell(rows: list[Row], spec: Spec) -> Told:
    """Every choice of events is tried."""
    if spec.held:
        found = Told()
        for value in sorted({row.doc for row in rows} - {""}):
            one = _tell([row for row in rows if row.doc == value], spec)
            found.came |= one.came
        return found
    return _tell(rows, spec)


def _tell(rows: list[Row], spec: Spec) -> Told:
    does = [word.split("|") for word in spec.words]

    def order(row: Row) -> tuple[int, int, int]:
        matched = [at for at, names in enumerate(does) if row.event in names] or [99]
        return (row.minute, matched[0], matched[-1])

    mine = sorted((row for row in rows if row.minute >= BEGIN), key=order)
    firsts = [row.minute for row in rows if row.event in does[0]]
    starts = [at for at, row in enumerate(mine) if row.event in does[0] and BEGIN <= row.minute < STOP]
    if spec.first_time:
        starts = [at for at in starts if mine[at].minute == min(firsts)]

    def may_follow(one: int, two: int, step: int) -> bool:
        if spec.order == "strict":
            return two == one + 1
        killers = {event for event, after, before in spec.without if after <= step < before}
        return not any(mine[at].event in killers for at in range(one + 1, two + 1))

    def tries(path: list[int]) -> Iterator[list[int]]:
        """Choices of events, one for each step of the path."""
        if len(path) == 1:
            yield from ([at] for at in starts)
            return
        for chosen in tries(path[:-1]):
            for at in range(chosen[-1] + 1, len(mine)):
                in_time = mine[at].minute <= mine[chosen[0]].minute + spec.window
                if in_time and mine[at].event in does[path[-1] - 1] and may_follow(chosen[-1], at, path[-2]):
                    yield [*chosen, at]

    found = Told()
    before = spec.steps.before
    for step in range(1, len(does) + 1):
        path = [step]
        while before[path[0] - 1]:
            path.insert(0, before[path[0] - 1])
        chosen = [[mine[at].minute for at in one] for one in tries(path)]
        if chosen:
            found.came.add(step)
            if step not in spec.optional:
                # the first that came so far; of several the one that began last
                best = min(chosen, key=lambda moments: (moments[-1], -moments[0], moments))
                found.at = dict(zip(path, best, strict=True))
    return found


def in_any_order(rows: list[Row], spec: Spec) -> int:
    mine = [row for row in rows if row.minute >= BEGIN]
    best = 0
    for begin in (row.minute for row in mine if row.minute < STOP and any(row.event in word for word in spec.words)):
        within = {row.event for row in mine if begin <= row.minute <= begin + spec.window}
        best = max(best, sum(bool(within & set(word.split("|"))) for word in spec.words))
    return best


def of(rows: list[Row]) -> list[list[Row]]:
    return [[row for row in rows if row.person == person] for person in sorted({row.person for row in rows})]


row_of = st.builds(
    Row, st.integers(1, 3), st.sampled_from("ABCX"), st.integers(-5, 40), st.sampled_from(["", "d", "e"])
)
rows_of = st.lists(row_of, max_size=12)
windows = st.sampled_from([0, 3, 10, 60])
WORDS = [("A", "B"), ("A", "B", "C"), ("A", "A"), ("A", "B", "A"), ("A|B", "C"), ("A|B", "B")]
specs = st.one_of(
    st.builds(Spec, st.sampled_from(WORDS), windows, st.sampled_from(["ordered", "strict"])),
    st.builds(Spec, st.sampled_from(WORDS), windows, held=st.just(True)),
    st.builds(Spec, st.sampled_from(WORDS), windows, first_time=st.just(True)),
    st.builds(
        Spec,
        st.just(("A", "B", "C")),
        windows,
        without=st.sampled_from([(("X", 1, 2),), (("X", 2, 3),), (("X", 1, 3),), (("B", 2, 3), ("X", 1, 2))]),
        held=st.booleans(),
    ),
    st.builds(
        Spec,
        st.sampled_from([("A", "B", "C"), ("A", "X", "B", "C")]),
        windows,
        optional=st.just(frozenset({2})),
        without=st.sampled_from([(), (("X", 1, 3),)]),
        first_time=st.booleans(),
    ),
)
relaxed = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@relaxed
@given(rows=rows_of, spec=specs)
def test_the_store_follows_people_as_the_oracle_does(events: Any, rows: list[Row], spec: Spec) -> None:
    product = write(events, rows)
    told = [tell(mine, spec) for mine in of(rows)]
    steps = range(1, len(spec.words) + 1)
    assert funnel(product, spec.steps, PERIOD) == Reached(tuple(sum(at in one.came for one in told) for at in steps))
    for step in steps:
        stopped = who(product, spec.steps, PERIOD, Some(1, step, came_further=False))
        assert len(stopped) == sum(1 in one.came and step not in one.came for one in told)


@relaxed
@given(rows=rows_of, spec=specs.filter(lambda spec: not spec.held))
def test_times_are_those_of_the_try_that_came_furthest_first(events: Any, rows: list[Row], spec: Spec) -> None:
    product = write(events, rows)
    told = [tell(mine, spec) for mine in of(rows)]
    for took in times(product, spec.steps, PERIOD, edges=[180]):
        spans = [60 * (one.at[took.to_step] - one.at[took.from_step]) for one in told if took.to_step in one.at]
        assert took.people == len(spans)
        if len(spans) == 1:
            spans *= 2
        if spans:
            assert [took.quarter, took.median, took.three_quarters] == pytest.approx(
                quantiles(spans, n=4, method="inclusive")
            )


@relaxed
@given(rows=rows_of, words=st.sampled_from([("A", "B"), ("A", "B", "C"), ("A|B", "C")]), window=windows)
def test_any_order_counts_what_lies_in_one_window(
    events: Any, rows: list[Row], words: tuple[str, ...], window: int
) -> None:
    product = write(events, rows)
    spec = Spec(words, window, "any")
    levels = [in_any_order(mine, spec) for mine in of(rows)]
    expected = tuple(sum(level >= at for level in levels) for at in range(1, len(words) + 1))
    assert funnel(product, spec.steps, PERIOD).people == expected


def rows_in_turn(letters: str, person: int = 1, doc: str = "") -> list[Row]:
    return [Row(person, letter, minute, doc) for minute, letter in enumerate(letters)]


@pytest.mark.parametrize(
    ("letters", "spec", "people"),
    [
        ("ABC", Spec(("A", "B", "C"), order="strict"), (1, 1, 1)),
        ("AXBC", Spec(("A", "B", "C"), order="strict"), (1, 0, 0)),
        ("AXABC", Spec(("A", "B", "C"), order="strict"), (1, 1, 1)),
        ("CBA", Spec(("A", "B", "C"), order="any"), (1, 1, 1)),
        ("AC", Spec(("A", "B", "C"), optional=frozenset({2})), (1, 0, 1)),
        ("ABC", Spec(("A", "B", "C"), optional=frozenset({2})), (1, 1, 1)),
        ("AXB", Spec(("A", "B"), without=(("X", 1, 2),)), (1, 0)),
        ("AXAB", Spec(("A", "B"), without=(("X", 1, 2),)), (1, 1)),
        ("ABXC", Spec(("A", "B", "C"), without=(("X", 1, 2),)), (1, 1, 1)),
    ],
)
def test_examples(events: Any, letters: str, spec: Spec, people: tuple[int, ...]) -> None:
    assert funnel(write(events, rows_in_turn(letters)), spec.steps, PERIOD).people == people


def test_a_held_property_must_be_the_same_document(events: Any) -> None:
    rows = [Row(1, "A", 1, "d"), Row(1, "B", 2, "e"), Row(2, "A", 1, "d"), Row(2, "A", 2, "e"), Row(2, "B", 3, "d")]
    assert funnel(write(events, rows), Spec(("A", "B"), held=True).steps, PERIOD).people == (2, 1)


@pytest.mark.parametrize("years", [0, 1, 3])
def test_of_a_thousand_documents_each_is_held_apart(events: Any, years: int) -> None:
    """Side by side in time as long as there is room, by groups in a period of years."""
    letters = ["A", "B", "C"]
    rows = [Row(1, letter, at, f"{letter} {number}") for number in range(1000) for at, letter in enumerate(letters)]
    rows += [Row(2, letter, at, "the same") for at, letter in enumerate(letters)]
    period = Period(START - timedelta(days=365 * years), PERIOD.end)
    assert funnel(write(events, rows), Spec(("A", "B", "C"), held=True).steps, period).people == (2, 1, 1)


def test_a_person_belongs_to_the_day_of_their_first_first_step(events: Any) -> None:
    rows = [Row(1, "A", 1), Row(1, "B", 2), Row(2, "A", 1), Row(2, "A", 25), Row(2, "B", 26)]
    product = write(events, rows)
    over = steps_over(product, Spec(("A", "B")).steps, PERIOD, "toDate(timestamp, {zone:String})", "UTC")
    assert list(over.values()) == [(2, 2)]


def test_twenty_steps_with_times_are_no_trouble(events: Any) -> None:
    letters = "ABCDEFGHIJKLMNOPQRST"
    product = write(events, rows_in_turn(letters))
    spec = Spec(tuple(letters))
    assert funnel(product, spec.steps, PERIOD).people == (1,) * 20
    assert [took.median for took in times(product, spec.steps, PERIOD, [])] == [60.0] * 19 + [19 * 60.0]
