"""Where added lines stood before: moved within their file, moved or copied from another file of the same commit,
or what a maintenance commit made of older lines.

Does forwards what `git blame -M -C` and `--ignore-rev` do backwards (git's blame.c: find_move_in_parent,
find_copy_in_parent, fuzzy_find_matching_lines), on lines without blanks. Pure.
"""

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import accumulate

from whytree.engines.git.common_runs import COMMON, Lines, Numbers, Shared, first_within, heavy_runs

# git's own thresholds: fewer letters and digits than this are found anywhere, and prove nothing.
MOVED = 20
COPIED = 40

_OTHERS = bytes(byte for byte in range(256) if not chr(byte).isalnum() or byte > 127)


@dataclass(slots=True)
class Block:
    """Lines that a commit added at one place of a file; `keys` stand for their text."""

    rows: Sequence[bytes]
    keys: Numbers


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines `start` to `end` (excluded) of a block stood in `source` before, from line `at`, counted from 0.

    `weights` are those of its lines; it takes `least` of them to prove something.
    """

    start: int
    end: int
    source: str
    at: int
    weights: Numbers
    least: int


def weigh(row: bytes) -> int:
    """Letters and digits of a line."""
    return len(row.translate(None, _OTHERS))


class Finder:
    """Finds blocks of one commit in the files that it changed, as they were before: `files` gives their keys.

    `blocks` are all that will be asked for, so that each file is looked through once.
    """

    def __init__(self, files: Mapping[str, Numbers], blocks: Iterable[Block]) -> None:
        wanted = {key for block in blocks for key in block.keys}
        holds = {path: held for path, keys in files.items() if (held := wanted.intersection(keys))}
        self._lines = {path: Lines(files[path], held) for path, held in holds.items()}
        self._holders: dict[int, list[str]] = defaultdict(list)
        for path, held in holds.items():
            for key in held:
                self._holders[key].append(path)

    def passages(self, block: Block, own: str) -> list[Passage]:
        """First what moved within `own` (the file's former path, or ""), then what other files give."""
        if self._holders.keys().isdisjoint(block.keys):
            return []
        weights = array("I", map(weigh, block.rows))
        found: list[Passage] = []
        left = [(0, len(weights))]
        if own in self._lines:
            left = _Search(weights, [self._source(block, weights, own, MOVED)], MOVED).take(left, found)
        if len(self._lines) > (own in self._lines):
            sources = [
                self._source(block, weights, path, COPIED, lines)
                for path, lines in sorted(self._nominated(block, weights, left, own).items())
            ]
            _Search(weights, sources, COPIED).take(left, found)
        return found

    def _source(
        self, block: Block, weights: Numbers, path: str, least: int, nominating: Sequence[int] | None = None
    ) -> "_Source":
        return _Source(path, nominating, heavy_runs(block.keys, weights, self._lines[path], least))

    def _nominated(
        self, block: Block, weights: Numbers, stretches: Sequence[tuple[int, int]], own: str
    ) -> dict[str, list[int]]:
        """Other files that have some of these lines, and which: not those that many have, nor those that weigh nothing.

        A file whose lines together prove nothing is left out.
        """
        lines: dict[str, list[int]] = defaultdict(list)
        most: dict[str, int] = defaultdict(int)
        everywhere = 0
        for start, end in sorted(stretches):
            for at in range(start, end):
                holders = self._holders.get(block.keys[at], ()) if weights[at] else ()
                if len(holders) > COMMON:
                    everywhere += weights[at]
                    continue
                for path in holders:
                    lines[path].append(at)
                    most[path] += weights[at]
        return {path: found for path, found in lines.items() if path != own and most[path] + everywhere >= COPIED}


@dataclass(frozen=True, slots=True)
class _Source:
    """A file beside a block: which lines of the block nominate it (None: it needs none), and what they share."""

    path: str
    nominating: Sequence[int] | None
    shared: Shared


# A run, or what is left of one, as it waits in a heap. Negative, so that the heaviest comes first, of equals that of the later
# source, and of these the one whose first rarer line stands last: its weight, the number of its source, that line. Then how
# far the file's lines are shifted against the block's, and its first and last (excluded) line.
_Piece = tuple[int, int, int, int, int, int]


class _Search:
    """The heaviest passage of a stretch of a block, then of what is left on both sides of it, until nothing weighs enough.

    Runs wait until it is their turn, and only then is it asked what of them is still free: a commit of a hundred thousand
    lines has more runs and more stretches than could be held against each other.
    """

    def __init__(self, weights: Numbers, sources: Sequence[_Source], least: int) -> None:
        self._weights = weights
        self._sums = list(accumulate(weights, initial=0))
        self._sources = sources
        self._least = least

    def take(self, stretches: Iterable[tuple[int, int]], found: list[Passage]) -> list[tuple[int, int]]:
        """Add the passages of these stretches to `found`; gives what nobody had."""
        free = _Free(stretches)
        runs = [(run, number) for number, source in enumerate(self._sources) for run in source.shared.runs]
        runs.sort(key=lambda known: known[0][0])
        waiting: list[_Piece] = []
        while runs or waiting:
            heaviest = max(runs[-1][0][0] if runs else 0, -waiting[0][0] if waiting else 0)
            while runs and runs[-1][0][0] == heaviest:
                (_, first, last, at), number = runs.pop()
                for piece in self._pieces(free, number, at - first, first, last):
                    heappush(waiting, piece)
            if waiting and -waiting[0][0] == heaviest and (best := self._next(free, waiting)):
                _, number, _, shift, first, last = best
                weights = self._weights[first:last]
                found.append(Passage(first, last, self._sources[-number].path, first + shift, weights, self._least))
                free.take(first, last)
        return [(start, end) for start, end in free.stretches if self._sums[end] - self._sums[start] >= self._least]

    def _next(self, free: "_Free", waiting: list[_Piece]) -> _Piece | None:
        """The first that is free as a whole, or nothing if it has yet to be cut."""
        equals: list[_Piece] = []
        key = waiting[0][:3]
        while waiting and waiting[0][:3] == key:
            piece = heappop(waiting)
            pieces = list(self._pieces(free, -piece[1], *piece[3:]))
            if pieces == [piece]:
                equals.append(piece)
            else:
                for each in pieces:
                    heappush(waiting, each)
        if not equals:
            return None
        best = _latest(equals)
        for piece in equals:  # these have a line in common with it
            if piece != best:
                heappush(waiting, piece)
        return best

    def _pieces(self, free: "_Free", number: int, shift: int, first: int, last: int) -> Iterator[_Piece]:
        """What is free of a run and proves something. A source has to be nominated by a line of each stretch."""
        source = self._sources[number]
        for start, end in free.around(first, last):
            low, high = max(first, start), min(last, end)
            weight = self._sums[high] - self._sums[low]
            if weight < self._least:
                continue
            if source.nominating is not None and first_within(source.nominating, start, end) is None:
                continue
            rare = first_within(source.shared.rarer, low, high)
            if rare is not None:
                yield -weight, -number, -rare, shift, low, high


class _Free:
    """The stretches of a block that nobody has taken, in their order."""

    def __init__(self, stretches: Iterable[tuple[int, int]]) -> None:
        self.stretches = sorted(stretches)

    def around(self, first: int, last: int) -> list[tuple[int, int]]:
        """Those that have lines of these."""
        place = self._place(first)
        found = []
        while place < len(self.stretches) and self.stretches[place][0] < last:
            if self.stretches[place][1] > first:
                found.append(self.stretches[place])
            place += 1
        return found

    def take(self, first: int, last: int) -> None:
        """Lines of one stretch."""
        place = self._place(first)
        start, end = self.stretches[place]
        self.stretches[place : place + 1] = [one for one in ((start, first), (last, end)) if one[0] < one[1]]

    def _place(self, line: int) -> int:
        return max(bisect_left(self.stretches, (line + 1,)) - 1, 0)


def _latest(equals: Sequence[_Piece]) -> _Piece:
    """Of pieces with the same first rarer line that which is shifted most; but of those that also begin together the first."""
    best, *others = sorted(equals)
    for piece in others:
        if piece[4] != best[4]:
            best = piece
    return best


# Maintenance ------------------------------------------------------------------------------------------

# How far from its proportional place a line is looked for: git's max_search_distance.
_DISTANCE = 10
_STRETCH = 200


def lines_before(removed: Sequence[bytes], added: Sequence[bytes]) -> list[int]:
    """For each added line the removed one that it was made of, counted from 0; -1 where there is none."""
    if not removed:
        return [-1] * len(added)
    is_same_text = b"".join([row[1:] for row in removed]) == b"".join([row[1:] for row in added])
    return _by_characters(removed, added) if is_same_text else _by_likeness(removed, added)


def _by_characters(removed: Sequence[bytes], added: Sequence[bytes]) -> list[int]:
    """The same characters in the same order: a line was made of the one that gives its first character."""
    ends, total = [], 0
    for row in removed:
        total += len(row) - 1
        ends.append(total)
    found, at, seen = [], 0, 0
    for row in added:
        while at < len(ends) - 1 and ends[at] <= seen:
            at += 1
        found.append(at if len(row) > 1 else -1)
        seen += len(row) - 1
    return found


def _by_likeness(removed: Sequence[bytes], added: Sequence[bytes]) -> list[int]:
    """Stretch by stretch, so that a file rewritten at once takes no longer than its lines."""
    found: list[int] = []
    parts = 1 + max(len(removed), len(added)) // _STRETCH
    for part in range(parts):
        first, last = (len(removed) * at // parts for at in (part, part + 1))
        start, end = (len(added) * at // parts for at in (part, part + 1))
        found += [at + first if at >= 0 else -1 for at in _alike(removed[first:last], added[start:end])]
    return found


def _alike(removed: Sequence[bytes], added: Sequence[bytes]) -> list[int]:
    """The most certain pair first, then what stands before and behind it, so that lines never cross."""
    before, after = [_pairs(row) for row in removed], [_pairs(row) for row in added]
    known: dict[tuple[int, int], int] = {}

    def likeness(at: int, line: int) -> int:
        if (at, line) not in known:
            known[at, line] = sum((before[at] & after[line]).values())
        return known[at, line]

    def most_alike(line: int, first: int, last: int) -> tuple[int, int]:
        """How certain, and which: twice the best less the second best."""
        place = ((2 * line + 1) * len(removed)) // (2 * len(added))
        nearby = range(max(first, place - _DISTANCE), min(last, place + _DISTANCE + 1))
        ranked = sorted(((likeness(at, line) * (1000 - abs(at - place)), -at) for at in nearby), reverse=True)[:2]
        best = ranked[0][0] if ranked else 0
        return (2 * best - (ranked[1][0] if len(ranked) > 1 else 0), -ranked[0][1]) if best else (0, -1)

    found = [-1] * len(added)
    waiting = [(0, len(removed), 0, len(added))]
    while waiting:
        first, last, start, end = waiting.pop()
        certainty, at, line = max(
            ((*most_alike(line, first, last), line) for line in range(start, end)), default=(0, -1, -1)
        )
        if not certainty:
            continue
        found[line] = at
        before[at] = before[at] - after[line]
        for other in range(start, end):
            known.pop((at, other), None)
        # Both sides may use the same old line again: one line is often broken into several.
        waiting += [(first, at + 1, start, line), (at, last, line + 1, end)]
    return found


def _pairs(row: bytes) -> Counter[bytes]:
    """Neighbouring characters of a line, capitals and blanks set aside."""
    text = row[1:].lower()
    return Counter(text[at : at + 2] for at in range(len(text) - 1))
