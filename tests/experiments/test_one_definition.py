"""One definition, one number: in trends and other questions, on an outcome, in an experiment and as a guardrail."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from tests.experiments.world import event, exposure, long_ago, write
from whytree.analytics.answers import answer
from whytree.analytics.plugs import outcome_figures
from whytree.analytics.queries import measure
from whytree.analytics.questions import checked_question
from whytree.analytics.services import create_metric
from whytree.engines.stats import NoAnswer
from whytree.engines.stats.ratios import compare_ratios
from whytree.errors import Invalid
from whytree.experiments.rollouts.services import start_rollout
from whytree.experiments.services import create_experiment
from whytree.experiments.underway.countings import counting
from whytree.experiments.underway.trial import Trial
from whytree.flags.queries import Period
from whytree.tree.services import create_outcome

PRO = {"event": "paid", "where": [{"field": "plan", "operator": "is", "values": ["pro"]}]}
DAYS = 30
#: What can be judged in an experiment, each with the question that asks the same of all days together.
JUDGED: dict[str, dict[str, Any]] = {
    "count": {"kind": "count", "event": "paid"},
    "count_pro": {"kind": "count", "event": PRO},
    "unique": {"kind": "unique", "event": PRO},
    "conversion": {"kind": "conversion", "from": "met", "to": PRO, "within_days": 7},
    "retention": {"kind": "retention", "begin": "met", "back": "opened", "after_days": 2, "for_days": 3},
    "sum": {"kind": "sum", "event": "paid", "property": "price"},
    "sum_pro": {"kind": "sum", "event": PRO, "property": "price"},
    "mean_person": {"kind": "mean", "event": PRO, "property": "price", "per": "person"},
    "mean_times": {"kind": "mean", "event": "opened", "per": "person"},
    "mean_event": {"kind": "mean", "event": "paid", "property": "price", "per": "event"},
    "ratio": {"kind": "ratio", "top": PRO | {"measure": "sum:price"}, "bottom": {"event": "opened"}},
    "ratio_people": {"kind": "ratio", "top": PRO | {"measure": "people"}, "bottom": {"event": "opened"}},
}
#: Judged in a pass of their own (`test_percentiles_and_companies`).
PERCENTILES: dict[str, dict[str, Any]] = {
    "quantile": {"kind": "quantile", "event": "paid", "property": "price", "percentile": 90},
    "time_to": {"kind": "time_to", "from": "met", "to": "paid", "within_days": 7, "percentile": 50, "in": "seconds"},
}
NOT_JUDGED: dict[str, dict[str, Any]] = {
    "companies": {"kind": "count", "event": "paid", "by_company": True},
}


@pytest.fixture
def world(store: Any, product: Any) -> None:
    """Six hundred people meet the flag 8 to 25 days ago, open and pay within a week, and are gone."""
    rng, rows = random.Random(5), []
    for person in range(1, 601):
        arm, entry = ("off", "on")[person % 2], rng.uniform(8, 25)
        rows += [exposure(person, arm, long_ago(entry)), event(person, "met", long_ago(entry))]
        for _ in range(rng.randrange(5)):
            rows.append(event(person, "opened", long_ago(entry - rng.uniform(0.01, 6.9))))
        for _ in range(rng.randrange(4)):
            price = rng.choice(["1", "2.5", "30", "many", ""])
            said = {"plan": rng.choice(["pro", "free"])} | ({"price": price} if price else {})
            rows.append(event(person, "paid", long_ago(entry - rng.uniform(0.01, 6.9))) | {"properties": said})
    write(store, product, rows)


@pytest.fixture
def metric(actor: Any, product: Any) -> Any:
    def make(name: str) -> Any:
        definition = {"version": 1, **(JUDGED | PERCENTILES | NOT_JUDGED)[name]}
        return create_metric(actor, product, key=name, definition=definition)

    return make


def whole(metric: Any) -> Any:
    return measure(metric, timezone.now() - timedelta(days=DAYS), timezone.now())


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("name", list(JUDGED))
def test_all_arms_together_are_the_metric_itself(metric: Any, product: Any, name: str) -> None:
    found = metric(name)
    trial = Trial(
        product, "ask_later", [Period(long_ago(DAYS), timezone.now(), 10_000, {"off": 1, "on": 1})], timezone.now()
    )
    (counted,) = trial.count([counting(found, timedelta(days=14))])
    arms = [counted.moments(arm) for arm in ("off", "on")]
    pooled, of = arms[0].merged(arms[1]), whole(found)
    assert pooled.n == 600
    if found.definition["kind"] in ("count", "sum"):
        assert float(pooled.mean[0]) * pooled.n == pytest.approx(of.value)
    elif found.definition["kind"] == "unique":
        assert counted.converted("off") + counted.converted("on") == of.value
    elif counted.counting.is_share:
        assert (float(pooled.mean[0]) * 100, pooled.n) == pytest.approx((of.value, of.n))
    else:
        assert float(pooled.mean[0] / pooled.mean[1]) == pytest.approx(of.value)
    compared = counted.compare("off", "on")
    assert not isinstance(compared, NoAnswer)
    assert (compared.control, compared.treatment) == pytest.approx((counted.value("off"), counted.value("on")))
    assert compared.difference.low < compared.difference.high


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("name", [*JUDGED, *PERCENTILES])
def test_an_outcome_shows_the_metrics_own_value(metric: Any, actor: Any, product: Any, name: str) -> None:
    found = metric(name)
    outcome = create_outcome(actor, product, title="It rises", metric_key=name)
    assert outcome_figures(product, [outcome])[outcome.pk].value == measure(found).text


TRENDS = {
    "count": ("total", ["paid"], None),
    "count_pro": ("total", [PRO], None),
    "unique": ("people", [PRO], None),
    "sum": ("sum:price", ["paid"], None),
    "sum_pro": ("sum:price", [PRO], None),
    "mean_event": ("mean:price", ["paid"], None),
    "mean_times": ("average", ["opened"], None),
    "quantile": ("p90:price", ["paid"], None),
    "ratio": ("total", [PRO | {"measure": "sum:price"}, {"event": "opened", "measure": "total"}], "A / B"),
    "ratio_people": ("total", [PRO | {"measure": "people"}, {"event": "opened", "measure": "total"}], "A / B"),
}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("name", list(TRENDS))
def test_each_day_is_what_a_trend_says_of_it(metric: Any, product: Any, name: str) -> None:
    measure_of, series, formula = TRENDS[name]
    asked = {"version": 1, "kind": "trends", "measure": measure_of, "series": series, "days": DAYS}
    question = checked_question(asked | ({"formula": formula} if formula else {}))
    (line,) = answer(product, question).drawn  # type: ignore[union-attr]
    days = {day.day: day for day in measure(metric(name), days=DAYS).series}
    both = [(each, days[each.start]) for each in line.stretches if each.start in days and each.complete]
    compared = [(each.value, day.value) for each, day in both if each.value is not None and day.value is not None]
    assert len(compared) > 10
    assert [one for one, _ in compared] == pytest.approx([other for _, other in compared])
    if name in ("count", "count_pro", "unique"):
        assert [(each.low, each.high) for each, _ in both] == [(day.low, day.high) for _, day in both]


@pytest.mark.usefixtures("world")
def test_a_conversion_and_a_time_are_what_a_funnel_says(metric: Any, product: Any) -> None:
    asked = {"version": 1, "kind": "funnel", "steps": ["met", "paid"], "within": "7d", "times": True, "days": DAYS}
    funnel: Any = answer(product, checked_question(asked))
    time = whole(metric("time_to"))
    assert (time.value, time.n) == pytest.approx((funnel.took[0].median, funnel.took[0].people))
    assert time.low < time.value < time.high
    asked["steps"] = ["met", PRO]
    funnel = answer(product, checked_question(asked))
    share = whole(metric("conversion"))
    assert (share.numerator, share.n) == (funnel.steps[1].people, funnel.steps[0].people)


@pytest.mark.usefixtures("world")
def test_retention_is_what_the_question_says_by_everybodys_own_clock(metric: Any, product: Any) -> None:
    asked = {"version": 1, "kind": "retention", "begin": "met", "back": "opened", "interval": "day", "days": DAYS}
    found: Any = answer(product, checked_question(asked | {"clock": "rolling", "brackets": [[2, 4]]}))
    (point,) = found.curve
    share = whole(metric("retention"))
    assert (share.value, share.low, share.high) == pytest.approx((point.share.value, point.share.low, point.share.high))


@pytest.mark.parametrize("name", list(NOT_JUDGED))
def test_what_an_experiment_cannot_judge_is_refused_with_what_to_take(
    metric: Any, metrics: Any, flag: Any, actor: Any, product: Any, name: str
) -> None:
    metric(name)
    plan = {"metrics": [{"key": "activated", "role": "primary"}, {"key": name, "role": "secondary"}]}
    with pytest.raises(Invalid, match="draw companies"):
        create_experiment(actor, product, flag=flag, plan=plan)
    with pytest.raises(Invalid, match="draw companies"):
        start_rollout(actor, product, flag=flag, guardrails=[{"metric_key": name, "direction": "up", "margin": 1}])


def test_a_ratio_takes_no_cap(metric: Any, metrics: Any, flag: Any, actor: Any, product: Any) -> None:
    metric("ratio")
    plan = {"metrics": [{"key": "activated", "role": "primary"}, {"key": "ratio", "role": "secondary", "cap": "p99"}]}
    with pytest.raises(Invalid, match="takes no amount, cap or days before"):
        create_experiment(actor, product, flag=flag, plan=plan)


@pytest.mark.usefixtures("world")
def test_a_ratio_over_two_periods_of_weights_is_compared_within_them(metric: Any, product: Any) -> None:
    middle = long_ago(16)
    periods = [
        Period(long_ago(DAYS), middle, 10_000, {"off": 1, "on": 1}),
        Period(middle, timezone.now(), 10_000, {"off": 1, "on": 9}),
    ]
    (counted,) = Trial(product, "ask_later", periods, timezone.now()).count(
        [counting(metric("ratio"), timedelta(days=14))]
    )
    found = counted.compare("off", "on")
    assert not isinstance(found, NoAnswer)
    each = [compare_ratios(*(counted.cell_moments(place, arm) for arm in ("off", "on"))) for place in (0, 1)]
    values = [one.difference.value for one in each if not isinstance(one, NoAnswer)]
    assert min(values) <= found.difference.value <= max(values)
    assert found.difference.n == 600


@pytest.mark.usefixtures("world")
def test_an_experiment_reads_every_kind_it_can_judge(
    metric: Any, metrics: Any, flag: Any, actor: Any, product: Any, api: Any, as_alice: Any
) -> None:
    from whytree.experiments.services import start_experiment

    planned = [{"key": "activated", "role": "primary"}]
    for name in JUDGED:
        metric(name)
        planned.append({"key": name, "role": "secondary"})
    made = create_experiment(actor, product, flag=flag, plan={"metrics": planned, "days": 28, "looks": "always"})
    start_experiment(actor, made, at=long_ago(29))
    result = api.get(f"/products/sprout/experiments/{made.ref}").ok["result"]
    found = {one["name"] for one in result["analysis"]["metrics"]}
    assert set(JUDGED) <= set(found)
    assert as_alice.get(f"/p/sprout/experiments/{made.ref}").status_code == 200


def test_a_percentile_has_the_interval_it_promises() -> None:
    """Woodruff's, on people with one to four values each that are alike; 500 samples of 60 people, whose median is 0."""
    from tests.analytics.test_amount_queries import woodruff

    rng, held = np.random.default_rng(11), 0
    for _ in range(500):
        own = rng.normal(size=60)
        each = [list(mean + 0.5 * rng.normal(size=rng.integers(1, 5))) for mean in own]
        _, low, high = woodruff(each, 0.5, 1.96)
        held += low <= 0 <= high
    assert 0.92 <= held / 500 <= 0.98


@pytest.mark.parametrize(("days", "window"), [(1, 0.5), (7, 3.5), (14, 7), (28, 7)])
def test_a_metric_without_a_window_leaves_time_for_somebody_however_short_the_experiment(
    product: Any, actor: Any, days: int, window: float
) -> None:
    metric = create_metric(actor, product, key="paid", name="Paid", definition=JUDGED["count"] | {"version": 1})
    assert counting(metric, timedelta(days=days)).window == timedelta(days=window)
