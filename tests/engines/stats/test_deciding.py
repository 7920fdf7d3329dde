"""Several questions, looks before the end, margins, beliefs and tails: against published values and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as reference

from whytree.engines.stats import Estimate, NoAnswer
from whytree.engines.stats.bayes import Prior, posterior, standings
from whytree.engines.stats.margins import non_inferior
from whytree.engines.stats.multiple import Corrected, benjamini_hochberg, holm, shown_with
from whytree.engines.stats.sequential import AlwaysValid, always_valid
from whytree.engines.stats.spending import Spending, boundaries, nominal_level, repeated_p
from whytree.engines.stats.tails import tail

#: Benjamini and Hochberg 1995, section 3.2: fifteen endpoints of the rt-PA trial.
RT_PA = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
]  # fmt: skip


def test_holm_steps_down() -> None:
    adjusted = [one.p for one in holm([0.01, 0.04, 0.03, 0.005])]  # the example of R's p.adjust manual and Wikipedia
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_the_published_trial_has_four_claims_by_benjamini_hochberg_and_three_by_holm() -> None:
    assert [one.claimed for one in benjamini_hochberg(RT_PA)].count(True) == 4
    assert [one.claimed for one in holm(RT_PA)].count(True) == 3


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_benjamini_hochberg_agrees_with_scipy(p_values: list[float]) -> None:
    ours = [one.p for one in benjamini_hochberg(p_values)]
    assert ours == pytest.approx(list(reference.false_discovery_control(p_values)), rel=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_claims_whatever_bonferroni_claims_and_keeps_order(p_values: list[float]) -> None:
    answer = holm(p_values)
    for p, one in zip(p_values, answer, strict=True):
        assert p <= one.p <= min(1.0, p * len(p_values)) + 1e-12
        assert one.level == pytest.approx(1 - 0.05 / len(p_values))


def test_claimed_ones_get_the_false_coverage_rates_level() -> None:
    assert [one.level for one in benjamini_hochberg(RT_PA)] == pytest.approx([1 - 4 * 0.05 / 15] * 15)


def test_an_interval_never_contradicts_its_claim() -> None:
    claimed, open_ = Corrected(0.02, True, 0.99), Corrected(0.2, False, 0.99)
    assert shown_with(claimed, 1.0, -0.1, 2.1) == (0.0, 2.1)
    assert shown_with(claimed, -1.0, -2.1, 0.1) == (-2.1, 0.0)
    assert shown_with(claimed, 1.0, 0.2, 2.1) == (0.2, 2.1)
    assert shown_with(open_, 1.0, -0.1, 2.1) == (-0.1, 2.1)


# --- looks before the end --------------------------------------------------------------------------------------------


@given(st.floats(-2, 2), st.floats(0.01, 1), st.integers(200, 1_000_000))
def test_the_always_valid_p_is_where_the_sequence_touches_zero(difference: float, error: float, n: int) -> None:
    answer = always_valid(difference, error, n)
    assert isinstance(answer, AlwaysValid)
    if abs(answer.p - 0.05) > 1e-3:
        assert (answer.p < 0.05) == (not answer.difference.low <= 0 <= answer.difference.high)


def test_looking_costs_width() -> None:
    answer = always_valid(0.0, 1.0, 5_000)
    assert isinstance(answer, AlwaysValid)
    # at its tightest: gbstats' SequentialConfig states the same boundary; about 1.5 x the fixed 1.96
    assert 2.7 < answer.difference.high < 3.1


@pytest.mark.parametrize(("error", "n"), [(1.0, 20), (0.0, 1_000), (math.nan, 1_000)])
def test_too_few_looks_and_no_variance_are_no_answer(error: float, n: int) -> None:
    assert isinstance(always_valid(0.1, error, n), NoAnswer)


# --- margins ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "up", "standing"),
    [
        (-0.4, 0.6, True, "not worse"),
        (-0.6, 0.6, True, "no answer yet"),
        (-1.6, -0.6, True, "harm"),
        (-0.6, 0.4, False, "not worse"),
        (0.6, 1.6, False, "harm"),
        (-3.0, -2.0, False, "not worse"),
    ],
)
def test_a_guardrail_reads_the_whole_interval(low: float, high: float, up: bool, standing: str) -> None:
    difference = Estimate((low + high) / 2, low, high, 100, "Welch")
    answer = non_inferior(difference, (high - low) / 3.92, math.inf, 0.5, up_is_good=up)
    assert answer.standing == standing


# --- beliefs ---------------------------------------------------------------------------------------------------------


def test_a_prior_as_sure_as_the_data_halves_them() -> None:
    after = posterior(2.0, 1.0, prior=Prior(0.0, 1.0))
    assert (after.mean, after.deviation) == (pytest.approx(1.0), pytest.approx(math.sqrt(0.5)))


def test_a_flat_prior_gives_the_fixed_interval() -> None:
    after = posterior(2.0, 1.0)
    assert (after.low, after.high) == (pytest.approx(2 - 1.959964), pytest.approx(2 + 1.959964))
    assert after.better == pytest.approx(reference.norm.cdf(2.0))


def test_expected_losses_are_the_posteriors_integrals() -> None:
    draws = np.random.default_rng(1).normal(0.3, 0.5, 2_000_000)
    after = posterior(0.3, 0.5)
    assert after.loss_if_shipped == pytest.approx(np.maximum(-draws, 0).mean(), rel=0.01)
    assert after.loss_if_not == pytest.approx(np.maximum(draws, 0).mean(), rel=0.01)
    worse = posterior(0.3, 0.5, up_is_good=False)
    assert worse.loss_if_shipped == pytest.approx(after.loss_if_not)


def test_the_chance_of_being_best_agrees_with_drawing() -> None:
    means, errors = [1.0, 1.2, 1.1, 0.2], [0.1, 0.2, 0.02, 0.5]
    draws = np.random.default_rng(2).normal(means, errors, (1_000_000, 4))
    answer = standings(means, errors)
    best = np.bincount(draws.argmax(axis=1), minlength=4) / 1_000_000
    assert [one.best for one in answer] == pytest.approx(list(best), abs=0.002)
    assert [one.loss for one in answer] == pytest.approx(list(draws.max(axis=1).mean() - draws.mean(axis=0)), abs=0.002)
    assert sum(one.best for one in answer) == pytest.approx(1)


# --- tails -----------------------------------------------------------------------------------------------------------


def test_the_unit_that_carries_the_spread_is_found() -> None:
    values = np.random.default_rng(3).normal(10, 1, 5_000)
    values[1234] = 400.0
    answer = tail(values)
    assert (answer.at, answer.value) == (1234, 400.0)
    assert answer.share > 0.9
    assert answer.ruled


@pytest.mark.parametrize("seed", range(5))
def test_an_infinite_variance_is_seen_and_a_finite_one_is_not_accused(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert tail(rng.pareto(1.2, 20_000)).infinite_variance_in_sight
    for harmless in (rng.normal(0, 1, 20_000), rng.lognormal(0, 1, 20_000), rng.pareto(4, 20_000)):
        assert not tail(harmless).ruled


# --- planned looks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spending", "expected"),
    [  # Lan and DeMets' boundaries for five equal looks, two-sided 0.05, as ldbounds prints them (Reboussin et al. 2000)
        ("obrien-fleming", [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
        ("pocock", [2.4380, 2.4268, 2.4101, 2.3966, 2.3859]),
    ],
)
def test_five_equal_looks_have_the_published_boundaries(spending: Spending, expected: list[float]) -> None:
    found = boundaries((0.2, 0.4, 0.6, 0.8, 1.0), spending=spending)
    assert found == pytest.approx(expected, abs=2e-4)  # that program's own grid moves its fourth digit


def test_one_look_is_the_plain_interval() -> None:
    assert boundaries((1.0,)) == pytest.approx((1.959964,), abs=1e-6)
    assert nominal_level(1, 1) == pytest.approx(0.95)
    assert repeated_p(0.03, 1, 1) == pytest.approx(0.03, rel=1e-4)


@pytest.mark.parametrize("p", [1e-9, 0.001, 0.01, 0.04, 0.3])
@pytest.mark.parametrize("look", [1, 3, 5])
def test_a_repeated_p_is_below_the_error_just_when_the_boundary_is_crossed(p: float, look: int) -> None:
    crossed = reference.norm.isf(p / 2) > boundaries(tuple(at / 5 for at in range(1, look + 1)))[-1]
    assert (repeated_p(p, look, 5) < 0.05) == crossed
    assert repeated_p(p, look, 5) >= p * 0.99


def test_planned_looks_spend_no_more_than_was_promised() -> None:
    rng = np.random.default_rng(8)
    steps = rng.normal(0, math.sqrt(0.2), (40_000, 5)).cumsum(axis=1)
    scores = np.abs(steps) / np.sqrt(np.arange(1, 6) / 5)
    crossed = (scores > np.array(boundaries((0.2, 0.4, 0.6, 0.8, 1.0)))).any(axis=1).mean()
    assert crossed == pytest.approx(0.05, abs=0.0035)
    assert (scores > 1.96).any(axis=1).mean() > 0.13  # five looks at a plain interval


@pytest.mark.parametrize("fractions", [(), (0.5, 0.4), (0.0, 1.0), (0.5, 1.2)])
def test_looks_out_of_order_are_refused(fractions: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="rising order"):
        boundaries(fractions)
