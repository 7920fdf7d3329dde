"""Themes keep their identity: which of the themes found now is which of those known before, by the texts they share.

The pairs that share the largest part of both (Jaccard 1901) are matched first, each theme once. A pair counts as the same when
the one holds most of the other that is still there, in either direction: a theme that doubled is the same, and so is
one that lost its edge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Old = TypeVar("Old", bound=Hashable)

MOST = 0.5


def match(before: Mapping[Key, Old], now: Mapping[Key, int]) -> dict[int, Old]:
    """New theme -> old theme. Both map a text's key to its theme; texts that are new or gone say nothing."""
    shared: Counter[tuple[int, Old]] = Counter()
    of_new: Counter[int] = Counter()
    of_old: Counter[Old] = Counter()
    for key, new in now.items():
        if key in before:
            shared[new, before[key]] += 1
            of_new[new] += 1
            of_old[before[key]] += 1
    pairs = sorted(
        shared, key=lambda pair: (-_jaccard(shared[pair], of_new[pair[0]], of_old[pair[1]]), pair[0], str(pair[1]))
    )
    found: dict[int, Old] = {}
    taken: set[Old] = set()
    for new, old in pairs:
        both = shared[new, old]
        alike = both >= MOST * of_new[new] or both >= MOST * of_old[old]
        if alike and new not in found and old not in taken:
            found[new] = old
            taken.add(old)
    return found


def _jaccard(both: int, one: int, other: int) -> float:
    return both / (one + other - both)
