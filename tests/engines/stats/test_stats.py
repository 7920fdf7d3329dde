from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special
from scipy import stats as reference
from scipy.optimize import minimize_scalar

from whytree.engines.stats import (
    Assigned,
    Comparison,
    Estimate,
    NoAnswer,
    SampleRatio,
    Share,
    Stratum,
    always_valid_ratio,
    clustered_count,
    count,
    difference_of_proportions,
    proportion,
    sample_ratio,
    tails,
)
from whytree.engines.stats.draw import EXACT_BELOW
from whytree.engines.stats.effects import Effect, stratified_means, stratified_proportions
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.strata import _score_variance


def share(successes: int, n: int) -> Share:
    return Share(n, successes)


def values(*numbers: float) -> Moments:
    return Moments.of(numbers)


def compared(answer: Comparison | NoAnswer) -> Comparison:
    assert isinstance(answer, Comparison), answer
    return answer


# --- proportions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_a_share_has_the_published_wilson_interval(successes: int, n: int, low: float, high: float) -> None:
    answer = proportion(successes, n)
    assert isinstance(answer, Estimate)
    assert (answer.low, answer.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
    assert (answer.value, answer.n, answer.method) == (successes / n, n, "Wilson")


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_agrees_with_scipy(pair: tuple[int, int]) -> None:
    answer = proportion(*pair)
    assert isinstance(answer, Estimate)
    expected = reference.binomtest(*pair).proportion_ci(method="wilson")
    assert (answer.low, answer.high) == (pytest.approx(expected.low, abs=1e-9), pytest.approx(expected.high, abs=1e-9))
    assert 0 <= answer.low <= answer.value <= answer.high <= 1


def test_a_share_of_nobody_is_no_answer() -> None:
    assert proportion(0, 0) == NoAnswer("Nobody has started yet.")


@pytest.mark.parametrize(("successes", "n"), [(3, 2), (-1, 2)])
def test_a_share_above_one_is_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        proportion(successes, n)


# --- counts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "low", "high"),
    # Garwood, Biometrika 28 (1936) 437-442, table; to the printed digits
    [(0, 0.0, 3.69), (1, 0.0253, 5.57), (5, 1.62, 11.67), (10, 4.80, 18.39), (30, 20.24, 42.83)],
)
def test_a_count_has_the_published_garwood_interval(events: int, low: float, high: float) -> None:
    answer = count(events)
    assert (answer.low, answer.high) == (pytest.approx(low, abs=0.005), pytest.approx(high, abs=0.005))


@given(st.integers(0, 100_000))
def test_a_count_agrees_with_the_poisson_tails(events: int) -> None:
    answer = count(events)
    assert reference.poisson.cdf(events, answer.high) == pytest.approx(0.025, rel=1e-6)
    if events:
        assert reference.poisson.sf(events - 1, answer.low) == pytest.approx(0.025, rel=1e-6)


def test_once_each_makes_the_clustered_count_garwoods() -> None:
    plain, clustered = count(40), clustered_count(40, 40, 1, 40)
    assert (clustered.low, clustered.high) == (plain.low, plain.high)


def test_ten_people_with_ten_events_say_less_than_a_hundred_with_one() -> None:
    few, many = clustered_count(100, 1000, 10, 10), count(100)
    assert few.high - few.low > 3 * (many.high - many.low)
    assert few.n == 10


def test_a_clustered_count_covers_the_truth() -> None:
    rng = np.random.default_rng(3)
    missed = 0
    for _ in range(1_000):
        events = rng.geometric(0.3, size=rng.poisson(60))
        answer = clustered_count(float(events.sum()), float((events**2).sum()), float(events.max()), len(events))
        missed += not answer.low <= 60 / 0.3 <= answer.high
    assert missed < 65  # 5 % promised; it errs to the wide side
    plain_missed = _poisson_misses(np.random.default_rng(3))
    assert plain_missed > 300  # what taking events for independent would have done


def _poisson_misses(rng: np.random.Generator) -> int:
    missed = 0
    for _ in range(1_000):
        answer = count(int(rng.geometric(0.3, size=rng.poisson(60)).sum()))
        missed += not answer.low <= 60 / 0.3 <= answer.high
    return missed


# --- the difference of two arms -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("treatment", "control", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 6 (Miettinen-Nurminen)
        ((56, 70), (48, 80), 0.0528, 0.3382),
        ((9, 10), (3, 10), 0.1700, 0.8406),
        ((10, 10), (0, 20), 0.7156, 1.0000),
        ((10, 10), (0, 10), 0.6636, 1.0000),
    ],
)
def test_two_shares_have_the_published_miettinen_nurminen_interval(
    treatment: tuple[int, int], control: tuple[int, int], low: float, high: float
) -> None:
    difference = compared(difference_of_proportions([Stratum(share(*control), share(*treatment))])).difference
    assert (difference.low, difference.high) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


