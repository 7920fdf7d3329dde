"""What earlier changes did to a metric, as what one may expect of the next.

    next_effect([Past(2.8, 0.9), Past(-0.3, 0.7), Past(1.1, 0.5), Past(0.2, 0.8)])

Effects differ by more than the error of each measurement, so the spread between them is taken apart from that error, by
the normal hierarchical model (Rubin, "Estimation in Parallel Randomized Experiments", Journal of Educational Statistics 6,
1981; Gelman et al., *Bayesian Data Analysis*, 3rd ed., section 5.4). The spread is not known, so the range for one effect more
is averaged over what it may be, with a flat prior on it (Gelman, Bayesian Analysis 1, 2006, section 7.1). Plugging in one
estimate of it, as classical prediction intervals do, holds 73 of 100 where 80 are promised (tried by simulation with ten
effects that differ about as much as their errors). Pure: numbers in, numbers out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from whytree.engines.stats.answers import Floats

#: Below so many a flat prior on the spread says more than the effects do.
LEAST_FOR_RANGE = 4
#: The range holds eight of ten next effects, as a forecast's does.
TAIL = 0.10
#: Spreads that are tried: evenly to several times what is seen, where hardly any probability is left.
_GRID, _REACH = 400, 6.0


@dataclass(frozen=True)
class Past:
    """A measured effect and its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class NextEffect:
    """The mean effect with its standard error, the standard deviation between effects (both averaged over what that may
    be), and the range for the next one."""

    mean: float
    error: float
    between: float
    low: float
    high: float
    n: int


def next_effect(past: Sequence[Past]) -> NextEffect | None:
    """None below `LEAST_FOR_RANGE` effects, and where an effect has no error."""
    if len(past) < LEAST_FOR_RANGE or any(not (math.isfinite(one.value) and 0 < one.error < math.inf) for one in past):
        return None
    values = np.array([one.value for one in past])
    errors = np.array([one.error for one in past])
    spreads = np.linspace(0.0, _REACH * (float(np.ptp(values)) + float(errors.max())), _GRID)
    means, variances, weights = _given_each(spreads, values, errors)
    mean = float(weights @ means)
    widths = np.sqrt(spreads**2 + variances)
    low, high = (_quantile(p, means, widths, weights) for p in (TAIL, 1 - TAIL))
    error = math.sqrt(float(weights @ (variances + (means - mean) ** 2)))
    return NextEffect(mean, error, float(weights @ spreads), low, high, len(past))


def _given_each(spreads: Floats, values: Floats, errors: Floats) -> tuple[Floats, Floats, Floats]:
    """For each spread the mean and its variance (BDA3 eq. 5.20), and how probable that spread is (eq. 5.21)."""
    total = errors[None, :] ** 2 + spreads[:, None] ** 2
    precision = (1 / total).sum(axis=1)
    means = (values[None, :] / total).sum(axis=1) / precision
    squares = ((values[None, :] - means[:, None]) ** 2 / total).sum(axis=1)
    log = -0.5 * np.log(precision) - 0.5 * np.log(total).sum(axis=1) - 0.5 * squares
    weights = np.exp(log - log.max())
    return means, 1 / precision, weights / weights.sum()


def _quantile(probability: float, means: Floats, widths: Floats, weights: Floats) -> float:
    """Of a mixture of normals."""

    def missing(x: float) -> float:
        return float(weights @ special.ndtr((x - means) / widths)) - probability

    far = 10 * float(widths.max())
    from scipy.optimize import brentq

    found: float = brentq(missing, float(means.min()) - far, float(means.max()) + far)
    return found
