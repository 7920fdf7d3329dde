"""Looks that were planned: a few days on which one may stop, and how much of the error each may spend.

Narrower than an always-valid interval (`sequential`), for who looks on the planned days only. With O'Brien and
Fleming's way of spending, the last look costs hardly more than a single one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri

from whytree.engines.stats.answers import LEVEL, Floats, normal_density

Spending = Literal["obrien-fleming", "pocock"]

#: Points of the quadrature between the bounds; twice as many move no bound by 1e-6.
NODES = 96
_FARTHEST = 12.0
#: What floating point cannot tell from no spending.
_NOTHING = 1e-16


@lru_cache(maxsize=512)
def boundaries(
    fractions: tuple[float, ...], *, level: float = LEVEL, spending: Spending = "obrien-fleming"
) -> tuple[float, ...]:
    """At each look, the standard score beyond which one may stop; ``fractions`` of the final units, rising to 1.

    Lan and DeMets (Biometrika 70, 1983, p. 659-663), two-sided, by the recursive integration of Armitage, McPherson and
    Rowe (JRSS A 132, 1969, eq. 2.2). Promise: over all looks together no effect is claimed of nothing in more than
    1 - level of experiments, whatever the spacing was, if it was not chosen by the results.
    """
    if not fractions or any(b <= a for a, b in zip((0.0, *fractions), fractions, strict=False)) or fractions[-1] > 1:
        raise ValueError(f"Looks stand in rising order between 0 and 1, not at {fractions}.")
    side = (1 - level) / 2
    points, weights = np.polynomial.legendre.leggauss(NODES)
    found: list[float] = []
    spent, before = 0.0, 0.0
    nodes = density = np.empty(0)
    for fraction in fractions:
        may_spend = _spent(fraction, side, spending) - spent
        step, root = math.sqrt(fraction - before), math.sqrt(fraction)
        bound = _bound(may_spend, nodes, density, step, root)
        found.append(bound)
        fresh = points * bound * root
        moved = fresh[:, None] - nodes[None, :]
        new = normal_density(moved / step) @ density / step if len(nodes) else normal_density(fresh / step) / step
        nodes, density = fresh, new * weights * bound * root
        spent, before = spent + may_spend, fraction
    return tuple(found)


def _bound(may_spend: float, nodes: Floats, density: Floats, step: float, root: float) -> float:
    """Where the chance of crossing upwards now, not having crossed before, is what may be spent."""
    if may_spend < _NOTHING:
        return _FARTHEST
    if len(nodes) == 0:
        return float(-ndtri(may_spend))
    return _crossing(lambda bound: density @ ndtr((nodes - bound * root) / step) - may_spend, -1.0, _FARTHEST, 1e-9)


def _crossing(function: Callable[[float], float], left: float, right: float, within: float) -> float:
    from scipy.optimize import brentq  # a sixth of a second of every command, were it above

    return float(brentq(function, left, right, xtol=within))


def _spent(fraction: float, side: float, spending: Spending) -> float:
    """Of one side's error, how much may be spent by then (Lan and DeMets 1983, alpha-1* and alpha-2*)."""
    if spending == "pocock":
        return side * math.log(1 + (math.e - 1) * fraction)
    return float(2 * ndtr(ndtri(side / 2) / math.sqrt(fraction)))


def nominal_level(look: int, looks: int, *, level: float = LEVEL) -> float:
    """Level of a plain interval that reaches to the boundary at the ``look``-th of ``looks`` equal steps.

    Such intervals hold at all looks together (repeated confidence intervals: Jennison and Turnbull, JRSS B 51, 1989).
    """
    return 1 - 2 * float(ndtr(-boundaries(_steps(look, looks), level=level)[-1]))


def repeated_p(p: float, look: int, looks: int) -> float:
    """The p that may be read at a planned look: the smallest total error at which this score would stop."""
    score = -float(ndtri(p / 2))

    def beyond(log_alpha: float) -> float:
        return boundaries(_steps(look, looks), level=1 - math.exp(log_alpha))[-1] - score

    least, most = math.log(1e-12), math.log(0.999)
    if beyond(most) > 0:
        return 1.0
    if beyond(least) < 0:
        return max(p, math.exp(least))
    return max(p, math.exp(_crossing(beyond, least, most, 1e-5)))


def _steps(look: int, looks: int) -> tuple[float, ...]:
    return tuple(at / looks for at in range(1, look + 1))
