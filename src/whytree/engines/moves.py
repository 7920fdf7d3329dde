"""Where added lines stood before: moved within their file, moved or copied from another file of the same commit,
or what a maintenance commit made of older lines.

Does forwards what `git blame -M -C` and `--ignore-rev` do backwards (git's blame.c: find_move_in_parent,
find_copy_in_parent, fuzzy_find_matching_lines), on lines without blanks. Pure.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Numbers = array[int]  # Python 3.11 cannot say so when it runs
else:
    Numbers = array

# git's own thresholds: fewer letters and digits than this are found anywhere, and prove nothing.
MOVED = 20
COPIED = 40

_OTHERS = bytes(byte for byte in range(256) if not chr(byte).isalnum() or byte > 127)
# A line that stands in this many files, or this often in one, nominates none of them.
_COMMON = 50


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
        self._files = files
        wanted = {key for block in blocks for key in block.keys}
        self._holds = {path: held for path, keys in files.items() if (held := wanted.intersection(keys))}
        self._holders: dict[int, list[str]] = defaultdict(list)
        for path, held in self._holds.items():
            for key in held:
                self._holders[key].append(path)
        self._places: dict[str, dict[int, list[int]]] = {}

    def passages(self, block: Block, own: str) -> list[Passage]:
        """First what moved within `own` (the file's former path, or ""), then what other files give."""
        if self._holders.keys().isdisjoint(block.keys):
            return []
        weights = array("I", map(weigh, block.rows))
        found: list[Passage] = []
        left = [(0, len(weights))]
        if own in self._holds:
            left = self._take(block, weights, left, own, MOVED, found)
        if len(self._holds) > (own in self._holds):
            self._take(block, weights, left, None, COPIED, found, own)
        return found

    def _take(
        self,
        block: Block,
        weights: Numbers,
        waiting: Sequence[tuple[int, int]],
        source: str | None,
        least: int,
        found: list[Passage],
        own: str = "",
    ) -> list[tuple[int, int]]:
        """The best passage of each stretch, then of what is left on both sides of it; gives what nobody had."""
        left, stretches = [], list(waiting)
        while stretches:
            start, end = stretches.pop()
            if sum(weights[start:end]) < least:
                continue
            sources = [source] if source is not None else self._nominated(block, weights, start, end, own)
            best = self._best(block, weights, start, end, sources, least)
            if best is None:
                left.append((start, end))
            else:
                found.append(best)
                stretches += [(start, best.start), (best.end, end)]
        return left

    def _nominated(self, block: Block, weights: Numbers, start: int, end: int, own: str) -> list[str]:
        """Other files that have one of these lines, in git's order."""
        files: set[str] = set()
        for at in range(start, end):
            holders = self._holders.get(block.keys[at], ())
            if weights[at] and len(holders) <= _COMMON:
                files.update(holders)
        return sorted(files - {own})

    def _best(
        self, block: Block, weights: Numbers, start: int, end: int, sources: Sequence[str], least: int
    ) -> Passage | None:
        """The heaviest run of lines that stands in one of the sources; of equals the later one, as git does."""
        best, heaviest = None, least
        keys = block.keys
        for source in sources:
            held = self._holds[source]
            if sum(weights[at] for at in range(start, end) if keys[at] in held) < heaviest:
                continue
            runs = _Runs(keys, weights, start, end, self._files[source], self._places_in(source))
            if run := runs.heaviest(heaviest):
                first, last, at, heaviest = run
                best = Passage(first, last, source, at, weights[first:last], least)
        return best

    def _places_in(self, source: str) -> dict[int, list[int]]:
        """Where the keys stand that somebody asked for; not those that stand everywhere."""
        if source not in self._places:
            held = self._holds[source]
            places: dict[int, list[int]] = defaultdict(list)
            for at, key in enumerate(self._files[source]):
                if key in held:
                    places[key].append(at)
            self._places[source] = {key: found for key, found in places.items() if len(found) <= _COMMON}
        return self._places[source]


@dataclass(slots=True)
class _Runs:
    """Lines `start` to `end` of a block beside a file's, `there`, in which `places` says where the rarer ones stand."""

    keys: Numbers
    weights: Numbers
    start: int
    end: int
    there: Numbers
    places: Mapping[int, Sequence[int]]

    def heaviest(self, least: int) -> tuple[int, int, int, int] | None:
        """First and last (excluded) line of the longest common run that weighs most, its first line there, its weight.

        Of equals the one that begins last, and of its places the first. A translation has a hundred million pairs of lines
        that are the same and stand alone: those are done with in place.
        """
        keys, weights, there, places, end = self.keys, self.weights, self.there, self.places, self.end
        best: tuple[int, int, int, int] | None = None
        seen: dict[int, int] = {}  # how far a diagonal was followed
        ending = len(there) - 1
        for seed in range(self.start, end):
            alone = weights[seed]
            if not alone:  # a run of some weight has a line that weighs something
                continue
            above = keys[seed - 1] if seed > self.start else None
            below = keys[seed + 1] if seed + 1 < end else None
            for at in places.get(keys[seed], ()):
                if (not at or there[at - 1] != above) and (at == ending or there[at + 1] != below):
                    if alone < least:
                        continue
                    run = (seed, seed + 1, at, alone)
                elif seen.get(at - seed, -1) > seed:
                    continue
                else:
                    run = self._followed(seed, at)
                    seen[at - seed] = run[1]
                if run[3] > least or (run[3] == least and (best is None or run[0] > best[0])):
                    best, least = run, run[3]
        return best

    def _followed(self, seed: int, at: int) -> tuple[int, int, int, int]:
        keys, there = self.keys, self.there
        first, last, shift = seed, seed + 1, at - seed
        while first > self.start and first + shift > 0 and keys[first - 1] == there[first - 1 + shift]:
            first -= 1
        while last < self.end and last + shift < len(there) and keys[last] == there[last + shift]:
            last += 1
        return first, last, first + shift, sum(self.weights[first:last])


# Maintenance ------------------------------------------------------------------------------------------

# How far from its proportional place a line is looked for: git's max_search_distance.
_DISTANCE = 10
_STRETCH = 200


def is_same_text(removed: Sequence[bytes], added: Sequence[bytes]) -> bool:
    """Whether only blanks and line breaks moved about."""
    return b"".join([row[1:] for row in removed]) == b"".join([row[1:] for row in added])


def lines_before(removed: Sequence[bytes], added: Sequence[bytes]) -> list[int]:
    """For each added line the removed one that it was made of, counted from 0; -1 where there is none."""
    if not removed:
        return [-1] * len(added)
    return _by_characters(removed, added) if is_same_text(removed, added) else _by_likeness(removed, added)


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
