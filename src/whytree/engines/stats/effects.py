"""Treatment against control, of one metric: the difference, its interval, its p, and the relative change.

Each function says what it promises and when. Where it cannot keep that, the answer is :class:`NoAnswer`, whose
sentence ends with what would give one. Units must be independent of each other: people assigned one by one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from whytree.engines.stats.answers import LEVEL, Estimate, Floats, Method, NoAnswer, upper_tail, z
from whytree.engines.stats.groups import FEWEST_UNITS
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.strata import (
    Comparison,
    Share,
    Stratum,
    difference_of_proportions,
    mantel_haenszel,
    nobody_to_compare,
    score_of_no_difference,
)

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
    return stratified_means([Stratum(control, treatment)], level=level)


def stratified_means(strata: Sequence[Stratum[Moments]], *, level: float = LEVEL) -> Effect | NoAnswer:
    """The same within periods of constant weights, combined with Mantel-Haenszel weights.

    Each arm and stratum keeps its own variance, with Satterthwaite's degrees of freedom over all of them. A stratum with
    a single unit in an arm has no variance to speak of and is left out. Theta is one number over all strata, from
    deviations within them: what the baseline's drift does to metric and covariate alike is none of it.
    """
    used = [one for one in strata if one.control.n > 1 and one.treatment.n > 1]
    arms = [[stratum.control for stratum in used], [stratum.treatment for stratum in used]]
    sizes = [sum(part.n for part in arm) for arm in arms]
    everybody = (sum(one.control.n for one in strata), sum(one.treatment.n for one in strata))
    few = too_few(*everybody) or (too_few(*sizes) if used else nobody_to_compare(strata))
    if few is not None:
        return few
    theta = _theta([*arms[0], *arms[1]])
    slopes = np.concatenate([[1.0], -theta])
    adjusted = [[part.combined(slopes) for part in arm] for arm in arms]
    if all(_is_constant(part) for arm in adjusted for part in arm):
        return NoAnswer(
            "Every unit has the same value, so nothing can be said about chance. A metric that varies would tell more."
        )
    weights = mantel_haenszel(*(np.array([part.n for part in arm], dtype=np.float64) for arm in arms))
    control, treatment = (_Weighed.of(arm, weights) for arm in adjusted)
    # all are read at the covariates' common mean: then the arms' difference is the adjusted difference
    common = sum((part.n * part.mean[1:] for arm in arms for part in arm), np.zeros(len(theta))) / sum(sizes)
    shift = float(theta @ common)
    return effect_of(
        (control.value + shift, control.spread, sizes[0]),
        (treatment.value + shift, treatment.spread, sizes[1]),
        _satterthwaite(control, treatment) - len(theta),
        level,
        _method(len(used), len(theta)),
        _reduction(arms, weights, control.spread + treatment.spread) if len(theta) else None,
    )


@dataclass(frozen=True)
class _Weighed:
    """An arm over all strata: its weighed mean, and what each stratum's units add to that mean's squared error."""

    value: float
    spreads: Floats
    sizes: Floats

    @classmethod
    def of(cls, arm: Sequence[Moments], weights: Floats) -> _Weighed:
        sizes = np.array([part.n for part in arm], dtype=np.float64)
        variances = np.array([part.variance for part in arm])
        return cls(float(weights @ [part.mean[0] for part in arm]), weights**2 * variances / sizes, sizes)

    @property
    def spread(self) -> float:
        return float(self.spreads.sum())


def _satterthwaite(*arms: _Weighed) -> float:
    """Degrees of freedom of the sum of all spreads (1946, eq. 17)."""
    whole = sum(arm.spread for arm in arms)
    return 1 / sum(float(((arm.spreads / whole) ** 2 / (arm.sizes - 1)).sum()) for arm in arms)


def _reduction(arms: Sequence[Sequence[Moments]], weights: Floats, spread: float) -> float | None:
    """The share that covariates took of the difference's variance."""
    plain = ([part.combined(_first(part)) for part in arm] for arm in arms)
    before = sum(_Weighed.of(arm, weights).spread for arm in plain)
    return 1 - spread / before if before > 0 else None


def _method(strata: int, covariates: int) -> Method:
    if strata > 1:
        return "Mantel-Haenszel weights, Welch, CUPED" if covariates else "Mantel-Haenszel weights, Welch"
    return "Welch, CUPED" if covariates else "Welch"


def compare_proportions(x0: int, n0: int, x1: int, n1: int, *, level: float = LEVEL) -> Effect | NoAnswer:
    """Difference of two shares: ``x0`` of ``n0`` units in control, ``x1`` of ``n1`` in treatment.

    Miettinen and Nurminen's score interval (Statistics in Medicine 4, 1985, eq. 9-10) and the score test of no
    difference that belongs to it. Promise: 1 - level, also where few or none converted; at arms of 10 it errs by
    about a point. The relative change is by the delta method on the log scale.
    """
    if n0 == 0 or n1 == 0:
        return too_few(n0, n1) or NoAnswer("An arm has no units.")
    return stratified_proportions([Stratum(Share(n0, x0), Share(n1, x1))], level=level)


