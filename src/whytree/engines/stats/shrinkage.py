"""Many effects at once: the largest were also lucky.

    james_stein([Measured(2.8, 0.9), Measured(-0.3, 0.7), ...])

Whoever adds up the effects of what was kept adds up luck, since luck is why some of it was kept ("winner's curse": Lee and
Shen, KDD 2018). Shrinking all effects before some are chosen takes most of it out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: James and Stein need three; below six the factor itself is mostly chance.
LEAST_EFFECTS = 6


@dataclass(frozen=True)
class Measured:
    """An effect and its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class Shrunk:
    """``factor`` is what every effect was multiplied by: 1 leaves all, 0 says that all of it may be chance."""

    factor: float
    values: tuple[float, ...]


def james_stein(effects: Sequence[Measured]) -> Shrunk | None:
    """Positive-part James-Stein towards zero, in units of each effect's own error: all z are multiplied by
    ``max(0, 1 - (k - 2) / sum of z^2)`` (James and Stein, Fourth Berkeley Symposium 1, 1961, eq. 15; positive part: Baranchik
    1964; Efron and Morris, JASA 68, 1973, eq. 1.4). For three effects or more its expected squared error in those units is
    below that of the effects as measured, whatever is true. None below `LEAST_EFFECTS`, or where an effect has no error.
    """
    if len(effects) < LEAST_EFFECTS or any(
        not (0 < one.error < math.inf and math.isfinite(one.value)) for one in effects
    ):
        return None
    squares = sum((one.value / one.error) ** 2 for one in effects)
    factor = max(0.0, 1 - (len(effects) - 2) / squares) if squares > 0 else 0.0
    return Shrunk(factor, tuple(factor * one.value for one in effects))
