from __future__ import annotations

import numpy as np
import pytest

from whytree.engines.forecasts.reliability import LEVELS, curve, share
from whytree.engines.stats import Estimate
from whytree.engines.stats.groups import proportion


def test_one_forecast_a_result_is_wilsons_interval() -> None:
    found, known = share([[True]] * 7 + [[False]] * 3), proportion(7, 10)
    assert found is not None
    assert isinstance(known, Estimate)
    assert (found.value, found.low, found.high) == pytest.approx((known.value, known.low, known.high))
    assert (found.results, found.n, found.held) == (10, 10, 7)


def test_people_who_predict_the_same_result_count_as_one_result() -> None:
    alone, crowd = share([[True]] * 4 + [[False]]), share([[True] * 6] * 4 + [[False] * 6])
    assert alone is not None
    assert crowd is not None
    assert (crowd.value, crowd.low, crowd.high) == (alone.value, alone.low, alone.high)
    assert (crowd.results, crowd.n) == (5, 30)


def test_nothing_held_against_anything_is_no_share() -> None:
    assert share([]) is None
    assert share([[], []]) is None
    assert curve([]) == []


def test_all_and_none_stay_within_their_interval() -> None:
    everything, nothing = share([[True]] * 3), share([[False, False]] * 3)
    assert everything is not None
    assert nothing is not None
    assert everything.high == 1.0 > everything.low
    assert nothing.low == 0.0 < nothing.high


def test_the_interval_covers_the_truth_when_all_of_a_result_hold_or_miss_together() -> None:
    """Simulated: six people a result who agree wholly. An interval on all forecasts would cover far too rarely."""
    draw = np.random.default_rng(3)
    covered = naive = 0
    for _ in range(1_000):
        results = [[bool(draw.uniform() < 0.8)] * 6 for _ in range(12)]
        found = share(results)
        assert found is not None
        covered += found.low <= 0.8 <= found.high
        pooled = proportion(found.held, found.n)
        assert isinstance(pooled, Estimate)
        naive += pooled.low <= 0.8 <= pooled.high
    assert covered / 1_000 > 0.92
    assert naive / 1_000 < 0.75


def test_truths_spread_evenly_lie_on_the_diagonal() -> None:
    draw = np.random.default_rng(5)
    found = curve([[float(place)] for place in draw.uniform(size=4_000)])
    assert [one.level for one in found] == list(LEVELS)
    assert [one.share.value for one in found] == pytest.approx(LEVELS, abs=0.03)


def test_ranges_that_are_too_narrow_fall_below_the_diagonal() -> None:
    found = curve([[place] for place in (0.001, 0.999, 0.002, 0.998, 0.5)])
    assert all(one.share.value == pytest.approx(0.2) for one in found)
