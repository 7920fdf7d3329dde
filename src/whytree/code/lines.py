"""Which commit each line came with, on the command line's side.

`git blame -w -M -C`, and then through maintenance: commits in `.git-blame-ignore-revs`, commits that say
`Why: none`, and commits that only re-formatted the file, unless somebody stated a reason for them.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from whytree.engines.git.blame import BLAME_ARGUMENTS, UNCOMMITTED, BlamedLine, parse_blame, parse_ignore_revs
from whytree.engines.git.log import LogCommit
from whytree.engines.git.log_diff import DIFF_ARGUMENTS, is_reformatting, parse_diffs
from whytree.engines.links.rules import CommitFacts, is_looked_through, is_stated

from .git import Clone, split_lines
from .headstart import take

# Maintenance on top of maintenance on top of ...; beyond this the newest answer stands.
_ROUNDS = 8


@dataclass
class FileLines:
    """Lines of one file with their commits, and the maintenance commits that were looked through to find them."""

    path: str
    lines: list[BlamedLine]
    looked_through: tuple[str, ...] = ()
    ignored: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Wanted:
    """Lines `first` to `last` of `path` (relative to the clone's root); the whole file without them."""

    path: str
    first: int = 0
    last: int = 0


class Remembered(Protocol):
    """What git said before of the lines of one file."""

    def lines(self, wanted: Wanted, ignored: frozenset[str]) -> list[BlamedLine] | None: ...

    def keep(self, wanted: Wanted, ignored: frozenset[str], lines: list[BlamedLine]) -> None: ...


class LineReader:
    """Reads lines of one clone. At `revision`, or with what is not committed yet when it is empty.

    `remembered` gives what a file holds as one commit has it, so that what git said of it before can be used.
    """

    def __init__(self, clone: Clone, revision: str = "", remembered: Remembered | None = None) -> None:
        self._clone = clone
        self._revision = revision
        self._remembered = remembered
        self._facts: dict[str, LogCommit] = {}
        self._reformatted: dict[tuple[str, str], bool] = {}
        self._listed = listed_revisions(clone)

    @property
    def facts(self) -> dict[str, LogCommit]:
        """Facts of every commit met so far."""
        return self._facts

    def read(self, wanted: Wanted) -> FileLines:
        """The lines of one file; `CommandError` when git cannot tell."""
        return self.read_all([wanted])[wanted]

    def read_all(self, wanted: Sequence[Wanted]) -> dict[Wanted, FileLines]:
        """The lines of many files, two facts-finding git calls a round instead of two a file."""
        found = dict(self._blame([(one, frozenset()) for one in wanted]))
        for _ in range(_ROUNDS):
            skip = self._maintenance(found.values())
            again = []
            for one, lines in found.items():
                new = {origin.sha for origin in lines.lines if (origin.sha, origin.path) in skip} - lines.ignored
                if new:
                    # With one listed commit met, the list is used whole, as `git blame` itself would.
                    more = lines.ignored | new | (self._listed if new & self._listed else frozenset())
                    again.append((one, frozenset(more)))
            if not again:
                break
            for one, lines in self._blame(again):
                met = {origin.sha for origin in found[one].lines} - {origin.sha for origin in lines.lines}
                lines.looked_through = (*found[one].looked_through, *sorted(met & lines.ignored))
                found[one] = lines
        return found

    def _blame(self, requests: Sequence[tuple[Wanted, frozenset[str]]]) -> Iterator[tuple[Wanted, FileLines]]:
        if len(requests) == 1:
            yield requests[0][0], self._blame_one(*requests[0])
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            yield from zip(
                (wanted for wanted, _ in requests),
                pool.map(lambda request: self._blame_one(*request), requests),
                strict=True,
            )

    def _blame_one(self, wanted: Wanted, ignored: frozenset[str]) -> FileLines:
        known = self._remembered.lines(wanted, ignored) if self._remembered else None
        if known is not None:
            return FileLines(wanted.path, known, ignored=set(ignored))
        found = self._ask(wanted, ignored)
        if self._remembered:
            self._remembered.keep(wanted, ignored, found.lines)
        return found

    def _ask(self, wanted: Wanted, ignored: frozenset[str]) -> FileLines:
        arguments = [*BLAME_ARGUMENTS]
        if wanted.first:
            arguments.append(f"-L{wanted.first},{wanted.last}")
        arguments += [self._revision] if self._revision else []
        if not ignored:
            begun = None if self._revision else take(str(self._clone.root / wanted.path), wanted.first, wanted.last)
            output = begun if begun is not None else self._clone.read_bytes(*arguments, "--", wanted.path)
            return FileLines(wanted.path, list(parse_blame(output)))
        import tempfile

        with tempfile.NamedTemporaryFile("w", prefix="whytree-", suffix=".revs") as listing:
            listing.write("\n".join(sorted(ignored)) + "\n")
            listing.flush()
            output = self._clone.read_bytes(*arguments, f"--ignore-revs-file={listing.name}", "--", wanted.path)
        return FileLines(wanted.path, list(parse_blame(output)), ignored=set(ignored))

    def _maintenance(self, files: Iterable[FileLines]) -> set[tuple[str, str]]:
        """(commit, path) pairs to look through."""
        pairs = {(line.sha, line.path) for one in files for line in one.lines if line.sha != UNCOMMITTED}
        self._learn(sorted({sha for sha, _ in pairs} - self._facts.keys()))
        self._learn_reformatted(pairs - self._reformatted.keys())
        return {pair for pair in pairs if self._is_maintenance(*pair)}

    def _is_maintenance(self, sha: str, path: str) -> bool:
        commit = self._facts.get(sha)
        if commit is None or is_stated(facts_of(commit)):
            return False
        return sha in self._listed or is_looked_through(facts_of(commit)) or self._reformatted.get((sha, path), False)

    def _learn(self, shas: Sequence[str]) -> None:
        self._facts |= self._clone.commits(shas)

    def _learn_reformatted(self, pairs: set[tuple[str, str]]) -> None:
        """A file's first version re-formats nothing, so only modifications are looked at."""
        self._reformatted |= dict.fromkeys(pairs, False)
        unsure = {sha for sha, _ in pairs if self._facts.get(sha) and self._facts[sha].parents}
        if not unsure:
            return
        paths = sorted({path for _, path in pairs}) if len(pairs) < 100 else []
        arguments = ("log", "--no-walk=unsorted", *DIFF_ARGUMENTS, "--diff-filter=M", "--stdin")
        listing = "\n".join([*sorted(unsure), *(["--", *paths] if paths else [])]) + "\n"
        for diff in parse_diffs(split_lines(self._clone.stream(*arguments, stdin=listing))):
            if (diff.sha, diff.path) in pairs:
                self._reformatted[diff.sha, diff.path] = is_reformatting(diff)


def facts_of(commit: LogCommit) -> CommitFacts:
    return CommitFacts(commit.subject, commit.body, commit.note, commit.author_name)


def listed_revisions(clone: Clone) -> frozenset[str]:
    """Commits the repository itself asks to look through: `.git-blame-ignore-revs`, and the file its settings name."""
    named = clone.settings.get("blame.ignorerevsfile", "")
    found: set[str] = set()
    for name in filter(None, {".git-blame-ignore-revs", named}):
        try:
            text = (clone.root / Path(name).expanduser()).read_text(encoding="utf-8", errors="replace")
        except OSError:
            text = clone.ask("cat-file", "blob", f"HEAD:{name}") if clone.is_bare else ""
        found.update(parse_ignore_revs(text))
    return frozenset(found)
