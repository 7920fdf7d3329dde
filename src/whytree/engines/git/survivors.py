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

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from whytree.engines.git.common_runs import Numbers
from whytree.engines.git.ledger import Ledger
from whytree.engines.git.moves import Finder
from whytree.engines.git.patch import Change, Joined
from whytree.engines.git.versions import NO_KEYS, Draft, Version, Weaver, formatting, placed

# Tips share layers of files; more than this many are slower to look through than to copy.
_LAYERS = 16
# Others' code, translations and locked versions, which come as tools write them: to search one update of them for moved lines
# took longer than the rest of a history.
_TAKEN_IN = re.compile(
    r"(?:^|/)(?:vendor|node_modules|third_party|bower_components|site-packages)/"
    r"|\.(?:po|pot|xlf|xliff|min\.js|min\.css)$"
    r"|(?:^|/)(?:[^/]+\.lock|package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|go\.sum)$"
)


@dataclass(frozen=True, slots=True)
class Step:
    """A commit to replay. Parents that are not replayed themselves are asked of `Replay`'s `begin`."""

    sha: str
    parents: tuple[str, ...]


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
        keys_of: Callable[[str], Numbers] = lambda blob: NO_KEYS,
        ledger: Ledger | None = None,
    ) -> None:
        """`looked_through` are maintenance by their own word or by the repository's list. Hunks that only
        format are looked through in any other commit, unless it is `stated` what it is for. `keys_of` reads a blob anew."""
        self.ledger = ledger or Ledger()
        self.reformatted: set[str] = set()
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
        drafts = [Draft(change, before.get(change.source), self._keys(before.get(change.source))) for change in changes]
        alive = {change.path for change in changes}
        yield from ((source, None) for source in before if source not in alive)
        for draft in drafts:
            if draft.change.path and draft.is_sound:
                self._look_through(step, draft)
        self._find_moves(drafts, before)
        for draft in drafts:
            if draft.change.path:
                yield draft.change.path, draft.version(self.ledger, step.sha)

    def _look_through(self, step: Step, draft: Draft) -> None:
        """The whole of a maintenance commit; of any other what only formats, unless it is stated what it is for."""
        if step.sha in self._looked_through:
            draft.pass_through(placed(draft.change))
            return
        if self._stated(step.sha):
            return
        if hunks := formatting(draft.change):
            self.reformatted.add(step.sha)
            draft.pass_through(hunks)

    def _find_moves(self, drafts: Sequence[Draft], before: Mapping[str, Version | None]) -> None:
        """Blocks that stood elsewhere before this commit; what others wrote is taken in, not moved about."""
        own = {path: version for path, version in before.items() if not _TAKEN_IN.search(path)}
        ours = [draft for draft in drafts if not _TAKEN_IN.search(draft.change.path)]
        waiting = [(draft, *block) for draft in ours for block in draft.blocks(len(own))]
        files = {path: keys for path, version in own.items() if version and (keys := self._keys(version))}
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
            return NO_KEYS
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
        weaver = Weaver([(source.lines, self._keys(source)) if source is not None else None for source in sources])
        for hunk in joined.hunks or ():
            weaver.skip_to(hunk.starts)
            for row in hunk.rows:
                weaver.add(row)
        return Version(joined.blob, *weaver.finish(self.ledger, step.sha)) if weaver.is_sound else None
