"""What git said of lines before, kept in the clone's own git folder: blame of an unchanged file need not run twice.

One small file a path. What is kept holds while the file's contents are those it was asked of, and no commit since
then touched the file. Safe to delete, at any time: everything in it can be asked again.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whytree.engines.git.blame import UNCOMMITTED, BlamedLine
from whytree.workspace.terminal.client import CommandError

from ..clone.git import Clone
from ..clone.headstart import blob_of, kept_file
from .lines import Wanted

MOST_ENTRIES = 4  # of one path: as it was asked on different branches, or with other commits looked through
MOST_BYTES = 1_000_000  # of one path
MOST_FILES = 40  # in each of the 256 folders; the oldest go
_BEYOND = 1.5


@dataclass(frozen=True)
class Subject:
    """Contents of a file at a commit, blamed with some commits ignored."""

    path: str
    blob: str
    head: str
    ignored: str

    @classmethod
    def of(cls, path: str, blob: str, head: str, ignored: frozenset[str]) -> "Subject":
        return cls(path, blob, head, hashlib.sha1("\n".join(sorted(ignored)).encode()).hexdigest() if ignored else "")  # noqa: S324  a name, not a secret


class BlameCache:
    """Lines that were blamed before, of one clone."""

    def __init__(self, clone: Clone) -> None:
        self._clone = clone

    def knows(self, path: str, blob: str, head: str) -> bool:
        """Whether these contents of a path were seen to be those it has at that commit."""
        return any((entry["blob"], entry["head"]) == (blob, head) for entry in self._entries(path))

    def lines(self, subject: Subject, first: int, last: int) -> list[BlamedLine] | None:
        """All of these lines, without their text; None when any of them is not known for certain."""
        entry = next((one for one in self._entries(subject.path) if self._holds(one, subject)), None)
        if entry is None:
            return None
        known: dict[str, list[Any]] = entry["lines"]
        try:
            return [BlamedLine(number, *_origin(known[str(number)]), "") for number in range(first, last + 1)]
        except (KeyError, ValueError, TypeError):
            return None

    def keep(self, subject: Subject, lines: list[BlamedLine]) -> None:
        """Remember, beside what was known of the same contents. A cache that cannot be written is no trouble."""
        entries = self._entries(subject.path)
        same = next((one for one in entries if self._holds(one, subject)), None)
        known: Mapping[str, Any] = same["lines"] if same else {}
        new = {str(line.line): [line.sha, line.source_line, line.path] for line in lines}
        entry = {"blob": subject.blob, "head": subject.head, "ignored": subject.ignored, "lines": {**known, **new}}
        kept = [entry, *(one for one in entries if one is not same)][:MOST_ENTRIES]
        with suppress(OSError, UnicodeEncodeError):
            self._write(self._file(subject.path), json.dumps({"path": subject.path, "entries": kept}))

    def _holds(self, entry: dict[str, Any], subject: Subject) -> bool:
        """The same contents, and no commit since has touched them: then blame would walk to the same commits."""
        if (entry["blob"], entry["ignored"]) != (subject.blob, subject.ignored):
            return False
        if entry["head"] == subject.head:
            return True
        try:
            return not self._clone.read(
                "rev-list", "-1", "--full-history", f"{entry['head']}..{subject.head}", "--", subject.path
            )
        except CommandError:
            return False  # that commit is gone: the history was rewritten

    def _entries(self, path: str) -> list[dict[str, Any]]:
        try:
            told = json.loads(self._file(path).read_bytes())
            found = told["entries"] if told["path"] == path else []
            return [one for one in found if _is_entry(one)]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return []

    def _file(self, path: str) -> Path:
        return Path(kept_file(str(self._clone.git_folder), path))

    def _write(self, file: Path, text: str) -> None:
        if len(text) > MOST_BYTES:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, suffix=".new", delete=False) as new:
            new.write(text)
        os.replace(new.name, file)
        _thin_out(file.parent)


class RememberedFile:
    """The cache of one file whose contents are those that `revision` has: `head` for the clone as it stands."""

    def __init__(self, cache: BlameCache, path: str, blob: str, revision: str) -> None:
        self._cache = cache
        self._of = (path, blob, revision)

    def lines(self, wanted: Wanted, ignored: frozenset[str]) -> list[BlamedLine] | None:
        if not wanted.first:
            return None
        return self._cache.lines(Subject.of(*self._of, ignored), wanted.first, wanted.last)

    def keep(self, wanted: Wanted, ignored: frozenset[str], lines: list[BlamedLine]) -> None:
        if all(line.sha != UNCOMMITTED for line in lines):
            self._cache.keep(Subject.of(*self._of, ignored), lines)


def remembered(clone: Clone, revision: str, path: str, raw: bytes) -> RememberedFile | None:
    """The cache for a file that holds `raw`; None while that is not what the revision (or HEAD) has."""
    revision = revision or clone.head
    if clone.is_shallow:
        return None
    cache, blob = BlameCache(clone), blob_of(raw, len(revision))
    if not cache.knows(path, blob, revision) and clone.ask("rev-parse", "--verify", f"{revision}:{path}") != blob:
        return None
    return RememberedFile(cache, path, blob, revision)


def _origin(kept: list[Any]) -> tuple[str, int, str]:
    sha, source_line, path = kept
    return str(sha), int(source_line), str(path)


def _is_entry(told: Any) -> bool:
    words = ("blob", "head", "ignored")
    return (
        isinstance(told, dict)
        and isinstance(told.get("lines"), dict)
        and all(isinstance(told.get(word), str) and not told[word].startswith("-") for word in words)
    )


def _thin_out(folder: Path) -> None:
    files = list(folder.iterdir())
    if len(files) <= MOST_FILES * _BEYOND:
        return
    for old in sorted(files, key=lambda file: file.stat().st_mtime)[:-MOST_FILES]:
        old.unlink(missing_ok=True)
