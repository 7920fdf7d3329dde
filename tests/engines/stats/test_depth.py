"""Parts, triggers, drawn groups and periods, steps nobody drew: held to published examples, statsmodels 0.15.0 and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from whytree.engines.stats import NoAnswer, Share, Stratum
from whytree.engines.stats.bandit import standardised, thompson
from whytree.engines.stats.blocks import compare_blocks
from whytree.engines.stats.effects import Effect, compare_means, compare_proportions
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.parts import post_stratified, shrink, triggered
from whytree.engines.stats.quantiles import quantile, quantile_between, stratified_quantiles
from whytree.engines.stats.ratios import compare_clusters, compare_ratios, stratified_clusters, stratified_ratios
from whytree.engines.stats.shrinkage import Measured
from whytree.engines.stats.unrandomised import _fit, difference_in_differences, interrupted, newey_west


def effect(answer: Effect | NoAnswer) -> Effect:
    assert isinstance(answer, Effect), answer
    return answer


def test_the_eight_schools() -> None:
    """Rubin 1981, as in Gelman et al., Bayesian Data Analysis, 3rd ed., section 5.5; means as Stan samples them."""
    coached = [(28, 15), (8, 10), (-3, 16), (7, 11), (-1, 9), (1, 11), (18, 10), (12, 18)]
    found = shrink([Measured(value, error) for value, error in coached])
    assert not isinstance(found, NoAnswer)
    assert [one.value for one in found.parts] == pytest.approx([11.4, 7.9, 6.1, 7.6, 5.1, 6.1, 10.7, 8.5], abs=0.15)
    assert found.between == pytest.approx(6.6, abs=0.15)
    assert found.parts[0].high - found.parts[0].low == pytest.approx(2 * 1.96 * 8.3, rel=0.03)
    y, w = np.array([one[0] for one in coached]), 1 / np.array([one[1] for one in coached]) ** 2
    q = float((w * (y - (w @ y) / w.sum()) ** 2).sum())
    assert (found.statistic, found.p) == pytest.approx((q, stats.chi2.sf(q, 7)))
    assert isinstance(shrink([Measured(1, 1)] * 2), NoAnswer)
    assert isinstance(shrink([Measured(1, 1), Measured(2, 0), Measured(3, 1)]), NoAnswer)


def test_drawn_groups_have_the_error_that_statsmodels_clusters() -> None:
    """OLS on the arm, cov_type cluster, without its correction; ours is that times the root of k / (k - 1)."""
    rng = np.random.default_rng(42)
    group = np.repeat(np.arange(40), 5)
    values = np.round(rng.normal(0, 1, 40)[group] + rng.normal(0, 1, 200), 3)
    sums = np.bincount(group, values)
    found = effect(compare_clusters(*(Moments.of(sums[arm::2], np.full(20, 5.0)) for arm in (0, 1))))
    assert found.difference.value == pytest.approx(-0.17358)
    assert found.error * math.sqrt(19 / 20) == pytest.approx(0.26542788395343775)
    assert found.freedom == pytest.approx(38, abs=1)
    one = Stratum(*(Moments.of(sums[arm::2], np.full(20, 5.0)) for arm in (0, 1)))
    twice = effect(stratified_clusters([one, one]))
    assert twice.error == pytest.approx(found.error / math.sqrt(2))
    assert twice.freedom == pytest.approx(2 * found.freedom)


@pytest.mark.parametrize(
    ("sizes", "says"),
    [([20] * 10, "10 drawn groups: 15"), ([400, *[5] * 19], "unequal size"), ([0] * 20, "hold no units")],
)
def test_few_groups_or_one_that_is_most_of_them_are_no_answer(sizes: list[int], says: str) -> None:
    arm = Moments.of([0.3 * size for size in sizes], [float(size) for size in sizes])
    answer = compare_clusters(arm, arm)
    assert isinstance(answer, NoAnswer)
    assert says in answer.reason


def test_groups_that_are_all_alike_are_no_answer() -> None:
    arm = Moments.of([2.0] * 20, [5.0] * 20)
    assert isinstance(compare_clusters(arm, arm), NoAnswer)
    assert isinstance(compare_clusters(Moments.of([], []), arm), NoAnswer)


def test_periods_drawn_again_are_scipys_permutation_test() -> None:
    rng = np.random.default_rng(3)
    control, treatment = rng.normal(0, 1, 12), rng.normal(0.9, 1, 14)
    found = compare_blocks(control, treatment)
    assert not isinstance(found, NoAnswer)
    scipys = stats.permutation_test(
        (control, treatment), lambda a, b: abs(a.mean() - b.mean()), n_resamples=9_999, alternative="greater", rng=1
    )
    assert found.exact_p == pytest.approx(scipys.pvalue, abs=0.006)
    welch = stats.ttest_ind(treatment, control, equal_var=False)
    assert found.effect.p == pytest.approx(welch.pvalue)
    assert isinstance(compare_blocks(control[:9], treatment), NoAnswer)
    assert isinstance(compare_blocks(np.ones(12), np.ones(12)), NoAnswer)


def test_weighed_by_size_is_the_sum_of_the_parts() -> None:
    rng = np.random.default_rng(4)
    sizes = [((200, 100), 0.0), ((50, 60), 5.0)]
    parts = [[rng.normal(mean, 1, n) for n in pair] for pair, mean in sizes]
    found = effect(post_stratified([Stratum(Moments.of(a), Moments.of(b)) for a, b in parts]))
    weights = np.array([300, 110]) / 410
    gaps = [b.mean() - a.mean() for a, b in parts]
    spread = [a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b) for a, b in parts]
    assert found.difference.value == pytest.approx(weights @ gaps)
    assert found.error == pytest.approx(math.sqrt(weights**2 @ spread))
    assert found.variance_reduction is not None
    assert found.variance_reduction > 0.5
    thin = [Stratum(Moments.of(a[:19]), Moments.of(b)) for a, b in parts]
    assert "fewer than 20" in str(post_stratified(thin))
    assert isinstance(post_stratified(thin[:1]), NoAnswer)


def test_diluted_is_the_share_times_the_effect() -> None:
    among = effect(compare_means(*(Moments.of(np.random.default_rng(at).normal(at, 1, 100)) for at in (0, 1))))
    shares = effect(compare_proportions(100, 1_000, 100, 1_000))
    found = triggered(among, shares)
    assert not isinstance(found, NoAnswer)
    assert found.diluted.difference.value == pytest.approx(0.1 * among.difference.value)
    spread = 0.01 * among.error**2 + among.difference.value**2 * 0.09 / 2_000
    assert found.diluted.error == pytest.approx(math.sqrt(spread))
    moved = triggered(among, effect(compare_proportions(100, 1_000, 150, 1_000)))
    assert "moves who is counted" in str(moved)


def test_a_quantile_from_a_store_is_the_quantile_of_the_values() -> None:
    values = np.random.default_rng(5).lognormal(0, 1, 500)
    whole = quantile(values, 0.9)
    assert not isinstance(whole, NoAnswer)
    reach = 1.959963984540054 * whole.error
    assert quantile_between(whole.value, whole.value - reach, whole.value + reach, 0.9, 500, 500) == whole
    assert "in time" in str(quantile_between(math.inf, 1.0, math.inf, 0.5, 500, 500))
    assert "small steps" in str(quantile_between(1.0, 1.0, 1.0, 0.5, 500, 500))
    pair = (whole, whole)
    assert effect(stratified_quantiles([pair, pair])).error == pytest.approx(
        effect(stratified_quantiles([pair])).error / 2**0.5
    )
    late = NoAnswer("Too few.")
    assert effect(stratified_quantiles([pair, (late, whole)])).n_control == 500
    assert stratified_quantiles([(late, whole)]) == late


def stepped(rng: np.random.Generator, n: int, at: int, size: float) -> np.ndarray:
    days = np.arange(n)
    return np.asarray(50 + 0.05 * days + 3 * (days % 7 >= 5) + rng.normal(0, 2, n) + size * (days >= at))


def test_a_step_is_statsmodels_ols_with_newey_wests_errors() -> None:
    """OLS on step, trend and weekdays, cov_type HAC, maxlags 7, use_correction."""
    values = np.round(stepped(np.random.default_rng(7), 84, 60, 4.0), 3)
    value, error, freedom = _fit(values, 60, trend=True)
    assert (value, freedom) == pytest.approx((3.219582766268471, 75.0))
    days = np.arange(84)
    x = np.column_stack([days >= 60, days / 84 - 0.5, np.ones(84), *(days % 7 == one for one in range(1, 7))]).astype(
        float
    )
    scores = np.linalg.pinv(x)[0] * (values - x @ np.linalg.lstsq(x, values)[0])
    assert math.sqrt(newey_west(scores) * 84 / 75) == pytest.approx(0.4574005178747316)
    assert error >= 0.4574005178747316
    longer = stepped(np.random.default_rng(7), 98, 70, 4.0)
    found, (value, error, freedom) = interrupted(longer, 70), _fit(longer, 70, trend=True)
    assert not isinstance(found, NoAnswer)
    assert found.step.value == pytest.approx(value)
    assert found.inflation >= 1
    assert found.step.high - found.step.low == pytest.approx(2 * stats.t.ppf(0.975, freedom) * error * found.inflation)


@pytest.mark.parametrize(
    ("values", "at", "says"),
    [
        (np.arange(80.0), 50, "63 and 14"),
        (np.arange(80.0), 68, "63 and 14"),
        (np.ones(95), 70, "same on every day"),
        (np.where(np.arange(120) % 4 == 1, np.nan, np.arange(120.0) % 5), 90, "30 of 120 days have no number"),
    ],
)
def test_what_cannot_be_told_of_days_is_no_answer(values: np.ndarray, at: int, says: str) -> None:
    answer = interrupted(values, at)
    assert isinstance(answer, NoAnswer)
    assert says in answer.reason


@pytest.mark.slow  # simulated worlds
def test_days_without_data_are_left_out_where_they_are_and_not_counted_as_zero() -> None:
    """The coefficient is least squares over the days that are there; in 300 worlds with holes it errs no oftener than promised,
    and finds what the zeros hide."""
    rng, missed, found, hidden = np.random.default_rng(5), 0, 0, 0
    for _ in range(300):
        values = stepped(rng, 112, 84, 6.0)
        values[rng.random(112) < 0.06] = np.nan
        values[90:94] = np.nan
        answer, zeros = interrupted(values, 84), interrupted(np.nan_to_num(values), 84)
        assert not isinstance(answer, NoAnswer)
        missed += not answer.step.low <= 6.0 <= answer.step.high
        found += answer.step.low > 0
        hidden += isinstance(zeros, NoAnswer) or zeros.step.low <= 0
    known, days = np.isfinite(values), np.arange(112)
    x = np.column_stack([days >= 84, days / 112, *(days % 7 == one for one in range(7))]).astype(float)
    least = np.linalg.lstsq(x[known], values[known])[0][0]
    assert answer.step.value == pytest.approx(least)
    assert answer.step.n == known.sum()
    assert missed <= 26, "5 % of 300, and three of chance's deviations"
    assert (found > 290, hidden > 290) == (True, True)


def test_two_that_did_not_go_alike_are_no_comparison() -> None:
    rng = np.random.default_rng(8)
    common, day = rng.normal(0, 5, 112), np.arange(112)
    apart = difference_in_differences(common + 0.2 * day + rng.normal(0, 1, 112), common, 84)
    assert "did not go alike" in str(apart)
    found = difference_in_differences(common + 6 * (day >= 84) + rng.normal(0, 1, 112), common, 84)
    assert not isinstance(found, NoAnswer)
    assert found.step.low < 6 < found.step.high
    alone = interrupted(common + 6 * (day >= 84), 84)
    assert not isinstance(alone, NoAnswer)
    assert found.step.high - found.step.low < alone.step.high - alone.step.low


def test_shares_are_chances_of_being_best() -> None:
    draws = np.random.default_rng(9).beta([11, 16, 21], [91, 86, 81], (200_000, 3)).argmax(axis=1)
    drawn = np.bincount(draws, minlength=3) / 200_000
    arms = [Share(100, 10), Share(100, 15), Share(100, 20)]
    assert thompson(arms, least=0.0) == pytest.approx(drawn.tolist(), abs=0.004)
    assert sum(thompson(arms)) == pytest.approx(1.0)
    assert min(thompson([Share(10_000, 100), Share(10_000, 5_000)])) == pytest.approx(0.05)
    assert thompson([Share(0, 0), Share(0, 0)]) == pytest.approx([0.5, 0.5])
    down = thompson(arms, up_is_good=False)
    assert down[0] > down[1] > down[2]


def test_a_good_weekend_is_not_taken_for_a_good_arm() -> None:
    """Both arms do alike on each day; the first had nearly everybody on the better one."""
    days = [[Share(500, 50), Share(500, 50)], [Share(900, 360), Share(100, 40)]]
    heap = [Share(sum(day[at].n for day in days), sum(day[at].converted for day in days)) for at in (0, 1)]
    assert thompson(heap)[0] > 0.9
    fair = standardised(days)
    assert [one.converted / one.n for one in fair] == pytest.approx([0.25, 0.25], abs=0.005)
    assert fair[1].n < sum(day[1].n for day in days)
    assert thompson(fair) == pytest.approx([0.5, 0.5], abs=0.05)
    assert standardised([[Share(10, 1), Share(0, 0)]]) == [Share(0, 0), Share(0, 0)]
    assert standardised([[Share(400, 40), Share(300, 60)]]) == [Share(400, 40), Share(300, 60)]


def test_a_ratio_over_periods_is_the_mean_of_their_differences() -> None:
    rng = np.random.default_rng(5)
    strata = []
    for people, level in ((400, 1.0), (800, 2.0)):
        below = 1.0 + rng.poisson(3, (2, people))
        above = rng.poisson(level * below).astype(float)
        strata.append(Stratum(*(Moments.of(above[at], below[at]) for at in (0, 1))))
    each = [effect(compare_ratios(one.control, one.treatment)) for one in strata]
    found = effect(stratified_ratios(strata))
    assert found.difference.value == pytest.approx((each[0].difference.value + 2 * each[1].difference.value) / 3)
    assert found.error == pytest.approx(np.hypot(each[0].error, 2 * each[1].error) / 3)
    assert effect(stratified_ratios(strata[:1])) == each[0]
    assert isinstance(stratified_ratios([]), NoAnswer)
