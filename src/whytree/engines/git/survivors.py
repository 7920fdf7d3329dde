"""Who wrote each line that is still there, found by replaying history forwards once instead of blaming file by file.

    replay = Replay(commits, looked_through=...)
    for commit, (changes, joined) in ...:          # parents before children
        replay.feed(commit, changes, joined)
    version = replay.tree.get(path)                # of the last commit: a Version, or None
    replay.ledger.commits_of(version.lines)        # who wrote each of its lines: [(first, last, sha), ...]

Each commit hands its files on to its children: a list of line numbers, in which its hunks put new ones; `Ledger` knows
which commit a number belongs to. As `git blame -w -M -C` does, a merge takes a file from the parent that has it, and else
each line from the first parent that has it, and lines that a maintenance commit only touched keep their numbers. Lines
that moved, or were copied from a file of the same commit, get new numbers and a passage that leads to the old ones:
git follows such a passage only where enough of it is still there, and that is known at the end. Pure: git is run, and
what is maintenance is known, by the caller.
"""

from array import array
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from whytree.engines.git.common_runs import Numbers
from whytree.engines.git.moves import COPIED, MOVED, Block, Finder, Passage, is_same_text, lines_before, weigh
from whytree.engines.git.patch import Change, Joined, PatchHunk

# Tips share layers of files; more than this many are slower to look through than to copy.
_LAYERS = 16
_HAD, _GONE = b" -"
_NO_LINES: Numbers = array("I")
_NO_KEYS: Numbers = array("q")


@dataclass(frozen=True, slots=True)
class Step:
    """A commit to replay. Parents that are not replayed themselves are asked of `Replay`'s `begin`."""

    sha: str
    parents: tuple[str, ...]


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


class Tree:
    """Files of a commit. A fork shares what stood before it; None in a layer hides what lies below."""

    def __init__(
        self, files: Mapping[str, Version] | None = None, *, ask: Callable[[str], Version | None] | None = None
    ):
        """`ask` gives a file that is in no layer, where the commit itself was not replayed."""
        self._below: tuple[dict[str, Version | None], ...] = (dict(files),) if files else ()
        self._own: dict[str, Version | None] = {}
        self._ask = ask

    def get(self, path: str) -> Version | None:
        if path in self._own:
            return self._own[path]
        for layer in reversed(self._below):
            if path in layer:
                return layer[path]
        if self._ask and path:
            self._own[path] = self._ask(path)
            return self._own[path]
        return None

    def put(self, path: str, version: Version | None) -> None:
        self._own[path] = version

    def fork(self) -> "Tree":
        """The same files, from here on changed apart."""
        if self._own:
            self._below = (*self._below, self._own)
            self._own = {}
        if len(self._below) > _LAYERS:
            self._below = ({path: version for layer in self._below for path, version in layer.items()},)
        other = Tree(ask=self._ask)
        other._below = self._below
        return other


