"""Whether ranges hold as often as they say, over many forecasts.

Several people who predict the same result are not independent: one surprise misses them all. So a share is formed over
results, each counting once with the share of its own forecasts that held, and Wilson's interval stands on the number of
results. With one forecast a result that is Wilson's interval as everybody knows it.

    share([[True, True, False], [True]])       # 2/3 and 1: 0.83 of two results
    curve([[0.4, 0.7], [0.95]])                # how many of the central 20, 40, ... % ranges held

Pure: numbers in, numbers out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from whytree.engines.stats.answers import LEVEL, z

#: The central ranges of a forecast that are held against the truth, smallest first.
LEVELS = (0.2, 0.4, 0.6, 0.8, 0.9)


@dataclass(frozen=True)
class Share:
    """The share that held, with its 95 % interval; ``results`` is what it stands on, ``n`` how many forecasts there were."""

    value: float
    low: float
    high: float
    results: int
    n: int
    held: int


@dataclass(frozen=True)
class Reached:
    """Of the ranges meant to hold ``level`` of all truths: the share that did."""

    level: float
    share: Share


def share(results: Sequence[Sequence[bool]]) -> Share | None:
    """Of forecasts grouped by the result they are about; None where there is none."""
    groups = [group for group in results if group]
    if not groups:
        return None
    value = sum(sum(group) / len(group) for group in groups) / len(groups)
    low, high = _wilson(value, len(groups))
    return Share(value, low, high, len(groups), sum(map(len, groups)), sum(map(sum, groups)))


def curve(places: Sequence[Sequence[float]]) -> list[Reached]:
    """The share held at each of `LEVELS`, from where in its forecast each truth fell (0 to 1), grouped by result.

    A truth lies in the central range of level L when it fell between (1 - L)/2 and (1 + L)/2.
    """
    found = []
    for level in LEVELS:
        reached = share([[abs(2 * place - 1) <= level for place in group] for group in places])
        if reached is not None:
            found.append(Reached(level, reached))
    return found


def _wilson(value: float, n: int) -> tuple[float, float]:
    """Wilson's score interval (JASA 22, 1927) for a share that need not be a whole number of n."""
    z2 = z(LEVEL) ** 2
    centre = (value + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2) / (1 + z2 / n) * math.sqrt(value * (1 - value) / n + z2 / (4 * n * n))
    return (0.0 if value == 0 else centre - half), (1.0 if value == 1 else centre + half)
