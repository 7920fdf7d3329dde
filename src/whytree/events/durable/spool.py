"""Where acknowledged events wait on disk while the event store cannot take them.

One file a commit, written beside and renamed, so that a file is whole or not there. A file goes when its rows are in
the store; one that was in the store already when the process died is recognised by its ids (see `commit`).
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import msgspec

from whytree.errors import Unavailable

SUFFIX = ".spooled"


class _Header(msgspec.Struct):
    version: int
    received_from: float  # the earliest `received_at` among the events
    edges: int  # how many lines of edges come before the events


@dataclass(frozen=True)
class Spooled:
    """The rows of one commit as lines of JSON: edges one by one, events as they follow each other in one text."""

    edges: list[bytes]
    events: bytes
    count: int  # of the events
    received_from: float

    def event_lines(self) -> list[bytes]:
        return self.events.split(b"\n") if self.events else []


class Spool:
    """The folder of waiting files; several processes may write into it, one at a time replays."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = count()

    def append(self, waiting: Spooled) -> Path:
        """Keep these rows on disk. Raises `Unavailable` when even that is impossible: then nothing was taken."""
        header = msgspec.json.encode(_Header(1, waiting.received_from, len(waiting.edges)))
        name = f"{time.time_ns():020d}-{os.getpid()}-{next(self._numbers)}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return self._write(name, [header, *waiting.edges, *([waiting.events] if waiting.events else ())])
        except OSError as error:
            raise Unavailable(
                f"Neither the event store nor {self.folder} can be written: {error.strerror or error}. "
                "Nothing was taken; send it again later.",
                retry_after=30,
            ) from error

    def _write(self, name: str, lines: Sequence[bytes]) -> Path:
        partial = self.folder / f".{name}"
        final = self.folder / (name + SUFFIX)
        try:
            with partial.open("wb") as file:
                file.write(b"\n".join(lines))
                file.flush()
                os.fsync(file.fileno())
            partial.rename(final)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        sync_folder(self.folder)
        return final

    def files(self) -> list[Path]:
        """What waits, oldest first."""
        return sorted(self.folder.glob(f"*{SUFFIX}")) if self.folder.is_dir() else []

    def read(self, path: Path) -> Spooled:
        first, *lines = path.read_bytes().split(b"\n")
        header = msgspec.json.decode(first, type=_Header)
        edges, events = lines[: header.edges], lines[header.edges :]
        return Spooled(edges, b"\n".join(events), len(events), header.received_from)

    @contextlib.contextmanager
    def taken(self) -> Iterator[bool]:
        """True for the one process that may replay now."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / ".replaying").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
            else:
                yield True


def sync_folder(folder: Path) -> None:
    """A rename is durable only when the folder itself is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
