"""Two arms, compared by one sum over another: a ratio of sums within a unit's own rows, and groups that were drawn whole.

Both are the delta method over whatever was drawn: units here, groups there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from whytree.engines.stats.answers import LEVEL, NoAnswer
from whytree.engines.stats.effects import ROUNDING, Effect, compare_means, effect_of, over_periods, too_few
from whytree.engines.stats.groups import DENOMINATOR_KNOWN_TO
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.strata import Stratum

#: Groups an arm, in effect, from which the error between drawn groups is known well enough (docs/statistics.md measures it).
FEWEST_CLUSTERS = 15


def compare_ratios(control: Moments, treatment: Moments, *, level: float = LEVEL) -> Effect | NoAnswer:
    """Difference of two ratios of sums, as revenue a session: first variable over second; further ones are covariates.

    Delta method over units (Deng, Knoblich and Lu, KDD 2018, eq. 4): sessions of one person are not independent, people
    are. Promise: 1 - level. Conditions: those of means, and a denominator whose mean is known to a tenth.
    """
    few = too_few(control.n, treatment.n)
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
    lines = [linearised(arm, mean) for arm, mean in zip((control, treatment), means, strict=True)]
    answer = compare_means(*lines, level=level)
    if isinstance(answer, NoAnswer):
        return answer
    # the covariates' correction belongs to the difference; it is laid on the ratios themselves
    shift0, shift1 = answer.control - float(lines[0].mean[0]), answer.treatment - float(lines[1].mean[0])
    parts = _parts(answer, lines)
    return effect_of(
        (means[0] + shift0, parts[0], control.n),
        (means[1] + shift1, parts[1], treatment.n),
        answer.freedom,
        level,
        "delta, CUPED" if len(control.mean) > 2 else "delta",
        answer.variance_reduction,
    )


def stratified_ratios(strata: Sequence[Stratum[Moments]], *, level: float = LEVEL) -> Effect | NoAnswer:
    """The same within periods of constant weights: the mean of the periods' differences, zero where no period has one.

    Never pooled: what both parts do with time would look like an effect. Thin periods are left out.
    """
    answers = [compare_ratios(one.control, one.treatment, level=level) for one in strata]
    return over_periods(strata, answers, level)


def linearised(arm: Moments, ratio: float) -> Moments:
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


def compare_clusters(control: Moments, treatment: Moments, *, level: float = LEVEL) -> Effect | NoAnswer:
    """Groups were drawn, units are measured: first variable the groups' sums, second their sizes, over groups.

    The mean over units is a ratio of sums, and its error is the groups' (Donner and Klar, Design and Analysis of Cluster
    Randomization Trials, 2000, section 6.3; as a delta method Deng, Knoblich and Lu, KDD 2018, eq. 4). Groups of unequal
    size count as fewer: as Kish's (sum of sizes)^2 / sum of squares (Survey Sampling, 1965, section 11.7), which stands in
    for their number in the variance and in Student's degrees of freedom (Carter, Schnepel and Steigerwald, REStat 99, 2017,
    eq. 8, at equal correlation within groups). Promise: 1 - level, within about a point. Condition: `FEWEST_CLUSTERS`.
    """
    if min(control.n, treatment.n) == 0:
        return too_few(control.n, treatment.n) or NoAnswer("An arm has no groups.")
    if min(float(control.mean[1]), float(treatment.mean[1])) <= 0:
        return NoAnswer("The groups of an arm hold no units, so there is nothing to compare.")
    effective = [_effective(arm) for arm in (control, treatment)]
    if min(effective) < FEWEST_CLUSTERS:
        arm = (control, treatment)[effective.index(min(effective))]
        uneven = "" if arm.n < FEWEST_CLUSTERS else f", that count as {min(effective):.1f} for their unequal size"
        return NoAnswer(
            f"An arm has {arm.n} drawn groups{uneven}: {FEWEST_CLUSTERS} are the least. More groups would give an answer, more "
            "units in them would not; where sizes differ much, so would a metric that counts each group once."
        )
    means = [float(arm.mean[0] / arm.mean[1]) for arm in (control, treatment)]
    lines = [linearised(arm, mean) for arm, mean in zip((control, treatment), means, strict=True)]
    if max(float(line.m2[0, 0]) for line in lines) <= (ROUNDING * max(map(abs, means))) ** 2 * min(
        control.n, treatment.n
    ):
        return NoAnswer(
            "All groups have the same mean, so nothing can be said about chance. A metric that varies would tell more."
        )
    # of `k` groups: sum of squared residuals / k^2 x k_eff / (k_eff - 1)
    parts = [float(line.m2[0, 0]) / line.n**2 * k / (k - 1) for line, k in zip(lines, effective, strict=True)]
    freedom = sum(parts) ** 2 / sum(part**2 / (k - 1) for part, k in zip(parts, effective, strict=True))
    return effect_of(
        (means[0], parts[0], control.n), (means[1], parts[1], treatment.n), freedom, level, "delta, clusters drawn"
    )


def stratified_clusters(strata: Sequence[Stratum[Moments]], *, level: float = LEVEL) -> Effect | NoAnswer:
    """The same within periods of constant weights; thin periods are left out."""
    answers = [compare_clusters(one.control, one.treatment, level=level) for one in strata]
    return over_periods(strata, answers, level)


def _effective(arm: Moments) -> float:
    """How many groups of equal size these are worth."""
    squares = float(arm.m2[1, 1]) + arm.n * float(arm.mean[1]) ** 2
    return (arm.n * float(arm.mean[1])) ** 2 / squares
