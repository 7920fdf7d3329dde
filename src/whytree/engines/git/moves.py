"""Where added lines stood before: moved within their file, moved or copied from another file of the same commit,
or what a maintenance commit made of older lines.

Does forwards what `git blame -M -C` and `--ignore-rev` do backwards (git's blame.c: find_move_in_parent,
find_copy_in_parent, fuzzy_find_matching_lines), on lines without blanks. Pure.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from whytree.engines.git.common_runs import COMMON, Lines, Numbers, Run, Shared, first_within, heavy_runs

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


# A run that weighs so much at most, and the number of its source.
_Known = tuple[Run, int]
_Stretch = tuple[int, int, list[_Known]]


class _Search:
    """The best passage of a stretch of a block, then of what is left of it: runs are looked for once, and cut to measure."""

    def __init__(self, weights: Numbers, sources: Sequence[_Source], least: int) -> None:
        self._weights = weights
        self._sums = list(accumulate(weights, initial=0))
        self._sources = sources
        self._least = least

    def take(self, stretches: Iterable[tuple[int, int]], found: list[Passage]) -> list[tuple[int, int]]:
        """Add the passages of these stretches to `found`; gives what nobody had."""
        runs = [(run, number) for number, source in enumerate(self._sources) for run in source.shared.runs]
        runs.sort(key=lambda known: -known[0][0])
        waiting: list[_Stretch] = [(start, end, _within(runs, start, end)) for start, end in stretches]
        left = []
        while waiting:
            start, end, known = waiting.pop()
            if self._sums[end] - self._sums[start] < self._least:
                continue
            best = self._best(start, end, known)
            if best is None:
                left.append((start, end))
            else:
                found.append(best)
                waiting += [(*each, _within(known, *each)) for each in ((start, best.start), (best.end, end))]
        return left

    def _best(self, start: int, end: int, known: Sequence[_Known]) -> Passage | None:
        """The heaviest run; of equals one of the later source, as git does."""
        nominated = [
            source.nominating is None or first_within(source.nominating, start, end) is not None
            for source in self._sources
        ]
        heaviest = self._least
        equals: list[tuple[int, int, int, Run]] = []
        for run, number in known:
            most, first, last, at = run
            if most < heaviest:
                break
            low, high = max(first, start), min(last, end)
            weight = self._sums[high] - self._sums[low]
            if weight < heaviest or not nominated[number]:
                continue
            rare = first_within(self._sources[number].shared.rarer, low, high)
            if rare is None:
                continue
            if weight > heaviest:
                equals, heaviest = [], weight
            equals.append((number, rare, at - first, (weight, low, high, at + low - first)))
        if not equals:
            return None
        number = max(number for number, *_ in equals)
        _, first, last, at = _latest([(rare, shift, run) for source, rare, shift, run in equals if source == number])
        return Passage(first, last, self._sources[number].path, at, self._weights[first:last], self._least)


def _within(known: Sequence[_Known], start: int, end: int) -> list[_Known]:
    return [one for one in known if one[0][1] < end and one[0][2] > start]


def _latest(runs: Sequence[tuple[int, int, Run]]) -> Run:
    """Of runs that weigh the same, with their first rarer line and how far they are shifted: that whose line stands last,
    then the one that is shifted most; but of those that also begin together the first."""
    last = max(rare for rare, _, _ in runs)
    best, *others = [run for _, run in sorted((shift, run) for rare, shift, run in runs if rare == last)]
    for run in others:
        if run[1] != best[1]:
            best = run
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
