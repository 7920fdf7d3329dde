"""What one may believe after the data: posterior, chance of being better, expected loss of a choice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from whytree.engines.stats.answers import LEVEL, normal_density, z

#: Points of the quadrature over the best arm's value; more do not change the fourth digit.
POINTS = 4_001


@dataclass(frozen=True)
class Prior:
    """What past effects on this metric were like, in the metric's own unit: normal. None is flat."""

    mean: float
    deviation: float


@dataclass(frozen=True)
class Posterior:
    """Belief about the difference. ``loss_*`` is what is lost on average by that choice, in the metric's unit."""

    mean: float
    deviation: float
    low: float
    high: float
    better: float
    loss_if_shipped: float
    loss_if_not: float


def posterior(
    difference: float, error: float, *, prior: Prior | None = None, up_is_good: bool = True, level: float = LEVEL
) -> Posterior:
    """Normal prior, normal likelihood (Gelman et al., Bayesian Data Analysis, 3rd ed., eq. 2.11-2.12).

    Promise: of all experiments whose true effects are spread like the prior, ``level`` of intervals hold the truth,
    whenever one looks; with a flat prior it is the fixed interval again, and peeking costs what it always costs.
    Expected loss: Stucchio (VWO, 2015), section 3; in closed form for a normal.
    """
    mean, deviation = difference, error
    if prior is not None:
        precision = 1 / error**2 + 1 / prior.deviation**2
        mean = (difference / error**2 + prior.mean / prior.deviation**2) / precision
        deviation = math.sqrt(1 / precision)
    reach = z(level) * deviation
    good = mean if up_is_good else -mean
    at = good / deviation
    density, above = float(normal_density(at)), float(special.ndtr(at))
    gain = deviation * density + good * above  # E max(effect, 0)
    return Posterior(mean, deviation, mean - reach, mean + reach, above, max(gain - good, 0.0), gain)


@dataclass(frozen=True)
class Standing:
    """One of several arms: the chance that it is the best, and what choosing it loses against the best, on average."""

    best: float
    loss: float


def standings(means: Sequence[float], errors: Sequence[float], *, up_is_good: bool = True) -> list[Standing]:
    """Several arms with flat priors: independent normals, integrated over the best one's value; nothing is drawn."""
    sign = 1.0 if up_is_good else -1.0
    centre, spread = sign * np.asarray(means), np.asarray(errors)
    grid = np.linspace(float((centre - 8 * spread).min()), float((centre + 8 * spread).max()), POINTS)
    # arms measured very finely beside rough ones need points of their own
    grid = np.sort(
        np.concatenate([grid, *(c + s * np.linspace(-8, 8, 801) for c, s in zip(centre, spread, strict=True))])
    )
    grid = grid[np.append(True, grid[1:] != grid[:-1])]  # np.unique numbers them by a hash first, and takes long
    scores = (grid - centre[:, None]) / spread[:, None]
    below = special.ndtr(scores)
    density = normal_density(scores) / spread[:, None]
    chances = []
    for arm in range(len(centre)):
        others = np.prod(np.delete(below, arm, axis=0), axis=0)
        chances.append(float(np.trapezoid(density[arm] * others, grid)))
    best = float(grid[-1] - np.trapezoid(np.prod(below, axis=0), grid))  # E max = b - integral of the maximum's cdf
    return [
        Standing(chance / sum(chances), max(best - float(mean), 0.0))
        for chance, mean in zip(chances, centre, strict=True)
    ]
