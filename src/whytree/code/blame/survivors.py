"""Which commit each line of a clone came with, all files at once: history is replayed forwards, see `engines.git.survivors`.

A reading is kept in the clone's git folder, so that after a commit only that commit is replayed. A branch that forked
off before what was kept begins with what `git blame` says of the files it touched.
"""

from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from whytree.engines.git.common_runs import Numbers
from whytree.engines.git.ledger import Ledger
from whytree.engines.git.log import LOG_ARGUMENTS, parse_log
from whytree.engines.git.patch import (
    COMBINED_ARGUMENTS,
    COMBINED_NAMES_ARGUMENTS,
    JOINED_ARGUMENTS,
    NAMES_ARGUMENTS,
    PATCH_ARGUMENTS,
    Change,
    Joined,
    blobs_named,
    parse_joined,
    parse_patches,
    paths_by_contents,
)
from whytree.engines.git.survivors import Replay, Step, Tree
from whytree.engines.git.versions import Version
from whytree.engines.links.rules import is_looked_through, is_stated
from whytree.workspace.terminal.client import CommandError

from ..clone.git import Clone, exact_path
from .kept import Kept, load, save
from .lines import LineReader, Wanted, facts_of, listed_revisions

Told = tuple[Step, list[Change], list[Joined]]

# Commits whose changes are asked of git at once; while some are replayed, git reads the next.
_AT_ONCE = 300
_AHEAD = 2
# Commits that are asked one by one because contents of theirs are missing; with more, history is not worth replaying.
_MOST_DAMAGED = 100
_MOST_PATHS = 10_000
_BLANKS = b" \t\r"
# What may be a trailer of ours: which commit it is for, or that it is for none.
_SAYS_WHY = r"^[[:space:]]*why[-a-z]*[[:space:]]*:"


@dataclass(frozen=True)
class Maintenance:
    """What is looked through by its own word or by the repository's list, and what changes that."""

    listed: frozenset[str]
    by_note: frozenset[str]
    stated: frozenset[str]
    quiet: frozenset[str]


