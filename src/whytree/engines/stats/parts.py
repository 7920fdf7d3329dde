"""The same comparison in several parts of the units: do the parts differ, how much of that is chance, and what of it
is left; and all parts together as the units are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from whytree.engines.stats.answers import LEVEL, NoAnswer, z
from whytree.engines.stats.effects import Effect, effect_of
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.shrinkage import Measured
from whytree.engines.stats.strata import Stratum

#: Parts below which nothing can be said of how parts differ.
FEWEST_PARTS = 3

#: Units an arm that a part needs to be weighed by its size.
FEWEST_IN_PART = 20

#: Points of the quadrature over the spread between parts.
POINTS = 400


@dataclass(frozen=True)
class Part:
    """A part's effect after it was drawn towards the others, and where the truth lies."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Parts:
    """``p`` is of "all parts have the same effect"; ``between`` is how far effects truly differ (a standard deviation)."""

    p: float
    statistic: float
    between: float
    parts: tuple[Part, ...]


def shrink(effects: Sequence[Measured], *, level: float = LEVEL) -> Parts | NoAnswer:
    """What each part's effect is, given that it is one of several and that the extreme ones were also lucky.

    Effects are normal around a common mean with an unknown spread; both are averaged over, flat in the mean and in the
    spread (Gelman et al., Bayesian Data Analysis, 3rd ed., eq. 5.17, 5.20-5.21; their eight schools are the reference).
    Whether parts differ at all is Cochran's Q (Biometrics 10, 1954, p. 110-111). Promise: over all parts of an
    experiment ``level`` of these intervals hold, also of the part that looks most extreme on average over experiments
    whose parts are so spread. Condition: three parts.
    """
    if len(effects) < FEWEST_PARTS:
        return NoAnswer(f"{len(effects)} parts with an answer; how far parts differ takes {FEWEST_PARTS}.")
    y, s2 = np.array([one.value for one in effects]), np.array([one.error**2 for one in effects])
    if not (np.isfinite(y).all() and (s2 > 0).all() and np.isfinite(s2).all()):
        return NoAnswer("A part without an error cannot be weighed against the others.")
    fixed = float((y / s2).sum() / (1 / s2).sum())
    statistic = float(((y - fixed) ** 2 / s2).sum())
    tau = np.linspace(0.0, 1.0, POINTS) ** 2 * 5 * max(float(y.std(ddof=1)), float(np.sqrt(s2).mean()))
    precision = 1 / (s2 + tau[:, None] ** 2)
    weight = 1 / precision.sum(axis=1)
    mean = (precision * y).sum(axis=1) * weight
    log = 0.5 * (np.log(weight) + np.log(precision).sum(axis=1) - (precision * (y - mean[:, None]) ** 2).sum(axis=1))
    density = np.exp(log - log.max()) * np.gradient(tau)
    density /= density.sum()
    # given the spread, each is a weighted mean of its own value and the common one, whose own doubt is added
    own = 1 / (1 / s2 + np.divide(1, tau[:, None] ** 2, out=np.full((POINTS, 1), np.inf), where=tau[:, None] > 0))
    pull = own / s2
    centre = pull * y + (1 - pull) * mean[:, None]
    spread = own + (1 - pull) ** 2 * weight[:, None]
    value = density @ centre
    deviation = np.sqrt(density @ (spread + centre**2) - value**2)
    half = z(level) * deviation
    return Parts(
        float(special.chdtrc(len(effects) - 1, statistic)),
        statistic,
        float(density @ tau),
        tuple(Part(float(v), float(v - h), float(v + h)) for v, h in zip(value, half, strict=True)),
    )


