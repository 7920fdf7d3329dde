"""Statistics held to what they promise: simulated error rates. ``simulation.py`` prints the full comparison."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engines.stats.simulation import WORLDS, World, miss_rate, pooled, score, welch
from whytree.engines.stats import Assigned, SampleRatio, sample_ratio

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`

RUNS = 400
#: 5 % promised; with 400 runs chance stays below 8.5 % in 999 of 1,000 tries.
MOST_MISSED = 0.085


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_the_stratified_interval_covers_the_truth_on_a_ramp(world: World) -> None:
    missed, _ = miss_rate(score, world, RUNS)
    assert missed <= MOST_MISSED


@pytest.mark.parametrize("world", WORLDS[:4], ids=lambda world: world.name)
def test_so_does_the_interval_for_means(world: World) -> None:
    missed, _ = miss_rate(welch, world, RUNS)
    assert missed <= MOST_MISSED


def test_pooling_a_ramp_would_reject_a_true_null_nearly_always() -> None:
    missed, _ = miss_rate(pooled, WORLDS[0], RUNS)
    assert missed > 0.95


def test_a_fair_draw_on_a_ramp_is_called_unfair_as_often_as_promised() -> None:
    rng = np.random.default_rng(11)
    p_values = [_ramp_p(rng, 0.0) for _ in range(2_000)]
    for level in (0.01, 0.05, 0.5):
        assert np.mean(np.array(p_values) < level) == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / 2_000))


def test_losing_a_tenth_of_one_arm_is_found() -> None:
    rng = np.random.default_rng(12)
    assert np.mean([_ramp_p(rng, 0.10) < 0.001 for _ in range(100)]) > 0.9


def _ramp_p(rng: np.random.Generator, lost: float) -> float:
    """The p-value of one ramp in which this share of the treatment's people never reported."""
    periods = []
    for share in (0.05, 0.10, 0.25, 0.50):
        on = int(rng.binomial(10_000, share))
        periods.append(
            Assigned({"on": on - int(rng.binomial(on, lost)), "off": 10_000 - on}, {"on": share, "off": 1 - share})
        )
    answer = sample_ratio(periods)
    assert isinstance(answer, SampleRatio)
    return answer.p
