"""What was so when an event happened, its session and what was known then, against plain Python event by event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.rows import event_row, written
from whytree.stores.pieces.filters import Bound
from whytree.stores.pieces.moments import SESSION_FIELDS, InSession, KnownThen, WasSo
from whytree.stores.pieces.sql import PEOPLE

START = datetime(2026, 3, 20, tzinfo=UTC)
IDLE = 30
#: person, event, minutes after START, path, what it says of the person's plan as `$set`, `$set_once` or a plain property
Row = tuple[int, str, int, str, tuple[str, str]]
oracle_settings = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
rows_of = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from(["A", "$pageview", "$pageview", "$identify", "$exposure"]),
        st.one_of(st.integers(0, 90), st.sampled_from([0, 30, 60, 61])),
        st.sampled_from(["", "/", "/b"]),
        st.tuples(st.sampled_from(["", "$set.plan", "$set_once.plan", "plan"]), st.sampled_from(["free", "pro"])),
    ),
    max_size=14,
)


@pytest.fixture(scope="module")
def events() -> Iterator[Any]:
    from whytree.stores import events

    with events.temporary_database() as fresh:
        yield fresh


def write(store: Any, rows: list[Row]) -> int:
    return written(
        store,
        [
            event_row(
                i, who, what, START + timedelta(minutes=at), path=path, properties=dict([said]) if said[0] else {}
            )
            for i, (who, what, at, path, said) in enumerate(rows, 1)
        ],
    )


def texts(store: Any, product: int, told: InSession | KnownThen) -> dict[int, str]:
    bound = Bound()
    sql = f"SELECT event_id, {told.text_sql(bound)} AS text FROM events WHERE product = {product}"
    return {row["event_id"]: row["text"] for row in store.query(sql, bound.values, PEOPLE)}


def passing(store: Any, product: int, some: WasSo) -> set[int]:
    bound = Bound()
    sql = f"SELECT event_id FROM events WHERE product = {product} AND {some.sql(bound)}"
    return {row["event_id"] for row in store.query(sql, bound.values, PEOPLE)}


def in_time(rows: list[Row]) -> Iterator[list[tuple[int, Row]]]:
    """Every person's events in the order of time, each with its id."""
    numbered = sorted(enumerate(rows, 1), key=lambda each: (each[1][0], each[1][2], each[0]))
    for _, own in groupby(numbered, key=lambda each: each[1][0]):
        yield list(own)


def expected_session(rows: list[Row], field: str) -> dict[int, str]:
    found = dict.fromkeys(range(1, len(rows) + 1), "")
    for own in in_time(rows):
        session: list[tuple[int, Row]] = []
        for each in [*(one for one in own if one[1][1] in ("A", "$pageview")), None]:
            if session and (each is None or each[1][2] - session[-1][1][2] > IDLE):
                found |= dict.fromkeys((number for number, _ in session), _said(session, field))
                session = []
            session += [each] if each else []
    return found


def _said(session: list[tuple[int, Row]], field: str) -> str:
    first, last = session[0][1], session[-1][1]
    return {
        "seconds": str((last[2] - first[2]) * 60),
        "events": str(len(session)),
        "pages": str(sum(row[1] == "$pageview" for _, row in session)),
        "entry": first[3],
        "exit": last[3],
        "bounced": "true" if len(session) == 1 else "false",
    }[field]


def expected_known(rows: list[Row]) -> dict[int, str]:
    found = {}
    for own in in_time(rows):
        known = ""
        for _, at_once in groupby(own, key=lambda each: each[1][2]):
            happened = list(at_once)
            for _, (_, event, _, _, (how, plan)) in happened:
                is_set = how == "$set.plan" or (how == "plan" and event == "$identify")
                known = plan if is_set or (how == "$set_once.plan" and not known) else known
            found |= {number: known for number, _ in happened}  # what is said at a moment holds at that moment
    return found


@oracle_settings
@given(rows_of, st.sampled_from(SESSION_FIELDS))
def test_each_event_is_told_its_session(events: Any, rows: list[Row], field: Any) -> None:
    product = write(events, rows)
    assert texts(events, product, InSession(product, field, IDLE)) == expected_session(rows, field)


@oracle_settings
@given(rows_of)
def test_each_event_is_told_what_was_known_then(events: Any, rows: list[Row]) -> None:
    product = write(events, rows)
    expected = expected_known(rows)
    assert texts(events, product, KnownThen(product, "plan")) == expected
    is_pro = WasSo("then:plan", "is", ("pro",), told=KnownThen(product, "plan"))
    assert passing(events, product, is_pro) == {one for one, plan in expected.items() if plan == "pro"}
    is_not = replace(is_pro, operator="is not")
    assert passing(events, product, is_not) == {one for one, plan in expected.items() if plan != "pro"}


def test_the_events_that_are_asked_about_are_told_alone(events: Any) -> None:
    product = write(events, [(1, "A", 0, "/", ("", "")), (1, "$pageview", 20, "/b", ("", ""))])
    assert texts(events, product, InSession(product, "seconds", IDLE, ("A",))) == {1: "1200", 2: ""}
    assert texts(events, product, InSession(product, "seconds", IDLE, in_lengths=True)) == dict.fromkeys(
        (1, 2), "10 to 30 min"
    )
