"""Two arms, compared by a quantile: medians and percentiles, from values or from a store that ordered them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whytree.engines.stats.answers import LEVEL, Floats, NoAnswer, z
from whytree.engines.stats.effects import Effect, effect_of
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.ratios import linearised
from whytree.engines.stats.strata import mantel_haenszel

#: Units beyond a quantile, on its scarcer side, below which its order statistics are too coarse.
FEWEST_BEYOND = 20


@dataclass(frozen=True)
class Quantile:
    """One arm's quantile: its value and standard error, from ``n`` units and ``rows`` observations."""

    value: float
    error: float
    n: int
    rows: int


def quantile(values: Floats, share: float, units: Floats | None = None) -> Quantile | NoAnswer:
    """The value below which ``share`` of the observations lie; ``units`` says whose each observation is.

    Its error comes from order statistics: the observations one standard error of the *share* away to both sides. With
    several observations a unit, that share's error is a ratio's, over units (Deng, Knoblich and Lu, KDD 2018, section
    4.2); with one each it is binomial. No density is estimated, nothing is drawn again. Conditions: twenty units on
    the scarcer side, and values that are not all ties around the quantile.
    """
    rows = len(values)
    n = rows if units is None else len(np.unique(units))
    few = _few_beyond(share, n)
    if few is not None:
        return few
    ordered = np.sort(values)
    at = float(np.quantile(ordered, share))
    below = (values <= at).astype(np.float64)
    if units is None:
        error = math.sqrt(share * (1 - share) / n)
    else:
        _, whose = np.unique(units, return_inverse=True)
        sums = Moments.of(_sums(whose, below), _sums(whose, np.ones(rows)))
        error = math.sqrt(linearised(sums, float(sums.mean[0] / sums.mean[1])).variance / n)
    reach = z(LEVEL)
    low, high = (ordered[min(max(round((share + side * reach * error) * rows), 0), rows - 1)] for side in (-1.0, 1.0))
    return quantile_between(at, float(low), float(high), share, n, rows)


def quantile_between(value: float, low: float, high: float, share: float, n: int, rows: int) -> Quantile | NoAnswer:
    """The same from a store that ordered the values: ``low`` and ``high`` stand where the share is ``z(LEVEL)`` errors away.

    Times that did not end in time are infinite: the quantile is known while it and its interval are finite.
    """
    few = _few_beyond(share, n)
    if few is not None:
        return few
    if not (math.isfinite(value) and math.isfinite(low) and math.isfinite(high)):
        return NoAnswer(
            f"Too few got there in time for the {100 * share:g}th percentile of all to be known. The share who got there "
            "gives an answer, and so does a lower percentile."
        )
    if high <= low:
        return NoAnswer(
            f"So many observations are exactly {value:g} that the {100 * share:g}th percentile cannot move in small steps. "
            "A mean (capped, if the tail is long) or a share above a threshold would give an answer."
        )
    return Quantile(value, (high - low) / (2 * z(LEVEL)), n, rows)


def _few_beyond(share: float, n: int) -> NoAnswer | None:
    scarce = round(min(share, 1 - share) * n, 6)
    if scarce >= FEWEST_BEYOND:
        return None
    return NoAnswer(
        f"Beyond the {100 * share:g}th percentile lie the values of {scarce:.0f} units; {FEWEST_BEYOND} are the "
        "least. More units would give one, or a quantile nearer to the middle."
    )


def _sums(whose: NDArray[np.int64], values: Floats) -> Floats:
    return np.asarray(np.bincount(whose, values), dtype=np.float64)


def compare_quantiles(control: Quantile, treatment: Quantile, *, level: float = LEVEL) -> Effect:
    """Difference of two quantiles, normal theory. Promise: 1 - level, within about a point from 20 units beyond."""
    return effect_of(
        (control.value, control.error**2, control.n),
        (treatment.value, treatment.error**2, treatment.n),
        math.inf,
        level,
        "order statistics" if control.rows == control.n else "order statistics, clustered",
    )


def stratified_quantiles(
    strata: Sequence[tuple[Quantile | NoAnswer, Quantile | NoAnswer]], *, level: float = LEVEL
) -> Effect | NoAnswer:
    """The same within periods of constant weights: the periods' differences with Mantel-Haenszel weights, never pooled.

    What is estimated is the mean of the periods' differences, zero where no period has one. Periods without an answer in
    both arms are left out.
    """
    used = [(one, other) for one, other in strata if isinstance(one, Quantile) and isinstance(other, Quantile)]
    if not used:
        reasons = [arm.reason for pair in strata for arm in pair if isinstance(arm, NoAnswer)]
        return NoAnswer(reasons[0] if reasons else "Nobody has been counted in either arm yet.")
    n0, n1 = (np.array([pair[at].n for pair in used], dtype=np.float64) for at in (0, 1))
    weights = mantel_haenszel(n0, n1)
    values = [float(weights @ np.array([pair[at].value for pair in used])) for at in (0, 1)]
    spreads = [float(weights**2 @ np.array([pair[at].error ** 2 for pair in used])) for at in (0, 1)]
    single = all(arm.rows == arm.n for pair in used for arm in pair)
    return effect_of(
        (values[0], spreads[0], int(n0.sum())),
        (values[1], spreads[1], int(n1.sum())),
        math.inf,
        level,
        "order statistics" if single else "order statistics, clustered",
    )
