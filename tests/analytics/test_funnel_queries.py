"""The store's funnels against a plain Python oracle that tries every first step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.rows import event_row, written
from whytree.stores.pieces.filters import AllOf, AnyOf, Condition, Filter, Selection
from whytree.stores.questions.funnels import Period, Reached, Some, Steps, funnel, funnel_by, who

START = datetime(2026, 5, 1, tzinfo=UTC)
PERIOD = Period(START, START + timedelta(minutes=30))
Row = tuple[int, str, int, str]  # person, event, minute, platform


def write(store: Any, rows: list[Row]) -> int:
    return written(
        store,
        [
            event_row(i, who, what, START + timedelta(minutes=minute), platform=platform, properties=_said(i))
            for i, (who, what, minute, platform) in enumerate(rows)
        ],
    )


def _said(number: int) -> dict[str, str]:
    return {"size": str(number % 3), "day": f"2026-05-0{number % 3 + 1}"}


def selection(word: str) -> Selection:
    """`A`, `A|B`, or `A@ios` for those on one platform."""
    names, _, platform = word.partition("@")
    filters = (Filter("platform", "is", (platform,)),) if platform else ()
    return Selection(tuple(names.split("|")), filters)


def does(row: Row, word: str) -> bool:
    names, _, platform = word.partition("@")
    return row[1] in names.split("|") and (not platform or row[3] == platform)


def oracle_level(rows: list[Row], words: tuple[str, ...], window: int) -> int:
    """How far one person's best try came: every choice of events is tried."""

    def order(row: Row) -> tuple[int, int, int]:
        matched = [at for at, word in enumerate(words) if does(row, word)] or [99]
        return (row[2], matched[0], matched[-1])

    mine = sorted((row for row in rows if any(does(row, word) for word in words)), key=order)

    def furthest(at: int, level: int, began: int) -> int:
        best = level
        if level == len(words):
            return best
        for next_at in range(at, len(mine)):
            row = mine[next_at]
            if does(row, words[level]) and row[2] <= began + window:
                best = max(best, furthest(next_at + 1, level + 1, began))
        return best

    tries = [furthest(at + 1, 1, row[2]) for at, row in enumerate(mine) if does(row, words[0]) and 0 <= row[2] < 30]
    return max(tries, default=0)


rows_of = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from("ABC"), st.integers(0, 40), st.sampled_from(["ios", "web"])),
    max_size=14,
)
words_of = st.sampled_from(
    [("A",), ("A", "B"), ("A", "B", "C"), ("A", "A"), ("A", "B", "A"), ("A|B", "C"), ("A@ios", "A@web"), ("A|B", "B")]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows_of, words=words_of, window=st.sampled_from([0, 3, 10, 60]))
def test_the_store_follows_people_as_the_oracle_does(
    events: Any, rows: list[Row], words: tuple[str, ...], window: int
) -> None:
    product = write(events, rows)
    steps = Steps(tuple(map(selection, words)), timedelta(minutes=window))
    levels = [oracle_level([row for row in rows if row[0] == person], words, window) for person in {r[0] for r in rows}]
    expected = tuple(sum(level >= at for level in levels) for at in range(1, len(words) + 1))
    assert funnel(product, steps, PERIOD) == Reached(expected)
    for at in range(1, len(words) + 1):
        stopped = who(product, steps, PERIOD, Some(at, at + 1 if at < len(words) else None, came_further=False))
        assert len(stopped) == levels.count(at)


def test_the_example_that_analysts_quote_converts(events: Any) -> None:
    """A > B > B > A > C > D converts for A, B, C, D."""
    rows = [(1, event, minute, "web") for minute, event in enumerate("ABBACD")]
    steps = Steps(tuple(map(selection, "ABCD")), timedelta(hours=1))
    assert funnel(write(events, rows), steps, PERIOD).people == (1, 1, 1, 1)


def test_one_event_is_never_two_steps(events: Any) -> None:
    product = write(events, [(1, "A", 1, "web"), (2, "A", 1, "web"), (2, "A", 1, "web")])
    steps = Steps((selection("A"), selection("A")), timedelta(hours=1))
    assert funnel(product, steps, PERIOD).people == (2, 1)


