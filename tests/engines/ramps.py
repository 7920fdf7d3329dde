"""Rows of ``docs/statistics.md`` about ramps: periods of constant weights, a baseline that drifts, and looks on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from whytree.engines.stats import NoAnswer, Stratum
from whytree.engines.stats.effects import Effect, compare_means, stratified_means
from whytree.engines.stats.margins import non_inferior
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.sequential import always_valid

Rng = np.random.Generator
Run = Callable[[Rng], bool | None]

#: People a period, the part of them treated, and the level of metric and covariate.
PERIODS = ((1_000, 0.1, 10.0), (1_000, 0.3, 13.0), (1_000, 0.5, 19.0))


def draw(rng: Rng, *, effect: float = 0.0, tie: float = 0.8) -> list[Stratum[Moments]]:
    """A ramp whose metric and covariate drift together; within a period they are tied by ``tie``."""
    strata = []
    for people, treated, level in PERIODS:
        arms = []
        for size, lift in ((round(people * (1 - treated)), 0.0), (round(people * treated), effect)):
            before = rng.normal(0, 1, size)
            own = tie * before + np.sqrt(1 - tie**2) * rng.normal(0, 1, size)
            arms.append(Moments.of(level + lift + own, level + before))
        strata.append(Stratum(*arms))
    return strata


def plain(strata: Sequence[Stratum[Moments]]) -> list[Stratum[Moments]]:
    return [Stratum(one.control.combined([1, 0]), one.treatment.combined([1, 0])) for one in strata]


def missed(answer: Effect | NoAnswer, truth: float) -> bool | None:
    return None if isinstance(answer, NoAnswer) else not answer.difference.low <= truth <= answer.difference.high


def ramp(effect: float, *, covariate: bool) -> Run:
    def run(rng: Rng) -> bool | None:
        strata = draw(rng, effect=effect)
        return missed(stratified_means(strata if covariate else plain(strata)), effect)

    return run


def pooled(rng: Rng) -> bool | None:
    """The mistake: an arm's periods in one heap."""
    strata = plain(draw(rng))
    arms = [strata[0].control, strata[0].treatment]
    for one in strata[1:]:
        arms = [arms[0].merged(one.control), arms[1].merged(one.treatment)]
    return missed(compare_means(*arms), 0.0)


def found(effect: float, *, covariate: bool) -> Run:
    def run(rng: Rng) -> bool | None:
        strata = draw(rng, effect=effect)
        return missed(stratified_means(strata if covariate else plain(strata)), 0.0)

    return run


def halted(rails: int, looks: int, *, over: float) -> Run:
    """A rollout looked at ``looks`` times: does any of its guardrails cry harm? Truly worse by ``over`` margins of 0.1."""

    def run(rng: Rng) -> bool | None:
        level, margin = 1 - 0.05 / rails, 0.1
        for _ in range(rails):
            control, treatment = rng.normal(0, 1, looks * 100), rng.normal(margin * over, 1, looks * 100)
            for look in range(1, looks + 1):
                answer = compare_means(Moments.of(control[: look * 100]), Moments.of(treatment[: look * 100]))
                if isinstance(answer, NoAnswer):
                    continue
                looked = always_valid(answer.difference.value, answer.error, answer.difference.n, level=level)
                if isinstance(looked, NoAnswer):
                    continue
                judged = non_inferior(looked.difference, answer.error, answer.freedom, margin, up_is_good=False)
                if judged.standing == "harm":
                    return True
        return False

    return run


#: What is promised, the world, the rate, and how it is measured.
ROWS: tuple[tuple[str, str, float | None, Run], ...] = (
    ("stratified mean", "ramp, drifting baseline, no effect", 0.05, ramp(0.0, covariate=False)),
    ("stratified mean", "ramp, effect 0.1", 0.05, ramp(0.1, covariate=False)),
    ("stratified mean with a covariate", "ramp, both drift, no effect", 0.05, ramp(0.0, covariate=True)),
    ("stratified mean with a covariate", "ramp, both drift, effect 0.1", 0.05, ramp(0.1, covariate=True)),
    ("pooled mean, as a mistake", "ramp, drifting baseline, no effect", 0.05, pooled),
    ("found, without a covariate", "ramp, effect 0.1", None, found(0.1, covariate=False)),
    ("found, with a covariate of correlation 0.8", "ramp, effect 0.1", None, found(0.1, covariate=True)),
    ("rollout halted", "2 guardrails, 40 looks, none worse", 0.05, halted(2, 40, over=0.0)),
    ("rollout halted", "2 guardrails, 40 looks, worse by just the margin", 0.05, halted(2, 40, over=1.0)),
    ("rollout halted", "2 guardrails, 40 looks, worse by three margins", None, halted(2, 40, over=3.0)),
)
