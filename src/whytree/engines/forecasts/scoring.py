"""How good a forecast was, once something was measured: hit, direction, interval score, CRPS.

A forecast is a range that should hold eight of ten truths, with its most likely value: a split normal
(`engines.forecasts.splitnormal`). What is measured is not the truth but the truth and an error of known size. So the forecast is
widened by that error first and the *measurement* is held against it: a range that is right about the truth then holds
eight of ten measurements too, however coarse they are ("error convolution", Ferro, "Measuring forecast performance in the
presence of observation error", Quarterly Journal of the Royal Meteorological Society 143, 2017, section 3).

    score(Forecast(1, 4, 7), Observed(2.6, 1.2, 4.0))

Scores are in the unit of the forecast; a smaller one is better. Pure: numbers in, numbers out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from whytree.engines.forecasts import splitnormal
from whytree.engines.forecasts.splitnormal import TAIL, SplitNormal

Direction = Literal["right", "wrong", "unclear"]

#: Share of truths that a range is meant to hold.
LEVEL = 1 - 2 * TAIL
#: One half of a range may be this many times the other; beyond, three numbers say nothing about a distribution.
MOST_SKEWED = 1_000.0
#: How far from zero a number may lie: differences of more are typing errors, and their squares overflow.
LARGEST = 1e12
#: Half the width of a 95 % interval, in standard errors.
_Z95 = NormalDist().inv_cdf(0.975)
#: Tails beyond this many widths hold less than 1e-15.
_FAR = 8.5


@dataclass(frozen=True)
class Forecast:
    """The 10 % point, the most likely value, the 90 % point."""

    low: float
    likely: float
    high: float


@dataclass(frozen=True)
class Observed:
    """What was measured, with its 95 % interval, in the unit of the forecast."""

    value: float
    low: float
    high: float

    @property
    def error(self) -> float:
        """Its standard error, read off the interval."""
        return (self.high - self.low) / (2 * _Z95)


@dataclass(frozen=True)
class Score:
    """``inside``: the measured value lies in the range as it was said. ``held``: it lies in the range widened by the error of
    the measurement, which is what eight of ten should do. ``place`` is where in the widened forecast it fell, from 0 to 1
    (the probability integral transform). ``nothing`` is the CRPS that "nothing will change" would have had.
    """

    inside: bool
    held: bool
    direction: Direction
    interval_score: float
    crps: float
    nothing: float
    place: float

    @property
    def beats_nothing(self) -> bool:
        return self.crps < self.nothing


def problem_of(forecast: Forecast) -> str:
    """What is wrong with the three numbers, in a sentence; empty where they say a distribution."""
    numbers = (forecast.low, forecast.likely, forecast.high)
    if not all(math.isfinite(number) and abs(number) <= LARGEST for number in numbers):
        return "A forecast has three numbers: low, most likely and high."
    below, above = forecast.likely - forecast.low, forecast.high - forecast.likely
    if not (below > 0 and above > 0):
        return "A forecast rises: low < most likely < high. One time in ten it is less than low, one time in ten more than high."
    if max(below, above) > MOST_SKEWED * min(below, above):
        return f"One half of this range is over {MOST_SKEWED:,.0f} times as wide as the other. Is there a slip in it?"
    return ""


def score(forecast: Forecast, observed: Observed) -> Score | None:
    """Hold a forecast against a measurement; None where the numbers cannot be held against each other."""
    if problem_of(forecast) or not (math.isfinite(observed.value) and math.isfinite(observed.error)):
        return None
    if observed.error < 0:
        return None
    said = _widened(forecast, observed.error)
    low, high = said.quantile(TAIL), said.quantile(1 - TAIL)
    rounding = 1e-9 * (high - low)  # an end itself is held
    return Score(
        inside=splitnormal.holds(forecast.low, forecast.high, observed.value),
        held=low - rounding <= observed.value <= high + rounding,
        direction=direction(forecast.likely, observed),
        interval_score=interval_score(low, high, observed.value),
        crps=said.crps(observed.value),
        nothing=_crps_of_nothing(observed),
        place=said.cdf(observed.value),
    )


def direction(likely: float, observed: Observed) -> Direction:
    """Whether it moved the way that was said; unclear while its interval holds zero, or where no way was said."""
    if likely == 0 or observed.low <= 0 <= observed.high:
        return "unclear"
    return "right" if (observed.value > 0) == (likely > 0) else "wrong"


def interval_score(low: float, high: float, value: float, *, level: float = LEVEL) -> float:
    """Width of the range, and 2/alpha for each unit that the value lies outside (Gneiting and Raftery, "Strictly Proper
    Scoring Rules, Prediction, and Estimation", JASA 102, 2007, eq. 43; alpha = 1 - level)."""
    outside = max(0.0, low - value) + max(0.0, value - high)
    return (high - low) + 2 / (1 - level) * outside


@dataclass(frozen=True)
class Widened:
    """A split normal forecast plus an independent normal error.

    A half-normal of width s plus a normal error e is Azzalini's skew normal with scale sqrt(s^2 + e^2) and shape s/e
    (Azzalini, Scandinavian Journal of Statistics 12, 1985, section 2), so the sum is a mixture of two of them, with the
    masses of the two halves.
    """

    said: SplitNormal
    error: float

    def cdf(self, x: float) -> float:
        """Probability that the measurement is at most ``x``."""
        return float(self._cdf(np.asarray([x]))[0])

    def _cdf(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        below = _skew_normal_cdf((x - self.said.mode) / self._scales[0], -self.said.left / self.error)
        above = _skew_normal_cdf((x - self.said.mode) / self._scales[1], self.said.right / self.error)
        mass = self.said.mass_left
        mixed: NDArray[np.float64] = np.clip(mass * below + (1 - mass) * above, 0.0, 1.0)
        return mixed

    @cached_property
    def _scales(self) -> tuple[float, float]:
        return math.hypot(self.said.left, self.error), math.hypot(self.said.right, self.error)

    @cached_property
    def _ends(self) -> tuple[float, float]:
        left, right = self._scales
        return self.said.mode - _FAR * max(left, self.error), self.said.mode + _FAR * max(right, self.error)

    def quantile(self, probability: float) -> float:
        low, high = self._ends
        from scipy.optimize import brentq

        found: float = brentq(lambda x: self.cdf(x) - probability, low, high, xtol=1e-12 * (high - low))
        return found

    def crps(self, value: float) -> float:
        """``integral of (F(x) - 1{x >= value})^2 dx`` (Gneiting and Raftery 2007, eq. 20), by Gauss and Legendre's rule."""
        low, high = self._ends
        low, high = min(low, value), max(high, value)
        middle = self.said.mode
        cuts = sorted({low, min(max(middle, low), high), value, high})
        return sum(self._squares(a, b, value) for a, b in pairwise(cuts))

    def _squares(self, a: float, b: float, value: float) -> float:
        nodes, weights = _rule()
        x = a + (b - a) * (nodes + 1) / 2
        missing = self._cdf(x) - (1.0 if (a + b) / 2 >= value else 0.0)
        return float(np.sum(weights * missing**2) * (b - a) / 2)


@dataclass(frozen=True)
class Sharp:
    """A forecast held against a measurement without error."""

    said: SplitNormal

    def cdf(self, x: float) -> float:
        return self.said.cdf(x)

    def quantile(self, probability: float) -> float:
        return self.said.quantile(probability)

    def crps(self, value: float) -> float:
        return crps(self.said, value)


def crps(said: SplitNormal, value: float) -> float:
    """Continuous ranked probability score of a split normal: ``integral of (F(x) - 1{x >= value})^2 dx``, solved.

    With z the distance from the mode in widths of the value's own half, w and s that half's mass and width, and the
    integrals of Phi and Phi^2 worked out piece by piece::

        |value - mode| - 4 w s (phi(0) - z Phi(z) - phi(z)) + 4 A (w_left^2 left + w_right^2 right),   z <= 0,
        A = 1/sqrt(2 pi) - 1/(2 sqrt(pi))

    For equal halves this is the normal's (Gneiting and Raftery 2007, eq. 21).
    """
    away = value - said.mode
    mass, width = (said.mass_left, said.left) if away <= 0 else (1 - said.mass_left, said.right)
    z = -abs(away) / width
    standard = NormalDist()
    reach = standard.pdf(0.0) - z * standard.cdf(z) - standard.pdf(z)
    spread = said.mass_left**2 * said.left + (1 - said.mass_left) ** 2 * said.right
    half = 1 / math.sqrt(2 * math.pi) - 1 / (2 * math.sqrt(math.pi))
    return abs(away) - 4 * mass * width * reach + 4 * half * spread


def _widened(forecast: Forecast, error: float) -> Widened | Sharp:
    said = splitnormal.fit(forecast.low, forecast.likely, forecast.high)
    # below a millionth of the narrower half the error changes no digit that anybody sees
    if error < 1e-6 * min(said.left, said.right):
        return Sharp(said)
    return Widened(said, error)


def _crps_of_nothing(observed: Observed) -> float:
    """Of the forecast "no change": zero, widened by the error of the measurement."""
    if observed.error == 0:
        return abs(observed.value)
    return crps(SplitNormal(0.0, observed.error, observed.error), observed.value)


def _skew_normal_cdf(z: NDArray[np.float64], shape: float) -> NDArray[np.float64]:
    """Azzalini 1985, eq. 6, with Owen's T."""
    found: NDArray[np.float64] = special.ndtr(z) - 2 * special.owens_t(z, shape)
    return found


@lru_cache(maxsize=1)
def _rule() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    nodes, weights = np.polynomial.legendre.leggauss(96)
    return nodes, weights
