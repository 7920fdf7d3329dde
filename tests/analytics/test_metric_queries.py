"""The store's counts against a plain Python oracle that reads the definition aloud."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.rows import event_row, written
from whytree.stores.pieces.filters import Selection
from whytree.stores.questions import metrics
from whytree.stores.questions.metrics import Converted, Counted

START = datetime(2026, 5, 1, tzinfo=UTC)
A, B = Selection(("A",)), Selection(("B",))
Happening = tuple[int, str, int]  # person, event, minutes after START


def write(store: Any, happenings: list[Happening]) -> int:
    return written(
        store,
        [
            event_row(i, who, what, START + timedelta(minutes=minutes))
            for i, (who, what, minutes) in enumerate(happenings)
        ],
    )


def oracle_conversion(
    happenings: list[Happening], entry: str, goal: str, window: timedelta, end: datetime, as_of: datetime, zone: str
) -> dict[date, Converted]:
    by_person: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    for person, event, minutes in happenings:
        by_person[person].append((START + timedelta(minutes=minutes), event))
    days: dict[date, Counter[str]] = defaultdict(Counter)
    for done in by_person.values():
        entries = [at for at, event in done if event == entry and START <= at < end]
        if not entries:
            continue
        first = min(entries)
        day = days[first.astimezone(ZoneInfo(zone)).date()]
        if first + window > as_of:
            day["open"] += 1
            continue
        day["entered"] += 1
        goals = [at for at, event in done if event == goal and (at > first or (at == first and entry != goal))]
        day["converted"] += any(at <= first + window for at in goals)
    return {day: Converted(seen["entered"], seen["converted"], seen["open"]) for day, seen in days.items()}


happenings = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from("ABC"), st.integers(-3 * 1440, 12 * 1440) | st.integers(0, 6)),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    happened=happenings,
    goal=st.sampled_from("AB"),
    window=st.sampled_from([timedelta(minutes=5), timedelta(days=1), timedelta(days=7)]),
    days=st.integers(1, 8),
    known_for=st.integers(0, 20 * 1440),
    zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"]),
)
def test_conversion_is_what_the_definition_says(
    events: Any, happened: list[Happening], goal: str, window: timedelta, days: int, known_for: int, zone: str
) -> None:
    product = write(events, happened)
    end, as_of = START + timedelta(days=days), START + timedelta(minutes=known_for)
    answer = metrics.conversion_over(product, A, Selection((goal,)), window, START, end, as_of=as_of, zone=zone)
    assert answer == oracle_conversion(happened, "A", goal, window, end, as_of, zone)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happened=happenings, days=st.integers(1, 8))
def test_a_count_knows_events_people_and_how_unevenly_they_share_them(
    events: Any, happened: list[Happening], days: int
) -> None:
    product, end = write(events, happened), START + timedelta(days=days)
    kept = [
        (person, (START + timedelta(minutes=minutes)).date())
        for person, event, minutes in happened
        if event == "A" and START <= START + timedelta(minutes=minutes) < end
    ]
    assert metrics.count(product, A, START, end) == counted(Counter(person for person, _ in kept))
    by_day: dict[date, Counter[int]] = defaultdict(Counter)
    for person, day in kept:
        by_day[day][person] += 1
    expected = {day: counted(times) for day, times in by_day.items()}
    assert metrics.count_over(product, A, START, end, zone="UTC") == expected


def counted(times: Counter[int]) -> Counted:
    each = list(times.values())
    return Counted(sum(each), len(each), sum(n * n for n in each), max(each, default=0))


def test_two_ids_of_one_person_are_one_person(events: Any) -> None:
    product = write(events, [(71, "A", 0), (72, "B", 10), (72, "A", 20)])
    events.insert(
        "person_overrides",
        [
            {
                "product": product,
                "person": 72,
                "canonical": 71,
                "distinct_id": "72",
                "canonical_id": "71",
                "version": 1,
            },
        ],
    )
    events.execute("SYSTEM RELOAD DICTIONARY person_overrides_now")
    end = START + timedelta(days=1)
    answer = metrics.conversion_over(product, A, B, timedelta(hours=1), START, end, as_of=end, zone="UTC")
    assert answer == {START.date(): Converted(entered=1, converted=1, open=0)}
    assert metrics.count(product, A, START, end) == Counted(events=2, people=1, squares=4, largest=2)


def test_other_products_are_not_counted(events: Any) -> None:
    write(events, [(1, "A", 0)])
    assert metrics.count(write(events, []), A, START, START + timedelta(days=1)) == Counted(0, 0, 0, 0)
