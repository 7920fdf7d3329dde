"""What every question is answered with: an estimate with its doubt, or no answer with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

#: Two-sided level of every interval a page shows.
LEVEL = 0.95

Method = Literal[
    "Wilson",
    "Garwood",
    "Fay-Feuer",
    "Miettinen-Nurminen, stratified",
    "Mantel-Haenszel weights, Welch",
    "delta, log",
    "Welch",
    "Welch, CUPED",
    "delta",
    "delta, CUPED",
    "Fieller",
    "order statistics",
    "order statistics, clustered",
    "asymptotic confidence sequence",
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
