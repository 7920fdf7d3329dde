"""Which way of combining periods keeps its promises? Run ``python -m tests.engines.stats.simulation`` for the table in
``docs/predictions.md``; the tests run smaller versions of the same worlds.

A *world* is a ramp: periods with their own number of people, share of them in the treatment, and baseline. The truth
is known, so one can count how often a 95 % interval misses it: 5 % is what was promised.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from whytree.engines.stats import Comparison, Estimate, Share, difference_of_proportions
from whytree.engines.stats import Stratum as AnyStratum
from whytree.engines.stats.effects import Effect, stratified_means
from whytree.engines.stats.moments import Moments

Stratum = AnyStratum[Share]

Method = Callable[[list[Stratum]], tuple[float, float]]


@dataclass(frozen=True)
class World:
    name: str
    people: tuple[int, ...]
    treated: tuple[float, ...]
    baseline: tuple[float, ...]
    effect: float = 0.0

    def draw(self, rng: np.random.Generator) -> list[Stratum]:
        strata = []
        for people, treated, baseline in zip(self.people, self.treated, self.baseline, strict=True):
            n1 = int(rng.binomial(people, treated))
            x0 = int(rng.binomial(people - n1, baseline))
            x1 = int(rng.binomial(n1, baseline + self.effect))
            strata.append(Stratum(Share(people - n1, x0), Share(n1, x1)))
        return strata


RAMP = (0.05, 0.10, 0.25, 0.50, 1.0)
DRIFT = (0.20, 0.24, 0.28, 0.34, 0.45)
WORLDS = (
    World("ramp, drifting baseline, no effect", (2_000,) * 5, RAMP, DRIFT),
    World("the same, effect +4 pp", (2_000,) * 5, RAMP, DRIFT, 0.04),
    World("the same, 120 people a period", (120,) * 5, RAMP, DRIFT),
    World("the same, 120 people, effect +10 pp", (120,) * 5, RAMP, DRIFT, 0.10),
    World("rare: 1 to 3 %, 300 people a period", (300,) * 5, RAMP, (0.01, 0.015, 0.02, 0.025, 0.03)),
    World("rare, effect +2 pp", (300,) * 5, RAMP, (0.01, 0.015, 0.02, 0.025, 0.03), 0.02),
    World("many small periods: 30 of 24 people", (24,) * 30, (0.1, 0.3, 0.5) * 10, (0.1, 0.2, 0.3) * 10),
    World("many small periods, effect +10 pp", (24,) * 30, (0.1, 0.3, 0.5) * 10, (0.1, 0.2, 0.3) * 10, 0.10),
)


def pooled(strata: list[Stratum]) -> tuple[float, float]:
    """The mistake: add everything up and compare."""
    n0, x0, n1, x1 = (sum(column) for column in zip(*map(_cells, strata), strict=True))
    return _wald(np.array([x1 / n1 - x0 / n0]), np.array([_spread(n0, x0) + _spread(n1, x1)]), np.ones(1))


def inverse_variance(strata: list[Stratum]) -> tuple[float, float]:
    gaps, spreads, _, _ = _per_stratum(strata)
    return _wald(gaps, spreads, 1 / np.maximum(spreads, 1e-9))


def n_weighted(strata: list[Stratum]) -> tuple[float, float]:
    gaps, spreads, n0, n1 = _per_stratum(strata)
    return _wald(gaps, spreads, n0 + n1)


def mantel_haenszel_wald(strata: list[Stratum]) -> tuple[float, float]:
    """Greenland and Robins 1985."""
    gaps, spreads, n0, n1 = _per_stratum(strata)
    return _wald(gaps, spreads, n0 * n1 / (n0 + n1))


def score(strata: list[Stratum]) -> tuple[float, float]:
    """What we use for shares: stratified Miettinen-Nurminen."""
    return _interval(difference_of_proportions(strata))


def welch(strata: list[Stratum]) -> tuple[float, float]:
    """What we use for means, here on the same 0/1 data."""
    arms = [AnyStratum(_moments(one.control), _moments(one.treatment)) for one in strata]
    return _interval(stratified_means(arms))


def _moments(arm: Share) -> Moments:
    spread = arm.converted * (arm.n - arm.converted) / arm.n if arm.n else 0.0
    return Moments(arm.n, np.array([arm.converted / max(arm.n, 1)]), np.array([[spread]]))


METHODS: tuple[Method, ...] = (pooled, inverse_variance, n_weighted, mantel_haenszel_wald, welch, score)


def miss_rate(method: Method, world: World, runs: int, seed: int = 1) -> tuple[float, float]:
    """How often the interval misses the truth, and its mean width."""
    rng = np.random.default_rng(seed)
    intervals = np.array([method(world.draw(rng)) for _ in range(runs)])
    missed = (intervals[:, 0] > world.effect) | (intervals[:, 1] < world.effect)
    return float(missed.mean()), float((intervals[:, 1] - intervals[:, 0]).mean())


def _cells(stratum: Stratum) -> tuple[float, float, float, float]:
    return stratum.control.n, stratum.control.converted, stratum.treatment.n, stratum.treatment.converted


def _spread(n: float, x: float) -> float:
    return x / n * (1 - x / n) / n


def _per_stratum(strata: list[Stratum]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    cells = np.array([_cells(stratum) for stratum in strata if stratum.compares])
    n0, x0, n1, x1 = cells.T
    spreads = x0 / n0 * (1 - x0 / n0) / n0 + x1 / n1 * (1 - x1 / n1) / n1
    return x1 / n1 - x0 / n0, spreads, n0, n1


def _wald(gaps: np.ndarray, spreads: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    weights = weights / weights.sum()
    centre, half = float(weights @ gaps), 1.959964 * float(np.sqrt(weights**2 @ spreads))
    return centre - half, centre + half


def _interval(answer: object) -> tuple[float, float]:
    assert isinstance(answer, Comparison | Effect), answer
    difference: Estimate = answer.difference
    return difference.low, difference.high


def line(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main() -> None:
    line(f"{'':40}" + "".join(f"{method.__name__:>24}" for method in METHODS))
    for world in WORLDS:
        row = [miss_rate(method, world, 2_000) for method in METHODS]
        line(f"{world.name:40}" + "".join(f"{100 * miss:15.1f} % ({100 * width:4.1f})" for miss, width in row))


if __name__ == "__main__":
    main()