def stratified_proportions(
    strata: Sequence[Stratum[Share]], *, level: float = LEVEL, nothing_tells: bool = False
) -> Effect | NoAnswer:
    """The same within periods of constant weights, combined with Mantel-Haenszel weights.

    Where nobody (or everybody) did it in both arms there is no answer; but with ``nothing_tells`` the interval around
    zero is one: that nothing happened among ten thousand says a lot of a guardrail.
    """
    compared = difference_of_proportions(strata, level=level)
    if isinstance(compared, NoAnswer):
        return compared
    nothing = _same_for_all(strata, compared)
    if nothing is not None and not nothing_tells:
        return nothing
    ratio = compared.ratio
    relative: Estimate | NoAnswer = ratio
    if isinstance(ratio, Estimate):
        relative = Estimate(ratio.value - 1, ratio.low - 1, ratio.high - 1, ratio.n, ratio.method)
    errors = (compared.error_control, compared.error_treatment)
    error = math.hypot(*errors)
    if error == 0:  # within the arms nobody varied; what the interval knows of chance stands in for it
        error = (compared.difference.high - compared.difference.low) / (2 * z(level))
    return Effect(
        compared.control,
        compared.treatment,
        compared.difference,
        relative,
        2 * float(special.ndtr(-abs(score_of_no_difference(strata)))),
        error,
        *errors,
        math.inf,
        compared.n_control,
        compared.n_treatment,
    )


def _same_for_all(strata: Sequence[Stratum[Share]], compared: Comparison) -> NoAnswer | None:
    used = [one for one in strata if one.compares]
    did = sum(one.control.converted + one.treatment.converted for one in used)
    if did not in (0, compared.n_control + compared.n_treatment):
        return None
    low, high = compared.difference.low, compared.difference.high
    return NoAnswer(
        f"{'Everybody' if did else 'Nobody'} did it, in both arms: that shows no difference, and hides none. "
        f"With {compared.n_control:,} and {compared.n_treatment:,} units it lies between {low:+.2%} and {high:+.2%}."
    )


def effect_of(
    control: tuple[float, float, int],
    treatment: tuple[float, float, int],
    freedom: float,
    level: float,
    method: Method,
    reduction: float | None = None,
) -> Effect:
    """From each arm's value, its squared error and its units."""
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


def _theta(arms: Sequence[Moments]) -> Floats:
    """Slopes of the metric on its covariates within the arms; a covariate that does not vary gets none."""
    inside = sum((arm.m2 for arm in arms), np.zeros_like(arms[0].m2))
    scale = np.sqrt(np.maximum(np.diag(inside)[1:], 0.0))
    largest = np.max([np.abs(arm.mean[1:]) for arm in arms], axis=0)
    floor = ROUNDING * np.maximum(largest, 1.0) * math.sqrt(sum(arm.n for arm in arms))
    scale = np.where(scale > floor, scale, np.inf)
    # in units of their own spread, so that a covariate in cents does not drown one in days
    return np.asarray(
        np.linalg.pinv(inside[1:, 1:] / np.outer(scale, scale), rcond=1e-10) @ (inside[1:, 0] / scale) / scale
    )


def _first(arm: Moments) -> Floats:
    return np.asarray(np.eye(len(arm.mean))[0])


def _is_constant(arm: Moments) -> bool:
    return float(arm.m2[0, 0]) <= (ROUNDING * max(abs(float(arm.mean[0])), 1e-300)) ** 2 * arm.n


def too_few(n0: int, n1: int) -> NoAnswer | None:
    """Why arms of so many units give no interval; None where they do."""
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


def over_periods(
    strata: Sequence[Stratum[Moments]], answers: Sequence[Effect | NoAnswer], level: float
) -> Effect | NoAnswer:
    """Answers of periods as one, with Mantel-Haenszel weights as `stratified_quantiles`; periods without one are left out.

    Each period keeps its own variance and degrees of freedom (Satterthwaite, Biometrics Bulletin 2, 1946, eq. 17).
    """
    used = [one for one in answers if isinstance(one, Effect)]
    if len(used) < 2:
        reasons = [one for one in answers if isinstance(one, NoAnswer)]
        return used[0] if used else reasons[0] if len(reasons) == 1 else nobody_to_compare(strata)
    n0, n1 = (
        np.array(sizes, dtype=np.float64) for sizes in zip(*((e.n_control, e.n_treatment) for e in used), strict=True)
    )
    weights = mantel_haenszel(n0, n1)
    spreads = [float(weights**2 @ np.array([getattr(one, name) ** 2 for one in used])) for name in _ERRORS]
    values = [float(weights @ np.array([getattr(one, name) for one in used])) for name in ("control", "treatment")]
    lost = sum(float(w**4 * one.error**4 / one.freedom) for w, one in zip(weights, used, strict=True))
    return effect_of(
        (values[0], spreads[0], int(n0.sum())),
        (values[1], spreads[1], int(n1.sum())),
        sum(spreads) ** 2 / lost,
        level,
        used[0].difference.method,
    )


_ERRORS = ("error_control", "error_treatment")
