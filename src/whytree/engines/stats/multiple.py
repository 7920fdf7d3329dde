"""Several questions at once: p-values that know of each other, and intervals that match.

Twenty metrics that nothing moved show one "effect" at 5 % by chance. `holm` bounds the chance of *any* false claim,
`benjamini_hochberg` the share of false ones among the claims.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from whytree.engines.stats.answers import LEVEL


@dataclass(frozen=True)
class Corrected:
    """One of several questions: its adjusted p, whether it is claimed, and at which level its interval is to stand."""

    p: float
    claimed: bool
    level: float


def holm(p_values: Sequence[float], *, level: float = LEVEL) -> list[Corrected]:
    """Holm's step-down (Scandinavian Journal of Statistics 6, 1979, p. 65-70). Needs no independence.

    Promise: any false claim at all in at most 1 - level of experiments. The intervals are Bonferroni's, and so
    simultaneous: all of them hold in ``level`` of experiments. Holm may claim where that interval still touches zero;
    `shown_with` then ends it there (Guilbaud, Biometrical Journal 50, 2008, section 3, for one side).
    """
    m = len(p_values)
    adjusted = np.empty(m)
    reached = 0.0
    for rank, at in enumerate(np.argsort(p_values, kind="stable")):
        reached = max(reached, min(1.0, (m - rank) * p_values[at]))
        adjusted[at] = reached
    return [Corrected(float(p), bool(p <= 1 - level), 1 - (1 - level) / m) for p in adjusted]


def benjamini_hochberg(p_values: Sequence[float], *, level: float = LEVEL) -> list[Corrected]:
    """Benjamini and Hochberg's step-up (JRSS B 57, 1995, eq. 1), for independent or positively dependent metrics.

    Promise: of what is claimed, at most 1 - level is false on average. The intervals bound the same share among the
    claimed ones (false coverage rate: Benjamini and Yekutieli, JASA 100, 2005, procedure 1): level 1 - R q / m with R
    claims among m questions.
    """
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(m)
    reached = 1.0
    for rank in range(m - 1, -1, -1):
        at = order[rank]
        reached = min(reached, m / (rank + 1) * p_values[at])
        adjusted[at] = reached
    claims = int((adjusted <= 1 - level).sum())
    return [Corrected(float(p), bool(p <= 1 - level), 1 - max(claims, 1) * (1 - level) / m) for p in adjusted]


def uncorrected(p_values: Sequence[float], *, level: float = LEVEL) -> list[Corrected]:
    """Each for itself, as a single question decided beforehand may be."""
    return [Corrected(p, p <= 1 - level, level) for p in p_values]


def shown_with(corrected: Corrected, value: float, low: float, high: float) -> tuple[float, float]:
    """The interval beside the claim: a claimed difference is not zero, so its interval ends there at the latest."""
    if not corrected.claimed or low > 0 or high < 0:
        return low, high
    return (0.0, high) if value > 0 else (low, 0.0)
