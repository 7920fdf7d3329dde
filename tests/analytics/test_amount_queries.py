"""Sums, means, ratios, quantiles, times and retention in the store against plain Python that reads the definitions aloud."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.rows import event_row, written
from whytree.stores.pieces.filters import Filter, Selection
from whytree.stores.questions import amounts, metrics
from whytree.stores.questions.amounts import WHOLE, Part, Period
from whytree.stores.questions.metrics import Converted

START = datetime(2026, 3, 20, tzinfo=UTC)  # clocks change in Berlin on the 29th
END = START + timedelta(days=20)
Row = tuple[int, str, int, str, str]  # person, event, minutes after START, price, plan
A, B = Selection(("A",)), Selection(("B",))
PRO = Selection(("A",), (Filter("plan", "is", ("pro",)),))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles"])
oracle_settings = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def events() -> Iterator[Any]:
    from whytree.stores import events

    with events.temporary_database() as fresh:
        yield fresh


rows_of = st.lists(
    st.tuples(
        st.integers(1, 5),
        st.sampled_from("AB"),
        st.integers(-2 * 1440, 22 * 1440),
        st.sampled_from(["", "1", "2.5", "-3", "40", "many", "nan", "1e3"]),
        st.sampled_from(["", "pro"]),
    ),
    max_size=40,
)


def write(store: Any, rows: list[Row]) -> int:
    return written(
        store,
        [
            event_row(i, who, what, START + timedelta(minutes=minutes), properties=_said(price=price, plan=plan))
            for i, (who, what, minutes, price, plan) in enumerate(rows)
        ],
    )


def _said(**properties: str) -> dict[str, str]:
    return {name: value for name, value in properties.items() if value}


def at(row: Row) -> datetime:
    return START + timedelta(minutes=row[2])


def day_of(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date() if zone else WHOLE


def is_meant(row: Row, selection: Selection) -> bool:
    return row[1] in selection.events and (not selection.filters or row[4] == "pro")


def number(row: Row) -> float | None:
    try:
        value = float(row[3])
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def part_of(rows: list[Row], part: Part) -> float:
    mine = [row for row in rows if is_meant(row, part.selection)]
    numbers = [value for row in mine if (value := number(row)) is not None]
    return {
        "total": float(len(mine)),
        "people": float(bool(mine)),
        "sum": float(sum(numbers)),
        "numbers": float(len(numbers)),
        "carriers": float(bool(numbers)),
    }[part.measure]


def groups(rows: list[Row], zone: str, keep: Callable[[Row], bool]) -> dict[date, dict[int, list[Row]]]:
    found: dict[date, dict[int, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if START <= at(row) < END and keep(row):
            found[day_of(at(row), zone)][row[0]].append(row)
    return found


PAIRS = [
    (Part(A, "sum", "price"), Part(A, "numbers", "price")),
    (Part(PRO, "sum", "price"), Part(PRO, "carriers", "price")),
    (Part(A, "total"), Part(A, "people")),
    (Part(A, "sum", "price"), Part(B, "total")),
    (Part(PRO, "people"), Part(B, "people")),
]


@oracle_settings
@given(rows=rows_of, pair=st.sampled_from(PAIRS), zone=ZONES | st.just(""))
def test_two_parts_of_each_person_are_summed_and_centred(
    events: Any, rows: list[Row], pair: tuple[Part, Part], zone: str
) -> None:
    product, (top, bottom) = write(events, rows), pair
    found = amounts.sums(product, top, bottom, Period(START, END, zone))
    wanted = groups(rows, zone, lambda row: is_meant(row, top.selection) or is_meant(row, bottom.selection))
    assert set(found) == set(wanted)
    for day, people in wanted.items():
        x = np.array([part_of(mine, top) for mine in people.values()])
        y = np.array([part_of(mine, bottom) for mine in people.values()])
        one = found[day]
        assert (one.people, one.bearers) == (len(x), int((y != 0).sum()))
        assert (one.top, one.bottom, one.squares) == pytest.approx((x.sum(), y.sum(), (x * x).sum()))
        assert (one.largest, one.smallest) == (x.max(), x.min())
        assert (one.top_mean, one.bottom_mean) == pytest.approx((x.mean(), y.mean()))
        centred = (x - x.mean(), y - y.mean())
        wanted_m2 = [(centred[0] ** 2).sum(), (centred[1] ** 2).sum(), (centred[0] * centred[1]).sum()]
        assert [one.top_m2, one.bottom_m2, one.together] == pytest.approx(wanted_m2, abs=1e-6)


def woodruff(each: list[list[float]], share: float, reach: float) -> tuple[float, float, float]:
    """The quantile, and the values at both ends of the interval of the share below it, people taken as they come."""
    ordered = np.sort(np.concatenate([np.array(xs) for xs in each]))
    value = float(np.quantile(ordered, share))
    below = np.array([sum(x <= value for x in xs) for xs in each], dtype=float)
    sizes = np.array([len(xs) for xs in each], dtype=float)
    away = below - below.sum() / sizes.sum() * sizes
    error = math.sqrt((away**2).sum() / max(len(each) - 1, 1) / len(each)) / sizes.mean()
    # rounded as IEEE does, to even, on both sides
    ranks = [
        int(np.clip(np.round((share + side * reach * error) * len(ordered)), 0, len(ordered) - 1)) for side in (-1, 1)
    ]
    return value, float(ordered[ranks[0]]), float(ordered[ranks[1]])


@oracle_settings
@given(
    rows=rows_of,
    share=st.sampled_from([0.5, 0.9, 0.25, 0.99]),
    zone=ZONES | st.just(""),
    selection=st.sampled_from([A, PRO]),
)
def test_a_quantile_stands_where_its_share_lies(
    events: Any, rows: list[Row], share: float, zone: str, selection: Selection
) -> None:
    product = write(events, rows)
    found = amounts.quantile(product, selection, "price", share, 1.96, Period(START, END, zone))
    wanted = groups(rows, zone, lambda row: is_meant(row, selection) and number(row) is not None)
    assert set(found) == set(wanted)
    for day, people in wanted.items():
        each = [[value for row in mine if (value := number(row)) is not None] for mine in people.values()]
        value, low, high = woodruff(each, share, 1.96)
        one = found[day]
        assert (one.people, one.rows) == (len(each), sum(map(len, each)))
        assert (one.value, one.low, one.high) == pytest.approx((value, low, high))


def firsts(rows: list[Row], selection: Selection, *, ever: bool) -> dict[int, datetime]:
    """When each person began, where that was in the period."""
    found: dict[int, datetime] = {}
    for row in rows:
        if is_meant(row, selection) and at(row) < END and (ever or at(row) >= START):
            found[row[0]] = min(at(row), found.get(row[0], at(row)))
    return {person: moment for person, moment in found.items() if moment >= START}


@oracle_settings
@given(
    rows=rows_of,
    goal=st.sampled_from([A, B]),
    begin=st.sampled_from([A, PRO]),
    window=st.sampled_from([timedelta(hours=5), timedelta(days=3)]),
    known_for=st.integers(0, 25 * 1440),
    zone=ZONES | st.just(""),
)
def test_a_time_is_that_of_people_who_got_there(
    events: Any, rows: list[Row], begin: Selection, goal: Selection, window: timedelta, known_for: int, zone: str
) -> None:
    product, as_of = write(events, rows), START + timedelta(minutes=known_for)
    found = amounts.time_to(product, begin, goal, window, 0.5, 1.96, Period(START, END, zone), as_of=as_of)
    took: dict[date, list[float]] = defaultdict(list)
    waiting: dict[date, int] = defaultdict(int)
    for person, entry in firsts(rows, begin, ever=False).items():
        day = day_of(entry, zone)
        if entry + window > as_of:
            waiting[day] += 1
            continue
        goals = [at(row) for row in rows if row[0] == person and is_meant(row, goal)]
        goals = [moment for moment in goals if (moment > entry if begin == goal else moment >= entry)]
        if goals and min(goals) <= entry + window:
            took[day].append((min(goals) - entry).total_seconds())
    assert {day: one.people for day, one in found.items()} == {day: len(times) for day, times in took.items()}
    for day, times in took.items():
        assert found[day].value == pytest.approx(float(np.median(times)))
        assert found[day].open == waiting[day]


@oracle_settings
@given(
    rows=rows_of,
    begin=st.sampled_from([A, PRO]),
    lead=st.integers(1, 4),
    length=st.integers(1, 3),
    known_for=st.integers(0, 30 * 1440),
    zone=ZONES,
)
def test_retention_counts_who_came_back_in_those_days(
    events: Any, rows: list[Row], begin: Selection, lead: int, length: int, known_for: int, zone: str
) -> None:
    product, as_of = write(events, rows), START + timedelta(minutes=known_for)
    after, window = timedelta(days=lead), timedelta(days=lead + length)
    found = metrics.retention_over(product, begin, B, after, window, START, END, as_of=as_of, zone=zone)
    wanted: dict[date, list[int]] = defaultdict(lambda: [0, 0, 0])
    for person, entry in firsts(rows, begin, ever=True).items():
        day = wanted[day_of(entry, zone)]
        if entry + window > as_of:
            day[2] += 1
            continue
        backs = [at(row) - entry for row in rows if row[0] == person and row[1] == "B"]
        day[0] += 1
        day[1] += any(after <= one < window for one in backs)
    assert found == {day: Converted(*those) for day, those in wanted.items()}


def test_two_ids_of_one_person_are_one_person(events: Any) -> None:
    product = write(events, [(71, "A", 0, "2", ""), (72, "A", 60, "4", ""), (72, "B", 120, "", "")])
    override = {
        "product": product,
        "person": 72,
        "canonical": 71,
        "distinct_id": "72",
        "canonical_id": "71",
        "version": 1,
    }
    events.insert("person_overrides", [override])
    events.execute("SYSTEM RELOAD DICTIONARY person_overrides_now")
    period = Period(START, END)
    one = amounts.sums(product, Part(A, "sum", "price"), Part(A, "carriers", "price"), period)[WHOLE]
    assert (one.people, one.top, one.bottom, one.largest) == (1, 6.0, 1.0, 6.0)
    took = amounts.time_to(product, A, B, timedelta(days=1), 0.5, 1.96, period, as_of=END)[WHOLE]
    assert (took.people, took.value) == (1, 7200.0)


def test_bots_are_not_counted(events: Any) -> None:
    product = write(events, [(1, "A", 0, "2", "")])
    row = {"product": product, "person": 2, "timestamp": START, "event": "A", "event_id": 99, "distinct_id": "2"}
    events.insert("events", [row | {"received_at": START, "properties": {"price": "1000"}, "bot": 1}])
    part = Part(A, "sum", "price")
    assert amounts.sums(product, part, part, Period(START, END))[WHOLE].top == 2.0
