"""Does one unit carry the mean? The central limit theorem does not say how many units are enough; the largest does."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from whytree.engines.stats.answers import Floats
from whytree.engines.stats.moments import Moments

#: Share of an arm's squared deviations that one unit may have before it is named. Where units are many and none
#: dominates (Lindeberg's condition) it goes to zero; docs/statistics.md measures what becomes of intervals as it grows.
HEAVY = 0.1

#: Above this an arm's spread is mostly one unit, and an interval says where that unit landed and little else.
RULED_BY_ONE = 0.5

#: Hill's index at or below which a variance is not finite, or as good as.
INFINITE_VARIANCE = 2.0

#: Where most units share one value (nothing bought), the others carry the mean, and they must be so many...
FEWEST_AWAY = 100

#: ...and "most" is all but this share.
MOSTLY_ALIKE = 0.2

#: Below this share no unit can matter, and the tail is not measured.
HARMLESS = 0.01

#: Units from which Hill's index is read: the square root of those away from the median, but no fewer than this.
FEWEST_IN_TAIL = 20


#: Values that say where the largest begin.
SAMPLED = 4_096


@dataclass(frozen=True)
class Tail:
    """How heavy: the largest unit's share of the squared deviations, where it is, and Hill's index of the tail."""

    share: float
    at: int
    value: float
    #: Upper end of the 95 % interval of Hill's index; None where the tail is harmless or too short to say.
    index: float | None
    #: Units whose value is not the usual one; None where it does not matter.
    away: int | None = None
    usual: float = 0.0

    @property
    def infinite_variance_in_sight(self) -> bool:
        return self.index is not None and self.index < INFINITE_VARIANCE

    @property
    def ruled(self) -> bool:
        """Whether a mean's interval is not worth its ink."""
        return self.share > RULED_BY_ONE or self.infinite_variance_in_sight or self.few_carry_it

    @property
    def few_carry_it(self) -> bool:
        return self.away is not None and self.away < FEWEST_AWAY


def tail(values: Floats, moments: Moments | None = None) -> Tail:
    """Of one arm's values, at least two; ``moments`` where they are known already.

    Hill (Annals of Statistics 3, 1975, eq. 2.3), on distances from the median: in a tail that falls like x^-a the
    variance is infinite for a <= 2. The index is judged by the upper end of its interval (standard error a / sqrt(k)),
    so a moderate sample of a harmless metric is not accused.
    """
    moments = moments or Moments.of(values)
    mean, total = float(moments.mean[0]), float(moments.m2[0, 0])
    lowest, highest = int(values.argmin()), int(values.argmax())
    at = highest if float(values[highest]) - mean >= mean - float(values[lowest]) else lowest
    share = (float(values[at]) - mean) ** 2 / total if total else 0.0
    if share <= HARMLESS:
        return Tail(share, at, float(values[at]), None)
    usual = _median(values, float(values[lowest]))
    distances = np.abs(values[values != usual] - usual)
    alike = len(distances) < MOSTLY_ALIKE * len(values)
    return Tail(share, at, float(values[at]), _hill(distances), len(distances) if alike else None, usual)


def _median(values: Floats, lowest: float) -> float:
    """numpy's, in half of its time: the upper middle is put in its place, and the lower one is the largest before it."""
    if 2 * np.count_nonzero(values == lowest) > len(values):
        return lowest  # as where most bought nothing
    half = len(values) // 2
    sorted_out = np.partition(values, half)
    upper = float(sorted_out[half])
    return upper if len(values) % 2 else (float(sorted_out[:half].max()) + upper) / 2


def _hill(away: Floats) -> float | None:
    k = max(FEWEST_IN_TAIL, math.isqrt(len(away)))
    if len(away) < 5 * k:
        return None
    top = _largest(away, k + 1)
    mean_log = float(np.log(top / top.min()).sum()) / k
    return math.inf if mean_log == 0 else (1 + 1.96 / math.sqrt(k)) / mean_log


def _largest(values: Floats, k: int) -> Floats:
    """The k largest: among those above where a sample says that twice as many begin, or else among all."""
    sample = values[:: max(1, len(values) // SAMPLED)]
    begin = min(len(sample), 2 * k * len(sample) // len(values) + 10)
    some = values[values >= np.partition(sample, -begin)[-begin]]
    some = some if len(some) >= k else values
    return np.partition(some, len(some) - k)[-k:]
