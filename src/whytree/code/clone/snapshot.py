"""The files of one commit, as git keeps them: listed, searched and read without touching the working tree."""

import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from whytree.workspace.terminal.client import CommandError

from .git import Clone, exact_path

# Beyond this a file is data, or generated.
MAX_BYTES = 5_000_000
# A regular expression of so many alternatives at a time.
_AT_ONCE = 300
# Fewer unknown files than this are read and searched here; more are git's own search's.
_FEW = 300
_BINARY_WITHIN = 8000
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A tracked text file (links and submodules are none)."""

    blob: str
    size: int


class Snapshot:
    """Files at `revision`. `left_out` are sentences on what was not looked at."""

    def __init__(self, clone: Clone, revision: str = "HEAD") -> None:
        self._clone = clone
        self.revision = revision
        self._texts: dict[str, bytes | None] = {}
        self.left_out: list[str] = []

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """By path, what is not too big."""
        listed = self._clone.read_bytes("ls-tree", "-r", "-l", "-z", "--full-tree", self.revision)
        found, big, modules = {}, 0, 0
        for row in listed.split(b"\0"):
            facts, _, path = row.partition(b"\t")
            parts = facts.split()
            modules += parts[:1] == [b"160000"]
            if len(parts) != 4 or not parts[0].startswith(b"100"):
                continue
            size = int(parts[3]) if parts[3].isdigit() else 0
            if size > MAX_BYTES:
                big += 1
            else:
                found[exact_path(path)] = Entry(parts[2].decode(), size)
        if big:
            files = "1 file is" if big == 1 else f"{big:,} files are"
            self.left_out.append(f"{files} larger than {MAX_BYTES // 1_000_000} MB and not searched.")
        if modules:
            self.left_out.append(f"{modules:,} {'submodule is' if modules == 1 else 'submodules are'} not searched.")
        return found

    def text(self, path: str) -> bytes | None:
        """What is in a file; None for a binary one, or one that is not there."""
        if path not in self._texts:
            self.load([path])
        return self._texts[path]

    def load(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Many files in one go of git's; those that are text."""
        wanted = [path for path in dict.fromkeys(paths) if path not in self._texts]
        blobs = {path: self.entries[path].blob for path in wanted if path in self.entries}
        contents = self._contents(set(blobs.values()))
        for path in wanted:
            data = contents.get(blobs.get(path, ""))
            self._texts[path] = None if data is None or b"\0" in data[:_BINARY_WITHIN] else data
        return {path: text for path in paths if (text := self._texts[path]) is not None}

    def _contents(self, blobs: Collection[str]) -> dict[str, bytes]:
        if not blobs:
            return {}
        output = b"".join(self._clone.stream("cat-file", "--batch", "--buffer", stdin="\n".join(sorted(blobs)) + "\n"))
        found, at = {}, 0
        while at < len(output):
            end = output.index(b"\n", at)
            facts = output[at:end].split()
            if len(facts) == 3 and facts[1] == b"blob":
                size = int(facts[2])
                found[facts[0].decode()] = output[end + 1 : end + 1 + size]
                at = end + size + 2
            else:  # missing: a partial clone
                at = end + 1
        return found

    # Searching

    def holding(
        self, words: Collection[str], pattern: re.Pattern[bytes], pcre: Callable[[Iterable[str]], str]
    ) -> list[str]:
        """Paths of files in which `pattern` matches, in order. `pcre` writes it for git.

        `words` are literal: each match holds one of them. Without any, a git built without PCRE cannot help.
        """
        found: set[str] = set()
        some = sorted(words)
        for start in range(0, len(some) or 1, _AT_ONCE):
            found |= self._grep(some[start : start + _AT_ONCE], pcre)
        sure = self.load(sorted(found & self.entries.keys()))
        return [path for path, text in sorted(sure.items()) if pattern.search(text)]

    def _grep(self, words: list[str], pcre: Callable[[Iterable[str]], str]) -> set[str]:
        # As text, whatever .gitattributes says: what is binary is told by its bytes, when it is read.
        usual = ("grep", "-l", "-z", "-a", "--no-recurse-submodules", "--full-name")
        done = self._clone.search(*usual, "-P", "-e", pcre(words), self.revision)
        if done is None and not words:
            return set(self.entries)
        if done is None:  # git built without PCRE
            fixed = [part for word in words for part in ("-e", word)]
            done = self._clone.search(*usual, "-F", *fixed, self.revision)
        if done is None:
            raise CommandError("git grep did not work here. See what it says: git grep -F -e x HEAD")
        prefix = f"{self.revision}:".encode()
        return {exact_path(row.removeprefix(prefix)) for row in done.split(b"\0") if row}


class KeySearch:
    """Which files hold any of some keys, remembered by blob between runs, in the clone's own git folder as `memory`."""

    def __init__(
        self,
        clone: Clone,
        keys: Collection[str],
        pattern: re.Pattern[bytes],
        pcre: Callable[[Iterable[str]], str],
        *,
        memory: str,
    ) -> None:
        self._clone = clone
        self._memory = memory
        self._keys = sorted(keys)
        self._pattern = pattern
        self._pcre = pcre
        self._mark = sha256("\n".join([str(_FORMAT), *self._keys]).encode()).hexdigest()

    def paths(self, snapshot: Snapshot) -> list[str]:
        """Paths of files that hold a key."""
        known = self._remembered()
        entries = snapshot.entries
        unknown = [path for path, entry in entries.items() if entry.blob not in known]
        if len(unknown) > _FEW:
            held = set(snapshot.holding(self._keys, self._pattern, self._pcre))
            known = {entry.blob: path in held for path, entry in entries.items()}
            # The same content stands at several paths.
            known |= {entries[path].blob: True for path in held}
        elif unknown:
            texts = snapshot.load(unknown)
            known |= {entries[path].blob: path in texts and bool(self._pattern.search(texts[path])) for path in unknown}
        if unknown:
            self._remember({entry.blob: known[entry.blob] for entry in entries.values()})
        return sorted(path for path, entry in entries.items() if known[entry.blob])

    @cached_property
    def _file(self) -> Path:
        return self._clone.root / self._clone.read("rev-parse", "--git-path", f"whytree/{self._memory}.json")

    def _remembered(self) -> dict[str, bool]:
        with suppress(OSError, ValueError, AttributeError, TypeError):
            kept: Mapping[str, Any] = json.loads(self._file.read_text("ascii"))
            if kept.get("mark") == self._mark:
                return dict.fromkeys(map(str, kept["without"]), False) | dict.fromkeys(map(str, kept["with"]), True)
        return {}

    def _remember(self, known: Mapping[str, bool]) -> None:
        """Failing is no harm: the next run looks again."""
        kept = {
            "mark": self._mark,
            "with": sorted(blob for blob, has in known.items() if has),
            "without": sorted(blob for blob, has in known.items() if not has),
        }
        partial = self._file.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            self._file.parent.mkdir(exist_ok=True)
            partial.write_text(json.dumps(kept), "ascii")
            partial.replace(self._file)


def lines_of(text: bytes) -> list[str]:
    """Lines for people, whatever the encoding; one mark for what is no text."""
    return text.decode("utf-8", "replace").removesuffix("\n").split("\n")
