"""Rows that were acknowledged from disk and are still owed to the store.

A small insert costs the engine twice what a large one does, and again when it merges. So while inserts follow each other
quickly, a commit is kept in one fsynced file, acknowledged, and its rows stay here in memory; a moment later one insert
brings the rows of many commits into the store, and their files go. Whoever reads from the store lets that happen first.

The files lie in a folder that this process holds by a lock. When it dies, the next one adopts them: they become files of
the spool and are replayed, each row once (see `commit`).
"""

import contextlib
import fcntl
import logging
import os
import secrets
import shutil
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from whytree.errors import Unavailable

from .spool import Spool, Spooled, sync_folder

log = logging.getLogger("whytree.events")

BLOCK_ROWS = 20_000
BLOCK_BYTES = 8 * 1024 * 1024  # below what the engine would parse, and so write, in several pieces
MAX_ROWS = 100_000  # beyond this, and MAX_BYTES, nothing more is kept here: the writers wait for the store then
MAX_BYTES = 64 * 1024 * 1024
SECONDS = 1.0  # how long rows are owed at most, while the store keeps up
READ_SECONDS = 30.0  # how long somebody who reads waits for what is owed
_FOLDER = "owed-"
_HELD = ".held"


@dataclass(frozen=True)
class Entry:
    """What one commit left: its file, its rows, and its place in the order of all."""

    number: int
    path: Path
    rows: Spooled
    size: int


class Owed:
    """What this process owes the store. Writers `keep`, one thread takes blocks and settles them, readers `wait`."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._files: Spool | None = None
        self._held: IO[bytes] | None = None
        self._entries: deque[Entry] = deque()
        self._rows = 0
        self._bytes = 0
        self._kept = 0  # entries so far; those up to `_settled` are in the store, or in the spool
        self._settled = 0
        self._wanted = 0
        self._since = 0.0  # when the oldest entry came
        self._closing = False
        self._changed = threading.Condition()

    @property
    def is_empty(self) -> bool:
        """Nothing is owed, and nothing of it is just being written."""
        return self._settled == self._kept

    @property
    def is_full(self) -> bool:
        return self._rows >= MAX_ROWS or self._bytes >= MAX_BYTES

    def keep(self, rows: Spooled) -> None:
        """Put rows on disk and owe them. Raises `Unavailable` when they cannot be kept: then nothing was taken."""
        try:
            with self._changed:
                files = self._files or self._open()
        except OSError as error:
            raise Unavailable(f"{self._spool.folder} cannot be written: {error.strerror or error}.") from error
        path = files.append(rows)
        size = len(rows.events)
        with self._changed:
            self._kept += 1
            if not self._entries:
                self._since = time.monotonic()
            self._entries.append(Entry(self._kept, path, rows, size))
            self._rows += rows.count
            self._bytes += size
            self._changed.notify_all()

    def wait(self) -> None:
        """Return when what is owed by now is in the store, or in the spool because the store is away."""
        if self.is_empty:
            return
        with self._changed:
            mine = self._kept
            self._wanted = max(self._wanted, mine)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._settled >= mine, READ_SECONDS)

    # ---- for the thread that stores ----

    def next_block(self) -> list[Entry]:
        """Wait until a block is worth writing, or wanted, or old enough; empty when it is time to stop."""
        with self._changed:
            while not (self._entries and self._is_due()):
                if self._closing and not self._entries:
                    return []
                left = self._since + SECONDS - time.monotonic() if self._entries else None
                self._changed.wait(left)
            block = [self._entries.popleft()]
            rows, size = block[0].rows.count, block[0].size
            while self._entries:
                rows += self._entries[0].rows.count
                size += self._entries[0].size
                if rows > BLOCK_ROWS or size > BLOCK_BYTES:
                    break
                block.append(self._entries.popleft())
            self._rows -= sum(entry.rows.count for entry in block)
            self._bytes -= sum(entry.size for entry in block)
            self._since = time.monotonic()
            return block

    def _is_due(self) -> bool:
        return (
            self._closing
            or self._wanted > self._settled
            or self._rows >= BLOCK_ROWS
            or self._bytes >= BLOCK_BYTES
            or time.monotonic() >= self._since + SECONDS
        )

    def settle(self, block: Sequence[Entry]) -> None:
        """The rows are in the store: their files may go. One that stays is replayed one day, and adds nothing."""
        with contextlib.suppress(OSError):
            for entry in block:
                entry.path.unlink(missing_ok=True)
        self._note_settled(block)

    def give_up(self, block: Sequence[Entry]) -> None:
        """The store did not take them (all): their files wait in the spool from now on."""
        try:
            for entry in block:
                entry.path.rename(self._spool.folder / entry.path.name)
            sync_folder(self._spool.folder)
        except OSError:  # they stay where they are, on disk, and the next start adopts them
            log.exception("what is owed could not be moved to the spool")
        self._note_settled(block)

    def _note_settled(self, block: Sequence[Entry]) -> None:
        with self._changed:
            self._settled = block[-1].number
            self._changed.notify_all()

    # ---- coming and going ----

    def _open(self) -> Spool:
        """A folder that is locked before anybody can see it."""
        name = f"{_FOLDER}{os.getpid()}-{secrets.token_hex(4)}"
        hidden, folder = self._spool.folder / f".{name}", self._spool.folder / name
        hidden.mkdir(parents=True, mode=0o700)
        self._held = (hidden / _HELD).open("wb")
        fcntl.flock(self._held, fcntl.LOCK_EX)
        hidden.rename(folder)
        sync_folder(self._spool.folder)
        self._files = Spool(folder)
        return self._files

    def stop(self) -> None:
        """What is owed is still written; then `next_block` ends."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def close(self) -> None:
        """Let the folder go, after the last block."""
        with self._changed:
            if self._files is not None and self._held is not None:
                if not self._files.files():
                    shutil.rmtree(self._files.folder, ignore_errors=True)
                self._held.close()
                self._files = self._held = None


def adopt(spool: Spool) -> int:
    """Make what processes that are gone still owed files of the spool; how many."""
    adopted = 0
    for folder in spool.folder.glob(f"{_FOLDER}*"):
        with contextlib.suppress(OSError), (folder / _HELD).open("ab") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for path in Spool(folder).files():
                path.rename(spool.folder / path.name)
                adopted += 1
            sync_folder(spool.folder)
            shutil.rmtree(folder, ignore_errors=True)
    return adopted
