"""A file's version at a commit, made of its former one and the commit's hunks, or woven from a merge's several parents."""

from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from whytree.engines.git.common_runs import Numbers
from whytree.engines.git.formatting import is_formatting
from whytree.engines.git.ledger import Ledger, Moved
from whytree.engines.git.moves import COPIED, MOVED, Block, Finder, Passage, lines_before, weigh
from whytree.engines.git.patch import Change, PatchHunk

_HAD, _GONE = b" -"
NO_LINES: Numbers = array("I")
NO_KEYS: Numbers = array("q")


Placed = tuple[int, PatchHunk]


@dataclass(slots=True)
class Version:
    """A file at a commit: its blob, the numbers of its lines, and what stands for their text.

    `keys` are absent until they are asked for where a version was not replayed but remembered.
    """

    blob: str
    lines: Numbers
    keys: Numbers | None

    def __len__(self) -> int:
        return len(self.lines)


def placed(change: Change) -> Iterator[Placed]:
    """Hunks with the line of the new file, counted from 0, at which what they add begins."""
    shift = 0
    for hunk in change.hunks or ():
        yield hunk.start + shift, hunk
        shift += len(hunk.added) - len(hunk.removed)


def formatting(change: Change) -> list[Placed]:
    """The hunks that only change how the file looks."""
    if not change.source:
        return []
    return [(at, hunk) for at, hunk in placed(change) if is_formatting(change.path, hunk.removed, hunk.added)]


def formatted_lines(change: Change) -> frozenset[int]:
    """Lines of the new file, counted from 1, of which a change only changed the looks."""
    return frozenset(at + row for at, hunk in formatting(change) for row in range(1, len(hunk.added) + 1))


def only_formats(change: Change) -> bool:
    """Whether nothing else was done to the file."""
    return 0 < len(change.hunks or ()) == len(formatting(change))


class Draft:
    """A file that is being made of its former version and the hunks of one commit."""

    def __init__(self, change: Change, before: Version | None, keys: Numbers) -> None:
        self.change = change
        self._before = before
        self._keys = keys
        self._known: dict[int, int] = {}
        self.moves: list[tuple[int, Numbers, Passage]] = []
        hunks = change.hunks or []
        size = len(before) if before else 0
        # Lines that we know nothing of cannot be handed on: the caller asks git for such a file.
        self.is_sound = (
            bool(change.path)
            and change.hunks is not None
            and (before is not None or not change.source)
            and all(hunk.start + len(hunk.removed) <= size for hunk in hunks)
        )

    def pass_through(self, hunks: Iterable[Placed]) -> None:
        """What these hunks add keeps the origins of what it was made of."""
        if self._before is None:
            return
        for at, hunk in hunks:
            for row, made_of in enumerate(lines_before(hunk.removed, hunk.added)):
                if made_of >= 0:
                    self._known[at + row] = self._before.lines[hunk.start + made_of]

    def blocks(self, files: int) -> Iterator[tuple[int, Block]]:
        """What it adds in one piece and is heavy enough to have stood elsewhere, in one of so many changed files."""
        if not self.is_sound:
            return
        others = files - bool(self.change.source)
        if not others and not self.change.source:
            return
        least = MOVED if self.change.source else COPIED
        for at, hunk in placed(self.change):
            for start, end in self._unknown(at, len(hunk.added)):
                rows = hunk.added[start:end]
                if weigh(b"".join(rows)) >= least:
                    yield at + start, Block(rows, array("q", map(hash, rows)))

    def _unknown(self, at: int, size: int) -> Iterator[tuple[int, int]]:
        """Stretches of so many lines from `at` on that maintenance did not hand on."""
        if not self._known:
            yield 0, size
            return
        start = 0
        for row in range(size + 1):
            if row == size or at + row in self._known:
                if row > start:
                    yield start, row
                start = row + 1

    def version(self, ledger: Ledger, sha: str) -> Version | None:
        if not self.is_sound:
            return None
        before = self._before.lines if self._before else NO_LINES
        if not self.change.hunks:
            return Version(self.change.blob, before, self._keys)
        lines, keys, place = array("I"), array("q"), 0
        moves = deque(sorted(self.moves, key=lambda move: move[0]))
        for hunk in self.change.hunks:
            lines += before[place : hunk.start]
            keys += self._keys[place : hunk.start]
            place = hunk.start + len(hunk.removed)
            if not hunk.added:
                continue
            at, first = len(lines), ledger.enter(sha, len(hunk.added))
            lines += array("I", range(first, first + len(hunk.added)))
            keys += array("q", map(hash, hunk.added))
            while moves and moves[0][0] < len(lines):
                begin, were, passage = moves.popleft()
                ledger.enter_move(Moved(first + begin - at, were, passage.weights, passage.least))
        lines += before[place:]
        keys += self._keys[place:]
        for at, line in self._known.items():
            lines[at] = line
        return Version(self.change.blob, lines, keys)


class Weaver:
    """A merged file, line by line from the first parent that has the line."""

    def __init__(self, parents: Sequence[tuple[Numbers, Numbers] | None]) -> None:
        self._parents = parents
        self._base = next((at for at, parent in enumerate(parents) if parent), 0)
        self._places = [0] * len(parents)
        self._lines, self._keys = array("I"), array("q")
        self._fresh: list[tuple[int, list[bytes]]] = []
        self.is_sound = True

    def skip_to(self, starts: Sequence[int]) -> None:
        """What stands before a hunk is the same in all parents."""
        self._copy(self._places[self._base], starts[self._base])
        self._places = list(starts)

    def _copy(self, start: int, end: int) -> None:
        lines, keys = self._parents[self._base] or (NO_LINES, NO_KEYS)
        self.is_sound &= start <= end <= len(lines)
        self._lines += lines[start:end]
        self._keys += keys[start:end]

    def add(self, row: bytes) -> None:
        columns, text = row[: len(self._parents)], b"+" + row[len(self._parents) :]
        removed = b"-" in columns
        if not removed:
            self._lines.append(self._line(columns, text))
            self._keys.append(hash(text))
        for at, column in enumerate(columns):
            self._places[at] += column == (_GONE if removed else _HAD)

    def _line(self, columns: bytes, text: bytes) -> int:
        for at, parent in enumerate(self._parents):
            if parent and columns[at] == _HAD:
                if self._places[at] < len(parent[0]):
                    return parent[0][self._places[at]]
                self.is_sound = False
        at = len(self._lines)
        if self._fresh and self._fresh[-1][0] + len(self._fresh[-1][1]) == at:
            self._fresh[-1][1].append(text)
        else:
            self._fresh.append((at, [text]))
        return 0

    def finish(self, ledger: Ledger, sha: str) -> tuple[Numbers, Numbers]:
        """Lines and keys; what the merge itself wrote may have stood elsewhere in its parents' files."""
        self._copy(self._places[self._base], len((self._parents[self._base] or (NO_LINES,))[0]))
        files = {str(at): parent[1] for at, parent in enumerate(self._parents) if parent}
        blocks = [(at, Block(rows, array("q", map(hash, rows)))) for at, rows in self._fresh]
        finder = Finder(files, [block for _, block in blocks])
        for at, block in blocks:
            first = ledger.enter(sha, len(block.rows))
            self._lines[at : at + len(block.rows)] = array("I", range(first, first + len(block.rows)))
            for found in sorted(finder.passages(block, str(self._base)), key=lambda found: found.start):
                if parent := self._parents[int(found.source)]:
                    were = parent[0][found.at : found.at + found.end - found.start]
                    ledger.enter_move(Moved(first + found.start, were, found.weights, found.least))
        return self._lines, self._keys
