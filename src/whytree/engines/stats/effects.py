"""Treatment against control, of one metric: the difference, its interval, its p, and the relative change.

Each function says what it promises and when. Where it cannot keep that, the answer is :class:`NoAnswer`, whose
sentence ends with what would give one. Units must be independent of each other: people assigned one by one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from whytree.engines.stats.answers import LEVEL, Estimate, Floats, Method, NoAnswer, upper_tail, z
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.strata import Arm, Stratum, difference_of_proportions, score_of_no_difference

#: Units in each arm below which no interval of a mean is given: its normal theory has nothing to stand on.
FEWEST_UNITS = 10

#: A ratio's denominator must be known to a tenth, or the delta method's straight line is no likeness of the curve.
#: (Hayya, Armstrong and Gressis, Management Science 21, 1975, p. 1338-1341: a coefficient of variation below 0.1.)
DENOMINATOR_KNOWN_TO = 0.1

#: A variance this small against the mean's own rounding is no variance: every value is the same number.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Effect:
    """What a change did to one metric. ``treatment - control == difference.value``."""

    control: float
    treatment: float
    difference: Estimate
    #: treatment / control - 1
    relative: Estimate | NoAnswer
    #: Two-sided, of the hypothesis that there is no difference; dual to the interval.
    p: float
    error: float
    #: Of each arm's own value.
    error_control: float
    error_treatment: float
    freedom: float
    n_control: int
    n_treatment: int
    #: Share of the difference's variance that the covariates took away; None without covariates.
    variance_reduction: float | None = None


def compare_means(control: Moments, treatment: Moments, *, level: float = LEVEL) -> Effect | NoAnswer:
    """Difference of two means; variables after the first are covariates from before the exposure (CUPED).

    Welch (Biometrika 34, 1947) with Satterthwaite's degrees of freedom (1946, eq. 17). Promise: the interval misses
    the truth in 1 - level of experiments. Conditions: independent units, finite variance, and no unit that carries it
    alone (`tails`). Covariates: Deng, Xu, Kohavi and Walker (WSDM 2013, eq. 4-5), with theta from within the arms, so
    that an effect cannot hide in it; it costs a degree of freedom a covariate.
    """
    few = _too_few(control.n, treatment.n)
    if few is not None:
        return few
    theta = _theta(control, treatment)
    weights = np.concatenate([[1.0], -theta])
    plain0, plain1 = control.combined(_first(control)), treatment.combined(_first(control))
    adjusted0, adjusted1 = control.combined(weights), treatment.combined(weights)
    if _is_constant(adjusted0) and _is_constant(adjusted1):
        return NoAnswer(
            "Every unit has the same value, so nothing can be said about chance. A metric that varies would tell more."
        )
    # both arms are read at the covariates' common mean: then their difference is the adjusted difference
    n = control.n + treatment.n
    common = (control.n * control.mean[1:] + treatment.n * treatment.mean[1:]) / n
    mean0 = float(adjusted0.mean[0] + theta @ common)
    mean1 = float(adjusted1.mean[0] + theta @ common)
    parts = (adjusted0.variance / control.n, adjusted1.variance / treatment.n)
    variance = sum(parts)
    shares = [part / variance for part in parts]
    freedom = 1 / (shares[0] ** 2 / (control.n - 1) + shares[1] ** 2 / (treatment.n - 1)) - len(theta)
    before = plain0.variance / control.n + plain1.variance / treatment.n
    method: Method = "Welch, CUPED" if len(theta) else "Welch"
    return _effect(
        (mean0, parts[0], control.n),
        (mean1, parts[1], treatment.n),
        freedom,
        level,
        method,
        1 - variance / before if len(theta) and before > 0 else None,
    )


def compare_proportions(x0: int, n0: int, x1: int, n1: int, *, level: float = LEVEL) -> Effect | NoAnswer:
    """Difference of two shares: ``x0`` of ``n0`` units in control, ``x1`` of ``n1`` in treatment.

    Miettinen and Nurminen's score interval (Statistics in Medicine 4, 1985, eq. 9-10) and the score test of no
    difference that belongs to it. Promise: 1 - level, also where few or none converted; at arms of 10 it errs by
    about a point. The relative change is by the delta method on the log scale.
    """
    if n0 == 0 or n1 == 0:
        return _too_few(n0, n1) or NoAnswer("An arm has no units.")
    strata = [Stratum(Arm(n0, x0, x0), Arm(n1, x1, x1))]
    compared = difference_of_proportions(strata, level=level)
    if isinstance(compared, NoAnswer):
        return compared
    if x0 + x1 in (0, n0 + n1):
        everybody = "Everybody" if x0 + x1 else "Nobody"
        return NoAnswer(
            f"{everybody} did it, in both arms: that shows no difference, and hides none. "
            f"With {n0:,} and {n1:,} units it lies between {compared.difference.low:+.2%} and {compared.difference.high:+.2%}."
        )
    ratio = compared.ratio
    relative: Estimate | NoAnswer = ratio
    if isinstance(ratio, Estimate):
        relative = Estimate(ratio.value - 1, ratio.low - 1, ratio.high - 1, ratio.n, ratio.method)
    errors = [math.sqrt(x / n * (1 - x / n) / n) for x, n in ((x0, n0), (x1, n1))]
    return Effect(
        compared.control,
        compared.treatment,
        compared.difference,
        relative,
        2 * float(special.ndtr(-abs(score_of_no_difference(strata)))),
        math.hypot(*errors),
        errors[0],
        errors[1],
        math.inf,
        n0,
        n1,
    )


def compare_ratios(control: Moments, treatment: Moments, *, level: float = LEVEL) -> Effect | NoAnswer:
    """Difference of two ratios of sums, as revenue a session: first variable over second; further ones are covariates.

    Delta method over units (Deng, Knoblich and Lu, KDD 2018, eq. 4): sessions of one person are not independent, people
    are. Promise: 1 - level. Conditions: those of means, and a denominator whose mean is known to a tenth.
    """
    few = _too_few(control.n, treatment.n)
    if few is not None:
        return few
    for arm in (control, treatment):
        bottom = float(arm.mean[1])
        error = math.sqrt(float(arm.m2[1, 1]) / (arm.n - 1) / arm.n)
        if bottom <= 0 or error > DENOMINATOR_KNOWN_TO * bottom:
            return NoAnswer(
                "The denominator is too close to zero for a ratio. More units would give one, or a denominator that "
                "every unit has."
            )
    means = [float(arm.mean[0] / arm.mean[1]) for arm in (control, treatment)]
    lines = [_linearised(arm, mean) for arm, mean in zip((control, treatment), means, strict=True)]
    answer = compare_means(*lines, level=level)
    if isinstance(answer, NoAnswer):
        return answer
    # the covariates' correction belongs to the difference; it is laid on the ratios themselves
    shift0, shift1 = answer.control - float(lines[0].mean[0]), answer.treatment - float(lines[1].mean[0])
    parts = _parts(answer, lines)
    return _effect(
        (means[0] + shift0, parts[0], control.n),
        (means[1] + shift1, parts[1], treatment.n),
        answer.freedom,
        level,
        "delta, CUPED" if len(control.mean) > 2 else "delta",
        answer.variance_reduction,
    )


def _linearised(arm: Moments, ratio: float) -> Moments:
    """Each unit's (numerator - ratio x denominator) / mean denominator: its mean is 0, its error is the ratio's."""
    k = len(arm.mean)
    shape = np.zeros((k - 1, k))
    shape[0, 0], shape[0, 1] = 1 / arm.mean[1], -ratio / arm.mean[1]
    shape[1:, 2:] = np.eye(k - 2)
    return Moments(arm.n, shape @ arm.mean, shape @ arm.m2 @ shape.T)


def _parts(effect: Effect, lines: list[Moments]) -> tuple[float, float]:
    """What each arm adds to the variance, in proportion to what it adds before covariates."""
    raw = [line.variance / line.n for line in lines]
    total = sum(raw)
    return (effect.error**2 * raw[0] / total, effect.error**2 * raw[1] / total)


def _effect(
    control: tuple[float, float, int],
    treatment: tuple[float, float, int],
    freedom: float,
    level: float,
    method: Method,
    reduction: float | None = None,
) -> Effect:
    (mean0, spread0, n0), (mean1, spread1, n1) = control, treatment
    gap, error = mean1 - mean0, math.sqrt(spread0 + spread1)
    reach = z(level) if math.isinf(freedom) else -float(special.stdtrit(freedom, (1 - level) / 2))
    return Effect(
        mean0,
        mean1,
        Estimate(gap, gap - reach * error, gap + reach * error, n0 + n1, method),
        fieller((mean0, spread0), (mean1, spread1), n0 + n1, reach),
        2 * upper_tail(abs(gap) / error, freedom),
        error,
        math.sqrt(spread0),
        math.sqrt(spread1),
        freedom,
        n0,
        n1,
        reduction,
    )


def fieller(control: tuple[float, float], treatment: tuple[float, float], n: int, reach: float) -> Estimate | NoAnswer:
    """treatment / control - 1 from (value, variance) pairs of independent arms; ``reach`` is t or z of the level.

    Fieller (JRSS B 16, 1954, p. 175-185): all ratios r for which treatment - r x control is not far from zero. Where
    the control itself may be zero the set is no interval, and there is no answer. Unlike the delta method it is not
    fooled by a baseline that is hardly known.
    """
    (bottom, spread0), (top, spread1) = control, treatment
    if bottom == 0 or reach**2 * spread0 >= bottom**2:
        return NoAnswer(
            "The baseline cannot be told from zero, so there is no relative change. Read the absolute difference."
        )
    if bottom < 0:
        return NoAnswer("The baseline is negative, so a relative change means nothing. Read the absolute difference.")
    ratio, g = top / bottom, reach**2 * spread0 / bottom**2
    half = reach / bottom * math.sqrt(spread1 * (1 - g) + ratio**2 * spread0)
    low, high = (ratio - half) / (1 - g), (ratio + half) / (1 - g)
    return Estimate(ratio - 1, low - 1, high - 1, n, "Fieller")


def _theta(control: Moments, treatment: Moments) -> Floats:
    """Slopes of the metric on its covariates within the arms; a covariate that does not vary gets none."""
    inside = control.m2 + treatment.m2
    scale = np.sqrt(np.maximum(np.diag(inside)[1:], 0.0))
    floor = ROUNDING * np.maximum(np.abs(control.mean[1:]), 1.0) * math.sqrt(control.n + treatment.n)
    scale = np.where(scale > floor, scale, np.inf)
    # in units of their own spread, so that a covariate in cents does not drown one in days
    return np.asarray(
        np.linalg.pinv(inside[1:, 1:] / np.outer(scale, scale), rcond=1e-10) @ (inside[1:, 0] / scale) / scale
    )


def _first(arm: Moments) -> Floats:
    return np.asarray(np.eye(len(arm.mean))[0])


def _is_constant(arm: Moments) -> bool:
    return float(arm.m2[0, 0]) <= (ROUNDING * max(abs(float(arm.mean[0])), 1e-300)) ** 2 * arm.n


def _too_few(n0: int, n1: int) -> NoAnswer | None:
    if n0 == 0 and n1 == 0:
        return NoAnswer("No unit of either arm has this metric. Check the column's name and when it is written.")
    if n0 == 0 or n1 == 0:
        return NoAnswer("Only one arm has units with this metric, so there is nothing to compare.")
    fewest = min(n0, n1)
    if fewest < FEWEST_UNITS:
        return NoAnswer(
            f"{fewest} {'unit' if fewest == 1 else 'units'} in an arm: too few for an interval of a mean. {FEWEST_UNITS} are the "
            "least, some hundred where values are skewed."
        )
    return None


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
    scarce = round(min(share, 1 - share) * n, 6)
    if scarce < FEWEST_BEYOND:
        return NoAnswer(
            f"Beyond the {100 * share:g}th percentile lie the values of {scarce:.0f} units; {FEWEST_BEYOND} are the "
            "least. More units would give one, or a quantile nearer to the middle."
        )
    ordered = np.sort(values)
    at = float(np.quantile(ordered, share))
    below = (values <= at).astype(np.float64)
    if units is None:
        error = math.sqrt(share * (1 - share) / n)
    else:
        _, whose = np.unique(units, return_inverse=True)
        sums = Moments.of(_sums(whose, below), _sums(whose, np.ones(rows)))
        error = math.sqrt(_linearised(sums, float(sums.mean[0] / sums.mean[1])).variance / n)
    reach = z(LEVEL)
    low, high = (ordered[min(max(round((share + side * reach * error) * rows), 0), rows - 1)] for side in (-1.0, 1.0))
    if high <= low:
        tied = int((values == at).sum())
        return NoAnswer(
            f"{tied:,} observations are exactly {at:g}, so the {100 * share:g}th percentile cannot move in small steps. "
            "A mean (capped, if the tail is long) or a share above a threshold would give an answer."
        )
    return Quantile(at, float(high - low) / (2 * reach), n, rows)


def _sums(whose: NDArray[np.int64], values: Floats) -> Floats:
    return np.asarray(np.bincount(whose, values), dtype=np.float64)


#: Units beyond a quantile, on its scarcer side, below which its order statistics are too coarse.
FEWEST_BEYOND = 20


def compare_quantiles(control: Quantile, treatment: Quantile, *, level: float = LEVEL) -> Effect:
    """Difference of two quantiles, normal theory. Promise: 1 - level, within about a point from 20 units beyond."""
    return _effect(
        (control.value, control.error**2, control.n),
        (treatment.value, treatment.error**2, treatment.n),
        math.inf,
        level,
        "order statistics" if control.rows == control.n else "order statistics, clustered",
    )
