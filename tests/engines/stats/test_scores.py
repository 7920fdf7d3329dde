"""Net promoters and means: held to the papers' own formulas by hand, to scipy, and to how often they cover the truth."""

import math
from collections import Counter

import numpy as np
import pytest
from scipy import stats as scipy_stats

from whytree.engines.stats import Estimate, NoAnswer, proportion
from whytree.engines.stats.scores import difference, mean_score, net_promoter


def test_net_promoter_as_in_rocks() -> None:
    """36 promoters, 28 passives, 36 detractors, three answers added by hand: (36.75 - 36.75) / 103 with its variance."""
    found = net_promoter(36, 28, 36)
    assert isinstance(found, Estimate)
    half = 1.959964 * math.sqrt((73.5 / 103) / 103)
    assert (found.value, round(found.low, 6), round(found.high, 6)) == (0.0, round(-half, 6), round(half, 6))


@pytest.mark.parametrize("counts", [(1, 0, 0), (0, 5, 0), (0, 0, 40), (100_000, 0, 0), (3, 0, 1)])
def test_the_interval_holds_the_value_has_width_and_stays_on_the_scale(counts: tuple[int, int, int]) -> None:
    found = net_promoter(*counts)
    assert isinstance(found, Estimate)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high


def test_nobody_is_no_answer() -> None:
    assert isinstance(net_promoter(0, 0, 0), NoAnswer)
    assert isinstance(mean_score({}, 1, 5), NoAnswer)
    with pytest.raises(ValueError, match="below zero"):
        net_promoter(3, -1, 2)


@pytest.mark.parametrize(
    ("n", "shares"), [(10, (0.6, 0.3, 0.1)), (30, (0.5, 0.2, 0.3)), (100, (0.85, 0.1, 0.05)), (400, (0.3, 0.3, 0.4))]
)
def test_net_promoters_interval_covers_the_truth_as_often_as_it_says(
    n: int, shares: tuple[float, float, float]
) -> None:
    """4,000 draws each: 95 %, give or take what a discrete count and the draw allow."""
    truth = shares[0] - shares[2]
    draws = np.random.default_rng(16).multinomial(n, shares, size=4_000)
    hits = 0
    for up, middle, down in draws:
        found = net_promoter(int(up), int(middle), int(down))
        assert isinstance(found, Estimate)
        hits += found.low <= truth <= found.high
    assert 0.93 <= hits / 4_000 <= 0.985


def test_the_mean_is_students() -> None:
    points = [1, 2, 2, 3, 5, 5, 5, 4]
    found = mean_score(Counter(points), 1, 5)
    assert isinstance(found, Estimate)
    low, high = scipy_stats.t.interval(0.95, len(points) - 1, np.mean(points), scipy_stats.sem(points))
    assert (found.value, found.low, found.high) == pytest.approx((np.mean(points), low, high))


def test_a_mean_without_spread_has_no_interval() -> None:
    assert isinstance(mean_score({5: 1}, 1, 5), NoAnswer)
    assert isinstance(mean_score({5: 40, 4: 0}, 1, 5), NoAnswer)


def test_a_mean_stays_on_its_scale() -> None:
    found = mean_score({5: 3, 1: 1}, 1, 5)
    assert isinstance(found, Estimate)
    assert found.high == 5.0


def test_the_difference_is_newcombes_method_10() -> None:
    """His example, 56 of 70 against 48 of 80: 0.2000, 0.0524 to 0.3339 (Newcombe 1998b, Table II, row a)."""
    one, other = proportion(48, 80), proportion(56, 70)
    assert isinstance(one, Estimate)
    assert isinstance(other, Estimate)
    found = difference(one, other)
    assert (round(found.value, 4), round(found.low, 4), round(found.high, 4)) == (0.2, 0.0524, 0.3339)
