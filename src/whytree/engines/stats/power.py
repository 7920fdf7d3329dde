"""Before an experiment: what can it show? Normal theory, two arms; more arms share the error (Bonferroni).

A looked-at experiment is judged by its interval at the end: it may stop earlier, so it finds at least as often.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy import special

from whytree.engines.stats.answers import LEVEL, z
from whytree.engines.stats.sequential import TIGHTEST_AT

#: Of experiments on a change that has the effect, the share that is to find it. (Cohen 1988, p. 56.)
POWER = 0.8


@dataclass(frozen=True)
class Outline:
    """People an arm, and what one does without the change. `deviation` is None for a share: the share says it."""

    control: float
    treatment: float
    baseline: float
    deviation: float | None = None
    level: float = LEVEL
    #: Arms beside control, which share the error.
    arms: int = 1
    always: bool = False

    @property
    def reach(self) -> float:
        """Standard errors that a difference must lie from zero to be seen."""
        level = 1 - (1 - self.level) / self.arms
        if not self.always:
            return z(level)
        n = self.control + self.treatment
        alpha = 1 - level
        rho2 = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / TIGHTEST_AT
        growth = n * rho2 + 1
        return math.sqrt(2 * growth / (n * rho2) * math.log(math.sqrt(growth) / alpha))


def power(outline: Outline, effect: float) -> float:
    """Chance of seeing a difference of this size, in the metric's own unit (a share of 1).

    Shares: Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 3rd ed. 2003, eq. 4.14, without the
    continuity correction; means: the same with one deviation in both arms.
    """
    null, alternative = _errors(outline, effect)
    if alternative == 0:
        return 1.0
    away = abs(effect)
    return float(
        special.ndtr((away - outline.reach * null) / alternative)
        + special.ndtr((-away - outline.reach * null) / alternative)
    )


def _errors(outline: Outline, effect: float) -> tuple[float, float]:
    """Standard error of the difference if there is none, and if there is this one."""
    n0, n1 = outline.control, outline.treatment
    if outline.deviation is not None:
        error = outline.deviation * math.sqrt(1 / n0 + 1 / n1)
        return error, error
    p0 = outline.baseline
    p1 = min(1.0, max(0.0, p0 + effect))
    pooled = (n0 * p0 + n1 * p1) / (n0 + n1)
    return (
        math.sqrt(pooled * (1 - pooled) * (1 / n0 + 1 / n1)),
        math.sqrt(p0 * (1 - p0) / n0 + p1 * (1 - p1) / n1),
    )


def smallest_effect(outline: Outline, *, wanted: float = POWER) -> float | None:
    """The rise that is found in `wanted` of experiments; None where not even the largest possible one is."""
    if min(outline.control, outline.treatment) < 2:
        return None
    most = 1 - outline.baseline if outline.deviation is None else 1e3 * max(outline.deviation, 1e-12)
    if most <= 0 or power(outline, most) < wanted:
        return None
    return _rising(lambda effect: power(outline, effect) - wanted, most)


def _rising(function: Callable[[float], float], most: float) -> float:
    low, high = 0.0, most
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (low, middle) if function(middle) >= 0 else (middle, high)
    return high
