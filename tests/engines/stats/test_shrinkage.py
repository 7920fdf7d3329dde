"""Shrinking is held to Efron and Morris's batters, to its dominance, and to the luck it takes out of a sum."""

from __future__ import annotations

import math

import numpy as np
import pytest

from whytree.engines.stats.shrinkage import LEAST_EFFECTS, Measured, james_stein


def test_the_formula_by_hand() -> None:
    found = james_stein([Measured(value, 2.0) for value in (2, -4, 6, 0, 2, 4)])
    assert found is not None
    # z = 1, -2, 3, 0, 1, 2: the squares add up to 19, six effects
    assert found.factor == pytest.approx(1 - 4 / 19)
    assert found.values[2] == pytest.approx(6 * (1 - 4 / 19))


def test_efron_and_morris_batters() -> None:
    """Eighteen batters after 45 times at bat, on the arc sine scale with error 1 (JASA 70, 1975, tables 1 and 2), about their mean:
    the factor there is 0.209 with k - 3, since the mean was estimated too; with k - 2, as here, a little less."""
    hits = [18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7]
    x = [math.sqrt(45) * math.asin(2 * hit / 45 - 1) for hit in hits]
    mean = sum(x) / len(x)
    squares = sum((one - mean) ** 2 for one in x)
    found = james_stein([Measured(one - mean, 1.0) for one in x])
    assert found is not None
    assert 1 - 15 / squares == pytest.approx(0.209, abs=0.003)
    assert found.factor == pytest.approx(1 - 16 / squares)


@pytest.mark.parametrize(
    "effects", [[], [Measured(1, 1)] * (LEAST_EFFECTS - 1), [Measured(1, 0)] * 8, [Measured(math.nan, 1)] * 8]
)
def test_too_few_or_unknown_is_no_answer(effects: list[Measured]) -> None:
    assert james_stein(effects) is None


def test_nothing_but_chance_shrinks_to_nothing() -> None:
    found = james_stein([Measured(value, 1.0) for value in (0.1, -0.3, 0.2, 0, 0.4, -0.2)])
    assert found is not None
    assert found.factor == 0
    assert set(found.values) == {0}


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0, 3.0])
def test_its_squared_error_is_below_that_of_the_effects_as_measured(spread: float) -> None:
    draw = np.random.default_rng(4)
    raw = shrunk = 0.0
    for _ in range(3_000):
        truths = draw.normal(0.2, spread, 8)
        seen = draw.normal(truths, 1.0)
        found = james_stein([Measured(float(one), 1.0) for one in seen])
        assert found is not None
        raw += float(((seen - truths) ** 2).sum())
        shrunk += float(((np.array(found.values) - truths) ** 2).sum())
    assert shrunk < raw


def test_it_takes_most_of_the_luck_out_of_what_was_kept() -> None:
    """Kept is what looks clearly good. The sum of what was measured overstates what is true; the shrunk one much less."""
    draw = np.random.default_rng(9)
    raw = shrunk = true = 0.0
    for _ in range(3_000):
        truths = draw.normal(0.0, 1.0, 12)
        seen = draw.normal(truths, 1.0)
        kept = seen > 1.0
        found = james_stein([Measured(float(one), 1.0) for one in seen])
        assert found is not None
        raw += float(seen[kept].sum())
        shrunk += float(np.array(found.values)[kept].sum())
        true += float(truths[kept].sum())
    assert raw > 1.5 * true
    assert abs(shrunk - true) < 0.25 * (raw - true)
