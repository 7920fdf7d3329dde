"""Trends and retention in the store against plain Python that reads the definitions aloud."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.rows import event_row, written
from whytree.stores.pieces.filters import Selection
from whytree.stores.questions import retention, trends

START = datetime(2026, 3, 20, tzinfo=UTC)  # clocks change in Berlin on the 29th
END = START + timedelta(days=30)
Row = tuple[int, str, int, str]  # person, event, hours after START, price
no_fixture_check = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(store: Any, rows: list[Row]) -> int:
    return written(
        store,
        [
            event_row(i, who, what, START + timedelta(hours=hours), properties={"price": price} if price else {})
            for i, (who, what, hours, price) in enumerate(rows)
        ],
    )


rows_of = st.lists(
    st.tuples(
        st.integers(1, 4), st.sampled_from("AB"), st.integers(-30, 24 * 45), st.sampled_from(["", "1", "2.5", "many"])
    ),
    max_size=25,
)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles"])


def stretch_of(at: datetime, interval: str, zone: str) -> date | datetime:
    local = at.astimezone(ZoneInfo(zone))
    if interval == "hour":
        return local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    if interval == "week":
        return local.date() - timedelta(days=local.weekday())
    return local.date().replace(day=1) if interval == "month" else local.date()


def plain(start: date | datetime) -> date | datetime:
    return start.astimezone(UTC) if isinstance(start, datetime) else start


@no_fixture_check
@given(rows=rows_of, interval=st.sampled_from(["hour", "day", "week", "month"]), zone=ZONES)
def test_the_store_counts_stretches_as_the_oracle_does(events: Any, rows: list[Row], interval: Any, zone: str) -> None:
    product = write(events, rows)
    asked = trends.Asked(Selection(("A",)), START, END, interval, zone)
    found = trends.counts(product, asked).get(None, [])
    times: dict[Any, Counter[int]] = defaultdict(Counter)
    for person, event, hours, _ in rows:
        at = START + timedelta(hours=hours)
        if event == "A" and START <= at < END:
            times[stretch_of(at, interval, zone)][person] += 1
    expected = {
        start: (by.total(), len(by), sum(n * n for n in by.values()), max(by.values())) for start, by in times.items()
    }
    assert {plain(one.start): (one.events, one.people, one.squares, one.largest) for one in found} == expected
    assert trends.people(product, asked) == len({person for by in times.values() for person in by})


@no_fixture_check
@given(rows=rows_of, aggregate=st.sampled_from(["sum", "mean", "median", "min", "max"]))
def test_numbers_that_come_with_events_are_added_up_and_texts_left_out(
    events: Any, rows: list[Row], aggregate: Any
) -> None:
    product = write(events, rows)
    asked = trends.Asked(Selection(("A", "B")), START, END, "month", "UTC")
    numbers: dict[Any, list[float]] = defaultdict(list)
    for _, _, hours, price in rows:
        at = START + timedelta(hours=hours)
        if START <= at < END and price not in ("", "many"):
            numbers[stretch_of(at, "month", "UTC")].append(float(price))
    reads = {"sum": sum, "mean": statistics.mean, "median": statistics.median, "min": min, "max": max}
    expected = {start: (pytest.approx(reads[aggregate](those)), len(those)) for start, those in numbers.items()}
    found = trends.figures(product, asked, "price", aggregate).get(None, [])
    assert {one.start: (one.value, one.n) for one in found} == expected


def test_groups_are_the_largest_ones_and_all_others(events: Any) -> None:
    rows: list[Row] = [(n, "A", 1, f"{n // 2}") for n in range(40)]
    product = write(events, rows)
    asked = trends.Asked(Selection(("A",)), START, END, "day", "UTC")
    groups = trends.largest_groups(product, asked, ["price"])
    found = trends.counts(product, asked, by=["price"], groups=groups)
    assert len(groups) == 12
    assert {value: those[0].events for value, those in found.items()} == dict.fromkeys(groups, 2) | {None: 16}
    assert trends.counts_of_largest(product, asked, ["price"]) == found


@no_fixture_check
@given(rows=rows_of, interval=st.sampled_from(["day", "week"]))
def test_one_reading_tells_the_groups_and_the_people_as_several_do(events: Any, rows: list[Row], interval: Any) -> None:
    product = write(events, rows)
    asked = trends.Asked(Selection(("A",)), START, END, interval, "Europe/Berlin")
    groups = trends.largest_groups(product, asked, ["price"])
    found = trends.counts_of_largest(product, asked, ["price"])
    assert found == trends.counts(product, asked, by=["price"], groups=groups)
    assert tuple(found) == groups
    assert trends.counts_of_all(product, asked).everybody == trends.people(product, asked)


def test_retention_tells_the_largest_groups_apart_and_adds_up_all_others(events: Any) -> None:
    rows: list[Row] = [
        (n, event, hours, f"{n // 3}") for n in range(60) for event, hours in (("A", 1), ("B", 24 * (n % 2)))
    ]
    product = write(events, rows)
    coming = retention.Coming(Selection(("A",)), Selection(("B",)), "day")
    followed = retention.Followed(START, END, 2, "UTC")
    (whole,) = retention.retention(product, coming, followed)
    by = retention.retention(product, coming, followed, by=["price"])
    assert [one.value for one in by] == [*sorted(str(n) for n in range(20))[:12], None]
    assert (sum(one.people for one in by), by[-1].people) == (whole.people, 24)
    assert tuple(map(sum, zip(*(one.back for one in by), strict=True))) == whole.back


@no_fixture_check
@given(
    rows=rows_of,
    interval=st.sampled_from(["day", "week", "month"]),
    zone=ZONES,
    first_time=st.booleans(),
    how=st.sampled_from(["on", "later", "streak"]),
)
def test_the_store_follows_cohorts_as_the_oracle_does(
    events: Any, rows: list[Row], interval: Any, zone: str, first_time: bool, how: Any
) -> None:
    product = write(events, rows)
    coming = retention.Coming(Selection(("A",)), Selection(("B",)), interval, first_time, how)
    found = retention.retention(product, coming, retention.Followed(START, END, 4, zone))

    def number(hours: int) -> int:
        day = (START + timedelta(hours=hours)).astimezone(ZoneInfo(zone)).date()
        return retention.number_of(interval, day)

    cohorts: dict[int, list[list[int]]] = defaultdict(list)
    for person in {row[0] for row in rows}:
        began = sorted(hours for who, event, hours, _ in rows if who == person and event == "A")
        inside = [hours for hours in began if 0 <= hours < 24 * 30]
        if first_time:
            inside = inside[:1] if began[:1] == inside[:1] else []
        since = None if first_time else 0
        backs = {
            number(hours)
            for who, event, hours, _ in rows
            if who == person and event == "B" and (since is None or hours >= since)
        }
        for cohort in {number(hours) for hours in inside}:
            hits = [came_back({b - cohort for b in backs}, k, how) for k in range(4)]
            cohorts[cohort].append([int(hit) for hit in hits])
    expected = [
        (cohort, len(those), tuple(map(sum, zip(*those, strict=True)))) for cohort, those in sorted(cohorts.items())
    ]
    assert [(one.number, one.people, one.back) for one in found] == expected


def came_back(backs: set[int], after: int, how: str) -> bool:
    """Whether somebody who came back in these stretches did so `after` of them later."""
    if how == "later":
        return any(back >= after for back in backs)
    return all(k in backs for k in range(1, after + 1)) if how == "streak" and after else after in backs


@no_fixture_check
@given(rows=rows_of, first_time=st.booleans(), how=st.sampled_from(["on", "later", "streak"]))
def test_the_rolling_clock_begins_with_each_person(events: Any, rows: list[Row], first_time: bool, how: Any) -> None:
    product = write(events, rows)
    coming = retention.Coming(Selection(("A",)), Selection(("B",)), "day", first_time, how, "rolling")
    found = retention.retention(product, coming, retention.Followed(START, END, 3, "UTC"))
    cohorts: dict[int, list[list[int]]] = defaultdict(list)
    for person in {row[0] for row in rows}:
        began = sorted(hours for who, event, hours, _ in rows if who == person and event == "A")
        inside = [hours for hours in began if 0 <= hours < 24 * 30]
        if first_time:
            inside = inside[:1] if began[:1] == inside[:1] else []
        for day in {hours // 24 for hours in inside}:
            anchor = min(hours for hours in inside if hours // 24 == day)
            backs = {
                (hours - anchor) // 24
                for who, event, hours, _ in rows
                if who == person and event == "B" and hours >= anchor
            }
            cohorts[day].append([int(came_back(backs, k, how)) for k in range(3)])
    expected = [
        (START.date() + timedelta(days=day), len(those), tuple(map(sum, zip(*those, strict=True))))
        for day, those in sorted(cohorts.items())
    ]
    assert [(one.start, one.people, one.back) for one in found] == expected


@no_fixture_check
@given(rows=rows_of, zone=ZONES)
def test_brackets_and_the_people_behind_a_cell(events: Any, rows: list[Row], zone: str) -> None:
    product = write(events, rows)
    single = retention.Coming(Selection(("A",)), Selection(("B",)), "day", first_time=False)
    bracketed = retention.Coming(
        Selection(("A",)), Selection(("B",)), "day", first_time=False, brackets=((0, 0), (1, 3))
    )
    followed = retention.Followed(START, END, 4, zone)
    found = retention.retention(product, bracketed, followed)
    plain_ones = retention.retention(product, single, followed)
    assert [one.back[0] for one in found] == [one.back[0] for one in plain_ones]
    for one, two in zip(found, plain_ones, strict=True):
        assert max(two.back[1:]) <= one.back[1] <= sum(two.back[1:])
        came = retention.who(product, bracketed, followed, cohort=one.number, after=1, came=True)
        stayed_away = retention.who(product, bracketed, followed, cohort=one.number, after=1, came=False)
        assert (len(came), len(came) + len(stayed_away)) == (one.back[1], one.people)


def test_retention_by_group_adds_up_to_the_whole(events: Any) -> None:
    rows: list[Row] = [(n, "A", n % 50, f"{n % 15}") for n in range(60)]
    rows += [(n, "B", n % 50 + 24, "") for n in range(0, 60, 2)]
    product = write(events, rows)
    coming = retention.Coming(Selection(("A",)), Selection(("B",)), "day")
    followed = retention.Followed(START, END, 3, "UTC")
    whole = retention.retention(product, coming, followed)
    groups = retention.retention(product, coming, followed, by=["price"])
    assert sum(one.people for one in whole) == sum(one.people for one in groups) == 60
    assert sum(one.back[1] for one in whole) == sum(one.back[1] for one in groups)
    assert len({one.value for one in groups}) == 13  # twelve and all others


@no_fixture_check
@given(rows=rows_of, days=st.sampled_from([1, 7]), zone=ZONES)
def test_rolling_actives_count_everybody_of_the_days_before(events: Any, rows: list[Row], days: int, zone: str) -> None:
    product = write(events, rows)
    asked = trends.Asked(Selection(("A",)), START, END, "day", zone)
    found = trends.active(product, asked, days).get(None, {})
    seen: dict[date, set[int]] = defaultdict(set)
    for person, event, hours, _ in rows:
        at = START + timedelta(hours=hours)
        if event == "A" and START - timedelta(days=days - 1) <= at < END:
            for later in range(days):
                seen[at.astimezone(ZoneInfo(zone)).date() + timedelta(days=later)].add(person)
    assert found == {day: len(people) for day, people in seen.items()}


def test_days_before_1970_are_days(events: Any) -> None:
    at = datetime(1969, 7, 20, 20, 17, tzinfo=UTC)
    hours = int((at - START).total_seconds()) // 3600
    product = write(events, [(1, "A", hours, ""), (1, "B", hours + 24, "")])
    for interval, start in {"day": date(1969, 7, 20), "week": date(1969, 7, 14), "month": date(1969, 7, 1)}.items():
        asked = trends.Asked(Selection(("A",)), at - timedelta(days=2), at + timedelta(days=2), interval, "UTC")  # type: ignore[arg-type]
        assert [one.start for one in trends.counts(product, asked)[None]] == [start]
    coming = retention.Coming(Selection(("A",)), Selection(("B",)), "day")
    followed = retention.Followed(at - timedelta(days=2), at + timedelta(days=2), 2, "UTC")
    (cohort,) = retention.retention(product, coming, followed)
    assert (cohort.start, cohort.back) == (date(1969, 7, 20), (0, 1))


@pytest.mark.parametrize("interval", ["day", "week", "month"])
def test_a_stretch_begins_with_its_first_day(interval: Any) -> None:
    for offset in range(400):
        day = date(2025, 12, 1) + timedelta(days=offset)
        number = retention.number_of(interval, day)
        first = retention.first_day(interval, number)
        assert first <= day < retention.first_day(interval, number + 1)
        assert retention.number_of(interval, first) == number
        assert interval != "week" or first.weekday() == 0