class Replay:
    """Hands lines on from commit to commit. Feed every step of `steps`, in their order."""

    def __init__(
        self,
        steps: Sequence[Step],
        *,
        looked_through: Iterable[str] = (),
        stated: Callable[[str], bool] = lambda sha: False,
        begin: Callable[[str], Tree] = lambda sha: Tree(),
        keys_of: Callable[[str], Numbers] = lambda blob: _NO_KEYS,
        ledger: Ledger | None = None,
    ) -> None:
        """`looked_through` are maintenance by their own word or by the repository's list. A commit that only re-formats
        a file is looked through there too, unless it is `stated` what it is for. `keys_of` reads a blob anew."""
        self.ledger = ledger or Ledger()
        self.reformatted: set[str] = set()
        self.declined: set[str] = set()
        self._looked_through = set(looked_through)
        self._stated = stated
        self._begin = begin
        self._keys_of = keys_of
        self._children = Counter(parent for step in steps for parent in dict.fromkeys(step.parents))
        self._trees: dict[str, Tree] = {}
        self._last = Tree()

    @property
    def tree(self) -> Tree:
        """Files of the commit that was fed last."""
        return self._last

    def feed(self, step: Step, changes: Sequence[Change], joined: Sequence[Joined] = ()) -> None:
        """What the commit changed against its first parent; for a merge also what differs from all of its parents."""
        trees = [self._tree_of(parent) for parent in step.parents]
        if len(trees) > 1:
            told = {one.path: one for one in joined}
            news = [(change.path or change.source, self._merged(step, trees, change, told)) for change in changes]
        else:
            news = list(self._changed(step, trees[0] if trees else Tree(), changes))
        tree = self._hand_on(step.parents[0]) if step.parents else Tree()
        for parent in dict.fromkeys(step.parents):
            self._children[parent] -= 1
            if not self._children[parent]:
                del self._trees[parent]
        for path, version in news:
            tree.put(path, version)
        self._trees[step.sha] = self._last = tree

    def _tree_of(self, sha: str) -> Tree:
        if sha not in self._trees:
            self._trees[sha] = self._begin(sha)
        return self._trees[sha]

    def _hand_on(self, sha: str) -> Tree:
        """The last child goes on with the tree itself."""
        return self._trees[sha] if self._children[sha] == 1 else self._trees[sha].fork()

    # One parent

    def _changed(self, step: Step, tree: Tree, changes: Sequence[Change]) -> Iterator[tuple[str, Version | None]]:
        before = {change.source: tree.get(change.source) for change in changes if change.source}
        drafts = [
            _Draft(change, before.get(change.source), self._keys(before.get(change.source))) for change in changes
        ]
        alive = {change.path for change in changes}
        yield from ((source, None) for source in before if source not in alive)
        for draft in drafts:
            if draft.change.path and draft.is_sound and self._is_looked_through(step, draft):
                draft.pass_through()
        self._find_moves(drafts, before)
        for draft in drafts:
            if draft.change.path:
                yield draft.change.path, draft.version(self.ledger, step.sha)

    def _is_looked_through(self, step: Step, draft: "_Draft") -> bool:
        if step.sha in self._looked_through:
            return True
        if not draft.only_reformats():
            return False
        if step.sha not in self.declined and self._stated(step.sha):
            self.declined.add(step.sha)
        if step.sha in self.declined:
            return False
        self.reformatted.add(step.sha)
        return True

    def _find_moves(self, drafts: Sequence["_Draft"], before: Mapping[str, Version | None]) -> None:
        """Blocks that stood elsewhere before this commit."""
        waiting = [(draft, *block) for draft in drafts for block in draft.blocks(len(before))]
        files = {path: keys for path, version in before.items() if version and (keys := self._keys(version))}
        if not waiting or not files:
            return
        finder = Finder(files, [block for _, _, block in waiting])
        for draft, at, block in waiting:
            for passage in finder.passages(block, draft.change.source):
                if version := before[passage.source]:
                    were = version.lines[passage.at : passage.at + passage.end - passage.start]
                    draft.moves.append((at + passage.start, were, passage))

    def _keys(self, version: Version | None) -> Numbers:
        if version is None:
            return _NO_KEYS
        if version.keys is None:
            version.keys = self._keys_of(version.blob)
        return version.keys

    # Several parents

    def _merged(self, step: Step, trees: Sequence[Tree], change: Change, told: Mapping[str, Joined]) -> Version | None:
        """A parent's file where one has this very content, else line by line."""
        if not change.path:
            return None
        for tree in trees:
            known = tree.get(change.path)
            if known is not None and known.blob == change.blob:
                return known
        joined = told.get(change.path)
        if joined is None:
            return None
        sources = [tree.get(path) if path else None for tree, path in zip(trees, joined.sources, strict=False)]
        for source, blob in zip(sources, joined.blobs, strict=False):
            if source is not None and blob == change.blob:
                return source
        if joined.hunks is None:
            return None
        return self._woven(step, joined, sources)

    def _woven(self, step: Step, joined: Joined, sources: Sequence[Version | None]) -> Version | None:
        weaver = _Weaver([(source.lines, self._keys(source)) if source is not None else None for source in sources])
        for hunk in joined.hunks or ():
            weaver.skip_to(hunk.starts)
            for row in hunk.rows:
                weaver.add(row)
        return Version(joined.blob, *weaver.finish(self.ledger, step.sha)) if weaver.is_sound else None


class _Weaver:
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
        lines, keys = self._parents[self._base] or (_NO_LINES, _NO_KEYS)
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
        self._copy(self._places[self._base], len((self._parents[self._base] or (_NO_LINES,))[0]))
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


class _Draft:
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

    def only_reformats(self) -> bool:
        """Whether each hunk has the same characters before and after: only blanks and line breaks moved about."""
        hunks = self.change.hunks
        return (
            bool(hunks)
            and bool(self.change.source)
            and all(is_same_text(hunk.removed, hunk.added) for hunk in hunks or ())
        )

    def pass_through(self) -> None:
        """Added lines keep the origins of those they were made of."""
        for at, hunk in self._placed():
            if self._before is None or not hunk.added:
                continue
            for row, made_of in enumerate(lines_before(hunk.removed, hunk.added)):
                if made_of >= 0:
                    self._known[at + row] = self._before.lines[hunk.start + made_of]

    def _placed(self) -> Iterator[tuple[int, PatchHunk]]:
        """Hunks with the line of the new file at which what they add begins."""
        shift = 0
        for hunk in self.change.hunks or ():
            yield hunk.start + shift, hunk
            shift += len(hunk.added) - len(hunk.removed)

    def blocks(self, files: int) -> Iterator[tuple[int, Block]]:
        """What it adds in one piece and is heavy enough to have stood elsewhere, in one of so many changed files."""
        if not self.is_sound:
            return
        others = files - bool(self.change.source)
        if not others and not self.change.source:
            return
        least = MOVED if self.change.source else COPIED
        for at, hunk in self._placed():
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
        before = self._before.lines if self._before else _NO_LINES
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
