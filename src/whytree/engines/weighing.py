"""Several rankings of the same things, and where they disagree, in words.

    places = rank({"OPP-1": 12, "OPP-2": 3, "OPP-3": None})       # {"OPP-1": 1, "OPP-2": 2}: no answer has no place
    disagreements({"people": places, "prevalence": ...}, SENTENCES)

A place is shared by equals (1, 2, 2, 4). Places in rankings of different lengths are compared as shares of the way down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

FEWEST = 3
"""Things that stand in both rankings; of two, one is always first."""

APART = 0.5
"""Of the way from the first to the last place: less is no news."""


@dataclass(frozen=True)
class Disagreement:
    """`of` stands high in one ranking and low in another; `apart` from 0 to 1."""

    of: str
    high: str
    high_place: int
    low: str
    low_place: int
    among: int
    apart: float


def rank(values: Mapping[str, float | None]) -> dict[str, int]:
    """The place of each, the greatest first; equals share one. What has no value has no place."""
    known = sorted((value for value in values.values() if value is not None), reverse=True)
    return {name: known.index(value) + 1 for name, value in values.items() if value is not None}


def disagreements(rankings: Mapping[str, Mapping[str, float | None]]) -> list[Disagreement]:
    """For each thing the two rankings that are furthest apart on it, where they are far apart; the furthest first.

    High is the upper half of a ranking, low the lower one.

    Two rankings are compared on what both can tell: their places are counted anew among those.
    """
    furthest: dict[str, Disagreement] = {}
    for high, low in permutations(rankings, 2):
        both = [
            name for name, value in rankings[high].items() if value is not None and rankings[low].get(name) is not None
        ]
        if len(both) < FEWEST:
            continue
        above = rank({name: rankings[high][name] for name in both})
        below = rank({name: rankings[low][name] for name in both})
        for name in both:
            apart = (below[name] - above[name]) / (len(both) - 1)
            halves = above[name] <= len(both) / 2 < below[name]  # the third of five is neither high nor low
            if halves and apart >= APART and (name not in furthest or apart > furthest[name].apart):
                furthest[name] = Disagreement(name, high, above[name], low, below[name], len(both), apart)
    return sorted(furthest.values(), key=lambda one: (-one.apart, one.of))
