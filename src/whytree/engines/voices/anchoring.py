"""Where marked words stand after their text was edited.

    anchors = Anchors(before, after)
    anchors.find(start, end)      # (start, end) in the new text, or None: they are not there any more

The two texts are laid beside each other, line by line and in changed lines word by word; a mark goes where its words went. A mark whose
words were corrected a little goes along; one whose words stand elsewhere, once, is found there. Everything else is lost, and None says so:
a mark on other words than somebody marked would put words into a person's mouth.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

ALIKE = 0.75
"""Of the words before and after, by difflib's ratio: a corrected slip of the pen stays, a rewritten sentence does not."""
MOST_WORDS = 4_000
"""Words of one changed part that are compared one by one; longer ones are compared by line only."""
MOST_LINES = 6_000
"""Lines of a changed part; ten hours of talk have some 2,500."""
MOST_PAIRS = 300_000
"""Pairs of the same word or line in both: what repeats without end says nothing of where it stood, and takes for ever to compare."""

_WORDS = re.compile(r"\S+")
Block = tuple[int, int, int]


class Anchors:
    """Two versions of a text, laid beside each other once for any number of marks."""

    def __init__(self, before: str, after: str) -> None:
        self._before, self._after = before, after
        self._blocks = [block for block in _blocks(before, after) if block[2]]

    def find(self, start: int, end: int) -> tuple[int, int] | None:
        """The span of the new text that holds the words `before[start:end]`."""
        quote = self._before[start:end]
        beside = self._beside(start, end)
        alike = _alike(quote, self._after[slice(*beside)]) if beside is not None else 0.0
        if alike == 1.0:
            return beside
        # Moved elsewhere: sure only when the words stood once before and stand once now.
        elsewhere = only_place(self._after, quote) if only_place(self._before, quote) is not None else None
        return elsewhere or (beside if alike >= ALIKE else None)

    def _beside(self, start: int, end: int) -> tuple[int, int] | None:
        """Where the words went when nothing but words inside them changed."""
        kept = [
            (max(start, a) - a + b, min(end, a + size) - a + b)
            for a, b, size in self._blocks
            if a < end and a + size > start
        ]
        if not kept:
            return None
        first, last = kept[0][0], kept[-1][1]
        if not self._is_kept(start):
            behind = [b + size for a, b, size in self._blocks if a + size <= start]
            first = max(behind, default=0)
        if not self._is_kept(end - 1):
            ahead = [b for a, b, size in self._blocks if a >= end]
            last = min(ahead, default=len(self._after))
        part = self._after[first:last]
        first += len(part) - len(part.lstrip())
        last -= len(part) - len(part.rstrip())
        return (first, last) if first < last else None

    def _is_kept(self, place: int) -> bool:
        return any(a <= place < a + size for a, _, size in self._blocks)


def only_place(text: str, quote: str) -> tuple[int, int] | None:
    """Where these words stand, if they stand there exactly once; spaces and line ends may differ."""
    words = quote.split()
    if not words:
        return None
    pattern = re.compile(r"(?<!\w)" * words[0][0].isalnum() + r"\s+".join(map(re.escape, words)))
    found = [match.span() for _, match in zip(range(2), pattern.finditer(text), strict=False)]
    return found[0] if len(found) == 1 else None


def _alike(one: str, two: str) -> float:
    if one.split() == two.split():
        return 1.0
    if min(len(one), len(two)) * 2 < max(len(one), len(two)):
        return 0.0
    parts: tuple[Sequence[str], Sequence[str]] = one.split(), two.split()
    if min(map(len, parts)) <= 3:
        parts = one, two
    if not _can_be_compared(*parts, most=MOST_WORDS):
        return 0.0
    return float(SequenceMatcher(None, *parts, autojunk=False).ratio())


def _can_be_compared(one: Sequence[str], two: Sequence[str], *, most: int) -> bool:
    if max(len(one), len(two)) > most:
        return False
    there = Counter(two)
    return sum(times * there[part] for part, times in Counter(one).items()) <= MOST_PAIRS


def _blocks(before: str, after: str) -> Iterator[Block]:
    """Parts that are the same in both: (place before, place after, characters), in order."""
    same = before.rfind("\n", 0, _common(before, after)) + 1  # whole lines: a letter alone says nothing
    yield 0, 0, same
    tail = _common(before[same:][::-1], after[same:][::-1])
    tail -= (
        before.find("\n", len(before) - tail) + 1 - (len(before) - tail)
        if "\n" in before[len(before) - tail :]
        else tail
    )
    middle = before[same : len(before) - tail], after[same : len(after) - tail]
    for a, b, size in _by_line(*middle):
        yield a + same, b + same, size
    yield len(before) - tail, len(after) - tail, tail


def _common(one: str, two: str) -> int:
    least = min(len(one), len(two))
    low, high = 0, least
    while low < high:  # the longest beginning that both share, by halving
        middle = (low + high + 1) // 2
        if one[:middle] == two[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _by_line(before: str, after: str) -> Iterator[Block]:
    one, two = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if not _can_be_compared(one, two, most=MOST_LINES):
        return
    at, to = _starts(one), _starts(two)
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        if tag == "equal":
            yield at[i1], to[j1], at[i2] - at[i1]
        elif tag == "replace":
            for a, b, size in _by_word(before[at[i1] : at[i2]], after[to[j1] : to[j2]]):
                yield a + at[i1], b + to[j1], size


def _starts(parts: Sequence[str]) -> list[int]:
    places = [0]
    for part in parts:
        places.append(places[-1] + len(part))
    return places


def _by_word(before: str, after: str) -> Iterator[Block]:
    one, two = list(_WORDS.finditer(before)), list(_WORDS.finditer(after))
    words = [word[0] for word in one], [word[0] for word in two]
    if not _can_be_compared(*words, most=MOST_WORDS):
        return
    matcher = SequenceMatcher(None, *words, autojunk=False)
    for block in matcher.get_matching_blocks():
        for step in range(block.size):
            a, b = one[block.a + step], two[block.b + step]
            yield a.start(), b.start(), len(a[0])
