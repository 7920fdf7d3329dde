"""A change that nobody drew: the number before and after, or against another that did not get it. Not randomised.

Both are a step in a daily series: the number itself (interrupted time series), or its difference from a comparison
(difference in differences). Neither knows what else happened that day. So the same question is asked of days on which
nothing happened (placebos), and where it finds steps there too, its interval is widened until it does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from whytree.engines.stats.answers import LEVEL, Estimate, Floats, NoAnswer, upper_tail, z

#: Days before and after that are needed: nine of each weekday to learn from, and two to look at.
FEWEST_BEFORE, FEWEST_AFTER = 63, 14

#: More of the days without a number, and nobody knows what the others were chosen by.
MOST_MISSING = 0.2

#: Placebo days from which their steps are a yardstick.
FEWEST_PLACEBOS = 20

#: p of the slope before, below which two series do not go alike.
SLOPE_DIFFERS = 0.05


@dataclass(frozen=True)
class Step:
    """How far the number moved on that day and stayed, in its own unit, with how it was made.

    ``placebo_p``: of the days before on which nothing happened, the share with as large a step. ``inflation``: by how much
    the error was widened because steps were found there too often. ``slope_p``: of the comparison, whether both went alike
    before.
    """

    step: Estimate
    before: float
    p: float
    placebos: int
    placebo_p: float
    inflation: float
    slope_p: float | None = None


def interrupted(values: Floats, at: int, *, level: float = LEVEL) -> Step | NoAnswer:
    """Interrupted time series: ``values`` a day each, the change on day ``at``; a day without a number is nan, and left out.

    Segmented regression with a trend, weekdays and a level (Wagner et al., J. Clin. Pharm. Ther. 27, 2002, eq. 1, without
    a change of slope), errors by `newey_west`, and calibrated on placebo days (Schuemie et
    al., Statistics in Medicine 33, 2014, section 2). Promise: 1 - level where nothing else happened that day, and the days
    after go on like the days before. Conditions: `FEWEST_BEFORE` and `FEWEST_AFTER` days.
    """
    return _step(values, at, trend=True, level=level)


def difference_in_differences(treated: Floats, compared: Floats, at: int, *, level: float = LEVEL) -> Step | NoAnswer:
    """Against a series that did not get the change: their daily difference, and how far that moved.

    Card and Krueger (AER 84, 1994); serial correlation, which makes naive intervals miss about half of the time, as in
    Bertrand, Duflo and Mullainathan (QJE 119, 2004). Promise: 1 - level where both would have gone on alike. That cannot be
    known; where they did not go alike before (a slope in the difference), there is no answer.
    """
    if len(treated) != len(compared):
        raise ValueError("Both series have the same days.")
    found = _step(np.asarray(treated - compared), at, trend=False, level=level)
    if isinstance(found, NoAnswer):
        return found
    slope_p = _slope_p(np.asarray(treated - compared)[:at])
    if slope_p < SLOPE_DIFFERS:
        return NoAnswer(
            f"The two did not go alike before the change (p = {slope_p:.2g} for their difference having a slope), so what came after is "
            "no comparison. Take one that moved alike, or before and after alone."
        )
    return Step(found.step, found.before, found.p, found.placebos, found.placebo_p, found.inflation, slope_p)


def _step(values: Floats, at: int, *, trend: bool, level: float) -> Step | NoAnswer:
    known = np.isfinite(values)
    before, after = int(known[:at].sum()), int(known[at:].sum())
    if before < FEWEST_BEFORE or after < FEWEST_AFTER:
        return NoAnswer(
            f"There are {before} days before the change and {max(after, 0)} from it on; {FEWEST_BEFORE} and {FEWEST_AFTER} are the "
            "least, to know how this number moves by itself."
        )
    missing = len(values) - before - after
    if missing > MOST_MISSING * len(values):
        return NoAnswer(
            f"{missing} of {len(values)} days have no number: too many to leave out. What came in on the others says little of them."
        )
    if float(np.ptp(values[known])) == 0:
        return NoAnswer("The number is the same on every day, so nothing can be said about chance.")
    value, error, freedom = _fit(values, at, trend)
    if not error > 0:
        return NoAnswer("The days fit too exactly for an error. More days would give one.")
    placebos = _placebos(values[:at], trend)
    if len(placebos) < FEWEST_PLACEBOS:
        return NoAnswer(
            f"Only {len(placebos)} days before the change can stand for “nothing happened”; {FEWEST_PLACEBOS} are the least."
        )
    scores = np.abs(np.array([step / wrong for step, wrong in placebos]))
    # the scores' spread, robustly: were the error right, half of them lay within 0.67
    inflation = max(1.0, float(np.median(scores)) / 0.6745, float(np.quantile(scores, level)) / z(level))
    error *= inflation
    reach = -float(special.stdtrit(freedom, (1 - level) / 2))
    steps = np.abs(np.array([step for step, _ in placebos]))
    return Step(
        Estimate(
            value,
            value - reach * error,
            value + reach * error,
            before + after,
            "segmented regression, placebo-calibrated",
        ),
        float(np.nanmean(values[:at])),
        2 * upper_tail(abs(value) / error, freedom),
        len(placebos),
        float((1 + (steps >= abs(value)).sum()) / (len(steps) + 1)),
        inflation,
    )


def _placebos(values: Floats, trend: bool) -> list[tuple[float, float]]:
    """Steps and errors on the days before on which nothing happened, each with four weeks before and two after at least."""
    found = []
    known = np.isfinite(values)
    for at in range(28, len(values) - FEWEST_AFTER + 1):
        if known[:at].sum() < 21 or known[at:].sum() < FEWEST_AFTER - 3:
            continue  # hardly a day of it has a number
        value, error, _ = _fit(values, at, trend)
        if error > 0:
            found.append((value, error))
    return found


def _fit(values: Floats, at: int, trend: bool) -> tuple[float, float, float]:
    """The step on day ``at``, its Newey-West error and the degrees of freedom that are left."""
    n = len(values)
    step = (np.arange(n) >= at).astype(np.float64)
    return _regressed(values, [step, *([_slope(n)] if trend else [])])


def _slope_p(values: Floats) -> float:
    """Whether a difference of two series had a slope before the change."""
    value, error, freedom = _regressed(values, [_slope(len(values))])
    return 2 * upper_tail(abs(value) / error, freedom) if error > 0 else 0.0


def _slope(n: int) -> Floats:
    return np.asarray(np.arange(n) / n - 0.5)


def _regressed(values: Floats, columns: list[Floats]) -> tuple[float, float, float]:
    """The first column's coefficient beside weekdays and the others, its error, and the degrees of freedom left.

    A missing day adds nothing to the coefficient, and keeps its place in time: what hangs together over it is not moved
    nearer (the amplitude-modulated estimator: Parzen, Sankhya A 25, 1963; Datta and Du, 2012, section 2).
    """
    n, known = len(values), np.isfinite(values)
    weekdays = [(np.arange(n) % 7 == weekday).astype(np.float64) for weekday in range(1, 7)]
    x = np.column_stack([*columns, np.ones(n), *weekdays])
    x[~known] = 0.0
    inverse = np.linalg.pinv(x.T @ x)
    coefficients = inverse @ (x.T @ np.where(known, values, 0.0))
    residuals = np.where(known, values - x @ coefficients, 0.0)
    scores = (x @ inverse[0]) * residuals  # what each day adds to the coefficient
    n = int(known.sum())
    freedom = n - x.shape[1]
    spread = max(newey_west(scores), newey_west(scores, _memory(residuals, known))) * n / freedom
    return float(coefficients[0]), math.sqrt(max(spread, 0.0)), float(freedom)


def newey_west(scores: Floats, memory: float = 0.0) -> float:
    """Variance of a sum of scores that hang together in time (Newey and West 1987, eq. 5).

    With ``memory`` prewhitened: what a day hands on to the next is taken out first and put back into the result, for
    where seven lags are not enough (Andrews and Monahan, Econometrica 60, 1992, eq. 3.2-3.4).
    """
    n = len(scores)
    white = scores if memory == 0 else scores[1:] - memory * scores[:-1]
    lags = _lags(n)
    spread = float(white @ white)
    for lag in range(1, lags + 1):
        spread += 2 * (1 - lag / (lags + 1)) * float(white[lag:] @ white[:-lag])
    return spread / (1 - memory) ** 2


#: More memory than this and a few months cannot tell a step from a mood (Andrews and Monahan's bound).
MOST_MEMORY = 0.97


def _memory(residuals: Floats, known: NDArray[np.bool_]) -> float:
    """Each day's share of the day before, with Kendall's correction for how short the series is (Biometrika 41, 1954)."""
    before = residuals[:-1][known[1:]]  # of the days that are followed by one with a number
    raw = float(before @ residuals[1:][known[1:]]) / max(float(before @ before), 1e-300)
    n = int(known.sum())
    return min(max(raw + (1 + 3 * raw) / n, 0.0), MOST_MEMORY)


def _lags(n: int) -> int:
    """Newey and West (Review of Economic Studies 61, 1994): 4 (n / 100)^(2/9), but a week at least."""
    return max(7, int(4 * math.pow(n / 100, 2 / 9)))
