"""One group: shares, counts, and one sum over another."""

from __future__ import annotations

import math

from scipy import special

from whytree.engines.stats.answers import LEVEL, Estimate, Method, NoAnswer, z
from whytree.engines.stats.moments import Moments

#: Units below which no interval of a mean or ratio is given: its normal theory has nothing to stand on.
FEWEST_UNITS = 10

#: A ratio's denominator must be known to a tenth, or the delta method's straight line is no likeness of the curve.
#: (Hayya, Armstrong and Gressis, Management Science 21, 1975, p. 1338-1341: a coefficient of variation below 0.1.)
DENOMINATOR_KNOWN_TO = 0.1


def proportion(successes: int, n: int, *, level: float = LEVEL) -> Estimate | NoAnswer:
    """Share of ``n`` people, with Wilson's score interval (JASA 22, 1927, p. 209-212; Newcombe 1998a, method 3).

    All shares that a score test would not reject, so it stays inside 0 and 1 and has width at 0 of n.
    """
    if n == 0:
        return NoAnswer("Nobody has started yet.")
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no proportion.")
    z2 = z(level) ** 2
    share = successes / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2) / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # at the ends the formula is exactly 0 or 1; rounding must not put the value outside its own interval
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return Estimate(share, low, high, n, "Wilson")


def exact_proportion(successes: int, n: int, *, level: float = LEVEL) -> Estimate | NoAnswer:
    """Share of a handful, with Clopper and Pearson's exact interval (Biometrika 26, 1934, p. 404-413).

    Never misses the truth more often than promised, however few there are: for five people in a usability test.
    """
    if n == 0:
        return NoAnswer("Nobody was asked yet.")
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no proportion.")
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(special.betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(special.betaincinv(successes + 1, n - successes, 1 - tail))
    return Estimate(successes / n, low, high, n, "Clopper-Pearson")


def count(events: int, *, level: float = LEVEL) -> Estimate:
    """Number of independent occurrences, with Garwood's exact Poisson interval (Biometrika 28, 1936, p. 437).

    For things that happen once to a person: unique people in a period.
    """
    return _gamma_interval(float(events), float(events), 1.0, events, level, "Garwood")


def clustered_count(events: float, squares: float, largest: float, people: int, *, level: float = LEVEL) -> Estimate:
    """Number of events of which one person makes several (Fay and Feuer, Statistics in Medicine 16, 1997, eq. 5-6).

    People arrive independently, their events do not: ten people with ten events each say less than a hundred with
    one. ``squares`` is the sum over people of (their events)^2, ``largest`` the most that one person made. The number
    of people with k events is Poisson with weight k, which is Fay and Feuer's weighted sum; with one event each it is
    Garwood's interval.
    """
    return _gamma_interval(events, squares, largest, people, level, "Fay-Feuer")


def ratio_of_sums(units: Moments, *, level: float = LEVEL) -> Estimate | NoAnswer:
    """One sum over another, over ``units`` whose first variable is above and the second below; a mean where that is 1.

    Delta method over units (Cochran, Sampling Techniques, 1977, eq. 6.13; Deng, Knoblich and Lu, KDD 2018, eq. 4) with
    Student's t of n - 1. Conditions: independent units, finite variance, a denominator whose mean is known to a tenth.
    """
    if units.n < FEWEST_UNITS:
        return NoAnswer(f"{units.n} {'unit' if units.n == 1 else 'units'}: an interval needs {FEWEST_UNITS} at least.")
    bottom = float(units.mean[1])
    error = math.sqrt(float(units.m2[1, 1]) / (units.n - 1) / units.n)
    if bottom <= 0 or error > DENOMINATOR_KNOWN_TO * bottom:
        return NoAnswer("The denominator is too close to zero, or too uneven, for an interval.")
    ratio = float(units.mean[0]) / bottom
    line = units.combined([1 / bottom, -ratio / bottom])
    if float(line.m2[0, 0]) <= 0:
        return NoAnswer("Every unit has the same value, so nothing can be said about chance.")
    half = float(special.stdtrit(units.n - 1, (1 + level) / 2)) * line.error
    return Estimate(ratio, ratio - half, ratio + half, units.n, "delta" if units.m2[1, 1] > 0 else "Student")


def _gamma_interval(total: float, variance: float, largest: float, n: int, level: float, method: Method) -> Estimate:
    tail = (1 - level) / 2
    low = 0.0
    if total > 0:
        low = variance / (2 * total) * float(2 * special.gammaincinv(total**2 / variance, tail))
    more, more_variance = total + largest, variance + largest**2
    high = more_variance / (2 * more) * float(special.chdtri(2 * more**2 / more_variance, tail))
    return Estimate(total, low, high, n, method)
