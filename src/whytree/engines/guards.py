"""Whether a share of people has fallen below a line, looked at as often as one likes.

    look(successes=212, n=1_000, floor=0.25, up_is_good=True, tightest_at=2_000)

The line is drawn before the looking starts. While the share stays on its good side, an alarm is ever raised in at most
2.5 % of all watches, however often one looks (one side of a 95 % confidence sequence for the mean so far, which may drift:
`stats.sequential`). Pure: numbers in, numbers out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from whytree.engines.stats.answers import NoAnswer
from whytree.engines.stats.sequential import always_valid


@dataclass(frozen=True)
class Look:
    """The share so far with its always-valid interval. ``is_broken``: all of it lies on the bad side of the line."""

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
