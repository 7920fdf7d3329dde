from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from whytree.engines.forecasts.splitnormal import SplitNormal, fit, holds

distances = st.floats(1e-3, 1e3)


@given(st.floats(-1e3, 1e3), distances, distances)
def test_the_three_numbers_are_the_tenth_the_mode_and_the_ninetieth(mode: float, below: float, above: float) -> None:
    forecast = fit(mode - below, mode, mode + above)
    assert forecast.cdf(mode - below) == pytest.approx(0.10, abs=1e-7)
    assert forecast.cdf(mode + above) == pytest.approx(0.90, abs=1e-7)
    assert forecast.pdf(mode) >= max(forecast.pdf(mode - below / 10), forecast.pdf(mode + above / 10))


def test_a_symmetric_one_is_the_normal_distribution() -> None:
    forecast = fit(-1.2815515655446004, 0, 1.2815515655446004)
    assert forecast.left == pytest.approx(1)
    assert forecast.right == pytest.approx(1)
    assert forecast.cdf(1.959963984540054) == pytest.approx(0.975)


@pytest.mark.parametrize("points", [(1, 4, 7), (0, 1, 10), (-3, 8, 9), (0, 1, 1000)])
def test_density_integrates_to_the_distribution(points: tuple[float, float, float]) -> None:
    forecast = fit(*points)
    start = forecast.mode - 12 * forecast.left
    for x in (points[0], points[1], points[2], points[2] + forecast.right):
        area, _ = quad(forecast.pdf, start, x, points=[forecast.mode] if x > forecast.mode else None, limit=200)
        assert area == pytest.approx(forecast.cdf(x), abs=1e-7)


@given(distances, distances, st.floats(0.001, 0.999))
def test_quantile_is_the_inverse_of_the_distribution(below: float, above: float, probability: float) -> None:
    forecast = fit(-below, 0, above)
    assert forecast.cdf(forecast.quantile(probability)) == pytest.approx(probability, abs=1e-9)


def test_it_agrees_with_draws_from_two_half_normals() -> None:
    forecast = fit(0, 1, 10)
    rng = np.random.default_rng(7)
    half = np.abs(rng.normal(size=200_000))
    left = rng.random(200_000) < forecast.mass_left
    draws = forecast.mode + np.where(left, -forecast.left, forecast.right) * half
    assert float(np.mean(draws < 0)) == pytest.approx(0.1, abs=0.004)
    assert float(np.mean(draws > 10)) == pytest.approx(0.1, abs=0.004)


@pytest.mark.parametrize("points", [(4, 4, 7), (1, 4, 4), (7, 4, 1), (2, 1, 3), (1, 4, math.inf), (math.nan, 1, 2)])
def test_it_refuses_points_out_of_order(points: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="forecast"):
        fit(*points)


@pytest.mark.parametrize("probability", [0.0, 1.0, -0.1, 2.0])
def test_it_refuses_a_probability_outside_zero_and_one(probability: float) -> None:
    with pytest.raises(ValueError, match="strictly between"):
        SplitNormal(0, 1, 1).quantile(probability)


@pytest.mark.parametrize(("measured", "inside"), [(1, True), (2.6, True), (7, True), (0.99, False), (7.01, False)])
def test_inside_means_between_the_tenth_and_the_ninetieth_point(measured: float, inside: bool) -> None:
    assert holds(1, 7, measured) is inside