class Survivors:
    """Lines of all files at the clone's head. `ledger` says whose they are; `replayed` counts commits."""

    def __init__(self, clone: Clone, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        self._clone = clone
        self._progress = progress
        self._readers: dict[str, LineReader] = {}
        self._blobs: dict[str, dict[str, str]] = {}
        self.ledger = Ledger()
        self.replayed = 0
        self.damaged: set[str] = set()  # commits some of whose contents the clone lacks
        self._lost: dict[str, bytes] = {}  # and the files that held them, by name
        self._lacking: set[str] = set()

    @property
    def blobs(self) -> dict[str, str]:
        """Contents of the files at the head, by path; no links, no submodules."""
        return self._files_at(self._clone.head)

    def read(self, *, keep: bool = True) -> dict[str, Version]:
        """Path to version. A file whose history git does not show line by line (once binary, say) is absent."""
        kept = load(self._clone) if keep else None
        if kept is not None and not (self._clone.has_ancestor(kept.head) and self._still_lacks(kept.lacking)):
            kept = None
        since = [f"^{kept.head}"] if kept else []
        maintenance = self._maintenance(since)
        if kept is not None and not _still_holds(kept, maintenance):
            kept, since = None, []
            maintenance = self._maintenance(since)
        if kept is not None:
            self.damaged, self._lacking = set(kept.damaged), set(kept.lacking)
        files, replay = self._replay(kept, self._steps(since), maintenance)
        self.ledger = replay.ledger
        if keep and (kept is None or self.replayed):
            self._keep(kept, files, replay, maintenance)
        return files

    def _replay(
        self, kept: Kept | None, steps: Sequence[Step], maintenance: Maintenance
    ) -> tuple[dict[str, Version], Replay]:
        replay = Replay(
            steps,
            looked_through=maintenance.quiet,
            stated=maintenance.stated.__contains__,
            begin=lambda sha: self._begin(kept, sha, replay),
            keys_of=self._keys_of,
            ledger=kept.ledger if kept else None,
        )
        for step, changes, joined in self._told(steps):
            replay.feed(step, changes, joined)
            self.replayed += 1
            if self.replayed % 100 == 0 or self.replayed == len(steps):
                self._progress(self.replayed, len(steps))
        tree = replay.tree if steps else Tree(kept.files if kept else None)
        files = {}
        for path, blob in self.blobs.items():
            version = tree.get(path)
            if version is not None and version.blob == blob:
                files[path] = version
        return files, replay

    def _keep(self, kept: Kept | None, files: dict[str, Version], replay: Replay, maintenance: Maintenance) -> None:
        before = kept.looked_through if kept else []
        save(
            self._clone,
            Kept(
                self._clone.head,
                files,
                replay.ledger,
                sorted(maintenance.listed),
                sorted(maintenance.by_note),
                sorted({*before, *replay.reformatted, *maintenance.quiet}),
                sorted(self.damaged),
                sorted(self._lacking),
            ),
        )

    def _still_lacks(self, contents: Sequence[str]) -> bool:
        """Whether none of the missing contents came since: `git fetch --refetch` mends a clone."""
        return not contents or self._clone.missing(contents) == set(contents)

    # History

    def _steps(self, since: Sequence[str]) -> list[Step]:
        listed = self._clone.read("rev-list", "--topo-order", "--reverse", "--parents", "HEAD", *since)
        return [Step(row[0], tuple(row[1:])) for row in map(str.split, listed.splitlines())]

    def _told(self, steps: Sequence[Step]) -> Iterator[Told]:
        """Steps with what they changed. Git works on the next commits in the meantime."""
        from concurrent.futures import ThreadPoolExecutor

        batches = deque(steps[at : at + _AT_ONCE] for at in range(0, len(steps), _AT_ONCE))
        with ThreadPoolExecutor(_AHEAD) as pool:
            waiting = deque(pool.submit(self._ask, batches.popleft()) for _ in range(min(_AHEAD, len(batches))))
            while waiting:
                batch, patches, heads, combined = waiting.popleft().result()
                if batches:
                    waiting.append(pool.submit(self._ask, batches.popleft()))
                yield from self._matched(batch, patches, heads, combined)

    def _ask(self, batch: Sequence[Step]) -> tuple[Sequence[Step], bytes, bytes, bytes]:
        merges = [step.sha for step in batch if len(step.parents) > 1]
        others = [step.sha for step in batch if len(step.parents) < 2]
        return (
            batch,
            self._log(PATCH_ARGUMENTS, others),
            self._log(JOINED_ARGUMENTS, merges),
            self._log(COMBINED_ARGUMENTS, merges),
        )

    def _log(self, arguments: Sequence[str], shas: Sequence[str]) -> bytes:
        """What git tells of these commits; of one that it cannot tell, what it can of the other files."""
        if not shas:
            return b""
        listing = "\n".join(shas) + "\n"
        try:
            return self._clone.read_bytes("log", "--no-walk=unsorted", *arguments, "--stdin", stdin=listing)
        except CommandError as error:
            if len(self._lost) > _MOST_DAMAGED:
                raise
            if len(shas) == 1:
                return self._undamaged(arguments, shas[0], error)
        middle = len(shas) // 2
        return self._log(arguments, shas[:middle]) + self._log(arguments, shas[middle:])

    def _undamaged(self, arguments: Sequence[str], sha: str, error: CommandError) -> bytes:
        """A commit's files with their lines, but those whose contents are missing; these go by name to `_lost`."""
        names = COMBINED_NAMES_ARGUMENTS if arguments == COMBINED_ARGUMENTS else NAMES_ARGUMENTS
        named = self._one(names, sha)
        missing = self._clone.missing(blobs_named(named))
        whole, lost = paths_by_contents(named, missing)
        if len(whole) > _MOST_PATHS:
            raise error
        if lost:  # else git wanted a file of one parent only, to see whether another is a copy of it
            self._lost[sha] = self._one(names, sha, lost)
            self.damaged.add(sha)
            self._lacking |= missing
        return self._one(arguments, sha, whole) if whole else self._one((*names, "--no-patch"), sha)

    def _one(self, arguments: Sequence[str], sha: str, paths: Sequence[str] = ()) -> bytes:
        return self._clone.read_bytes("log", "--no-walk", *arguments, sha, "--", *paths)

    def _matched(self, batch: Sequence[Step], patches: bytes, heads: bytes, combined: bytes) -> Iterator[Told]:
        """Git answers in the order it was asked, commits and merges apart."""
        single, joined, told = parse_patches(patches), parse_patches(heads), parse_joined(combined)
        for step in batch:
            if is_merge := len(step.parents) > 1:
                sha, changes = next(joined, ("", []))
                of_all = next(told, ("", []))
            else:
                sha, changes = next(single, ("", []))
                of_all = (sha, [])
            if (sha, of_all[0]) != (step.sha, step.sha):
                raise CommandError(f"git told nothing of commit {step.sha[:7]}. Is the clone damaged? git fsck says.")
            if named := self._lost.get(step.sha):
                if is_merge:
                    of_all[1].extend(replace(each, hunks=None) for _, rows in parse_joined(named) for each in rows)
                else:
                    changes.extend(replace(each, hunks=None) for _, rows in parse_patches(named) for each in rows)
            yield step, changes, of_all[1]

    # What was not replayed

    def _begin(self, kept: Kept | None, sha: str, replay: Replay) -> Tree:
        """Files of a commit before those that are replayed: as they were kept, else as `git blame` tells."""
        if kept is None:
            return Tree()
        if sha == kept.head:
            return Tree(kept.files)
        touched = self._touched(sha, kept.head)

        def ask(path: str) -> Version | None:
            if path in self._files_at(sha):
                return kept.files.get(path) if path not in touched else self._blamed(sha, path, replay)
            return None

        return Tree(ask=ask)

    def _touched(self, old: str, new: str) -> set[str]:
        """Files that may have another history at `new`: even a merge that only chose a side makes a difference."""
        names = ("--format=", "--name-only", "-z", "--no-renames", "--diff-merges=separate")
        listed = self._clone.read_bytes("log", *names, new, f"^{old}")
        return {exact_path(path).strip("\n") for path in listed.split(b"\0")}

    def _blamed(self, sha: str, path: str, replay: Replay) -> Version:
        reader = self._readers.setdefault(sha, LineReader(self._clone, sha))
        lines = reader.read(Wanted(path)).lines
        numbers = array("I", [replay.ledger.enter(line.sha, 1) for line in lines])
        return Version(self._files_at(sha)[path], numbers, None)

    def _files_at(self, sha: str) -> dict[str, str]:
        if sha not in self._blobs:
            rows = self._clone.read_bytes("ls-tree", "-r", "-z", "--full-tree", sha).split(b"\0")
            self._blobs[sha] = {
                exact_path(path): facts.split(b" ")[2].decode()
                for facts, _, path in (row.partition(b"\t") for row in rows)
                if facts.startswith(b"100")
            }
        return self._blobs[sha]

    def _keys_of(self, blob: str) -> Numbers:
        rows = self._clone.blobs([blob])[blob].translate(None, _BLANKS).split(b"\n")
        return array("q", [hash(b"+" + row) for row in (rows if rows[-1] else rows[:-1])])

    # Maintenance

    def _maintenance(self, since: Sequence[str]) -> Maintenance:
        listed = listed_revisions(self._clone)
        noted = self._clone.noted()
        facts = {sha: facts_of(commit) for sha, commit in self._clone.commits(sorted(listed | noted)).items()}
        by_note = frozenset(sha for sha in noted if sha in facts and is_looked_through(facts[sha]))
        saying = ("--extended-regexp", "--regexp-ignore-case", f"--grep={_SAYS_WHY}", "HEAD", *since)
        facts |= {one.sha: facts_of(one) for one in parse_log(self._clone.stream("log", *LOG_ARGUMENTS, *saying))}
        stated = frozenset(sha for sha, said in facts.items() if is_stated(said))
        quiet = {sha for sha, said in facts.items() if is_looked_through(said)}
        return Maintenance(listed, by_note, stated, frozenset((quiet | listed) - stated))


def _still_holds(kept: Kept, now: Maintenance) -> bool:
    """Whether what was looked through would be looked through today: lists and notes may come later."""
    same = (kept.listed, kept.quiet_notes) == (sorted(now.listed), sorted(now.by_note))
    return same and now.stated.isdisjoint(kept.looked_through)
