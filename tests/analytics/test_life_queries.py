"""Lifecycle, stickiness and paths in the store against plain Python that reads the definitions aloud."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.rows import event_row, written
from whytree.stores.pieces.filters import Selection
from whytree.stores.questions import lifecycles, paths, retention

START = datetime(2026, 3, 20, tzinfo=UTC)
END = START + timedelta(days=30)
Row = tuple[int, str, int]  # person, event, minutes after START
relaxed = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(store: Any, rows: list[Row]) -> int:
    return written(
        store,
        [event_row(i, who, what, START + timedelta(minutes=minutes)) for i, (who, what, minutes) in enumerate(rows)],
    )


@relaxed
@given(
    rows=st.lists(st.tuples(st.integers(1, 4), st.sampled_from("AB"), st.integers(-20_000, 60 * 24 * 40)), max_size=25),
    interval=st.sampled_from(["day", "week", "month"]),
    zone=st.sampled_from(["UTC", "America/Los_Angeles"]),
)
def test_people_are_new_return_come_back_and_fall_asleep(
    events: Any, rows: list[Row], interval: Any, zone: str
) -> None:
    product = write(events, rows)
    asked = lifecycles.Asked(Selection(("A",)), START, END, interval, zone)

    def number(minutes: int) -> int:
        local = (START + timedelta(minutes=minutes)).astimezone(ZoneInfo(zone))
        return retention.number_of(interval, local.date())

    first, last = retention.number_of(interval, START.date()), retention.number_of(interval, END.date())
    expected: dict[int, Counter[str]] = defaultdict(Counter)
    spread: Counter[int] = Counter()
    for person in {row[0] for row in rows}:
        mine = [row for row in rows if row[0] == person and row[1] == "A" and START + timedelta(minutes=row[2]) < END]
        numbers = sorted({number(row[2]) for row in mine})
        inside = {number(row[2]) for row in mine if row[2] >= 0}
        spread[len(inside)] += 1
        for place, one in enumerate(numbers):
            before = numbers[place - 1] if place else None
            expected[one]["new" if before is None else "returning" if before == one - 1 else "resurrected"] += 1
            if one + 1 not in numbers:
                expected[one + 1]["dormant"] += 1
    found = lifecycles.lifecycle(product, asked, last)
    assert [
        (retention.number_of(interval, one.start), one.new, one.returning, one.resurrected, one.dormant)
        for one in found
    ] == [
        (one, *(states[name] for name in lifecycles.STATES))
        for one, states in sorted(expected.items())
        if first <= one <= last
    ]
    for one in found[:2]:
        at = retention.number_of(interval, one.start)
        assert len(lifecycles.who(product, asked, at, "dormant")) == one.dormant
    assert lifecycles.stickiness(product, asked) == {days: n for days, n in spread.items() if days}
    for days, n in list(spread.items())[:2]:
        assert not days or len(lifecycles.who_sticks(product, asked, days)) == n


def ways_of(rows: list[Row], asked: paths.Asked) -> list[tuple[int, list[str]]]:
    """Every way, with whose it is."""
    found = []
    for person in {row[0] for row in rows}:
        mine = sorted((minutes, event) for who, event, minutes in rows if who == person and 0 <= minutes < 30 * 24 * 60)
        mine = [one for one in mine if one[1] not in asked.hidden]
        runs: list[list[str]] = []
        last = None
        for minutes, event in mine:
            if last is None or timedelta(minutes=minutes - last) > asked.gap:
                runs.append([])
            if not runs[-1] or runs[-1][-1] != event:
                runs[-1].append(event)
            last = minutes
        for names in runs:
            begins = [at for at, name in enumerate(names) if asked.begin and name in asked.begin.events]
            ends = [at for at, name in enumerate(names) if asked.finish and name in asked.finish.events]
            if asked.begin and asked.finish:
                for at in begins:
                    stop = next((end for end in ends if end > at), None)
                    if stop is not None and stop - at <= asked.depth:
                        found.append((person, names[at : stop + 1]))
            elif asked.finish:
                found += [(person, names[max(0, at - asked.depth) : at + 1][::-1]) for at in ends]
            else:
                for at in begins if asked.begin else [0]:
                    found.append((person, names[at : at + asked.depth + 1]))
    return found


@relaxed
@given(
    rows=st.lists(
        st.tuples(st.integers(1, 3), st.sampled_from("ABCH"), st.integers(-10, 400)), max_size=20, unique=True
    ),
    ends=st.sampled_from([("", ""), ("A", ""), ("", "B"), ("A", "B")]),
    depth=st.integers(1, 4),
    hidden=st.sampled_from([(), ("H",)]),
)
def test_ways_are_those_that_one_would_read_off(
    events: Any, rows: list[Row], ends: tuple[str, str], depth: int, hidden: tuple[str, ...]
) -> None:
    begin, finish = (Selection((name,)) if name else None for name in ends)
    asked = paths.Asked(START, END, depth, timedelta(minutes=60), begin, finish, hidden)
    expected: Counter[tuple[int, str, str]] = Counter()
    people: dict[tuple[int, str, str], set[int]] = defaultdict(set)
    for person, way in ways_of(rows, asked):
        for at, name in enumerate(way):
            edge = (at, name, way[at + 1] if at + 1 < len(way) else "")
            expected[edge] += 1
            people[edge].add(person)
    found = paths.edges(write(events, rows), asked)
    assert {(one.at, one.source, one.target): (one.ways, one.people) for one in found} == {
        edge: (n, len(people[edge])) for edge, n in expected.items()
    }
