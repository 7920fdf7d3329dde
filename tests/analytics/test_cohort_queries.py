"""Who belongs to a cohort, in the store and by a plain Python oracle that reads the rule aloud."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analytics.rows import event_row, written
from whytree.stores.pieces import cohorts
from whytree.stores.pieces.cohorts import Did, Every, InOrder, Last, Listed, Not, Rule, Some, These
from whytree.stores.pieces.filters import Filter, Selection

Row = tuple[int, str, int, str]  # person, event, hours ago, plan


def write(store: Any, rows: list[Row]) -> int:
    now = datetime.now(UTC)
    # rows of one hour are told apart by their place, so that "the newest" is one event
    return written(
        store,
        [
            event_row(i, who, what, now - timedelta(hours=hours) + timedelta(seconds=i), properties=_plan(plan))
            for i, (who, what, hours, plan) in enumerate(rows)
        ],
    )


def _plan(plan: str) -> dict[str, str]:
    return {"plan": plan} if plan else {}


def one(event: str) -> Selection:
    return Selection((event,))


def oracle(rows: list[Row], rule: Rule) -> set[int]:
    moments = [
        (person, event, -hours * 3600 + number, plan) for number, (person, event, hours, plan) in enumerate(rows)
    ]
    everybody = {row[0] for row in rows}
    match rule:
        case Did():
            since = -1e9 if rule.days is None else -rule.days * 86_400
            times = {
                p: sum(r[0] == p and r[1] in rule.selection.events and r[2] >= since for r in moments)
                for p in everybody
            }
            most = rule.at_most if rule.at_most is not None else 10**9
            return {p for p, n in times.items() if rule.at_least <= n <= most}
        case InOrder():
            first, second = (step.events[0] for step in rule.steps)
            window = rule.within.total_seconds()
            return {
                a[0]
                for a in moments
                for b in moments
                if a[0] == b[0] and a[1] == first and b[1] == second and a[2] < b[2] <= a[2] + window
            }
        case Last():
            said = [row for row in sorted(moments, key=lambda row: row[2]) if row[3]]
            return {p for p, plan in {row[0]: row[3] for row in said}.items() if plan in rule.filter.values}
        case Not():
            return everybody - oracle(rows, rule.part)
        case Every():
            return set.intersection(*(oracle(rows, part) for part in rule.parts))
        case Some():
            return set.union(*(oracle(rows, part) for part in rule.parts))
    raise AssertionError(rule)


rows_of = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from("AB"), st.integers(1, 90), st.sampled_from(["", "free", "pro"])),
    max_size=14,
)
simple = st.one_of(
    st.builds(
        Did,
        st.sampled_from([one("A"), one("B")]),
        st.integers(1, 3),
        st.sampled_from([None, 3]),
        st.sampled_from([None, 1]),
    ),
    st.builds(InOrder, st.just((one("A"), one("B"))), st.sampled_from([timedelta(hours=5), timedelta(days=9)])),
    st.builds(Last, st.builds(Filter, st.just("plan"), st.just("is"), st.sampled_from([("free",), ("free", "pro")]))),
)
rules = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(Every, st.tuples(inner, inner)),
        st.builds(Some, st.tuples(inner, inner)),
    ),
    max_leaves=4,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows_of, rule=rules)
def test_the_store_tells_who_belongs_as_the_oracle_does(events: Any, rows: list[Row], rule: Rule) -> None:
    product = write(events, rows)
    expected = oracle(rows, rule)
    assert cohorts.people(product, rule) == expected
    for person in {row[0] for row in rows}:
        assert cohorts.holds(product, rule, [person], person) == (person in expected)


def test_a_list_is_the_version_that_is_told(events: Any) -> None:
    product = write(events, [(1, "A", 1, ""), (2, "A", 1, ""), (3, "A", 1, "")])
    cohorts.write_members(product, 7, 1, [1, 2])
    cohorts.write_members(product, 7, 2, [2, 3, 99])
    assert cohorts.people(product, Listed(7, 1)) == {1, 2}
    assert cohorts.people(product, Listed(7, 2)) == {2, 3, 99}  # on the list, though nothing was heard of them
    assert set(cohorts.newest(product, Listed(7, 2), 10)) == {"2", "3"}
    assert cohorts.holds(product, Listed(7, 2), [3], 3)
    assert not cohorts.holds(product, Listed(7, 2), [1], 1)
    cohorts.forget_listed(product, [3])
    assert cohorts.people(product, Listed(7, 2)) == {2, 99}


def test_nobody_and_these(events: Any) -> None:
    product = write(events, [(1, "A", 1, "")])
    assert cohorts.people(product, These(())) == frozenset()
    assert cohorts.size(product, Every((These((1, 5)), Did(one("A"))))) == 1
