"""Which commit each line number belongs to, and which lines stood elsewhere before."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from whytree.engines.git.common_runs import Numbers


@dataclass(frozen=True, slots=True)
class Moved:
    """Lines from number `first` on stood elsewhere before, as lines `were`; `weights` are their letters and digits.

    Believed where at least `least` of these are left in one piece.
    """

    first: int
    were: Numbers
    weights: Numbers
    least: int

    @property
    def end(self) -> int:
        return self.first + len(self.were)


@dataclass
class Ledger:
    """Which commit each line number belongs to, and which of them stood elsewhere before.

    Numbers grow with time; those of lines that were added apart are never neighbours.
    """

    starts: Numbers = field(default_factory=lambda: array("I"))
    shas: list[str] = field(default_factory=list)
    moves: list[Moved] = field(default_factory=list)
    next: int = 0
    moved_from: Numbers = field(init=False)

    def __post_init__(self) -> None:
        self.moved_from = array("I", [move.first for move in self.moves])

    def enter(self, sha: str, count: int) -> int:
        """The first of so many new numbers."""
        if not self.shas or self.shas[-1] != sha:
            self.starts.append(self.next)
            self.shas.append(sha)
        first = self.next
        self.next += count + 1
        return first

    def commits_of(self, lines: Numbers) -> list[tuple[int, int, str]]:
        """First and last line, counted from 1, and the commit they came with."""
        spans: list[tuple[int, int, str]] = []
        low, high, sha = 1, 0, ""
        for at, number in enumerate(self.settled(lines), 1):
            if not low <= number < high:
                place = bisect_right(self.starts, number) - 1
                low = self.starts[place]
                high = self.starts[place + 1] if place + 1 < len(self.starts) else self.next
                if sha != self.shas[place] or not spans:
                    sha = self.shas[place]
                    spans.append((at, at, sha))
                    continue
            spans[-1] = (spans[-1][0], at, sha)
        return spans

    def settled(self, lines: Numbers) -> Numbers:
        """The same lines with each passage followed that enough is left of, newest first as blame does."""
        waiting = self._moved(lines)
        if not waiting:
            return lines
        lines = lines[:]
        heapify(waiting)
        while waiting:
            move = self._move_of(-waiting[0][0])
            places = []
            while waiting and move and -waiting[0][0] >= move.first:
                places.append(heappop(waiting)[1])
            for piece in _pieces(sorted(places), lines):
                first = lines[piece[0]] - move.first if move else 0
                if not move or sum(move.weights[first : first + len(piece)]) < move.least:
                    continue
                for at in piece:
                    lines[at] = move.were[lines[at] - move.first]
                    if self._move_of(lines[at]):
                        heappush(waiting, (-lines[at], at))
        return lines

    def _moved(self, lines: Numbers) -> list[tuple[int, int]]:
        """Negative numbers and places of lines that stood elsewhere before. Neighbours mostly share the answer."""
        found = []
        low, high, moved = 0, 0, False
        for at, number in enumerate(lines):
            if not low <= number < high:
                place = bisect_right(self.moved_from, number)
                end = self.moves[place - 1].end if place else 0
                moved = number < end
                low = self.moved_from[place - 1] if moved else end
                high = end if moved else self.moved_from[place] if place < len(self.moves) else self.next
            if moved:
                found.append((-number, at))
        return found

    def _move_of(self, number: int) -> Moved | None:
        place = bisect_right(self.moved_from, number) - 1
        return self.moves[place] if place >= 0 and number < self.moves[place].end else None

    def enter_move(self, move: Moved) -> None:
        """Moves are told in the order of their numbers."""
        self.moves.append(move)
        self.moved_from.append(move.first)


def _pieces(places: Iterable[int], lines: Numbers) -> Iterator[list[int]]:
    """Places that follow each other and have numbers that do, too."""
    piece: list[int] = []
    for at in places:
        if piece and (at != piece[-1] + 1 or lines[at] != lines[piece[-1]] + 1):
            yield piece
            piece = []
        piece.append(at)
    if piece:
        yield piece