def post_stratified(strata: Sequence[Stratum[Moments]], *, level: float = LEVEL) -> Effect | NoAnswer:
    """The difference if each part weighed as much as it has units, however the draw happened to fill the arms.

    Miratrix, Sekhon and Yu (JRSS B 75, 2013, eq. 4, with the variance of eq. 6 as estimated in their section 3):
    narrower where parts differ in the metric. Promise: 1 - level. Conditions: parts that the change cannot move, and
    `FEWEST_IN_PART` units of each in each arm.
    """
    used = [one for one in strata if one.control.n or one.treatment.n]
    if len(used) < 2:
        return NoAnswer("With fewer than two parts there is nothing to weigh.")
    if min(min(one.control.n, one.treatment.n) for one in used) < FEWEST_IN_PART:
        return NoAnswer(
            f"A part has fewer than {FEWEST_IN_PART} units in an arm. Put small parts together, and the parts can be weighed."
        )
    n0, n1 = (np.array([arm.n for arm in arms], dtype=np.float64) for arms in _arms(used))
    weights = (n0 + n1) / (n0 + n1).sum()
    spreads, values = [], []
    lost = 0.0
    for arms, n in zip(_arms(used), (n0, n1), strict=True):
        each = weights**2 * np.array([arm.variance for arm in arms]) / n
        values.append(float(weights @ np.array([float(arm.mean[0]) for arm in arms])))
        spreads.append(float(each.sum()))
        lost += float((each**2 / (n - 1)).sum())
    if sum(spreads) <= 0:
        return NoAnswer("Within the parts every unit has the same value, so nothing can be said about chance.")
    plain = [_pooled(arms) for arms in _arms(used)]
    before = sum(one.variance / one.n for one in plain)
    return effect_of(
        (values[0], spreads[0], int(n0.sum())),
        (values[1], spreads[1], int(n1.sum())),
        sum(spreads) ** 2 / lost,
        level,
        "post-stratified",
        1 - sum(spreads) / before if before > 0 else None,
    )


def _arms(strata: Sequence[Stratum[Moments]]) -> tuple[list[Moments], list[Moments]]:
    return [one.control for one in strata], [one.treatment for one in strata]


def _pooled(arms: Sequence[Moments]) -> Moments:
    whole = arms[0]
    for one in arms[1:]:
        whole = whole.merged(one)
    return whole


@dataclass(frozen=True)
class Triggered:
    """``share`` of all units could meet the change at all; the effect among them, and what that is over everybody."""

    share: float
    p: float
    """Of "both arms are triggered alike": else the change moves who is counted."""
    among: Effect
    diluted: Effect


#: p of the triggered shares below which the arms are not triggered alike (as of a sample ratio that wants a look).
TRIGGER_DIFFERS = 0.01


def triggered(among: Effect | NoAnswer, shares: Effect | NoAnswer, *, level: float = LEVEL) -> Triggered | NoAnswer:
    """From the effect among those who could meet the change to the effect on all, whom the others only dilute.

    Deng and Hu (WSDM 2015, eq. 5): the difference over all is the triggered share times the difference among the
    triggered; its error by the delta method, the two being uncorrelated given who was triggered. Narrower than
    comparing all. Promise: 1 - level. Conditions: who is not triggered gets the same in both arms, and the change does
    not move who is triggered: tested, and refused below `TRIGGER_DIFFERS`. Not for a share of something else, a ratio.
    """
    if isinstance(shares, NoAnswer):
        return NoAnswer(f"How many were triggered cannot be compared. {shares.reason}")
    if shares.p < TRIGGER_DIFFERS:
        return NoAnswer(
            f"The arms were not triggered alike ({100 * shares.control:.3g} % and {100 * shares.treatment:.3g} %, p = {shares.p:.2g}), so "
            "the change moves who is counted, and those who are left cannot be compared. Take a trigger that lies before the change."
        )
    if isinstance(among, NoAnswer):
        return NoAnswer(f"Among the triggered there is no answer. {among.reason}")
    n = shares.n_control + shares.n_treatment
    share = (shares.control * shares.n_control + shares.treatment * shares.n_treatment) / n
    gap = among.difference.value
    extra = gap**2 * share * (1 - share) / n
    # each arm's own values stay those of the triggered, scaled: what the others do is in neither
    diluted = effect_of(
        (share * among.control, share**2 * among.error_control**2 + extra / 2, among.n_control),
        (share * among.treatment, share**2 * among.error_treatment**2 + extra / 2, among.n_treatment),
        among.freedom,
        level,
        "diluted",
    )
    return Triggered(share, shares.p, among, diluted)
