"""Who belongs to which arm: the store's sums against a plain Python oracle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count as counting
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whytree.stores.exposed import exposures
from whytree.stores.exposed.exposures import ArmSums, Goal, Span

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`

START = datetime(2026, 5, 1, tzinfo=UTC)
WINDOW = timedelta(days=2)
Happening = tuple[int, str, int]  # person, arm met or "goal", minutes after START

_products = counting(5000)


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def span(start_day: float, end_day: float) -> Span:
    return Span(START + timedelta(days=start_day), START + timedelta(days=end_day))


def write(store: Any, happenings: Sequence[Happening], *, flag: str = "ask_later", reason: str = "SPLIT") -> int:
    product = next(_products)
    rows = []
    for i, (person, what, minutes) in enumerate(happenings):
        exposed = what != "goal"
        rows.append(
            {
                "product": product,
                "person": person,
                "timestamp": at(minutes),
                "event": "$exposure" if exposed else "goal",
                "event_id": i,
                "distinct_id": str(person),
                "received_at": at(minutes),
                "properties": {"flag": flag, "variant": what, "reason": reason} if exposed else {},
            }
        )
    store.insert("events", rows)
    return product


def ask(product: int, spans: Sequence[Span], as_of: datetime, without: Sequence[int] = ()) -> list[ArmSums]:
    goals = [Goal("goal")]
    return exposures.by_period_and_arm(product, "ask_later", spans, goals, WINDOW, as_of=as_of, without=without)


def told(cells: Sequence[ArmSums]) -> list[dict[str, Any]]:
    """As an oracle would tell it: with the sum and the sum of squares that the centred ones stand for."""
    return [
        {
            "period": one.period,
            "arm": one.arm,
            "seen": one.seen,
            "closed": one.closed,
            "moved": one.moved,
            "quarantined": one.quarantined,
            "converted": one.sums[0].converted,
            "total": round(one.sums[0].mean * one.closed),
            "squares": round(one.sums[0].m2 + one.closed * one.sums[0].mean ** 2),
        }
        for one in cells
    ]


def oracle(happenings: Sequence[Happening], spans: Sequence[Span], as_of: datetime) -> list[dict[str, Any]]:
    met: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    goals: dict[int, list[datetime]] = defaultdict(list)
    for person, what, minutes in happenings:
        if not spans[0].start <= at(minutes) <= as_of:
            continue
        if what == "goal":
            goals[person].append(at(minutes))
        else:
            met[person].append((at(minutes), what))
    cells: dict[tuple[int, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(FIELDS, 0))
    for person, seen in met.items():
        entry, arm = min(seen)
        period = next((i for i, one in enumerate(spans) if one.start <= entry < one.end), None)
        if period is None:
            continue
        until = entry + WINDOW
        cell = cells[period, arm]
        others = [when for when, other in seen if other != arm]
        changed_at = min(others, default=None)
        if changed_at is not None and changed_at <= until:
            if changed_at < spans[period].end:
                cell["quarantined"] += 1
                continue
            cell["moved"] += 1
        cell["seen"] += 1
        if until > as_of:
            continue
        times = sum(entry <= when <= until for when in goals[person])
        for name, value in (("closed", 1), ("converted", times > 0), ("total", times), ("squares", times**2)):
            cell[name] += value
    return [{"period": period, "arm": arm, **cell} for (period, arm), cell in sorted(cells.items())]


FIELDS = ("seen", "closed", "converted", "total", "squares", "moved", "quarantined")

happenings = st.lists(
    st.tuples(
        st.integers(1, 4), st.sampled_from(["on", "off", "goal"]), st.integers(-1440, 9 * 1440) | st.integers(0, 4)
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happened=happenings, known_for=st.integers(1, 10 * 1440), off_for=st.sampled_from([0.0, 0.5]))
def test_every_person_lands_where_the_rules_say(
    events: Any, happened: list[Happening], known_for: int, off_for: float
) -> None:
    spans = [span(0, 2), span(2 + off_for, 4), span(4, 8)]
    product, as_of = write(events, happened), at(known_for)
    assert told(ask(product, spans, as_of)) == oracle(happened, spans, as_of)


DAY = 1440


def test_what_happened_before_the_exposure_does_not_count(events: Any) -> None:
    product = write(events, [(1, "goal", 5), (1, "on", 10), (2, "on", 10), (2, "goal", 10)])
    (cell,) = ask(product, [span(0, 5)], at(9 * DAY))
    assert (cell.closed, cell.sums[0].converted) == (2, 1)


def test_the_first_exposure_counts_and_the_window_starts_there(events: Any) -> None:
    product = write(events, [(1, "on", 0), (1, "on", 2 * DAY), (1, "goal", 3 * DAY)])
    (cell,) = ask(product, [span(0, 5)], at(9 * DAY))
    assert (cell.seen, cell.sums[0].converted) == (1, 0)


def test_somebody_seen_in_two_arms_while_the_weights_stood_still_is_quarantined(events: Any) -> None:
    product = write(events, [(1, "on", 0), (1, "off", 10), (1, "goal", 20), (2, "on", 0)])
    (cell,) = ask(product, [span(0, 5)], at(9 * DAY))
    assert (cell.seen, cell.closed, cell.quarantined, cell.moved) == (1, 1, 1, 0)


def test_somebody_whom_the_ramp_moved_stays_in_the_first_arm(events: Any) -> None:
    product = write(events, [(1, "off", 0), (1, "on", DAY + 5), (1, "goal", DAY + 6)])
    (cell,) = ask(product, [span(0, 1), span(1, 5)], at(9 * DAY))
    assert (cell.period, cell.arm, cell.sums[0].converted, cell.moved, cell.quarantined) == (0, "off", 1, 1, 0)


def test_people_whose_window_is_open_are_seen_but_not_summed(events: Any) -> None:
    product = write(events, [(1, "on", 0), (1, "goal", 5)])
    (cell,) = ask(product, [span(0, 5)], at(DAY))
    assert (cell.seen, cell.closed, cell.sums[0].converted) == (1, 0, 0)


def test_evaluations_outside_the_rollout_are_no_exposures(events: Any) -> None:
    product = write(events, [(1, "off", 0)], reason="DEFAULT")
    assert ask(product, [span(0, 5)], at(9 * DAY)) == []


def test_people_met_while_the_flag_was_off_and_internal_people_are_left_out(events: Any) -> None:
    product = write(events, [(1, "on", 0), (2, "on", 2 * DAY), (3, "on", 5)])
    cells = ask(product, [span(0, 1), span(3, 5)], at(9 * DAY), without=[3])
    assert [(cell.period, cell.seen) for cell in cells] == [(0, 1)]
