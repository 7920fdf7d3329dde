"""The same sums given to other people's programs. Run by hand once, each in an environment of its own:
gbstats 0.8.0 with numpy 1.26.4, tea-tasting 1.14.0 with polars 2.1.0."""

from __future__ import annotations

import numpy as np
import pytest

from whytree.engines.stats import Estimate, NoAnswer
from whytree.engines.stats.effects import Effect, compare_means
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.ratios import compare_ratios
from whytree.engines.stats.sequential import AlwaysValid, always_valid


def sums(n: int, totals: list[float], products: list[list[float]]) -> Moments:
    """gbstats takes plain sums."""
    total = np.array(totals)
    return Moments(n, total / n, np.array(products) - np.outer(total, total) / n)


def effect(answer: Effect | NoAnswer) -> Effect:
    assert isinstance(answer, Effect), answer
    return answer


def ends(difference: Estimate) -> tuple[float, float, float]:
    return difference.value, difference.low, difference.high


CONTROL, TREATMENT = sums(1_000, [5_000], [[30_000]]), sums(1_200, [6_240], [[38_000]])


def test_a_mean_is_gbstats_mean() -> None:
    answer = effect(compare_means(CONTROL, TREATMENT))
    assert ends(answer.difference) == pytest.approx((0.2, 0.015367390500167638, 0.3846326094998327), rel=1e-9)
    assert answer.p == pytest.approx(0.033759918381214504, rel=1e-9)


def test_looking_early_costs_what_gbstats_says() -> None:
    """SequentialTwoSidedTTest, sequential_tuning_parameter=5000."""
    fixed = effect(compare_means(CONTROL, TREATMENT))
    answer = always_valid(fixed.difference.value, fixed.error, 2_200)
    assert isinstance(answer, AlwaysValid)
    assert ends(answer.difference) == pytest.approx((0.2, -0.09230940721969982, 0.4923094072197002), rel=1e-9)
    assert answer.p == pytest.approx(0.36680826477323825, rel=1e-9)


def test_a_ratio_is_gbstats_ratio() -> None:
    control = sums(1_000, [5_000, 8_000], [[30_000, 43_000], [43_000, 70_000]])
    treatment = sums(1_200, [6_240, 9_700], [[38_000, 54_000], [54_000, 86_000]])
    answer = effect(compare_ratios(control, treatment))
    expected = (0.018298969072164994, -0.0013083188282735636, 0.03790625697260355)
    assert ends(answer.difference) == pytest.approx(expected, rel=1e-9)
    assert answer.p == pytest.approx(0.06735602104877669, rel=1e-9)


def test_covariates_are_gbstats_but_for_the_last_digits_of_theta() -> None:
    control = sums(1_000, [5_000, 4_900], [[30_000, 28_000], [28_000, 29_000]])
    treatment = sums(1_200, [6_240, 5_900], [[38_000, 34_500], [34_500, 35_000]])
    answer = effect(compare_means(control, treatment))
    expected = (0.18888796909492278, 0.054111013217148174, 0.3236649249726974)
    assert ends(answer.difference) == pytest.approx(expected, abs=1e-5)
    assert answer.p == pytest.approx(0.006038725332458972, rel=1e-3)


def test_fieller_is_a_little_less_symmetric_than_gbstats_delta_method() -> None:
    relative = effect(compare_means(CONTROL, TREATMENT)).relative
    assert isinstance(relative, Estimate)
    assert relative.value == pytest.approx(0.04)
    assert (relative.low, relative.high) == (
        pytest.approx(0.002232342643969841, abs=1e-3),
        pytest.approx(0.07776765735603022, abs=1e-3),
    )
    assert relative.high - 0.04 > 0.04 - relative.low


def test_where_gbstats_says_p_is_one_there_is_no_answer() -> None:
    """A baseline of zero: gbstats gives expected 0, interval (0, 0), p = 1, though 50 against 0 is a clear difference."""
    nothing, something = sums(1_000, [0], [[0]]), sums(1_000, [50], [[80]])
    answer = effect(compare_means(nothing, something))
    assert isinstance(answer.relative, NoAnswer)
    assert answer.p < 1e-6


def test_the_same_table_gives_tea_tastings_figures() -> None:
    rng, n = np.random.default_rng(7), 500
    arm = np.repeat([0, 1], n)
    before = np.round(rng.gamma(2, 3, 2 * n), 2)
    sessions = rng.poisson(3, 2 * n) + 1.0
    spent = np.round(before * 0.7 + rng.normal(0, 2, 2 * n) + arm * 0.4, 2)

    def arms(*columns: np.ndarray) -> tuple[Moments, Moments]:
        control, treatment = (Moments.of(*(column[arm == one] for column in columns)) for one in (0, 1))
        return control, treatment

    mean = effect(compare_means(*arms(spent)))
    assert ends(mean.difference) == pytest.approx((0.5589, 0.1169885023910025, 1.0008114976089992), rel=1e-9)
    assert mean.p == pytest.approx(0.013234347728274802, rel=1e-9)
    ratio = effect(compare_ratios(*arms(spent, sessions)))
    assert ends(ratio.difference) == pytest.approx((0.18454260063, 0.05621123547, 0.31287396579), rel=1e-9)
    assert ratio.p == pytest.approx(0.004869757506911529, rel=1e-9)
    adjusted = effect(compare_means(*arms(spent, before)))  # their theta is taken across the arms
    assert ends(adjusted.difference) == pytest.approx((0.37327400945, 0.12926781590, 0.61728020300), abs=5e-4)
