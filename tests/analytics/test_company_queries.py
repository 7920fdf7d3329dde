"""Companies in filters, groups and as what is counted, against plain Python that reads the definitions aloud."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.rows import event_row, written
from whytree.stores.pieces.companies import Companies, CompanyTrait, InCompanies
from whytree.stores.pieces.filters import Bound, Filter, Membership, Selection
from whytree.stores.pieces.moments import CompanyThen, WasSo
from whytree.stores.pieces.sql import PEOPLE
from whytree.stores.questions import amounts, metrics, trends
from whytree.stores.questions.amounts import WHOLE, Part, Period
from whytree.stores.questions.metrics import Converted

START = datetime(2026, 3, 20, tzinfo=UTC)
END = START + timedelta(days=6)
A, B = Selection(("A",)), Selection(("B",))
#: person, what, minutes after START, company (said with the event, or told), plan (told of the company)
Row = tuple[int, str, int, str, str]
oracle_settings = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def events() -> Iterator[Any]:
    from whytree.stores import events

    with events.temporary_database() as fresh:
        yield fresh


rows_of = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sampled_from(["A", "A", "B", "$group", "$groupidentify"]),
        st.one_of(st.integers(-1440, 8 * 1440), st.sampled_from([60, 61])),
        st.sampled_from(["", "acme", "beta"]),
        st.sampled_from(["", "free", "pro"]),
    ),
    max_size=30,
)


def write(store: Any, rows: list[Row]) -> int:
    return written(
        store, [event_row(i, one[0], one[1], at(one), properties=properties(one)) for i, one in enumerate(rows, 1)]
    )


def properties(row: Row) -> dict[str, str]:
    """As Segment's `group`, PostHog's `$groupidentify` and PostHog's clients with every event say it."""
    _, event, _, company, plan = row
    if event == "$group":
        said = {"groupId": company, "plan": plan}
    elif event == "$groupidentify":
        said = {"$group_type": "organization", "$group_key": company, "$group_set.plan": plan}
    else:
        said = {"$groups.company": company, "price": "2"}
    return {name: value for name, value in said.items() if value}


def at(row: Row) -> datetime:
    return START + timedelta(minutes=row[2])


def companies_now(rows: list[Row]) -> dict[int, str]:
    """Each person's newest."""
    found: dict[int, tuple[tuple[datetime, int], str]] = {}
    for number, row in enumerate(rows):
        if row[3]:
            found[row[0]] = max(found.get(row[0], ((at(row), -1), "")), ((at(row), number), row[3]))
    return {person: company for person, (_, company) in found.items()}


def plans_now(rows: list[Row]) -> dict[str, str]:
    found: dict[str, tuple[tuple[datetime, int], str]] = {}
    for number, row in enumerate(rows):
        if row[1].startswith("$group") and row[3] and row[4]:
            found[row[3]] = max(found.get(row[3], ((at(row), -1), "")), ((at(row), number), row[4]))
    return {company: plan for company, (_, plan) in found.items()}


def known_then(rows: list[Row], trait: str) -> dict[int, str]:
    """Of each event, by its number: its own company or the person's newest up to then, and that one's newest plan up to then."""
    found = {}
    for number, row in enumerate(rows, 1):
        before = [one for one in rows if at(one) <= at(row)]
        company = row[3] or companies_now(before).get(row[0], "")
        found[number] = plans_now(before).get(company, "") if trait == "plan" else company
    return found


def meant(rows: list[Row], event: str = "A") -> list[Row]:
    return [row for row in rows if row[1] == event and START <= at(row) < END]


def asked(selection: Selection) -> trends.Asked:
    return trends.Asked(selection, START, END, "day", "UTC")


@oracle_settings
@given(rows=rows_of)
def test_companies_are_counted_by_what_the_event_said_else_by_what_their_person_is_in_now(
    events: Any, rows: list[Row]
) -> None:
    product, now = write(events, rows), companies_now(rows)
    wanted: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in meant(rows):
        company = row[3] or now.get(row[0], "")
        if company:
            wanted[at(row).date()][company] += 1
    unit = Companies(product)
    lines = trends.counts(product, asked(A), unit=unit).get(None, [])
    assert {one.start: (one.people, one.events) for one in lines} == {
        day: (len(those), sum(those.values())) for day, those in wanted.items()
    }
    by_day = metrics.count_over(product, A, START, END, zone="UTC", unit=unit)
    assert {day: (one.people, one.events, one.largest) for day, one in by_day.items()} == {
        day: (len(those), sum(those.values()), max(those.values())) for day, those in wanted.items()
    }
    sums = amounts.sums(product, Part(A, "sum", "price"), Part(A, "people"), Period(START, END), unit=unit)
    total: dict[str, int] = defaultdict(int)
    for those in wanted.values():
        for company, times in those.items():
            total[company] += times
    if total:
        one = sums[WHOLE]
        assert (one.people, one.top, one.largest) == (len(total), 2.0 * sum(total.values()), 2.0 * max(total.values()))
    else:
        assert sums == {}


