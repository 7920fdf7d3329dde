"""Which commit each line came with, on the command line's side.

`git blame -w -M -C`, and then through maintenance: commits in `.git-blame-ignore-revs`, commits that say
`Why: none`, and what other commits only formatted, unless somebody stated a reason for them.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from whytree.engines.git.blame import BLAME_ARGUMENTS, UNCOMMITTED, BlamedLine, parse_blame, parse_ignore_revs
from whytree.engines.git.log import LogCommit
from whytree.engines.git.patch import PATCH_ARGUMENTS, parse_patches
from whytree.engines.git.versions import formatted_lines, only_formats
from whytree.engines.links.rules import CommitFacts, is_looked_through, is_stated

from ..clone.git import Clone
from ..clone.headstart import take

# Maintenance on top of maintenance on top of ...; beyond this the newest answer stands.
_ROUNDS = 8
# With more, git is not told which: that would take it longer than to show them all.
_FEW_PATHS = 100


@dataclass(frozen=True)
class Wanted:
    """Lines `first` to `last` of `path` (relative to the clone's root); the whole file without them."""

    path: str
    first: int = 0
    last: int = 0


@dataclass
class FileLines:
    """Lines of one file with their commits, and the maintenance commits that were looked through to find them."""

    path: str
    lines: list[BlamedLine]
    looked_through: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Asked:
    """What git is asked once, with some commits looked through; `lines` are those whose answer counts, or all.

    Git is asked about all of them each time: of fewer neighbours it finds fewer moves.
    """

    wanted: Wanted
    ignored: frozenset[str] = frozenset()
    lines: frozenset[int] = frozenset()


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
        self._formatted: dict[tuple[str, str], frozenset[int]] = {}
        self._only_formatted: set[tuple[str, str]] = set()
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
        first = self._blame([_Asked(one) for one in wanted])
        found = {asked.wanted: FileLines(asked.wanted.path, lines) for asked, lines in first}
        ignored: dict[tuple[Wanted, int], frozenset[str]] = {}
        for _ in range(_ROUNDS):
            self._learn_maintenance(found.values())
            again = [asked for one, file in found.items() for asked in self._again(one, file, ignored)]
            if not again:
                break
            for asked, lines in self._blame(again):
                ignored |= {(asked.wanted, number): asked.ignored for number in asked.lines}
                _replace(found[asked.wanted], asked, lines)
        return found

    def _again(
        self, one: Wanted, file: FileLines, ignored: Mapping[tuple[Wanted, int], frozenset[str]]
    ) -> Iterator[_Asked]:
        """Lines whose commit is to be looked through, those with the same commits to look through in one go.

        What a commit only formatted beside changes is that line's affair: another of its lines, or an older version of
        this one, it may have written itself.
        """
        lines: dict[frozenset[str], set[int]] = {}
        whole = frozenset(line.sha for line in file.lines if self._is_maintenance(line.sha, line.path))
        if whole & self._listed:
            whole |= self._listed  # with one listed commit met, the list is used whole, as `git blame` itself would
        for line in file.lines:
            known = ignored.get((one, line.line), frozenset())
            if line.sha in known:
                continue  # git could not tell what it was made of
            if line.sha in whole:
                lines.setdefault(known | whole, set()).add(line.line)
            elif line.source_line in self._formatted.get((line.sha, line.path), ()):
                lines.setdefault(known | {line.sha}, set()).add(line.line)
        for commits, numbers in lines.items():
            yield _Asked(one, commits, frozenset(numbers))

    def _blame(self, requests: Sequence[_Asked]) -> Iterator[tuple[_Asked, list[BlamedLine]]]:
        if len(requests) == 1:
            yield requests[0], self._blame_one(requests[0])
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            yield from zip(requests, pool.map(self._blame_one, requests), strict=True)

    def _blame_one(self, asked: _Asked) -> list[BlamedLine]:
        known = self._remembered.lines(asked.wanted, asked.ignored) if self._remembered else None
        if known is not None:
            return known
        found = list(parse_blame(self._ask(asked.wanted, asked.ignored)))
        if self._remembered:
            self._remembered.keep(asked.wanted, asked.ignored, found)
        return found

    def _ask(self, wanted: Wanted, ignored: frozenset[str]) -> bytes:
        arguments = [*BLAME_ARGUMENTS]
        if wanted.first:
            arguments.append(f"-L{wanted.first},{wanted.last}")
        arguments += [self._revision] if self._revision else []
        if not ignored:
            begun = None if self._revision else take(str(self._clone.root / wanted.path), wanted.first, wanted.last)
            return begun if begun is not None else self._clone.read_bytes(*arguments, "--", wanted.path)
        import tempfile

        with tempfile.NamedTemporaryFile("w", prefix="whytree-", suffix=".revs") as listing:
            listing.write("\n".join(sorted(ignored)) + "\n")
            listing.flush()
            return self._clone.read_bytes(*arguments, f"--ignore-revs-file={listing.name}", "--", wanted.path)

    # What is looked through

    def _learn_maintenance(self, files: Iterable[FileLines]) -> None:
        pairs = {(line.sha, line.path) for one in files for line in one.lines if line.sha != UNCOMMITTED}
        self._facts |= self._clone.commits(sorted({sha for sha, _ in pairs} - self._facts.keys()))
        self._learn_formatted(pairs - self._formatted.keys())

    def _learn_formatted(self, pairs: set[tuple[str, str]]) -> None:
        """A file's first version formats nothing, so only modifications are looked at."""
        self._formatted |= dict.fromkeys(pairs, frozenset())
        unsure = {sha for sha, path in pairs if self._may_format(sha, path)}
        if not unsure:
            return
        paths = sorted({path for _, path in pairs}) if len(pairs) < _FEW_PATHS else []
        arguments = ("log", "--no-walk=unsorted", *PATCH_ARGUMENTS, "--diff-filter=M", "--stdin")
        listing = "\n".join([*sorted(unsure), *(["--", *paths] if paths else [])]) + "\n"
        for sha, changes in parse_patches(self._clone.read_bytes(*arguments, stdin=listing)):
            for change in changes:
                if (sha, change.path) in pairs:
                    self._formatted[sha, change.path] = formatted_lines(change)
                    if only_formats(change):
                        self._only_formatted.add((sha, change.path))

    def _may_format(self, sha: str, path: str) -> bool:
        commit = self._facts.get(sha)
        return bool(commit and commit.parents) and not self._is_maintenance(sha, path) and not self._is_stated(sha)

    def _is_maintenance(self, sha: str, path: str) -> bool:
        """By its own word, by the repository's list, or because it did nothing to this file but format it."""
        commit = self._facts.get(sha)
        if commit is None or self._is_stated(sha):
            return False
        return sha in self._listed or is_looked_through(facts_of(commit)) or (sha, path) in self._only_formatted

    def _is_stated(self, sha: str) -> bool:
        return sha in self._facts and is_stated(facts_of(self._facts[sha]))


def _replace(file: FileLines, asked: _Asked, lines: Sequence[BlamedLine]) -> None:
    """Put in what is known by now of some lines; what they are no longer said to come from was looked through."""
    new = {line.line: line for line in lines if line.line in asked.lines}
    left = {line.sha for line in file.lines if line.line in new} - {line.sha for line in new.values()}
    file.lines = [new.get(line.line, line) for line in file.lines]
    file.looked_through = tuple(dict.fromkeys((*file.looked_through, *sorted(left & asked.ignored))))


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
