"""How to share people out while one learns which arm is best: for what needs no inference. No interval comes of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from whytree.engines.stats.answers import Floats
from whytree.engines.stats.strata import Share

#: What every arm keeps, so that an unlucky start can be made good.
LEAST_SHARE = 0.05

POINTS = 4_001


def thompson(arms: Sequence[Share], *, up_is_good: bool = True, least: float = LEAST_SHARE) -> list[float]:
    """Each arm's share of the people to come: its chance of being the best (Thompson, Biometrika 25, 1933, p. 285-294).

    Flat Beta priors, integrated over the best share, nothing drawn: Scott's probability matching (Applied Stochastic Models
    in Business and Industry 26, 2010, eq. 1). Shares that follow the results make later differences biased and intervals
    wrong: read nothing off them.
    """
    a = np.array([1.0 + arm.converted for arm in arms])
    b = np.array([1.0 + arm.n - arm.converted for arm in arms])
    if not up_is_good:
        a, b = b, a
    grid = _grid(a, b)
    below = np.array([special.betainc(x, y, grid) for x, y in zip(a, b, strict=True)])
    chances = []
    for arm in range(len(arms)):
        others = np.prod(np.delete(below, arm, axis=0), axis=0)
        middle = (others[1:] + others[:-1]) / 2
        chances.append(float((np.diff(below[arm]) * middle).sum()))
    whole = np.maximum(np.array(chances), 0.0)
    whole /= whole.sum()
    return [float(one) for one in least + (1 - least * len(arms)) * whole]


def standardised(periods: Sequence[Sequence[Share]]) -> list[Share]:
    """Each arm as if every period had given it the same part of its people; ``periods`` hold all arms in the same order.

    Shares that follow the results give an arm more of the days on which it, or everybody, did well. Added up in one heap a
    good weekend would be taken for a good arm. So rates are weighed by the periods' sizes (direct standardisation; Kish,
    Survey Sampling, 1965, section 11.7 for the people that a rate of so weighed ones is worth). Periods in which an arm has
    nobody tell nothing of it, and are left out.
    """
    used = [period for period in periods if all(arm.n for arm in period)]
    sizes = [sum(arm.n for arm in period) for period in used]
    whole, arms = sum(sizes), len(periods[0]) if periods else 0
    found = []
    for at in range(arms):
        rate = sum(size * period[at].converted / period[at].n for size, period in zip(sizes, used, strict=True))
        worth = sum(size**2 / period[at].n for size, period in zip(sizes, used, strict=True))
        n = round(whole**2 / worth) if worth else 0
        found.append(Share(n, round(rate / whole * n) if n else 0))
    return found


def _grid(a: Floats, b: Floats) -> Floats:
    """Points between 0 and 1, close where an arm's share may lie."""
    points = [np.linspace(0.0, 1.0, POINTS)]
    for x, y in zip(a, b, strict=True):
        mean, spread = x / (x + y), np.sqrt(x * y / (x + y) ** 2 / (x + y + 1))
        points.append(np.clip(mean + spread * np.linspace(-8, 8, 801), 0.0, 1.0))
    return np.unique(np.concatenate(points))
