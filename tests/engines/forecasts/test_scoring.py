"""Scores are held to quadrature, to the normal's closed form, and to the hit rates of believed truths."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from whytree.engines.forecasts import splitnormal
from whytree.engines.forecasts.scoring import Forecast, Observed, Widened, crps, interval_score, problem_of, score
from whytree.engines.forecasts.splitnormal import SplitNormal

Z95 = NormalDist().inv_cdf(0.975)


def observed(value: float, error: float) -> Observed:
    return Observed(value, value - Z95 * error, value + Z95 * error)


def by_quadrature(cdf: object, value: float, start: float, end: float, bend: float) -> float:
    call = cdf
    below, _ = quad(lambda x: call(x) ** 2, start, value, points=[bend] if start < bend < value else None, limit=300)  # type: ignore[operator]
    above, _ = quad(lambda x: (1 - call(x)) ** 2, value, end, points=[bend] if value < bend < end else None, limit=300)  # type: ignore[operator]
    return float(below + above)


def test_the_interval_score_is_the_papers_equation_43() -> None:
    # inside: the width; outside: 2/alpha for each unit, with alpha = 0.2
    assert interval_score(1, 7, 3) == 6
    assert interval_score(1, 7, 0.5) == pytest.approx(6 + 10 * 0.5)
    assert interval_score(1, 7, 8) == pytest.approx(6 + 10 * 1)
    assert interval_score(1, 7, 8, level=0.95) == pytest.approx(6 + 40 * 1)


@pytest.mark.parametrize("value", [-3.0, -0.5, 0.0, 0.7, 2.5])
def test_the_crps_of_equal_halves_is_the_normals(value: float) -> None:
    # Gneiting and Raftery 2007, eq. 21, with its sign turned: smaller is better
    normal = NormalDist()
    known = value * (2 * normal.cdf(value) - 1) + 2 * normal.pdf(value) - 1 / math.sqrt(math.pi)
    assert crps(SplitNormal(0, 1, 1), value) == pytest.approx(known, abs=1e-12)


@pytest.mark.parametrize("halves", [(1.0, 1.0), (0.3, 2.0), (4.0, 0.5)])
@pytest.mark.parametrize("value", [-6.0, -1.0, 1.0, 1.4, 9.0])
def test_the_crps_of_a_split_normal_is_its_integral(halves: tuple[float, float], value: float) -> None:
    said = SplitNormal(1.0, *halves)
    known = by_quadrature(said.cdf, value, 1 - 40 * halves[0], 1 + 40 * halves[1], 1.0)
    assert crps(said, value) == pytest.approx(known, abs=1e-7)


@pytest.mark.parametrize("error", [0.05, 1.0, 5.0])
@pytest.mark.parametrize("value", [-4.0, 0.0, 2.0, 12.0])
def test_the_widened_forecast_is_the_convolution(error: float, value: float) -> None:
    said = SplitNormal(1.0, 0.4, 2.5)
    wide = Widened(said, error)
    noise = NormalDist(0, error)
    points = [1.0, *(value + k * error for k in (-4, -1, 0, 1, 4))]
    known, _ = quad(lambda x: said.pdf(x) * noise.cdf(value - x), -4, 30, points=points, limit=500)
    assert wide.cdf(value) == pytest.approx(known, abs=1e-6)
    span = 12 * (error + 2.5)
    assert wide.crps(value) == pytest.approx(by_quadrature(wide.cdf, value, 1 - span, 1 + span, 1.0), rel=1e-5)
    assert wide.cdf(wide.quantile(0.1)) == pytest.approx(0.1, abs=1e-9)


def test_without_an_error_the_range_is_the_one_that_was_said() -> None:
    found = score(Forecast(1, 4, 7), observed(0.99, 0.0))
    assert found is not None
    assert not found.inside
    assert not found.held
    assert found.interval_score == pytest.approx(6 + 10 * 0.01)
    assert found.crps == pytest.approx(crps(splitnormal.fit(1, 4, 7), 0.99))
    assert found.nothing == pytest.approx(0.99)


def test_a_tiny_error_changes_next_to_nothing() -> None:
    sharp, blurred = (score(Forecast(1, 3, 9), observed(5.0, error)) for error in (0.0, 1e-3))
    assert sharp is not None
    assert blurred is not None
    assert blurred.crps == pytest.approx(sharp.crps, rel=1e-4)
    assert blurred.place == pytest.approx(sharp.place, abs=1e-4)


@given(st.floats(-1e3, 1e3), st.floats(0.1, 99), st.floats(0.1, 99), st.floats(0.0, 1e3), st.floats(-1e4, 1e4))
@example(0.0, 5.0, 1.0, 0.0, 1.0)
def test_whatever_is_measured_has_a_finite_score(
    mode: float, below: float, above: float, error: float, at: float
) -> None:
    found = score(Forecast(mode - below, mode, mode + above), observed(at, error))
    assert found is not None
    assert 0 <= found.place <= 1
    assert found.crps >= -1e-9
    assert found.interval_score > 0
    assert math.isfinite(found.crps + found.interval_score + found.nothing)
    if found.inside:
        assert found.held, "the error of the measurement only widens a range"


def test_the_way_it_moved_is_unclear_while_zero_may_be_true() -> None:
    said = Forecast(1, 4, 7)
    found = [score(said, Observed(*points)) for points in ((2, 1, 3), (-2, -3, -1), (2, -1, 5))]
    assert [one.direction for one in found if one] == ["right", "wrong", "unclear"]
    nowhere = score(Forecast(-2, 0, 2), Observed(2, 1, 3))
    assert nowhere is not None
    assert nowhere.direction == "unclear"


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((1, math.nan, 3), "three numbers"),
        ((1, 2, math.inf), "three numbers"),
        ((-1e300, 0, 1), "three numbers"),
        ((3, 2, 1), "rises"),
        ((1, 1, 2), "rises"),
        ((0, 1, 100_000), "slip"),
    ],
)
def test_three_numbers_that_say_nothing_get_no_score(numbers: tuple[float, float, float], words: str) -> None:
    assert words in problem_of(Forecast(*numbers))
    assert score(Forecast(*numbers), observed(1, 1)) is None


def test_what_has_no_interval_gets_no_score() -> None:
    assert score(Forecast(1, 4, 7), Observed(math.nan, 0, 1)) is None
    assert score(Forecast(1, 4, 7), Observed(1, -math.inf, math.inf)) is None
    assert score(Forecast(1, 4, 7), Observed(1, 2, 0)) is None


def measured(error: float) -> list[float]:
    """What is measured of truths believed to lie around 1, from -1 to 5: as many of each as are likely, 40 by 20."""
    believed = splitnormal.fit(-1, 1, 5)
    errors = norm.ppf((np.arange(20) + 0.5) / 20) * error
    return [believed.quantile(float(u)) + float(off) for u in (np.arange(40) + 0.5) / 40 for off in errors]


@pytest.mark.parametrize("error", [0.3, 2.0, 6.0])
def test_a_forecaster_who_is_right_about_the_truth_holds_eight_of_ten_however_coarse_the_measurement(
    error: float,
) -> None:
    """Without the widening a coarse measurement would make everybody look overconfident."""
    scores = [score(Forecast(-1, 1, 5), observed(value, error)) for value in measured(error)]
    held = np.mean([one.held for one in scores if one])
    plain = np.mean([one.inside for one in scores if one])
    places = np.array([one.place for one in scores if one])
    assert held == pytest.approx(0.8, abs=0.01)
    assert [np.mean(places < u) for u in (0.1, 0.5, 0.9)] == pytest.approx([0.1, 0.5, 0.9], abs=0.005)
    if error >= 2:
        assert plain < 0.73


@pytest.mark.slow  # simulated forecasters
def test_the_honest_range_scores_best_on_average() -> None:
    """The scores are proper: neither a narrower nor a wider range than one believes pays, whatever the error."""

    def mean(said: Forecast) -> tuple[float, float]:
        scores = [score(said, observed(value, 1.0)) for value in measured(1.0)]
        return float(np.mean([s.crps for s in scores if s])), float(np.mean([s.interval_score for s in scores if s]))

    honest = mean(Forecast(-1, 1, 5))
    for other in (Forecast(0.6, 1, 1.8), Forecast(-6, 1, 15), Forecast(2, 4, 8)):
        for mine, theirs in zip(honest, mean(other), strict=True):
            assert mine < theirs
