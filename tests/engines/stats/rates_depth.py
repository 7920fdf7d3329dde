"""Rows of ``rates`` for what is asked beyond one comparison: parts, triggers, drawn groups and periods, steps nobody drew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from whytree.engines.flags import Switching
from whytree.engines.stats import NoAnswer, Share, Stratum
from whytree.engines.stats.bandit import thompson
from whytree.engines.stats.blocks import compare_blocks, compare_within_blocks, drawn_again
from whytree.engines.stats.effects import Effect, compare_means, compare_proportions
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.parts import post_stratified, shrink, triggered
from whytree.engines.stats.quantiles import quantile, stratified_quantiles
from whytree.engines.stats.ratios import compare_clusters, compare_ratios
from whytree.engines.stats.sequential import AlwaysValid, always_valid
from whytree.engines.stats.shrinkage import Measured
from whytree.engines.stats.unrandomised import difference_in_differences, interrupted

Rng = np.random.Generator
Run = Callable[[Rng], Any]


def missed(answer: Effect | NoAnswer, truth: float) -> bool | None:
    return None if isinstance(answer, NoAnswer) else not answer.difference.low <= truth <= answer.difference.high


# --- groups and periods that were drawn ------------------------------------------------------------------------------


def clusters(k: int, spread: float, judge: str = "clusters") -> Run:
    """``k`` groups an arm, sizes lognormal around 20 with this spread, shares of 30 % that differ by group."""

    def arm(rng: Rng) -> tuple[np.ndarray, np.ndarray]:
        sizes = np.maximum(1, np.round(20 * rng.lognormal(0, spread, k))).astype(int)
        return rng.binomial(sizes, rng.beta(3, 7, k)).astype(float), sizes.astype(float)

    def run(rng: Rng) -> bool | None:
        (did0, size0), (did1, size1) = arm(rng), arm(rng)
        if judge == "people":
            return missed(compare_proportions(*(int(one.sum()) for one in (did0, size0, did1, size1))), 0.0)
        compare = compare_clusters if judge == "clusters" else compare_ratios
        return missed(compare(Moments.of(did0, size0), Moments.of(did1, size1)), 0.0)

    return run


def periods(blocks: int, *, judge: str = "interval", burn_in: bool = True) -> Run:
    """Periods drawn one by one, with moods that last from one to the next and no effect; or an effect of 1 that takes a
    quarter of each period to come and to go.
    """

    def run(rng: Rng) -> bool | None:
        on = rng.random(blocks) < 0.5
        mood = np.zeros(blocks)
        for at in range(1, blocks):
            mood[at] = 0.7 * mood[at - 1] + rng.normal()
        if judge == "exact":
            answer = compare_blocks(mood[~on], mood[on], seed=1)
            return None if isinstance(answer, NoAnswer) else answer.exact_p < 0.05
        if judge == "lingers":
            before = np.concatenate([[False], on[:-1]])
            values = 0.3 * mood + (on if burn_in else 0.75 * on + 0.25 * before)
            return missed(compare_means(Moments.of(values[~on]), Moments.of(values[on])), 1.0)
        return missed(compare_means(Moments.of(mood[~on]), Moments.of(mood[on])), 0.0)

    return run


def blocks_of_periods(
    days: int, *, minutes: int = 120, effect: float = 0.0, washout: bool = True, judge: str = "interval"
) -> Run:
    """A flag's own draw: hours and days differ, moods last, and the arm before takes a quarter of a period to go.

    ``judge``: the interval in blocks, the exact test (p below 5 %), or the same periods drawn and compared one by one.
    """
    weights = {"off": 1, "on": 1}

    def run(rng: Rng) -> bool | None:
        switching = Switching(minutes=minutes, seed=str(rng.integers(1 << 60)))
        n = days * 1_440 // minutes
        on = np.array([switching.arm(weights, one) == "on" for one in range(n)])
        if judge == "alone":
            on = rng.random(n) < 0.5
        mood = np.zeros(n)
        for at in range(1, n):
            mood[at] = 0.7 * mood[at - 1] + rng.normal()
        hours, moods = np.sin(2 * np.pi * np.arange(n) / switching.cycle), rng.normal(0, 2, days)
        before = np.concatenate([[False], on[:-1]])
        felt = on if washout else 0.75 * on + 0.25 * before
        values = mood + 3 * hours + moods[np.arange(n) * minutes // 1_440] + effect * felt
        if judge == "alone":
            return missed(compare_means(Moments.of(values[~on]), Moments.of(values[on])), 0.0)
        grouped: dict[int, list[int]] = {}
        for one in range(n):
            grouped.setdefault(switching.block_of(one, 2)[0], []).append(one)
        pairs = np.array([sorted(pair, key=lambda one: bool(on[one])) for pair in grouped.values()])
        control, treatment = values[pairs[:, :1]], values[pairs[:, 1:]]
        if judge == "exact":
            return drawn_again(control, treatment) < 0.05
        return missed(compare_within_blocks(control, treatment), 0.0 if judge == "found" else effect)

    return run


# --- parts and triggers ----------------------------------------------------------------------------------------------


def parts(k: int, between: float, judge: str) -> Run:
    """``k`` parts whose effects truly differ by ``between``, measured with errors of a half to two."""

    def run(rng: Rng) -> Any:
        truth, errors = rng.normal(0, between, k), rng.uniform(0.5, 2.0, k)
        seen = rng.normal(truth, errors)
        found = shrink([Measured(float(v), float(e)) for v, e in zip(seen, errors, strict=True)])
        if isinstance(found, NoAnswer):
            return None
        if judge == "differ":
            return found.p < 0.05
        low, high = (np.array([getattr(one, end) for one in found.parts]) for end in ("low", "high"))
        if judge == "naive":
            most = int(np.argmax(seen / errors))
            return abs(seen[most] - truth[most]) > 1.96 * errors[most]
        out = (truth < low) | (truth > high)
        return bool(out[int(np.argmax(seen / errors))]) if judge == "largest" else float(out.mean())

    return run


def weighed(*, use: bool, effect: float = 0.0, found: bool = False) -> Run:
    """Four parts whose means lie two deviations apart."""

    def run(rng: Rng) -> bool | None:
        part, treated = rng.integers(0, 4, 1_000), rng.random(1_000) < 0.5
        values = 2.0 * part + rng.normal(0, 1, 1_000) + effect * treated
        strata = [
            Stratum(Moments.of(values[(part == one) & ~treated]), Moments.of(values[(part == one) & treated]))
            for one in range(4)
        ]
        plain = compare_means(Moments.of(values[~treated]), Moments.of(values[treated]))
        return missed(post_stratified(strata) if use else plain, 0.0 if found else effect)

    return run


def reached(share: float, effect: float, *, moved: float = 0.0) -> Run:
    """Only those reached feel it; over everybody the truth is the share times the effect."""

    def run(rng: Rng) -> bool | None:
        n = 4_000
        hit0, hit1 = rng.random(n) < share, rng.random(n) < share + moved
        spent0, spent1 = rng.normal(5 * hit0, 2), rng.normal(5 * hit1, 2) + effect * hit1
        among = compare_means(Moments.of(spent0[hit0]), Moments.of(spent1[hit1]))
        found = triggered(among, compare_proportions(int(hit0.sum()), n, int(hit1.sum()), n))
        return None if isinstance(found, NoAnswer) else missed(found.diluted, share * effect)

    return run


# --- quantiles over periods, looked at -------------------------------------------------------------------------------


def periods_of_quantiles(rng: Rng) -> bool | None:
    """A ramp of weights while everything gets slower: each period against itself."""
    pairs = []
    for shift, n0, n1 in ((0.0, 900, 100), (1.0, 500, 500), (2.0, 300, 700)):
        pairs.append(tuple(quantile(rng.lognormal(0, 1, n) + shift, 0.75) for n in (n0, n1)))
    return missed(stratified_quantiles(pairs), 0.0)  # type: ignore[arg-type]


def pooled_quantiles(rng: Rng) -> bool | None:
    """The mistake."""
    control, treatment = [], []
    for shift, n0, n1 in ((0.0, 900, 100), (1.0, 500, 500), (2.0, 300, 700)):
        control.append(rng.lognormal(0, 1, n0) + shift)
        treatment.append(rng.lognormal(0, 1, n1) + shift)
    arms = [quantile(np.concatenate(values), 0.75) for values in (control, treatment)]
    return missed(stratified_quantiles([(arms[0], arms[1])]), 0.0)


def watched_quantile(rng: Rng) -> bool | None:
    """A guardrail on a median, looked at ten times."""
    values = [rng.lognormal(0, 1, 5_000) for _ in range(2)]
    for n in range(500, 5_001, 500):
        answer = stratified_quantiles([(quantile(values[0][:n], 0.5), quantile(values[1][:n], 0.5))])
        if isinstance(answer, NoAnswer):
            continue
        sequence = always_valid(answer.difference.value, answer.error, 2 * n)
        if isinstance(sequence, AlwaysValid) and not sequence.difference.low <= 0 <= sequence.difference.high:
            return True
    return False


# --- what nobody drew ------------------------------------------------------------------------------------------------


def daily(rng: Rng, days: int, *, memory: float, slope: float = 0.0) -> np.ndarray:
    """A daily number with weekdays, and a mood that lasts."""
    mood = np.zeros(days)
    for at in range(1, days):
        mood[at] = memory * mood[at - 1] + rng.normal()
    return np.asarray(100 + 5 * (np.arange(days) % 7 >= 5) + slope * np.arange(days) + mood)


def step(memory: float, *, effect: float = 0.0, slope: float = 0.0) -> Run:
    def run(rng: Rng) -> bool | None:
        values = daily(rng, 112, memory=memory, slope=slope)
        values[84:] += effect
        found = interrupted(values, 84)
        return None if isinstance(found, NoAnswer) else not found.step.low <= effect <= found.step.high

    return run


def step_with_holes(memory: float, *, zeros: bool = False, effect: float = 0.0, finds: bool = False) -> Run:
    """A twentieth of the days and five in a row have no data; `zeros`: counted as if nothing had happened on them."""

    def run(rng: Rng) -> bool | None:
        values = daily(rng, 112, memory=memory)
        values[84:] += effect
        holes = rng.random(112) < 0.05
        begin = rng.integers(20, 107)
        holes[begin : begin + 5] = True
        values[holes] = 0.0 if zeros else np.nan
        found = interrupted(values, 84)
        if isinstance(found, NoAnswer):
            return None
        return found.step.low > 0 if finds else not found.step.low <= effect <= found.step.high

    return run


def naive_step(memory: float) -> Run:
    """The mistake: days taken for independent, before against after."""

    def run(rng: Rng) -> bool | None:
        values = daily(rng, 112, memory=memory)
        return missed(compare_means(Moments.of(values[:84]), Moments.of(values[84:])), 0.0)

    return run


def against(memory: float, *, apart: float = 0.0) -> Run:
    """Two that share what happens to all, and each have a mood of their own."""

    def run(rng: Rng) -> bool | None:
        common = daily(rng, 112, memory=0.8, slope=0.1)
        moods = [daily(rng, 112, memory=memory) - 100 for _ in range(2)]
        found = difference_in_differences(common + moods[0] + apart * np.arange(112), common + moods[1], 84)
        return None if isinstance(found, NoAnswer) else not found.step.low <= 0.0 <= found.step.high

    return run


# --- bandits ---------------------------------------------------------------------------------------------------------


def allotted() -> Run:
    """Two arms of 10 % and no difference, shares set anew after every 200 people: what an interval afterwards says."""

    def run(rng: Rng) -> bool | None:
        arms, shares = [Share(0, 0), Share(0, 0)], [0.5, 0.5]
        for _ in range(20):
            sizes = rng.multinomial(200, shares)
            arms = [
                Share(one.n + int(n), one.converted + int(rng.binomial(n, 0.1)))
                for one, n in zip(arms, sizes, strict=True)
            ]
            shares = thompson(arms)
        answer = compare_proportions(arms[0].converted, arms[0].n, arms[1].converted, arms[1].n)
        return missed(answer, 0.0)

    return run


ROWS: list[tuple[str, str, float | None, Run]] = [
    ("groups drawn", "16 of like size an arm", 0.05, clusters(16, 0.1)),
    ("groups drawn", "30 of unlike size an arm", 0.05, clusters(30, 0.8)),
    ("groups drawn", "100 of very unlike size an arm", 0.05, clusters(100, 1.3)),
    ("the same, people taken for drawn", "30 of unlike size an arm", 0.05, clusters(30, 0.8, "people")),
    ("periods drawn (switchback)", "40, moods last", 0.05, periods(40)),
    ("the same, drawn again (exact)", "40, moods last", 0.05, periods(40, judge="exact")),
    ("periods drawn, after the burn-in", "200, effect 1 that lingers", 0.05, periods(200, judge="lingers")),
    (
        "the same without burn-in, as a mistake",
        "200, effect 1 that lingers",
        0.05,
        periods(200, judge="lingers", burn_in=False),
    ),
    ("blocks of periods (a flag's switchback)", "28 days of 12, no effect", 0.05, blocks_of_periods(28)),
    (
        "blocks of periods (a flag's switchback)",
        "10 blocks of a day, effect 1",
        0.05,
        blocks_of_periods(20, minutes=1_440, effect=1),
    ),
    ("the same, after the washout", "28 days of 12, effect 1 that lingers", 0.05, blocks_of_periods(28, effect=1)),
    (
        "the same without washout, as a mistake",
        "84 days of 24, effect 2 that lingers",
        0.05,
        blocks_of_periods(84, minutes=60, effect=2, washout=False),
    ),
    (
        "blocks drawn again (exact)",
        "6 blocks of a day, no effect",
        0.05,
        blocks_of_periods(12, minutes=1_440, judge="exact"),
    ),
    ("found, in blocks", "28 days of 12, effect 1", None, blocks_of_periods(28, effect=1, judge="found")),
    ("found, periods one by one", "28 days of 12, effect 1", None, blocks_of_periods(28, effect=1, judge="alone")),
    ("parts: their share missed", "8, effects differ by 1", 0.05, parts(8, 1.0, "all")),
    ("parts: their share missed", "8, no difference", 0.05, parts(8, 0.0, "all")),
    ("the largest part missed", "8, effects differ by 1", None, parts(8, 1.0, "largest")),
    ("the same, not shrunken", "8, effects differ by 0.3", None, parts(8, 0.3, "naive")),
    ("parts said to differ", "8, no difference", 0.05, parts(8, 0.0, "differ")),
    ("weighed by size (post-stratified)", "4 parts, effect 0.2", 0.05, weighed(use=True, effect=0.2)),
    ("found, weighed by size", "4 parts, effect 0.2", None, weighed(use=True, effect=0.2, found=True)),
    ("found, not weighed", "4 parts, effect 0.2", None, weighed(use=False, effect=0.2, found=True)),
    ("diluted from the triggered", "10 % reached, effect 0.5", 0.05, reached(0.1, 0.5)),
    ("diluted from the triggered", "the change moves who is reached by 2 points", 0.05, reached(0.1, 0.5, moved=0.02)),
    ("quantile p75 within periods", "ramp, all gets slower", 0.05, periods_of_quantiles),
    ("the same pooled, as a mistake", "ramp, all gets slower", 0.05, pooled_quantiles),
    ("median, looked at ten times", "skewed, no effect", 0.05, watched_quantile),
    ("step nobody drew", "84 + 28 days, no memory", 0.05, step(0.0)),
    ("step nobody drew", "84 + 28 days, memory 0.5, slope", 0.05, step(0.5, slope=0.1)),
    ("step nobody drew", "84 + 28 days, memory 0.8", 0.05, step(0.8)),
    ("step nobody drew, days without data left out", "84 + 28 days, memory 0.5", 0.05, step_with_holes(0.5)),
    ("found, days without data left out", "84 + 28 days, +5", None, step_with_holes(0.5, effect=5.0, finds=True)),
    (
        "found, the same days counted as zero",
        "84 + 28 days, +5",
        None,
        step_with_holes(0.5, effect=5.0, finds=True, zeros=True),
    ),
    ("days taken for independent, as a mistake", "84 + 28 days, memory 0.8", 0.05, naive_step(0.8)),
    ("step against another", "84 + 28 days, memory 0.5", 0.05, against(0.5)),
    ("step against another", "the two drift apart", 0.05, against(0.5, apart=0.1)),
    ("interval after a bandit, as a mistake", "no difference, 20 rounds", 0.05, allotted()),
]