@given(
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.floats(-0.98, 0.98),
)
def test_the_closed_form_is_the_constrained_maximum(
    control: tuple[int, int], treatment: tuple[int, int], difference: float
) -> None:
    (x0, n0), (x1, n1) = control, treatment

    def surprise(share0: float) -> float:
        tries = ((x0, share0), (n0 - x0, 1 - share0), (x1, share0 + difference), (n1 - x1, 1 - share0 - difference))
        return -sum(times * math.log(max(p, 1e-300)) for times, p in tries if times)

    low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
    inner = minimize_scalar(surprise, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    share0 = min((low, high, inner), key=surprise)
    share1 = share0 + difference
    n = n0 + n1
    expected = (share0 * (1 - share0) / n0 + share1 * (1 - share1) / n1) * n / (n - 1)
    columns = [np.array([float(number)]) for number in (x0, n0, x1, n1)]
    assert _score_variance(*columns, difference)[0] == pytest.approx(expected, abs=2e-6)


def test_when_nobody_converted_the_interval_still_has_width() -> None:
    difference = compared(difference_of_proportions([Stratum(share(0, 20), share(0, 10))])).difference
    assert difference.value == 0
    assert difference.low < -0.1 < 0.1 < difference.high


def test_arms_and_difference_agree_and_an_arm_at_zero_has_no_ratio() -> None:
    answer = compared(
        difference_of_proportions([Stratum(share(0, 50), share(5, 40)), Stratum(share(0, 10), share(9, 90))])
    )
    assert answer.treatment - answer.control == answer.difference.value
    assert answer.ratio == NoAnswer("An arm at zero has no ratio to the other.")
    assert (answer.n_control, answer.n_treatment, answer.difference.n) == (60, 130, 190)


def test_the_ratio_is_greenland_and_robins() -> None:
    # Rothman & Greenland, Modern Epidemiology, tolbutamide trial by age (< 55, 55 +): MH risk ratio 1.33
    strata = [Stratum(share(5, 120), share(8, 106)), Stratum(share(16, 85), share(22, 98))]
    answer = compared(difference_of_proportions(strata))
    assert isinstance(answer.ratio, Estimate)
    assert answer.ratio.value == pytest.approx(1.33, abs=0.005)
    # and their MH risk difference 0.035
    assert answer.difference.value == pytest.approx(0.035, abs=0.0005)


def test_a_period_with_one_arm_contributes_nothing() -> None:
    ramp = [Stratum(share(300, 900), share(40, 100))]
    finished = Stratum(share(0, 0), share(900, 1000))
    assert difference_of_proportions([*ramp, finished]) == difference_of_proportions(ramp)


@pytest.mark.parametrize(
    ("strata", "reason"),
    [
        ([], "Nobody"),
        ([Stratum(share(0, 0), share(0, 0))], "Nobody"),
        ([Stratum(share(0, 0), share(3, 9))], "Only one arm"),
        ([Stratum(share(0, 0), share(3, 9)), Stratum(share(3, 9), share(0, 0))], "In no period"),
    ],
)
def test_without_two_arms_in_one_period_there_is_no_answer(strata: list[Stratum[Share]], reason: str) -> None:
    answer = difference_of_proportions(strata)
    assert isinstance(answer, NoAnswer)
    assert answer.reason.startswith(reason)


@pytest.mark.parametrize(
    ("strata", "reason"),
    [
        ([], "No unit of either arm"),
        ([Stratum(values(), values(1, 2, 3))], "Only one arm"),
        ([Stratum(values(), values(*range(8))), Stratum(values(*range(12)), values(5))], "9 units in an arm"),
        ([Stratum(values(), values(*range(20))), Stratum(values(*range(12)), values())], "In no period"),
    ],
)
def test_neither_is_there_one_of_means(strata: list[Stratum[Moments]], reason: str) -> None:
    answer = stratified_means(strata)
    assert isinstance(answer, NoAnswer)
    assert answer.reason.startswith(reason), answer.reason


def test_more_conversions_than_people_are_refused() -> None:
    with pytest.raises(ValueError, match="More people"):
        difference_of_proportions([Stratum(share(1, 2), share(3, 2))])


@given(
    st.lists(st.integers(0, 100), min_size=10, max_size=30),
    st.lists(st.integers(0, 100), min_size=10, max_size=30),
)
def test_two_means_in_one_period_are_welchs(control: list[int], treatment: list[int]) -> None:
    answer = stratified_means([Stratum(values(*control), values(*treatment))])
    if len({*control}) == 1 or len({*treatment}) == 1:
        return  # scipy warns where an arm has no spread
    expected = reference.ttest_ind(treatment, control, equal_var=False).confidence_interval()
    assert isinstance(answer, Effect)
    assert answer.difference.low == pytest.approx(expected.low, rel=1e-9, abs=1e-9)
    assert answer.difference.high == pytest.approx(expected.high, rel=1e-9, abs=1e-9)


def test_means_without_spread_are_no_answer() -> None:
    answer = stratified_means([Stratum(values(*[2] * 12), values(*[2] * 12))])
    assert isinstance(answer, NoAnswer)
    assert answer.reason.startswith("Every unit has the same value")


def test_a_mean_of_a_billion_in_strata_has_the_interval_of_its_deviations() -> None:
    """Plain sums of squares gave this a variance of -134."""
    rng = np.random.default_rng(7)
    small = [(rng.normal(level, 2, 400), rng.normal(level + 0.5, 2, 400)) for level in (10, 13)]
    high = [tuple(arm + 1e9 for arm in pair) for pair in small]
    low, far = (
        stratified_means([Stratum(Moments.of(control), Moments.of(treatment)) for control, treatment in pairs])
        for pairs in (small, high)
    )
    assert isinstance(low, Effect)
    assert isinstance(far, Effect)
    assert far.error == pytest.approx(low.error, rel=1e-6)
    assert far.difference.low == pytest.approx(low.difference.low, abs=1e-6)
    assert far.difference.method == "Mantel-Haenszel weights, Welch"


def test_a_drift_of_metric_and_covariate_together_is_not_taken_for_their_tie() -> None:
    """Over all people the covariate explains nearly all; within a period nothing. Theta is of the inside."""
    rng = np.random.default_rng(3)
    strata = []
    for level in (0.0, 50.0):
        arms = [Moments.of(level + rng.normal(0, 1, 500), level + rng.normal(0, 1, 500)) for _ in range(2)]
        strata.append(Stratum(*arms))
    answer = stratified_means(strata)
    assert isinstance(answer, Effect)
    assert answer.variance_reduction == pytest.approx(0, abs=0.02)


def test_a_covariate_narrows_the_interval_in_every_period_by_what_it_explains() -> None:
    rng = np.random.default_rng(4)
    strata = []
    for level, effect in ((0.0, 0.3), (50.0, 0.3)):
        arms = []
        for lift in (0.0, effect):
            before = rng.normal(0, 1, 2_000)
            arms.append(Moments.of(level + lift + 2 * before + rng.normal(0, 1, 2_000), before))
        strata.append(Stratum(*arms))
    answer = stratified_means(strata)
    assert isinstance(answer, Effect)
    assert answer.variance_reduction == pytest.approx(0.8, abs=0.02)
    assert answer.difference.low < 0.3 < answer.difference.high
    assert answer.difference.method == "Mantel-Haenszel weights, Welch, CUPED"


def test_a_stratified_share_has_the_p_that_belongs_to_its_interval() -> None:
    strata = [Stratum(share(20, 200), share(34, 180)), Stratum(share(40, 150), share(60, 160))]
    answer = stratified_proportions(strata)
    assert isinstance(answer, Effect)
    assert (answer.p < 0.05) == (answer.difference.low > 0)
    at_its_own_p = stratified_proportions(strata, level=1 - answer.p)
    assert isinstance(at_its_own_p, Effect)
    assert at_its_own_p.difference.low == pytest.approx(0, abs=1e-9)


def test_that_nothing_happened_is_an_answer_for_a_guardrail_only() -> None:
    strata = [Stratum(share(0, 4_000), share(0, 4_000))]
    assert isinstance(stratified_proportions(strata), NoAnswer)
    answer = stratified_proportions(strata, nothing_tells=True)
    assert isinstance(answer, Effect)
    assert -0.002 < answer.difference.low < 0 < answer.difference.high < 0.002
    assert answer.error > 0
    assert answer.p == 1.0


# --- sample ratio ---------------------------------------------------------------------------------------------------


def ratio(*periods: Assigned) -> SampleRatio:
    answer = sample_ratio(periods)
    assert isinstance(answer, SampleRatio), answer
    return answer


@given(st.lists(st.integers(0, 500), min_size=2, max_size=5), st.data())
def test_in_one_period_it_is_pearsons_test(seen: list[int], data: st.DataObject) -> None:
    if sum(seen) == 0:
        return
    weights = [data.draw(st.integers(1, 9)) for _ in seen]
    arms = [f"arm{i}" for i in range(len(seen))]
    answer = ratio(Assigned(dict(zip(arms, seen, strict=True)), dict(zip(arms, weights, strict=True))))
    expected = reference.chisquare(seen, [sum(seen) * weight / sum(weights) for weight in weights])
    assert answer.statistic == pytest.approx(expected.statistic, rel=1e-8, abs=1e-8)
    if len(seen) > 2 or sum(seen) >= EXACT_BELOW:
        assert answer.p == pytest.approx(expected.pvalue, rel=1e-6)


def test_an_arm_without_weight_is_no_degree_of_freedom() -> None:
    answer = ratio(Assigned({"a": 4900, "b": 5100, "c": 0}, {"a": 50, "b": 50, "c": 0}))
    assert (answer.freedom, set(answer.expected)) == (1, {"a", "b"})
    assert answer.p == pytest.approx(reference.chisquare([4900, 5100]).pvalue)


def test_people_in_an_arm_without_weight_are_shown_not_tested() -> None:
    answer = ratio(Assigned({"a": 500, "b": 500, "c": 3}, {"a": 1, "b": 1}))
    assert (answer.unexpected, answer.p) == (3, 1.0)


def test_expected_people_follow_the_weights_of_each_period() -> None:
    answer = ratio(
        Assigned({"off": 900, "on": 100}, {"off": 90, "on": 10}),
        Assigned({"off": 500, "on": 500}, {"off": 50, "on": 50}),
        Assigned({"off": 0, "on": 4000}, {"off": 0, "on": 100}),
    )
    assert answer.expected == {"off": 1400.0, "on": 4600.0}
    assert answer.p == pytest.approx(1.0)


def test_with_one_arm_only_there_is_no_answer() -> None:
    assert isinstance(sample_ratio([Assigned({"on": 10}, {"on": 100})]), NoAnswer)
    assert isinstance(sample_ratio([]), NoAnswer)


def test_a_tail_that_rounds_to_zero_is_still_a_probability() -> None:
    assert 0 < ratio(Assigned({"a": 11_500, "b": 10_000}, {"a": 1, "b": 1})).p < 1e-20


@pytest.mark.parametrize(("seen", "p"), [((20, 20), 1.0), ((15, 5), 0.04139), ((9, 1), 0.02148), ((3, 0), 0.25)])
def test_a_small_draw_is_tested_exactly(seen: tuple[int, int], p: float) -> None:
    """The two-sided sign test's table, as in Siegel, Nonparametric Statistics (1956), table D doubled."""
    answer = sample_ratio([Assigned({"a": seen[0], "b": seen[1]}, {"a": 1, "b": 1})])
    assert isinstance(answer, SampleRatio)
    assert answer.p == pytest.approx(p, abs=5e-6)


def test_an_always_valid_sample_ratio_is_a_bayes_factor_and_periods_multiply() -> None:
    """The mean over three priors, by scipy's Beta function for two arms; a fair split is never evidence, whatever the weights."""

    def p(*periods: Assigned) -> float:
        answer = always_valid_ratio(periods)
        assert isinstance(answer, SampleRatio)
        return answer.p

    def factor(a: int, b: int, half: int) -> float:
        return math.exp(special.betaln(half + a, half + b) - special.betaln(half, half) + (a + b) * math.log(2))

    odd, factors = (
        Assigned({"a": 5_400, "b": 5_000}, {"a": 1, "b": 1}),
        [factor(5_400, 5_000, h) for h in (50, 500, 5_000)],
    )
    assert p(odd) == pytest.approx(3 / sum(factors))
    assert p(odd, odd) == pytest.approx(3 / sum(one**2 for one in factors))
    assert p(Assigned({"a": 1_500, "b": 1_200}, {"a": 1, "b": 1})) < 1e-5, "a fifth of an arm lost is seen early"
    assert p(Assigned({"a": 9_000, "b": 1_000}, {"a": 9, "b": 1})) == 1.0
    assert p(Assigned({"a": 900, "b": 100, "c": 7}, {"a": 9, "b": 1, "c": 0})) == 1.0
    fixed = sample_ratio([odd])
    assert isinstance(fixed, SampleRatio)
    assert p(odd) > fixed.p
    assert isinstance(always_valid_ratio([]), NoAnswer)


@pytest.mark.parametrize("n", [2, 3, 10, 999, 1_000, 40_000])
def test_what_a_tail_looks_at_is_what_sorting_would_say(n: int) -> None:
    rng = np.random.default_rng(n)
    for values in (rng.normal(size=n), rng.poisson(1, n).astype(float), rng.pareto(1, n), np.sort(rng.normal(size=n))):
        assert tails._median(values, float(values.min())) == float(np.median(values))
        k = min(n, 25)
        np.testing.assert_array_equal(np.sort(tails._largest(values, k)), np.sort(values)[-k:])
