"""A forecast as two half-normals that share their mode.

A person gives three numbers: one that the truth falls below once in ten, the most likely one, and one that it exceeds
once in ten. The distribution through them is the split normal (also: two-piece normal), as central banks use it for
their fan charts (Wallis, "The Two-Piece Normal, Binormal, or Double Gaussian Distribution", Statistical Science
29(1), 2014, eq. 1)::

    f(x) = sqrt(2/pi) / (left + right) * exp(-(x - mode)^2 / (2 s^2)),   s = left below the mode, right above

Usage: ``fit(1, 4, 7).cdf(2.6)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

#: The outer points a person gives: one in ten on either side, so eight of ten truths should fall between them.
TAIL = 0.10

_STANDARD = NormalDist()


@dataclass(frozen=True)
class SplitNormal:
    """``left`` and ``right`` are the standard deviations of the two halves, in the unit of the mode."""

    mode: float
    left: float
    right: float

    @property
    def mass_left(self) -> float:
        """Probability below the mode: the halves meet at equal height, so masses go with widths."""
        return self.left / (self.left + self.right)

    def pdf(self, x: float) -> float:
        width = self.left if x < self.mode else self.right
        return math.sqrt(2 / math.pi) / (self.left + self.right) * math.exp(-(((x - self.mode) / width) ** 2) / 2)

    def cdf(self, x: float) -> float:
        """Probability that the truth is at most ``x`` (Wallis 2014, section 2)."""
        if x <= self.mode:
            return 2 * self.mass_left * _STANDARD.cdf((x - self.mode) / self.left)
        return 1 - 2 * (1 - self.mass_left) * _STANDARD.cdf((self.mode - x) / self.right)

    def quantile(self, probability: float) -> float:
        """The value that the truth stays below with this probability (strictly between 0 and 1)."""
        if not 0 < probability < 1:
            raise ValueError("A probability lies strictly between 0 and 1.")
        if probability <= self.mass_left:
            return self.mode + self.left * _STANDARD.inv_cdf(probability / (2 * self.mass_left))
        return self.mode - self.right * _STANDARD.inv_cdf((1 - probability) / (2 * (1 - self.mass_left)))


def fit(low: float, likely: float, high: float) -> SplitNormal:
    """The split normal whose 10 % point is ``low``, mode ``likely`` and 90 % point ``high``.

    The outer points depend on both widths, since a wide right half takes mass from the left one. With ``r`` the mass
    below the mode and ``g(r) = -z(0.05 / r)`` the distance of the 10 % point in units of the left width,

        (likely - low) / (high - likely) = r g(r) / ((1 - r) g(1 - r))

    whose right side climbs from 0 to infinity while r goes from 0.1 to 0.9: one solution, always.
    Raises ``ValueError`` unless low < likely < high.
    """
    if not (math.isfinite(low) and math.isfinite(likely) and math.isfinite(high)):
        raise ValueError("A forecast needs three finite numbers.")
    if not low < likely < high:
        raise ValueError(
            "A forecast goes low < most likely < high: the low one is undercut once in ten, the high one exceeded."
        )
    below, above = likely - low, high - likely
    from scipy.optimize import bisect

    # solved on the logarithm of the skew, so that 1 : 1000 is as easy as 1 : 1
    mass_left = bisect(_imbalance, TAIL, 1 - TAIL, args=(math.log(below) - math.log(above),), xtol=1e-16, maxiter=200)
    return SplitNormal(likely, below / _reach(mass_left), above / _reach(1 - mass_left))


def _reach(mass: float) -> float:
    """How many widths the 10 % point lies from the mode when this much mass is on its side."""
    return -_STANDARD.inv_cdf(TAIL / (2 * mass))


def _imbalance(mass_left: float, log_skew: float) -> float:
    if mass_left <= TAIL:
        return -math.inf
    if mass_left >= 1 - TAIL:
        return math.inf
    left, right = mass_left * _reach(mass_left), (1 - mass_left) * _reach(1 - mass_left)
    return math.log(left) - math.log(right) - log_skew


def holds(low: float, high: float, measured: float) -> bool:
    """Whether the forecast's range, from its 10 % to its 90 % point, holds what was measured."""
    return low <= measured <= high
