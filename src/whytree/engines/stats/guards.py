"""Whether a number has fallen below a line, looked at as often as one likes.

    look(successes=212, n=1_000, floor=0.25, up_is_good=True, tightest_at=2_000)
    look_at_level(units, 800, floor=3.2, up_is_good=True, tightest_at=2_000)

The line is drawn before the looking starts. While the number stays on its good side, an alarm is ever raised in at most
2.5 % of all watches, however often one looks (one side of a 95 % confidence sequence for the mean so far, which may drift:
`stats.sequential`). Pure: numbers in, numbers out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from whytree.engines.stats.answers import NoAnswer
from whytree.engines.stats.groups import ratio_of_sums
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.sequential import FEWEST_UNITS, always_valid


@dataclass(frozen=True)
class Look:
    """The number so far with its always-valid interval. ``is_broken``: all of it lies on the bad side of the line."""

    value: float
    low: float
    high: float
    n: int
    is_broken: bool


def look(successes: int, n: int, *, floor: float, up_is_good: bool, tightest_at: int) -> Look | NoAnswer:
    """No answer below the units from which a confidence sequence promises something."""
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share.")
    # half a success and half a failure more, so that a share of nothing or of everything has an error too
    share = (successes + 0.5) / (n + 1)
    error = math.sqrt(share * (1 - share) / (n + 1))
    found = always_valid(share - floor, error, n, tightest_at=tightest_at)
    if isinstance(found, NoAnswer):
        return found
    low, high = max(0.0, found.difference.low + floor), min(1.0, found.difference.high + floor)
    broken = found.difference.high < 0 if up_is_good else found.difference.low > 0
    return Look(successes / n, low, high, n, broken)


def look_at_level(units: Moments, doers: int, *, floor: float, up_is_good: bool, tightest_at: int) -> Look | NoAnswer:
    """The same of one sum over another, over ``units`` whose first variable is above and the second below.

    The error is the delta method's, over units (Cochran, Sampling Techniques, 1977, eq. 6.13), laid into the confidence
    sequence of `stats.sequential` (Waudby-Smith et al. 2024, theorem 2.2). Units are people, who come back: their later days
    are no independent news. The error counts them as one each; that the sequence's clock, people, runs slower than the days do
    makes it no looser, which docs/statistics.md measures. Conditions: no single person makes the sum (`stats.tails`), and
    `FEWEST_UNITS` of them do anything above the line (``doers``): where nearly all have nothing, few carry the number.
    """
    if doers < FEWEST_UNITS:
        return NoAnswer(f"{doers:,} people carry this number; {FEWEST_UNITS} are the least to watch it by.")
    told = ratio_of_sums(units)
    if isinstance(told, NoAnswer):
        return told
    error = units.combined([1 / units.mean[1], -told.value / units.mean[1]]).error
    found = always_valid(told.value - floor, error, units.n, tightest_at=tightest_at)
    if isinstance(found, NoAnswer):
        return found
    low, high = found.difference.low, found.difference.high
    return Look(told.value, low + floor, high + floor, units.n, high < 0 if up_is_good else low > 0)
