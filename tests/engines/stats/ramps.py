"""Rows of ``docs/statistics.md`` about ramps: periods of constant weights, a baseline that drifts, and looks on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from whytree.engines.stats import NoAnswer, Stratum
from whytree.engines.stats.effects import Effect, compare_means, stratified_means
from whytree.engines.stats.margins import non_inferior
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.ratios import compare_ratios, stratified_ratios
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


#: A rollout's steps as arms see them: people a step in each arm, and what everybody's level is meanwhile.
STEPS = ((1_000, 1_000, 1.0), (2_000, 2_000, 1.3), (1_500, 500, 1.6))
LOOKS_A_STEP = 5


def crowd(rng: Rng, kind: str, size: int, level: float) -> tuple[np.ndarray, ...]:
    """What each of ``size`` people comes to. All have mean ``level``: counts of unlike people, sums of the few who pay, or
    orders over sessions."""
    if kind == "counts":
        return (rng.poisson(rng.gamma(0.5, 2 * level, size)).astype(float),)
    if kind == "sums":
        return (np.where(rng.random(size) < 0.2, rng.lognormal(np.log(5 * level) - 0.5, 1.0, size), 0.0),)
    sessions = 1.0 + rng.poisson(rng.gamma(1.0, 3.0, size))
    return rng.poisson(level * sessions * rng.gamma(4.0, 0.25, size)).astype(float), sessions


def watched(kind: str, *, over: float, margin: float = 0.2) -> Run:
    """A guarded rollout whose guardrail is a mean: looked at after every fifth of a step, is harm ever cried? Truly worse by
    ``over`` margins. The last step's weights are three to one."""

    def run(rng: Rng) -> bool | None:
        compare = stratified_ratios if kind == "ratios" else stratified_means
        past: list[Stratum[Moments]] = []
        for *sizes, level in STEPS:
            arms = [
                crowd(rng, kind, size, level + harm) for size, harm in zip(sizes, (0.0, margin * over), strict=True)
            ]
            for look in range(1, LOOKS_A_STEP + 1):
                now = [
                    Moments.of(*(column[: len(column) * look // LOOKS_A_STEP] for column in columns))
                    for columns in arms
                ]
                stratum = Stratum(*now)
                if harmed(compare([*past, stratum]), margin):
                    return True
            past.append(stratum)
        return False

    return run


def ratios(*, pooled: bool) -> Run:
    """Orders over sessions at the end of the three steps; nothing was done by the change."""

    def run(rng: Rng) -> bool | None:
        strata = [
            Stratum(*(Moments.of(*crowd(rng, "ratios", size, level)) for size in sizes)) for *sizes, level in STEPS
        ]
        if not pooled:
            return missed(stratified_ratios(strata), 0.0)
        arms = [strata[0].control, strata[0].treatment]
        for one in strata[1:]:
            arms = [arms[0].merged(one.control), arms[1].merged(one.treatment)]
        return missed(compare_ratios(*arms), 0.0)

    return run


def harmed(answer: Effect | NoAnswer, margin: float) -> bool:
    if isinstance(answer, NoAnswer):
        return False
    looked = always_valid(answer.difference.value, answer.error, answer.difference.n)
    if isinstance(looked, NoAnswer):
        return False
    judged = non_inferior(looked.difference, answer.error, answer.freedom, margin, up_is_good=False)
    return judged.standing == "harm"


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
    ("rollout halted by counts", "3 steps, 15 looks, worse by just the margin", 0.05, watched("counts", over=1.0)),
    ("rollout halted by sums", "3 steps, 15 looks, worse by just the margin", 0.05, watched("sums", over=1.0)),
    ("rollout halted by a ratio", "3 steps, 15 looks, worse by just the margin", 0.05, watched("ratios", over=1.0)),
    ("rollout halted by counts", "3 steps, 15 looks, worse by three margins", None, watched("counts", over=3.0)),
    ("stratified ratio", "3 steps, drifting baseline, no effect", 0.05, ratios(pooled=False)),
    ("the same pooled, as a mistake", "3 steps, drifting baseline, no effect", 0.05, ratios(pooled=True)),
)