@oracle_settings
@given(rows=rows_of, window=st.sampled_from([timedelta(hours=6), timedelta(days=2)]))
def test_a_company_converts_whoever_of_it_did_the_second_thing(events: Any, rows: list[Row], window: timedelta) -> None:
    product, now = write(events, rows), companies_now(rows)
    done: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for row in rows:
        company = row[3] or now.get(row[0], "")
        if row[1] in "AB" and company:
            done[company].append((at(row), row[1]))
    wanted: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    for those in done.values():
        entries = [moment for moment, event in those if event == "A" and START <= moment < END]
        if entries:
            day = wanted[min(entries).date()]
            day[0] += 1
            day[1] += any(event == "B" and min(entries) <= moment <= min(entries) + window for moment, event in those)
    as_of = END + timedelta(days=30)
    found = metrics.conversion_over(product, A, B, window, START, END, as_of=as_of, zone="UTC", unit=Companies(product))
    assert found == {day: Converted(entered, did, 0) for day, (entered, did) in wanted.items()}


@oracle_settings
@given(rows=rows_of, trait=st.sampled_from(["id", "name", "plan"]), wanted=st.sampled_from(["acme", "pro", "free"]))
def test_a_filter_and_a_group_by_a_companys_trait_are_what_is_known_now(
    events: Any, rows: list[Row], trait: str, wanted: str
) -> None:
    product, now, plans = write(events, rows), companies_now(rows), plans_now(rows)

    def value(person: int) -> str:
        company = now.get(person, "")
        return plans.get(company, "") if trait == "plan" else company  # nobody said a name, so it is the key

    inside = Membership(InCompanies(Filter(trait, "is", (wanted,))), product, "wanted")
    selection = Selection(("A",), (inside,))
    assert sum(one.events for one in trends.counts(product, asked(selection)).get(None, [])) == sum(
        value(row[0]) == wanted for row in meant(rows)
    )
    groups: dict[str, int] = defaultdict(int)
    for row in meant(rows):
        groups[value(row[0])] += 1
    by = (CompanyTrait(product, trait),)
    largest = trends.largest_groups(product, asked(A), by)
    found = trends.counts(product, asked(A), by=by, groups=largest)
    assert {group: sum(one.events for one in lines) for group, lines in found.items()} == dict(groups)


@oracle_settings
@given(
    rows=rows_of,
    trait=st.sampled_from(["id", "name", "plan"]),
    wanted=st.sampled_from(["acme", "pro", "free"]),
    inside=st.booleans(),
)
def test_each_event_is_told_what_was_known_of_its_company_then(
    events: Any, rows: list[Row], trait: str, wanted: str, inside: bool
) -> None:
    product, expected = write(events, rows), known_then(rows, trait)
    then = CompanyThen(product, trait)

    def ask(expression: str, bound: Bound) -> dict[int, Any]:
        sql = f"SELECT event_id, {expression} AS found FROM events WHERE product = {product}"
        return {row["event_id"]: row["found"] for row in events.query(sql, bound.values, PEOPLE)}

    bound = Bound()
    assert ask(then.text_sql(bound), bound) == expected
    bound = Bound()
    passing = ask(WasSo(trait, "is" if inside else "is not", (wanted,), told=then).sql(bound), bound)
    assert {number: bool(one) for number, one in passing.items()} == {
        number: (text == wanted) is inside for number, text in expected.items()
    }


def test_two_ids_of_one_person_share_their_company(events: Any) -> None:
    product = write(events, [(81, "A", 5, "", ""), (82, "$group", 1, "acme", "pro")])
    override = {
        "product": product,
        "person": 82,
        "canonical": 81,
        "distinct_id": "82",
        "canonical_id": "81",
        "version": 1,
    }
    events.insert("person_overrides", [override])
    events.execute("SYSTEM RELOAD DICTIONARY person_overrides_now")
    assert metrics.count(product, A, START, END, unit=Companies(product)).people == 1
    inside = Membership(InCompanies(Filter("plan", "is", ("pro",))), product, "pro")
    assert metrics.count(product, Selection(("A",), (inside,)), START, END).events == 1


def test_other_products_companies_are_not_seen(events: Any) -> None:
    write(events, [(91, "$group", 1, "acme", "pro")])
    product = write(events, [(91, "A", 5, "", "")])
    assert metrics.count(product, A, START, END, unit=Companies(product)).people == 0
