"""What all changes together came to: wins with their interval, the pace, effects by metric, and the total without luck."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.learning.test_calibration import settle
from whytree.learning.calibration.queries import calibration
from whytree.learning.models import OutcomeReview
from whytree.learning.priors.queries import Asked, known_before
from whytree.learning.programme.queries import programme, sentence

PATH = "/products/sprout/programme"


def decided(
    actor: Any, solution: Any, measured: float, *, decision: str = "keep", days: int = 30, **more: Any
) -> OutcomeReview:
    """A decided review as the service leaves it; its world is not measured anew."""
    review = settle(actor, solution, measured, **more)
    review.verdict, review.decision, review.learning = "achieved", decision, "x"
    review.decided_at = review.opened_at + timedelta(days=days)
    review.save()
    return review


def test_nothing_decided_says_what_it_needs(api: Any, as_alice: Any) -> None:
    found = api.get(PATH).ok
    assert (found["wins"], found["text"], found["metrics"]) == (None, "Nothing was measured and decided yet.", [])
    assert "A programme is many small answers" in as_alice.get("/p/sprout/programme").content.decode()


def test_a_win_is_an_interval_on_the_wanted_side(actor: Any, product: Any, solution: Any) -> None:
    for measured, decision in ((3.0, "keep"), (0.5, "iterate"), (-3.0, "roll_back"), (2.0, "keep")):
        decided(actor, solution, measured, decision=decision)
    settle(actor, solution, 9.0)  # measured, not decided
    found = programme(product)
    assert found.wins is not None
    assert (found.wins.count, found.wins.of, found.harms, found.kept, found.decided) == (2, 4, 1, 2, 4)
    assert sentence(found) == "2 of 4 measured changes moved the metric the way that was wanted (95 %: 15 to 85 %)."


def test_a_broken_draw_and_what_was_never_measured_count_for_the_pace_only(
    actor: Any, product: Any, solution: Any
) -> None:
    review = decided(actor, solution, 3.0)
    review.filled["trust"] = {
        "seen": {"on": 900, "off": 100},
        "expected": {"on": 500.0, "off": 500.0},
        "ratio_p": 0.0,
        "ratio": "broken",
        "waiting": 0,
        "quarantined": 0,
        "moved": 0,
        "unexpected": 0,
        "both_share": 0.0,
        "both_is_much": False,
    }
    review.save()
    other = decided(actor, solution, 3.0)
    other.filled["forecast"]["measured"] = None
    other.save()
    found = programme(product)
    assert (found.decided, found.measured, found.wins) == (2, 0, None)
    assert calibration(product).results == 0
    assert known_before(product, Asked("activated_7d")).effects == []


def test_the_time_to_a_decision_is_a_median_with_its_ends(actor: Any, product: Any, solution: Any) -> None:
    for days in (10, 30, 35):
        decided(actor, solution, 3.0, days=days)
    found = programme(product)
    assert (found.days_to_decision, found.fastest, found.slowest) == (30, 10, 35)


def test_the_pace_is_counted_by_month_and_months_without_a_decision_are_shown(
    actor: Any, product: Any, solution: Any
) -> None:
    decided(actor, solution, 3.0, days=40)
    months = programme(product).months
    assert len(months) == 6
    assert [one.month for one in months] == sorted(one.month for one in months)
    assert all(one.month.day == 1 for one in months)
    assert months[-1].month == timezone.now().date().replace(day=1)
    assert sum(one.decided for one in months) == 1


def test_from_six_effects_on_the_total_is_told_without_its_luck(actor: Any, product: Any, solution: Any) -> None:
    values = (2.0, 1.5, -1.0, 0.2, 0.4)
    for measured in values:
        decided(actor, solution, measured, decision="keep" if measured > 1 else "iterate")
    (before,) = programme(product).metrics
    assert (before.total, before.total_shrunk, before.kept) == (3.5, None, 2)
    decided(actor, solution, -0.3, decision="iterate")
    (after,) = programme(product).metrics
    factor = 1 - 4 / sum((value / 0.5) ** 2 for value in (*values, -0.3))
    assert after.factor == pytest.approx(factor, rel=1e-3)
    assert after.total_shrunk == pytest.approx(3.5 * factor, rel=1e-3)
    assert (after.smallest, after.largest) == (-1.0, 2.0)


def test_effects_on_two_metrics_are_never_added_up(actor: Any, product: Any, solution: Any) -> None:
    decided(actor, solution, 3.0)
    decided(actor, solution, 2.0, metric="spam")
    assert [(one.metric_key, one.total) for one in programme(product).metrics] == [("activated_7d", 3.0), ("spam", 2.0)]


def test_the_page_and_the_command_line_say_the_same(
    actor: Any, solution: Any, as_alice: Any, as_charlie: Any, api_charlie: Any, invoke: Any
) -> None:
    for measured in (2.0, 1.5, -1.0, 0.2, 0.4, -0.3):
        decided(actor, solution, measured, decision="keep" if measured > 1 else "iterate")
    page = as_alice.get("/p/sprout/programme").content.decode()
    assert "2 of 6 measured changes" in page
    assert "with most of the luck taken out" in page
    told = invoke("programme")
    assert told.startswith("2 of 6 measured changes moved the metric the way that was wanted")
    assert "with most of the luck taken out" in told
    assert json.loads(invoke("programme", "--json"))["kept"] == 2
    assert as_charlie.get("/p/sprout/programme").status_code == 404
    assert api_charlie.get(PATH).status == 404
