"""Two arms compared within periods of constant weights.

Differences are *stratified*: people who entered while the arms' weights stood still are compared with each other, and
the comparisons are combined. Pooling a ramp (10 % of Monday's people, 50 % of Friday's) compares weekdays instead of
arms. A stratum in which only one arm was served says nothing about the difference and drops out by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from whytree.engines.stats.answers import LEVEL, Estimate, Floats, NoAnswer, z
from whytree.engines.stats.moments import Moments


@dataclass(frozen=True)
class Share:
    """What one arm did in one stratum, where doing it once is all: ``n`` people, ``converted`` of them did."""

    n: int
    converted: int


Sums = TypeVar("Sums", Share, Moments)


@dataclass(frozen=True)
class Stratum(Generic[Sums]):
    """Both arms among the people who entered in one period of constant weights: shares, or centred sums of a mean."""

    control: Sums
    treatment: Sums

    @property
    def compares(self) -> bool:
        return self.control.n > 0 and self.treatment.n > 0


@dataclass(frozen=True)
class Comparison:
    """Two arms side by side. ``treatment - control == difference.value`` exactly: both use the same weights."""

    control: float
    treatment: float
    difference: Estimate
    #: treatment / control; a relative forecast is held against it.
    ratio: Estimate | NoAnswer
    #: People in the strata that could be compared, by arm.
    n_control: int
    n_treatment: int
    #: Standard errors of each arm's own value.
    error_control: float
    error_treatment: float


def difference_of_proportions(strata: Sequence[Stratum[Share]], *, level: float = LEVEL) -> Comparison | NoAnswer:
    """Treatment minus control in share of people, stratified.

    The interval holds every difference that Miettinen and Nurminen's stratified score test would not reject
    (Statistics in Medicine 4, 1985, eq. 10 with the variance of eq. 9), with Mantel-Haenszel weights. It has width
    when nobody converted, needs no large cells, and for one stratum it is their well-known two-sample interval.
    """
    used = [stratum for stratum in strata if stratum.compares]
    if not used:
        return nobody_to_compare(strata)
    n0, x0 = _columns([stratum.control for stratum in used])
    n1, x1 = _columns([stratum.treatment for stratum in used])
    _check_proportions(n0, x0)
    _check_proportions(n1, x1)
    weights = mantel_haenszel(n0, n1)
    share0, share1 = float(weights @ (x0 / n0)), float(weights @ (x1 / n1))
    observed = share1 - share0

    def score(difference: float) -> float:
        variance = float(weights**2 @ _score_variance(x0, n0, x1, n1, difference))
        return (observed - difference) / math.sqrt(max(variance, _TINY))

    reach = z(level)
    n = int(n0.sum() + n1.sum())
    estimate = Estimate(
        observed,
        _root(lambda difference: score(difference) - reach, -1.0, observed),
        _root(lambda difference: score(difference) + reach, observed, 1.0),
        n,
        "Miettinen-Nurminen, stratified",
    )
    spread0 = float(weights**2 @ (x0 / n0 * (1 - x0 / n0) / n0))
    spread1 = float(weights**2 @ (x1 / n1 * (1 - x1 / n1) / n1))
    ratio = _ratio(share0, spread0, share1, spread1, n, level)
    errors = (math.sqrt(spread0), math.sqrt(spread1))
    return Comparison(share0, share1, estimate, ratio, int(n0.sum()), int(n1.sum()), *errors)


def score_of_no_difference(strata: Sequence[Stratum[Share]]) -> float:
    """The standard normal score of "both arms are alike" that belongs to the interval above; positive: more treated.

    Strata in which only one arm was served are left out, as there; at least one must be left.
    """
    used = [stratum for stratum in strata if stratum.compares]
    n0, x0 = _columns([stratum.control for stratum in used])
    n1, x1 = _columns([stratum.treatment for stratum in used])
    weights = mantel_haenszel(n0, n1)
    variance = float(weights**2 @ _score_variance(x0, n0, x1, n1, 0.0))
    return float(weights @ (x1 / n1 - x0 / n0)) / math.sqrt(max(variance, _TINY))


_TINY = 1e-300


def nobody_to_compare(strata: Sequence[Stratum[Share]] | Sequence[Stratum[Moments]]) -> NoAnswer:
    """Why these strata compare nothing."""
    control = sum(stratum.control.n for stratum in strata)
    treatment = sum(stratum.treatment.n for stratum in strata)
    if control == 0 and treatment == 0:
        return NoAnswer("Nobody has been counted in either arm yet.")
    if control == 0 or treatment == 0:
        return NoAnswer("Only one arm has people, so there is nothing to compare it with.")
    return NoAnswer("In no period of constant weights were there enough people in both arms.")


def _columns(arms: Sequence[Share]) -> tuple[Floats, Floats]:
    table = np.array([(arm.n, arm.converted) for arm in arms], dtype=np.float64)
    return table[:, 0], table[:, 1]


def _check_proportions(n: Floats, successes: Floats) -> None:
    if bool(((successes < 0) | (successes > n)).any()):
        raise ValueError("More people converted than there are.")


def mantel_haenszel(n0: Floats, n1: Floats) -> Floats:
    """Weights n0 n1 / (n0 + n1), normalised (Mantel and Haenszel 1959; for differences Greenland and Robins 1985).

    They look at sizes only. Inverse-variance weights look at the outcomes too, lean towards strata where few happened
    to convert, and lost coverage in ``tests/engines/stats/simulation.py``; so did plain n-weights, by variance.
    """
    weights = n0 * n1 / (n0 + n1)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _score_variance(x0: Floats, n0: Floats, x1: Floats, n1: Floats, difference: float) -> Floats:
    """Variance of the difference were it truly ``difference`` (Miettinen and Nurminen 1985, eq. 9).

    The two shares are the most likely ones under that constraint: the root of a cubic, in closed form as in their
    Appendix I (also Farrington and Manning, Statistics in Medicine 9, 1990, Appendix).
    """
    n, x = n0 + n1, x0 + x1
    l2 = (n1 + 2 * n0) * difference - n - x
    l1 = (n0 * difference - n - 2 * x0) * difference + x
    l0 = x0 * difference * (1 - difference)
    q = l2**3 / (27 * n**3) - l1 * l2 / (6 * n**2) + l0 / (2 * n)
    p = np.copysign(np.sqrt(np.maximum(l2**2 / (9 * n**2) - l1 / (3 * n), 0.0)), q)
    # q / p^3 lies in [-1, 1] but for rounding; p = 0 only where both arms agree and nobody (or everybody) converted
    cosine = np.divide(q, p**3, out=np.zeros_like(q), where=p != 0)
    angle = (math.pi + np.arccos(np.minimum(np.maximum(cosine, -1.0), 1.0))) / 3
    # np.clip would take five times as long
    share0 = np.minimum(np.maximum(2 * p * np.cos(angle) - l2 / (3 * n), 0.0), 1.0)
    share1 = np.minimum(np.maximum(share0 + difference, 0.0), 1.0)
    variance = share0 * (1 - share0) / n0 + share1 * (1 - share1) / n1
    return np.asarray(variance * n / (n - 1), dtype=np.float64)


def _root(function: Callable[[float], float], left: float, right: float) -> float:
    """Where a falling function crosses zero; the end of the scale where it does not."""
    if function(left) <= 0:
        return left
    if function(right) >= 0:
        return right
    from scipy.optimize import brentq

    return float(brentq(function, left, right, xtol=1e-12))


def _ratio(
    control: float, spread0: float, treatment: float, spread1: float, n: int, level: float
) -> Estimate | NoAnswer:
    """treatment / control on the log scale by the delta method (for shares: Greenland and Robins 1985, eq. 13)."""
    if control <= 0 or treatment <= 0:
        return NoAnswer("An arm at zero has no ratio to the other.")
    log = math.log(treatment / control)
    half = z(level) * math.sqrt(spread0 / control**2 + spread1 / treatment**2)
    return Estimate(treatment / control, math.exp(log - half), math.exp(log + half), n, "delta, log")
