"""Answers on a scale: what they come to, with its doubt."""

from __future__ import annotations

import math
from collections.abc import Mapping

from scipy import special

from whytree.engines.stats.answers import LEVEL, Estimate, NoAnswer, z


def net_promoter(promoters: int, passives: int, detractors: int, *, level: float = LEVEL) -> Estimate | NoAnswer:
    """Share of promoters less the share of detractors, -1 to 1, with the adjusted Wald interval.

    Rocks, "Interval Estimation for the Net Promoter Score", The American Statistician 70(4), 2016, p. 365-372: three answers
    are added, 3/4 to each end and 3/2 to the middle, before the usual variance of a difference of two shares of one sample,
    (p + d - (p - d)^2) / n, is taken. It has width when all say the same. The value itself has nothing added.
    """
    n = promoters + passives + detractors
    if n == 0:
        return NoAnswer("Nobody has answered yet.")
    if min(promoters, passives, detractors) < 0:
        raise ValueError("A count is not below zero.")
    above, below = (promoters + 0.75) / (n + 3), (detractors + 0.75) / (n + 3)
    centre = above - below
    half = z(level) * math.sqrt((above + below - centre * centre) / (n + 3))
    value = (promoters - detractors) / n
    return Estimate(
        value, max(-1.0, min(centre - half, value)), min(1.0, max(centre + half, value)), n, "Rocks, adjusted Wald"
    )


def mean_score(counts: Mapping[int, int], low: int, high: int, *, level: float = LEVEL) -> Estimate | NoAnswer:
    """Mean of points on a scale from `low` to `high`, given how many gave each, with Student's interval held inside the scale."""
    n = sum(counts.values())
    if n == 0:
        return NoAnswer("Nobody has answered yet.")
    if n == 1:
        return NoAnswer("One answer has no interval.")
    mean = sum(point * count for point, count in counts.items()) / n
    variance = sum(count * (point - mean) ** 2 for point, count in counts.items()) / (n - 1)
    if variance == 0:
        return NoAnswer("All gave the same answer, so nothing tells how far others might be from it.")
    half = float(special.stdtrit(n - 1, 0.5 + level / 2)) * math.sqrt(variance / n)
    return Estimate(mean, max(float(low), mean - half), min(float(high), mean + half), n, "Student")


def difference(one: Estimate, other: Estimate) -> Estimate:
    """`other` less `one`, two independent groups, from the intervals that each has.

    Zou and Donner, "Construction of confidence limits about effect measures", Statistics in Medicine 27, 2008, p. 1693-1702
    (eq. 3); with Wilson's intervals it is Newcombe's method 10 (Statistics in Medicine 17, 1998, p. 873-890).
    """
    value = other.value - one.value
    low = value - math.hypot(other.value - other.low, one.high - one.value)
    high = value + math.hypot(other.high - other.value, one.value - one.low)
    return Estimate(value, low, high, one.n + other.n, "Zou-Donner")