def test_groups_are_told_apart_by_what_was_true_at_the_first_step(events: Any) -> None:
    rows = [(1, "A", 1, "ios"), (1, "B", 2, "web"), (2, "A", 1, "web"), (3, "A", 1, "web"), (3, "A", 5, "ios")]
    steps = Steps((selection("A"), selection("B")), timedelta(hours=1))
    assert funnel_by(write(events, rows), steps, PERIOD, ["platform"]) == [
        Reached((2, 0), "web"),
        Reached((1, 1), "ios"),
    ]


def test_at_any_step_somebody_is_in_the_group_of_each(events: Any) -> None:
    rows = [
        (1, "A", 1, "ios"),
        (1, "B", 2, "web"),
        (2, "A", 1, "web"),
        (2, "X", 2, "tv"),
        (3, "A", 1, "web"),
        (3, "A", 5, "ios"),
    ]
    steps = Steps((selection("A"), selection("B")), timedelta(hours=1))
    product = write(events, rows)
    found = funnel_by(product, steps, PERIOD, ["platform"], any_step=True)
    assert found == [Reached((3, 1), "web"), Reached((2, 1), "ios")]
    for group in found:
        some = Some(1, by=("platform",), value=group.value, any_step=True)
        assert len(who(product, steps, PERIOD, some)) == group.people[0]


def test_at_any_step_everybody_else_is_each_person_once(events: Any) -> None:
    rows = [(person, "A", minute, f"p{person % 2}{minute:02}") for person in range(6) for minute in range(10)]
    found = funnel_by(
        write(events, rows), Steps((selection("A"),), timedelta(hours=1)), PERIOD, ["platform"], any_step=True
    )
    assert [len(found), found[-1].value, found[-1].people] == [13, None, (3,)]


def test_small_groups_are_added_up_as_others(events: Any) -> None:
    rows = [(number, "A", 1, f"platform {number:02}") for number in range(20)]
    groups = funnel_by(write(events, rows), Steps((selection("A"),), timedelta(hours=1)), PERIOD, ["platform"])
    assert [group.people for group in groups] == [(1,)] * 12 + [(8,)]
    assert groups[-1].value is None


@pytest.mark.parametrize(
    ("one", "people"),
    [
        (Filter("size", "is", ("0", "1")), 2),
        (Filter("size", "is not", ("0",)), 2),
        (Filter("size", "above", ("0",)), 2),
        (Filter("size", "below", ("1",)), 1),
        (Filter("size", "contains", ("2",)), 1),
        (Filter("size", "is set"), 3),
        (Filter("colour", "is not set"), 3),
        (Filter("colour", "above", ("0",)), 0),
        (Filter("size", "at least", ("1",)), 2),
        (Filter("size", "at most", ("1",)), 2),
        (Filter("size", "does not contain", ("2",)), 2),
        (Filter("size", "matches", ("^[01]$",)), 2),
        (Filter("size", "does not match", ("^[01]$",)), 1),
        (Filter("day", "before", ("2026-05-02",)), 1),
        (Filter("day", "after", ("2026-05-01",)), 2),
        (Filter("day", "after", ("1d",)), 0),
        (Filter("colour", "after", ("2026-05-01",)), 0),
        (AnyOf((Filter("size", "is", ("0",)), Filter("size", "is", ("1",)))), 2),
        (AllOf((Filter("size", "is", ("0",)), AnyOf((Filter("size", "is", ("1",)),)))), 0),
        (Filter("flag:x", "is", ("on",)), 0),
        (Filter("platform", "contains", ("WEB",)), 3),
        (Filter("platform", "is", ("' OR 1=1 --",)), 0),
    ],
)
def test_filters_say_which_events_are_meant(events: Any, one: Condition, people: int) -> None:
    product = write(events, [(1, "A", 1, "web"), (2, "A", 1, "web"), (3, "A", 1, "web")])
    steps = Steps((Selection(("A",), (one,)),), timedelta(hours=1))
    assert funnel(product, steps, PERIOD).people == (people,)
