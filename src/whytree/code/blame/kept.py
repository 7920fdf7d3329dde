"""The last reading of a clone's lines, kept in its git folder: `.git/whytree/survivors`. Safe to delete at any time."""

import json
import os
import sys
import tempfile
import zlib
from array import array
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from whytree.engines.git.common_runs import Numbers
from whytree.engines.git.ledger import Ledger, Moved
from whytree.engines.git.versions import Version

from ..clone.git import Clone

# Another number, and what was kept is not read any more: raise it whenever the replay gives other answers.
FORMAT = 4


@dataclass
class Kept:
    """Files at `head` with the ledger of their lines, what was taken for maintenance to get there, and what was not there."""

    head: str
    files: dict[str, Version]
    ledger: Ledger
    listed: list[str] = field(default_factory=list)
    quiet_notes: list[str] = field(default_factory=list)
    looked_through: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)  # commits
    lacking: list[str] = field(default_factory=list)  # contents


def load(clone: Clone) -> Kept | None:
    """What was kept; None where there is nothing, or nothing that this version of the product can read."""
    try:
        head, _, body = _file(clone).read_bytes().partition(b"\n")
        facts = json.loads(head)
        if (facts.pop("format"), facts.pop("order"), facts.pop("check")) != (FORMAT, _order(), zlib.crc32(body)):
            return None
        return _read(facts, zlib.decompress(body))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zlib.error):
        return None


def _read(facts: dict[str, Any], body: bytes) -> Kept:
    numbers = array("I")
    numbers.frombytes(body)
    reader = _Reader(numbers)
    files = {path: Version(blob, reader.take(size), None) for path, blob, size in facts.pop("files")}
    starts = reader.take(len(facts["shas"]))
    moves = [Moved(first, reader.take(size), reader.take(size), least) for first, size, least in facts.pop("moves")]
    ledger = Ledger(starts, facts.pop("shas"), moves, facts.pop("next"))
    known = [max(lines) for lines in (*(version.lines for version in files.values()), starts) if lines]
    if max(known, default=0) >= max(ledger.next, 1):
        raise ValueError("it names lines that there are not")
    return Kept(files=files, ledger=ledger, **facts)


class _Reader:
    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._at = 0

    def take(self, count: int) -> Numbers:
        self._at += count
        if self._at > len(self._numbers):
            raise ValueError("it is cut off")
        return self._numbers[self._at - count : self._at]


def save(clone: Clone, kept: Kept) -> None:
    """Replaced at once or not at all; where the folder cannot be written, the next reading takes longer."""
    ledger = kept.ledger
    numbers = [version.lines for version in kept.files.values()] + [ledger.starts]
    numbers += [part for move in ledger.moves for part in (move.were, move.weights)]
    body = zlib.compress(b"".join(part.tobytes() for part in numbers), 1)
    facts = {
        "format": FORMAT,
        "order": _order(),
        "check": zlib.crc32(body),
        "head": kept.head,
        "files": [(path, version.blob, len(version)) for path, version in kept.files.items()],
        "shas": ledger.shas,
        "next": ledger.next,
        "moves": [(move.first, len(move.were), move.least) for move in ledger.moves],
        "listed": kept.listed,
        "quiet_notes": kept.quiet_notes,
        "looked_through": kept.looked_through,
        "damaged": kept.damaged,
        "lacking": kept.lacking,
    }
    target = _file(clone)
    with suppress(OSError):
        target.parent.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(json.dumps(facts).encode() + b"\n" + body)
            os.replace(name, target)
        except OSError:
            os.unlink(name)


def _order() -> str:
    return f"{sys.byteorder} {array('I').itemsize}"


def _file(clone: Clone) -> Path:
    """In the folder that all work trees of the clone share."""
    return clone.git_folder / "whytree" / "survivors"
