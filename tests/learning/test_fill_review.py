"""A review held against a world whose truth is known."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.learning.conftest import World, event, exposure, long_ago, look_at_reviews
from whytree.learning.models import OutcomeReview
from whytree.learning.queries import last_result
from whytree.learning.reviews.measuring import measure_review
from whytree.learning.reviews.results import Result, as_json, from_json
from whytree.tree.models import State
from whytree.workspace.models import Activity

LiveThrough = Callable[[World], None]


def measured() -> Result:
    result = measure_review(OutcomeReview.objects.get(), timezone.now())
    assert result.is_measured, result.reason
    return result


def difference(result: Result) -> tuple[float, float, float]:
    assert result.contrast is not None
    assert result.contrast.difference is not None
    found = result.contrast.difference
    return found.low, found.value, found.high


def test_it_finds_the_true_effect_and_calls_the_draw_fair(live_through: LiveThrough) -> None:
    live_through(World(effect=0.06))
    result = measured()
    low, value, high = difference(result)
    assert low < 6.0 < high
    assert low > 0
    assert result.contrast is not None
    assert result.contrast.control is not None
    assert result.contrast.treatment is not None
    assert (result.contrast.control.variant, result.contrast.treatment.variant) == ("off", "on")
    assert result.contrast.treatment.value - result.contrast.control.value == pytest.approx(value)
    assert result.trust is not None
    assert (result.trust.ratio, result.trust.quarantined, result.trust.unexpected) == ("fair", 0, 0)
    assert result.trust.moved > 30
    assert result.forecast.holds is True
    assert result.forecast.measured is not None
    assert result.forecast.measured.value == value


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_ramp_with_a_drifting_baseline_and_no_effect_shows_none(live_through: LiveThrough, seed: int) -> None:
    live_through(World(effect=0.0, seed=seed))
    result = measured()
    low, _, high = difference(result)
    assert low < 0 < high
    assert len(result.stretches) == 3
    # what pooling the same people would have claimed
    off, on = (sum(stretch.closed.get(arm, 0) for stretch in result.stretches) for arm in ("off", "on"))
    assert off > on
    assert _pooled_gap() > high / 100


def _pooled_gap() -> float:
    """The mistake, made on purpose: all people of an arm in one heap."""
    from whytree.analytics.models import Metric
    from whytree.experiments.underway.countings import counting
    from whytree.experiments.underway.trial import Trial, constant_stretches
    from whytree.learning.reviews.measuring import flag_of

    review = OutcomeReview.objects.get()
    flag = flag_of(review.hypothesis)
    assert flag is not None
    stretches = constant_stretches(flag, review.opened_at, timezone.now())
    trial = Trial(review.product, flag.key, stretches, timezone.now())
    (counted,) = trial.count([counting(Metric.objects.get(key="activated_7d"), timedelta(days=28))])
    return counted.converted("on") / counted.closed("on") - counted.converted("off") / counted.closed("off")


def test_it_shouts_when_people_of_one_arm_are_missing(live_through: LiveThrough) -> None:
    live_through(World(lost=0.25))
    trust = measured().trust
    assert trust is not None
    assert trust.ratio == "broken"
    assert trust.is_broken
    assert trust.ratio_p is not None
    assert 0 < trust.ratio_p < 0.001


def test_leaving_out_whom_the_ramp_moved_would_have_invented_an_effect(
    live_through: LiveThrough, store: Any, product: Any
) -> None:
    """Why moved people stay in their first arm: they are those who came back, and mostly from the shrinking arm."""
    live_through(World(effect=0.0, people=12_000, returning=1.0))
    low, _, high = difference(measured())
    assert low < 0 < high
    rows = store.query(_WITHOUT_MOVED, {"product": product.pk, "now": timezone.now()})
    shares = {row["arm"]: row["converted"] / row["people"] for row in rows}
    # among those who entered just before a step, dropping the moved takes planters from control only
    assert shares["on"] - shares["off"] > 0.05


_WITHOUT_MOVED = """
SELECT arm, count() AS people, countIf(planted) AS converted
FROM (
    SELECT
        argMin(properties['variant'], timestamp) AS arm,
        uniqExactIf(properties['variant'], event = '$exposure') AS variants,
        countIf(event = 'planted') > 0 AS planted,
        minIf(timestamp, event = '$exposure') AS entry
    FROM events
    WHERE product = {product:UInt32} AND event IN ('$exposure', 'planted')
    GROUP BY person
    HAVING variants = 1 AND entry BETWEEN {now:DateTime64(3, 'UTC')} - INTERVAL 24 DAY AND {now:DateTime64(3, 'UTC')} - INTERVAL 22 DAY
)
GROUP BY arm
"""


def test_a_guardrail_holds_when_its_whole_interval_lies_within_the_margin(live_through: LiveThrough) -> None:
    live_through(World(effect=0.05))
    (rail,) = measured().guardrails
    assert (rail.verdict, rail.contrast.metric_name, rail.direction) == ("held", "Spam accounts", "up")


def test_a_guardrail_breaks_when_its_whole_interval_lies_beyond_the_margin(live_through: LiveThrough) -> None:
    live_through(World(effect=0.05, spam_effect=0.08))
    (rail,) = measured().guardrails
    assert rail.verdict == "harmed"


def test_before_it_is_due_guardrails_and_the_draw_bear_being_looked_at_every_day(live_through: LiveThrough) -> None:
    live_through(World(effect=0.05, spam_effect=0.08))
    (due,), at_the_end = measured().guardrails, measured().trust
    OutcomeReview.objects.update(due_at=timezone.now() + timedelta(days=1))
    again = measure_review(OutcomeReview.objects.get(), timezone.now())
    (early,), looked_at = again.guardrails, again.trust
    assert due.contrast.difference is not None
    assert early.contrast.difference is not None
    assert early.contrast.difference.method == "asymptotic confidence sequence"
    widths = [one.contrast.difference.high - one.contrast.difference.low for one in (due, early)]
    assert widths[1] > 1.3 * widths[0]
    assert early.contrast.difference.value == pytest.approx(due.contrast.difference.value)
    assert at_the_end is not None
    assert looked_at is not None
    assert looked_at.ratio_p is not None
    assert at_the_end.ratio_p is not None
    assert looked_at.ratio_p > at_the_end.ratio_p


def test_filling_it_measures_the_solution_once(live_through: LiveThrough, actor: Any) -> None:
    live_through(World(effect=0.05))
    look_at_reviews()
    look_at_reviews()
    review = OutcomeReview.objects.get()
    assert review.hypothesis.solution.state == State.MEASURED
    assert review.filled_at is not None
    result = last_result(review)
    assert result is not None
    assert result.is_measured
    assert Activity.objects.filter(verb="fill_review").count() == 1
    assert from_json(as_json(result)) == result


@pytest.mark.usefixtures("open_on_a_ramp")
def test_with_few_people_it_says_how_many_are_missing(store: Any, product: Any) -> None:
    now = timezone.now()
    rows = [exposure(person, ("on", "off")[person % 2], now - timedelta(days=9)) for person in range(60)]
    rows += [exposure(person, "on", now - timedelta(days=1)) for person in range(100, 104)]
    store.insert("events", [row | {"product": product.pk} for row in rows])
    result = measure_review(OutcomeReview.objects.get(), now)
    assert result.state == "too_little"
    assert result.reason == "The smaller arm has 30 of the 50 people it needs. 4 more are still within their 7 days."
    assert result.forecast.holds is None
    assert result.contrast is not None
    assert result.contrast.difference is None


@pytest.mark.usefixtures("open_on_a_ramp")
def test_without_anybody_it_is_no_answer_and_no_crash(store: Any) -> None:
    result = measure_review(OutcomeReview.objects.get(), timezone.now())
    assert result.state == "too_little"
    assert result.trust is not None
    assert (result.trust.ratio, result.trust.ratio_p) == ("unknown", None)


def test_before_it_is_due_the_arms_are_not_compared(actor: Any, product: Any, flag: Any, store: Any) -> None:
    from whytree.flags.services import open_flag

    open_flag(actor, product, flag.key, at=long_ago(8.5))
    result = measure_review(OutcomeReview.objects.get(), timezone.now())
    assert (result.state, result.contrast, result.reason) == ("early", None, "Day 9 of 28: too early to say.")
    assert len(result.guardrails) == 1


def test_the_teams_own_people_do_not_count(store: Any, product: Any, open_on_a_ramp: None) -> None:
    from whytree.people.identity import person_hash
    from whytree.people.models import Person

    Person.objects.create(product=product, key="ana", internal=True)
    at = long_ago(9)
    row = exposure(person_hash(product.pk, "ana"), "on", at)
    store.insert("events", [row | {"product": product.pk}, exposure(5, "off", at) | {"product": product.pk}])
    trust = measure_review(OutcomeReview.objects.get(), timezone.now()).trust
    assert trust is not None
    assert trust.seen == {"off": 1, "on": 0}


def test_a_flag_for_everybody_leaves_nobody_to_compare_with(actor: Any, product: Any, flag: Any, store: Any) -> None:
    from whytree.flags.services import open_flag

    open_flag(actor, product, flag.key, weights={"on": 1, "off": 0}, at=long_ago(35))
    rows = [event(person, "signed_up", long_ago(days)) for person, days in enumerate((60, 59, 30, 29, 28))]
    rows += [event(2, "planted", long_ago(27))]
    store.insert("events", [row | {"product": product.pk} for row in rows])
    result = measure_review(OutcomeReview.objects.get(), timezone.now())
    assert result.state == "no_comparison"
    assert result.reason.startswith("Everybody got the same variant")
    assert result.before is not None
    assert result.after is not None
    assert (result.before.text, result.before.n) == ("0 %", 2)
    assert (result.after.text, result.after.n) == ("33.3 %", 3)
    assert "No data" not in result.reason, "so few people may well be nobody on a day"
    down = long_ago(20).date()
    live = [event(person, "visited", long_ago(days)) for days in range(1, 70) for person in range(100, 120)]
    store.insert("events", [row | {"product": product.pk} for row in live if row["timestamp"].date() != down])
    told = measure_review(OutcomeReview.objects.get(), timezone.now()).reason
    assert told.endswith(f"No data on {down.day} {down:%b %Y}: what happened then is in neither number.")


def test_without_a_flag_or_a_metric_it_says_what_is_missing(api: Any, actor: Any, solution: Any, store: Any) -> None:
    from whytree.learning.services import lock_prediction
    from whytree.tree.services import create_hypothesis

    numbers = {"forecast_low": 1.0, "forecast_likely": 2.0, "forecast_high": 3.0, "horizon_days": 7}
    bare = create_hypothesis(actor, solution, change="x", metric_key="nothing", **numbers)
    review = lock_prediction(actor, bare, at=long_ago(8))
    result = measure_review(review, timezone.now())
    assert (result.state, result.forecast.holds) == ("no_metric", None)
    assert "Define it under Numbers" in result.reason
    api.post(
        "/products/sprout/metrics", {"key": "nothing", "definition": {"version": 1, "kind": "count", "event": "x"}}
    )
    assert measure_review(review, timezone.now()).reason.startswith("No flag carries this prediction")


def test_a_relative_forecast_is_held_against_the_ratio(live_through: LiveThrough, hypothesis: Any) -> None:
    from whytree.tree.models import Hypothesis

    live_through(World(effect=0.06))
    locked = Hypothesis.objects.get()
    Hypothesis.objects.filter(pk=locked.pk).update(
        forecast_unit="%", forecast_low=5.0, forecast_likely=10.0, forecast_high=60.0
    )
    forecast = measured().forecast
    assert forecast.measured is not None
    assert 5 < forecast.measured.value < 40
    assert forecast.holds is True


def test_a_count_is_compared_per_person_and_a_forecast_in_points_is_not_judged(
    live_through: LiveThrough, actor: Any, product: Any
) -> None:
    from whytree.analytics.models import Metric

    live_through(World(effect=0.10))
    Metric.objects.filter(key="activated_7d").update(
        definition={"version": 1, "kind": "count", "event": "planted"}, unit=""
    )
    result = measured()
    assert result.contrast is not None
    assert result.contrast.unit == "times per person"
    low, _, high = difference(result)
    assert low < 0.10 < high
    assert result.forecast.holds is None
    assert "Predict in % next time" in result.forecast.reason


def test_voices_are_counted_by_the_variant_they_had(live_through: LiveThrough, product: Any) -> None:
    from whytree.experiments.verdict import voices
    from whytree.voice.models import FeedbackItem

    def said(number: int, variant: str, days_ago: float, consent: str = "internal") -> None:
        FeedbackItem.objects.create(
            product=product,
            number=number,
            source_type="form",
            submission_id=str(number),
            text=f"words {number}",
            flags={"ask_later": variant},
            said_at=long_ago(days_ago),
            consent=consent,
            content_hash="",
        )

    said(1, "on", 5)
    said(2, "on", 60)
    said(3, "off", 6, consent="none")
    review = OutcomeReview.objects.get()
    assert measure_review(review, timezone.now()).voices == {"on": 1, "off": 1}
    (item,) = voices.latest(product, "ask_later", review.opened_at)
    assert (item.text, item.variant) == ("words 1", "on")
