"""What every question is answered with: an estimate with its doubt, or no answer with the reason."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special  # scipy.stats has the same functions, and takes half a second of every command to load

#: Two-sided level of every interval a page shows.
LEVEL = 0.95

Method = Literal[
    "Wilson",
    "Clopper-Pearson",
    "Garwood",
    "Fay-Feuer",
    "Miettinen-Nurminen, stratified",
    "Mantel-Haenszel weights, Welch",
    "Mantel-Haenszel weights, Welch, CUPED",
    "delta, log",
    "Student",
    "Welch",
    "Welch, CUPED",
    "delta",
    "delta, CUPED",
    "delta, clusters drawn",
    "post-stratified",
    "diluted",
    "periods drawn, Welch",
    "blocks of periods drawn",
    "segmented regression, placebo-calibrated",
    "Fieller",
    "Woodruff",
    "order statistics",
    "order statistics, clustered",
    "asymptotic confidence sequence",
    "Rocks, adjusted Wald",
    "Student",
    "Zou-Donner",
]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A value, the interval around it, how many independent units it rests on, and how it was made."""

    value: float
    low: float
    high: float
    n: int
    method: Method


@dataclass(frozen=True)
class NoAnswer:
    """The data cannot say; ``reason`` is a sentence for people."""

    reason: str


def z(level: float) -> float:
    """How many standard errors a two-sided interval of this level reaches to each side."""
    return NormalDist().inv_cdf(0.5 + level / 2)


def upper_tail(score: float, freedom: float) -> float:
    """Chance of a larger score by Student's t; by the normal where freedom is infinite."""
    return float(special.ndtr(-score) if math.isinf(freedom) else special.stdtr(freedom, -score))


def normal_density(score: float | Floats) -> Floats:
    """Of the standard normal."""
    return np.asarray(np.exp(-np.square(score) / 2) / math.sqrt(2 * math.pi))
