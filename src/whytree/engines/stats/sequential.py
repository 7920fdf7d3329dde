"""An interval that may be looked at every day, and an answer that is still good when looking stops.

A fixed interval promises 95 % for one look. Who looks daily and stops at the first "significant" day is wrong far more
often (docs/statistics.md measures it). A *confidence sequence* holds the truth at all times at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from whytree.engines.stats.answers import LEVEL, Estimate, NoAnswer

#: Units at which the sequence is made tightest, unless the plan says otherwise.
TIGHTEST_AT = 5_000

#: Units in both arms together before which an asymptotic sequence promises nothing.
FEWEST_UNITS = 200


@dataclass(frozen=True)
class AlwaysValid:
    """The interval that may be looked at after every unit, and its p, which only ever has to be small once."""

    difference: Estimate
    p: float


def always_valid(
    difference: float, error: float, n: int, *, level: float = LEVEL, tightest_at: int = TIGHTEST_AT
) -> AlwaysValid | NoAnswer:
    """From a difference, its standard error and the units behind it, as any comparison gives them.

    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (Annals of Statistics 52, 2024, arXiv 2103.06476), theorem 2.2: the
    normal mixture that Robbins (1970) inverted, with the estimated variance; rho as in their appendix B.2, so that it
    is tightest at ``tightest_at`` units, which must be chosen before the start. Promise: over all looks together the
    truth is missed in at most 1 - level of experiments. Condition: looking starts after some hundred units
    (`FEWEST_UNITS`), for the promise is asymptotic. The p is where the sequence first touches zero.
    """
    if n < FEWEST_UNITS:
        return NoAnswer(
            f"With {n} units an always-valid interval promises nothing yet; {FEWEST_UNITS} are the least to look at."
        )
    if not error > 0:
        return NoAnswer("Without variation there is no interval. A metric that varies would give one.")
    alpha = 1 - level
    rho2 = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / tightest_at
    sigma2 = n * error**2
    growth = n * rho2 + 1
    half = math.sqrt(sigma2 * 2 * growth / (n**2 * rho2) * math.log(math.sqrt(growth) / alpha))
    log_evidence = difference**2 * n**2 * rho2 / (2 * growth * sigma2) - math.log(growth) / 2
    return AlwaysValid(
        Estimate(difference, difference - half, difference + half, n, "asymptotic confidence sequence"),
        min(1.0, math.exp(-min(log_evidence, 700.0))),
    )
