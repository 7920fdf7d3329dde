"""Runs of lines that an added block has in common with a file as it was before; lines are numbers that stand for a text.

    file = Lines(keys_of_the_file, held)              # held: which of its keys anybody asks for
    shared = heavy_runs(keys_of_the_block, weights, file, least=20)
    shared.runs                                       # [(weight, first, last, at), ...]

A translation has a hundred million pairs of lines that are the same and stand alone, so these are sorted out without
following them, and for large blocks all at once. Pure.
"""

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Numbers = array[int]  # Python 3.11 cannot say so when it runs
    Vector = np.ndarray[tuple[int], np.dtype[np.int64]]
else:
    Numbers = array

# A line that stands this often in a file is not worth looking for there.
COMMON = 50
# From this many lines on a block is worth the start of a vector's work.
_LARGE = 200
# Lines of a block that are paired at once: with COMMON places each, some tens of megabytes.
_AT_ONCE = 20_000


# Weight, first and last (excluded) line of a block, and the line of a file where they begin too. There are millions.
Run = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Shared:
    """The heavy runs of a block and a file, and which lines of the block are rarer ones in that file."""

    runs: Sequence[Run]
    rarer: Sequence[int]


class Lines:
    """A file's lines, and where those that somebody asks for stand."""

    def __init__(self, keys: Numbers, held: set[int]) -> None:
        self.keys = keys
        self._held = held

    @cached_property
    def places(self) -> dict[int, list[int]]:
        """Not those that stand everywhere."""
        places: dict[int, list[int]] = defaultdict(list)
        held = self._held
        for at, key in enumerate(self.keys):
            if key in held:
                places[key].append(at)
        return {key: found for key, found in places.items() if len(found) <= COMMON}

    @cached_property
    def ordered(self) -> "tuple[Vector, Vector, Vector]":
        """All keys as they stand, the lines in the order of their keys, and the keys in that order."""
        import numpy as np

        keys = np.frombuffer(self.keys, dtype=np.int64)
        order = np.argsort(keys, kind="stable")
        return keys, order, keys[order]


def heavy_runs(keys: Numbers, weights: Numbers, file: Lines, least: int) -> Shared:
    """The longest runs in common that weigh `least` or more and have one of the rarer lines in them."""
    if not weights or not file.keys:
        return Shared((), ())
    sums = list(accumulate(weights, initial=0))
    find = _all_at_once if len(keys) >= _LARGE else _one_by_one
    rarer, runs, together = find(keys, weights, file, least)
    for first, last, at in _followed(keys, file.keys, together):
        if (weight := sums[last] - sums[first]) >= least:
            runs.append((weight, first, last, at))
    return Shared(runs, rarer)


# Lines of a block and of a file that are the same.
Pairs = list[tuple[int, int]]


def _one_by_one(keys: Numbers, weights: Numbers, file: Lines, least: int) -> tuple[list[int], list[Run], Pairs]:
    """Rarer lines of the block; runs of a single heavy one; and the pairs that have a neighbour which is a pair too."""
    there, places = file.keys, file.places
    rarer = [line for line, key in enumerate(keys) if key in places]
    alone: list[Run] = []
    together: Pairs = []
    end, ending = len(keys) - 1, len(there) - 1
    for line in rarer:
        weight = weights[line]
        above = keys[line - 1] if line else None
        below = keys[line + 1] if line < end else None
        for at in places[keys[line]]:
            if (at and there[at - 1] == above) or (at < ending and there[at + 1] == below):
                together.append((line, at))
            elif weight >= least:
                alone.append((weight, line, line + 1, at))
    return rarer, alone, together


def _all_at_once(keys: Numbers, weights: Numbers, file: Lines, least: int) -> tuple[list[int], list[Run], Pairs]:
    """The same; of pairs that follow each other only the first."""
    import numpy as np

    mine, weigh = np.frombuffer(keys, dtype=np.int64), np.frombuffer(weights, dtype=np.uint32)
    there, order, ordered = file.ordered
    begin = np.searchsorted(ordered, mine, "left")
    count = np.searchsorted(ordered, mine, "right") - begin
    count[count > COMMON] = 0
    rarer = np.flatnonzero(count)
    alone: list[Run] = []
    together: Pairs = []
    for start in range(0, len(rarer), _AT_ONCE):
        rows = rarer[start : start + _AT_ONCE]
        many = count[rows]
        line = np.repeat(rows, many)
        nth = np.arange(len(line)) - np.repeat(np.cumsum(many) - many, many)
        at = order[np.repeat(begin[rows], many) + nth]
        above = (line > 0) & (at > 0) & (mine[line - 1] == there[at - 1])
        after, below_it = np.minimum(line + 1, len(mine) - 1), np.minimum(at + 1, len(there) - 1)
        below = (after > line) & (below_it > at) & (mine[after] == there[below_it])
        heavy = ~above & ~below & (weigh[line] >= least)
        first = (above | below) & ~(above & (count[line - 1] > 0))
        single = line[heavy]
        parts = (weigh[single], single, single + 1, at[heavy])
        alone += zip(*(part.tolist() for part in parts), strict=True)
        together += zip(line[first].tolist(), at[first].tolist(), strict=True)
    return rarer.tolist(), alone, together


def _followed(keys: Numbers, there: Numbers, pairs: Pairs) -> Iterator[tuple[int, int, int]]:
    """The whole run around each pair, once: first and last line, and where it stands."""
    until: dict[int, int] = {}  # how far a diagonal was followed
    end, ending = len(keys), len(there)
    for line, at in pairs:
        shift = at - line
        if until.get(shift, -1) > line:
            continue
        first, last = line, line + 1
        while first > 0 and first + shift > 0 and keys[first - 1] == there[first - 1 + shift]:
            first -= 1
        while last < end and last + shift < ending and keys[last] == there[last + shift]:
            last += 1
        until[shift] = last
        yield first, last, first + shift


def first_within(lines: Sequence[int], start: int, end: int) -> int | None:
    """The first of these sorted numbers from `start` on and before `end`."""
    place = bisect_left(lines, start)
    return lines[place] if place < len(lines) and lines[place] < end else None
