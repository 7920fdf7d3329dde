"""Two arms side by side, held to scipy, to least squares, to published tables and to what a formula must satisfy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as reference

from whytree.engines.stats import Estimate, NoAnswer
from whytree.engines.stats.effects import Effect, compare_means, compare_proportions, fieller
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.quantiles import Quantile, compare_quantiles, quantile
from whytree.engines.stats.ratios import compare_ratios

RNG = np.random.default_rng(20261127)


def effect(answer: Effect | NoAnswer) -> Effect:
    assert isinstance(answer, Effect), answer
    return answer


def test_a_variance_at_a_mean_of_a_billion_is_the_variance() -> None:
    values = RNG.normal(0, 1, 10_000)
    assert Moments.of(values + 1e9).variance == pytest.approx(values.var(ddof=1), rel=1e-6)
    plain = ((values + 1e9) ** 2).sum() - (values + 1e9).sum() ** 2 / 10_000
    assert abs(plain / 9_999 - 1) > 1  # what a plain sum of squares makes of it


@given(st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2), min_size=2, max_size=40), st.integers(1, 39))
@settings(deadline=None)
def test_parts_add_up_to_the_whole_in_any_cut(pairs: list[tuple[float, float]], cut: int) -> None:
    x, y = np.array(pairs).T
    whole = Moments.of(x, y)
    parts = Moments.of(x[:cut], y[:cut]).merged(Moments.of(x[cut:], y[cut:]))
    assert parts.n == whole.n
    np.testing.assert_allclose(parts.mean, whole.mean, atol=1e-7)
    np.testing.assert_allclose(parts.m2, whole.m2, rtol=1e-9, atol=1e-3)


def test_means_agree_with_scipys_welch() -> None:
    control, treatment = RNG.lognormal(0, 1, 180), RNG.lognormal(0.2, 0.7, 260)
    ours = effect(compare_means(Moments.of(control), Moments.of(treatment), level=0.9))
    theirs = reference.ttest_ind(treatment, control, equal_var=False)
    interval = theirs.confidence_interval(0.9)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert ours.freedom == pytest.approx(theirs.df, rel=1e-9)
    assert (ours.difference.low, ours.difference.high) == (pytest.approx(interval.low), pytest.approx(interval.high))
    assert ours.treatment - ours.control == pytest.approx(ours.difference.value)


def test_a_tiny_p_is_not_rounded_to_zero() -> None:
    """1 - cdf gives exactly 0 where the tail is 1e-40."""
    answer = effect(compare_proportions(2_000, 20_000, 2_900, 20_000))
    assert 0 < answer.p < 1e-30


def test_covariates_give_the_coefficient_of_least_squares() -> None:
    """With theta from within the arms, CUPED's difference is ANCOVA's (Deng et al. 2013, appendix B)."""
    n = 400
    arm = np.repeat([0.0, 1.0], n)
    x1, x2 = RNG.normal(5, 2, 2 * n), RNG.exponential(3, 2 * n)
    y = 2 + 0.3 * arm + 1.5 * x1 - 0.4 * x2 + RNG.normal(0, 1, 2 * n)
    slope = np.linalg.lstsq(np.column_stack([np.ones(2 * n), arm, x1, x2]), y, rcond=None)[0][1]
    parts = [Moments.of(y[arm == one], x1[arm == one], x2[arm == one]) for one in (0, 1)]
    answer = effect(compare_means(*parts))
    assert answer.difference.value == pytest.approx(slope, rel=1e-9)
    assert answer.difference.method == "Welch, CUPED"


def test_covariates_take_away_the_variance_they_explain() -> None:
    n, rho = 40_000, 0.8
    x = RNG.normal(0, 1, 2 * n)
    y = rho * x + math.sqrt(1 - rho**2) * RNG.normal(0, 1, 2 * n)
    answer = effect(compare_means(Moments.of(y[:n], x[:n]), Moments.of(y[n:], x[n:])))
    assert answer.variance_reduction == pytest.approx(rho**2, abs=0.01)  # Deng et al. 2013, eq. 4


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
def test_a_covariates_unit_does_not_matter(scale: float) -> None:
    x, y = RNG.normal(3, 1, 200), RNG.normal(0, 1, 200)
    y += x
    plain = effect(compare_means(Moments.of(y[:100], x[:100]), Moments.of(y[100:], x[100:])))
    scaled = effect(compare_means(Moments.of(y[:100], scale * x[:100]), Moments.of(y[100:], scale * x[100:])))
    assert scaled.difference.value == pytest.approx(plain.difference.value, rel=1e-6)


def test_a_covariate_that_never_varies_changes_nothing() -> None:
    y, constant = RNG.normal(0, 1, 200), np.full(200, 7.1)
    with_it = effect(compare_means(Moments.of(y[:100], constant[:100]), Moments.of(y[100:], constant[100:])))
    without = effect(compare_means(Moments.of(y[:100]), Moments.of(y[100:])))
    assert with_it.difference.value == pytest.approx(without.difference.value, rel=1e-9)


def test_the_score_test_is_pearsons_chi_squared_but_for_one_in_n() -> None:
    """Miettinen and Nurminen 1985, eq. 9: the variance of the null is the pooled one, times n / (n - 1)."""
    answer = effect(compare_proportions(120, 1_000, 150, 1_000))
    chi2 = reference.chi2_contingency([[120, 880], [150, 850]], correction=False).statistic
    assert answer.p == pytest.approx(reference.chi2.sf(chi2 * 1_999 / 2_000, 1), rel=1e-9)


@given(
    st.integers(10, 400),
    st.integers(10, 400),
    st.floats(0.02, 0.98),
    st.floats(0.02, 0.98),
    st.sampled_from([0.9, 0.95]),
)
@settings(deadline=None, max_examples=60)
def test_a_share_is_significant_just_when_its_interval_leaves_zero(
    n0: int, n1: int, share0: float, share1: float, level: float
) -> None:
    answer = compare_proportions(round(n0 * share0), n0, round(n1 * share1), n1, level=level)
    if isinstance(answer, Effect) and abs(answer.p - (1 - level)) > 1e-6:
        assert (answer.p < 1 - level) == (not answer.difference.low <= 0 <= answer.difference.high)


def test_nobody_converting_is_no_answer_with_the_range_that_is_left() -> None:
    answer = compare_proportions(0, 500, 0, 500)
    assert isinstance(answer, NoAnswer)
    assert "Nobody did it" in answer.reason
    assert "+0." in answer.reason


def test_a_ratio_has_the_error_of_people_and_not_of_sessions() -> None:
    """Against a bootstrap over people; sessions of one person share a mood."""

    def people(n: int) -> tuple[np.ndarray, np.ndarray]:
        sessions = RNG.poisson(4, n) + 1.0
        mood = RNG.gamma(2, 1, n)
        return RNG.poisson(mood * sessions).astype(float), sessions

    (top0, bottom0), (top1, bottom1) = people(1_500), people(1_200)
    answer = effect(compare_ratios(Moments.of(top0, bottom0), Moments.of(top1, bottom1)))
    assert answer.control == pytest.approx(top0.sum() / bottom0.sum())
    drawn = []
    for _ in range(1_500):
        a, b = RNG.integers(0, 1_500, 1_500), RNG.integers(0, 1_200, 1_200)
        drawn.append(top1[b].sum() / bottom1[b].sum() - top0[a].sum() / bottom0[a].sum())
    assert answer.error == pytest.approx(np.std(drawn), rel=0.08)


def test_a_denominator_near_zero_is_no_answer() -> None:
    rare = np.zeros(500)
    rare[:3] = 1
    answer = compare_ratios(Moments.of(rare, rare), Moments.of(rare, rare))
    assert isinstance(answer, NoAnswer)
    assert "denominator" in answer.reason


@given(st.floats(0.5, 50), st.floats(0.01, 0.2), st.floats(-5, 50), st.floats(0.01, 5))
def test_fiellers_limits_are_where_the_test_just_rejects(
    bottom: float, relative: float, top: float, spread1: float
) -> None:
    spread0 = (relative * bottom) ** 2
    answer = fieller((bottom, spread0), (top, spread1), 100, 1.96)
    assert isinstance(answer, Estimate)
    for end in (answer.low, answer.high):
        ratio = end + 1
        z = (top - ratio * bottom) / math.sqrt(spread1 + ratio**2 * spread0)
        assert abs(z) == pytest.approx(1.96, rel=1e-6)


@pytest.mark.parametrize(("baseline", "words"), [(0.0, "told from zero"), (0.1, "told from zero"), (-5.0, "negative")])
def test_a_baseline_at_or_below_zero_has_no_relative_change(baseline: float, words: str) -> None:
    answer = fieller((baseline, 0.01), (1.0, 0.01), 100, 1.96)
    assert isinstance(answer, NoAnswer)
    assert words in answer.reason
    assert "absolute difference" in answer.reason


@pytest.mark.parametrize(
    ("control", "treatment", "words"),
    [
        ([], [], "No unit of either arm"),
        ([1.0] * 20, [], "Only one arm"),
        ([1.0, 2.0], [1.0] * 50, "too few"),
        ([1.0], [2.0], "too few"),
        ([3.0] * 50, [3.0] * 50, "same value"),
        ([1e9] * 50, [1e9] * 50, "same value"),
        ([0.1] * 50, [0.1] * 50, "same value"),
    ],
)
def test_too_little_is_no_answer_and_says_so(control: list[float], treatment: list[float], words: str) -> None:
    answer = compare_means(Moments.of(control), Moments.of(treatment))
    assert isinstance(answer, NoAnswer)
    assert words in answer.reason


def test_a_quantiles_interval_is_scipys_from_order_statistics() -> None:
    values = RNG.lognormal(0, 1, 5_000)
    ours = quantile(values, 0.9)
    assert isinstance(ours, Quantile)
    theirs = reference.quantile_test(values, p=0.9).confidence_interval(0.95)
    assert ours.error == pytest.approx((theirs.high - theirs.low) / (2 * 1.96), rel=0.05)


def test_rows_of_one_unit_widen_a_quantile() -> None:
    units = np.repeat(np.arange(500.0), 20)
    values = np.repeat(RNG.normal(0, 1, 500), 20) + RNG.normal(0, 0.3, 10_000)
    clustered, as_if_independent = quantile(values, 0.5, units), quantile(values, 0.5)
    assert isinstance(clustered, Quantile)
    assert isinstance(as_if_independent, Quantile)
    assert (clustered.n, clustered.rows) == (500, 10_000)
    assert clustered.error > 3 * as_if_independent.error


def test_one_row_a_unit_is_the_plain_quantile() -> None:
    values = RNG.normal(0, 1, 800)
    clustered, plain = quantile(values, 0.3, np.arange(800.0)), quantile(values, 0.3)
    assert isinstance(clustered, Quantile)
    assert isinstance(plain, Quantile)
    assert clustered.error == pytest.approx(plain.error, rel=0.1)


def test_ties_and_thin_tails_are_no_answer_for_a_quantile() -> None:
    tied, thin = quantile(np.repeat([1.0, 2.0, 3.0], 1_000), 0.5), quantile(RNG.normal(0, 1, 500), 0.99)
    assert isinstance(tied, NoAnswer)
    assert "exactly 2" in tied.reason
    assert isinstance(thin, NoAnswer)
    assert "5 units" in thin.reason


def test_two_quantiles_are_compared_with_both_errors() -> None:
    answer = compare_quantiles(Quantile(10, 3, 100, 100), Quantile(14, 4, 100, 100))
    assert answer.error == pytest.approx(5)
    assert answer.difference.low == pytest.approx(4 - 1.959964 * 5)
