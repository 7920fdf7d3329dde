"""What an experiment could show: held to published tables and to simulation."""

from __future__ import annotations

import numpy as np
import pytest

from whytree.engines.stats.effects import Effect, compare_means, compare_proportions
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.power import Outline, power, smallest_effect
from whytree.engines.stats.sequential import AlwaysValid, always_valid


@pytest.mark.parametrize(
    ("p0", "p1", "n", "expected"),
    # Fleiss, Levin and Paik (2003), table A.4 without the continuity correction they add: people an arm for 80 and 90 %
    [(0.10, 0.20, 199, 0.80), (0.30, 0.50, 93, 0.80), (0.10, 0.20, 266, 0.90), (0.50, 0.60, 519, 0.90)],
)
def test_the_power_of_two_shares_is_the_published_one(p0: float, p1: float, n: int, expected: float) -> None:
    assert power(Outline(n, n, p0), p1 - p0) == pytest.approx(expected, abs=0.005)


def test_sixteen_deviations_squared_find_one_deviation_in_four_of_five() -> None:
    """Lehr's rule (Statistics in Medicine 11, 1992): n = 16 s^2 / d^2."""
    assert power(Outline(1_600, 1_600, 0.0, deviation=10.0), 1.0) == pytest.approx(0.807, abs=0.002)


@pytest.mark.slow  # simulated experiments
@pytest.mark.parametrize("effect", [0.02, 0.05, 0.09])
def test_it_is_how_often_simulated_experiments_find_it(effect: float) -> None:
    rng = np.random.default_rng(11)
    found, runs = 0, 600
    for _ in range(runs):
        x0, x1 = rng.binomial(400, 0.2), rng.binomial(800, 0.2 + effect)
        answer = compare_proportions(int(x0), 400, int(x1), 800)
        found += isinstance(answer, Effect) and answer.p < 0.05
    assert found / runs == pytest.approx(power(Outline(400, 800, 0.2), effect), abs=0.05)


def test_a_looked_at_experiment_finds_at_least_as_often_as_told() -> None:
    rng = np.random.default_rng(12)
    outline = Outline(1_000, 1_000, 0.0, deviation=1.0, always=True)
    effect = smallest_effect(outline)
    assert effect is not None
    found = 0
    for _ in range(300):
        arms = [Moments.of(rng.normal(mean, 1, 1_000)) for mean in (0.0, effect)]
        answer = compare_means(*arms)
        assert isinstance(answer, Effect)
        looked = always_valid(answer.difference.value, answer.error, answer.difference.n)
        found += isinstance(looked, AlwaysValid) and looked.difference.low > 0
    assert found / 300 == pytest.approx(0.8, abs=0.07)


def test_the_smallest_effect_is_found_just_as_often_as_wanted() -> None:
    outline = Outline(500, 500, 0.1, arms=3)
    effect = smallest_effect(outline)
    assert effect is not None
    assert power(outline, effect) == pytest.approx(0.8, abs=1e-9)
    assert smallest_effect(outline, wanted=0.9) > effect  # type: ignore[operator]
    assert smallest_effect(Outline(500, 500, 0.1)) < effect  # type: ignore[operator]


@pytest.mark.parametrize("outline", [Outline(1, 500, 0.1), Outline(3, 3, 0.9), Outline(500, 500, 1.0)])
def test_where_not_even_the_largest_is_found_there_is_none(outline: Outline) -> None:
    assert smallest_effect(outline) is None
