"""Periods are drawn in place of units (switchback): a city gets the change from ten to twelve, and not from twelve on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from whytree.engines.stats.answers import LEVEL, Floats, NoAnswer
from whytree.engines.stats.effects import Effect, effect_of
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.power import POWER
from whytree.engines.stats.sequential import always_valid

#: Periods an arm below which there is no interval.
FEWEST_BLOCKS = 10

#: Draws of the exact test, where there are more ways to draw than can be gone through.
DRAWS = 9_999


@dataclass(frozen=True)
class Switchback:
    """``exact_p``: of all ways the periods could have been drawn, the share that differ as much: it needs no model."""

    effect: Effect
    exact_p: float


def compare_blocks(control: Floats, treatment: Floats, *, level: float = LEVEL, seed: int = 0) -> Switchback | NoAnswer:
    """One value a period: the mean of its rows after the burn-in, each period counting once.

    Welch's interval on periods is Neyman's, conservative under drawing whatever the periods have to do with each other in
    time (Imbens and Rubin, Causal Inference, 2015, section 6.5); the exact p draws the periods' arms again (Fisher 1935;
    Bojinov, Simchi-Levi and Zhao, Management Science 69, 2023, section 4.1). Promise: 1 - level. Conditions: each
    period's arm was drawn by itself, and what one period does to the next has died down within the burn-in.
    """
    fewest = min(len(control), len(treatment))
    if fewest < FEWEST_BLOCKS:
        return NoAnswer(
            f"{fewest} periods in an arm, however many rows they hold: {FEWEST_BLOCKS} are the least. More or shorter periods would "
            "give an answer."
        )
    arms = [Moments.of(control), Moments.of(treatment)]
    parts = [arm.variance / arm.n for arm in arms]
    if sum(parts) <= 0:
        return NoAnswer("All periods have the same value, so nothing can be said about chance.")
    freedom = sum(parts) ** 2 / sum(part**2 / (arm.n - 1) for part, arm in zip(parts, arms, strict=True))
    means = [float(arm.mean[0]) for arm in arms]
    effect = effect_of(
        (means[0], parts[0], arms[0].n), (means[1], parts[1], arms[1].n), freedom, level, "periods drawn, Welch"
    )
    return Switchback(effect, _exact(np.concatenate([control, treatment]), len(control), seed))


#: Blocks below which there is no interval; how the blocks' arms could have been drawn can be counted all the same.
FEWEST_DRAWN = 10


def compare_within_blocks(control: Floats, treatment: Floats, *, level: float = LEVEL) -> Effect | NoAnswer:
    """A row a block, a column a period of that arm in it: blocks in which each arm got its share of the periods.

    The mean of the blocks' own differences; its error is that between blocks, which is conservative whatever periods have
    to do with each other in time, since only their arms were drawn (Imbens and Rubin, Causal Inference, 2015, chapter 10;
    Bojinov, Simchi-Levi and Zhao, Management Science 69, 2023, section 4, for periods). What a block's hour or day does to
    both arms is taken out. Promise: 1 - level. Conditions: each block's order was drawn by itself, what one period does
    to the next has died down within the washout, and `FEWEST_DRAWN` blocks.
    """
    blocks = len(control)
    if blocks < FEWEST_DRAWN:
        told = f"{blocks} whole block{'' if blocks == 1 else 's'} of periods: {FEWEST_DRAWN} are the least for an interval."
        return NoAnswer(f"{told} More days, shorter periods or more regions would give one.")
    gaps = treatment.mean(axis=1) - control.mean(axis=1)
    spread = float(gaps.var(ddof=1)) / blocks
    if spread <= 0:
        return NoAnswer("All blocks differ by the same, so nothing can be said about chance.")
    # Half of the error to each arm: exact for the difference, and for the relative change no smaller than the draw's own,
    # (1 + r^2) / 2 >= ((1 + r) / 2)^2, as within a block the arms' errors are opposite.
    return effect_of(
        (float(control.mean()), spread / 2, control.size),
        (float(treatment.mean()), spread / 2, treatment.size),
        blocks - 1,
        level,
        "blocks of periods drawn",
    )


@dataclass(frozen=True)
class BlocksOutline:
    """Before a switchback: so many blocks of ``places`` periods, whose own difference has ``deviation`` under the draw."""

    blocks: int
    places: int
    deviation: float
    level: float = LEVEL
    arms: int = 1
    always: bool = False


def deviation_under_the_draw(blocks: Floats, sizes: tuple[int, int]) -> float:
    """Of a block's difference, were the arms of its periods drawn where nothing differs: a row a block, a column a period;
    ``sizes`` are the places of control and treatment in it.

    Exact over the draws of a finite block (Neyman 1923; Imbens and Rubin, Causal Inference, 2015, eq. 6.17 with no effect):
    the block's own variance times the sum of 1 / size.
    """
    spread = blocks.var(axis=1, ddof=1) * (1 / sizes[0] + 1 / sizes[1])
    return float(np.sqrt(spread.mean()))


def power_of_blocks(outline: BlocksOutline, effect: float) -> float:
    """Chance of seeing an effect of this size: Student's t over the blocks' differences, non-central (Cohen 1988, section 2.5);
    of a sequence that is looked at, of lying outside at its end."""
    if outline.blocks < FEWEST_DRAWN or outline.deviation <= 0:
        return 0.0
    away = abs(effect) / outline.deviation * math.sqrt(outline.blocks)
    level = 1 - (1 - outline.level) / outline.arms
    if outline.always:
        sequence = always_valid(0.0, 1.0, outline.blocks * outline.places, level=level)
        return 0.0 if isinstance(sequence, NoAnswer) else float(special.ndtr(away - sequence.difference.high))
    freedom = outline.blocks - 1
    reach = -float(special.stdtrit(freedom, (1 - level) / 2))
    missed = float(special.nctdtr(freedom, away, reach))
    return 1.0 if math.isnan(missed) else 1 - missed  # it gives none far out, where nothing is missed


def smallest_of_blocks(outline: BlocksOutline, *, wanted: float = POWER) -> float | None:
    """The effect that is found in `wanted` of switchbacks; None where so few blocks have no interval."""
    low, high = 0.0, 50 * outline.deviation
    if power_of_blocks(outline, high) < wanted:
        return None
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if power_of_blocks(outline, middle) >= wanted else (middle, high)
    return high


def drawn_again(control: Floats, treatment: Floats, *, seed: int = 0) -> float:
    """Of all orders in which the blocks could have been drawn, the share that differ as much (Fisher 1935; Bojinov,
    Simchi-Levi and Zhao 2023, section 4.1): it needs no model, and holds for few blocks too.
    """
    values, first = np.concatenate([control, treatment], axis=1), control.shape[1]
    seen = abs(float((treatment.mean(axis=1) - control.mean(axis=1)).mean()))
    rng, beyond, left = np.random.default_rng(seed), 0, DRAWS
    while left:
        here = min(left, max(1, _AT_A_TIME // values.size))
        drawn = rng.permuted(np.broadcast_to(values, (here, *values.shape)), axis=2)
        gaps = drawn[:, :, first:].mean(axis=(1, 2)) - drawn[:, :, :first].mean(axis=(1, 2))
        beyond += int((np.abs(gaps) >= seen * (1 - 1e-9)).sum())
        left -= here
    return (1 + beyond) / (DRAWS + 1)


def _exact(values: Floats, first: int, seed: int) -> float:
    rng, n = np.random.default_rng(seed), len(values)
    total, seen = float(values.sum()), abs(float(values[:first].mean() - values[first:].mean()))
    beyond, left = 0, DRAWS
    while left:  # some at a time: thousands of periods would else fill the memory
        here = min(left, max(1, _AT_A_TIME // n))
        sums = rng.permuted(np.tile(values, (here, 1)), axis=1)[:, :first].sum(axis=1)
        beyond += int((np.abs(sums / first - (total - sums) / (n - first)) >= seen * (1 - 1e-12)).sum())
        left -= here
    return (1 + beyond) / (DRAWS + 1)


#: Numbers that are drawn again at once.
_AT_A_TIME = 1_000_000
