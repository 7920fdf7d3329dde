"""Calls that wait on disk to be passed on.

A folder of files to which records are added at their end. `append` returns when its record is on disk; one fsync serves
everybody who waits for one. A record that was cut by a crash is the last of its file and was never answered for. How far
the reader has come stands in `state.json`; it may lag a little behind after a crash, so that a call may be passed on
twice, never not at all: hosts recognise a repetition by the id of each event.
"""

import contextlib
import fcntl
import os
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import msgspec

from ..durable.spool import sync_folder

SUFFIX = ".calls"
FILE_BYTES = 16 * 1024 * 1024
MOST_BYTES = 1024 * 1024 * 1024  # of waiting calls; beyond it the new ones are not kept
_HEAD = 12  # bytes: length of the header, length of the body, checksum of both


class Call(msgspec.Struct, frozen=True):
    """One request as it came: address, the headers that matter, body."""

    at: float
    target: str
    headers: dict[str, str]
    body: bytes = b""
    method: str = "POST"


class State(msgspec.Struct):
    """How far the reader has come, and what became of the calls."""

    file: str = ""
    offset: int = 0
    delivered: int = 0
    refused: int = 0
    trouble: str = ""  # why nothing moves, or the last refusal


class Full(Exception):
    """More waits than may."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting:,} bytes wait")
        self.waiting = waiting


@dataclass
class Queue:
    """One folder. Any number of threads append; one process at a time reads (`reading`)."""

    folder: Path
    most_bytes: int = MOST_BYTES
    _file: IO[bytes] | None = None
    _path: Path | None = None
    _written: int = 0
    _synced: int = 0
    _size: int = 0
    _appending: threading.Lock = field(default_factory=threading.Lock)
    _syncing: threading.Lock = field(default_factory=threading.Lock)

    # ---- adding ----

    def append(self, call: Call) -> None:
        """Keep a call; it is on disk when this returns. Raises `Full`, or `OSError` when it cannot be written."""
        record = _packed(call)
        with self._appending:
            file = self._open_file(len(record))
            file.write(record)
            file.flush()
            self._size += len(record)
            self._written += 1
            mine = self._written
        with self._syncing:
            if self._synced >= mine:
                return
            with self._appending:
                upto, descriptor = self._written, os.dup(file.fileno())
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self._synced = upto

    def _open_file(self, more: int) -> IO[bytes]:
        """The file to add to; a new one when there is none or it is full."""
        if self._file is not None and self._size + more <= FILE_BYTES:
            return self._file
        waiting = self.waiting_bytes()
        if waiting + more > self.most_bytes:
            raise Full(waiting)
        if self._file is not None:
            os.fsync(self._file.fileno())
            self._file.close()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = self.folder / f"{time.time_ns():020d}-{os.getpid()}{SUFFIX}"
        hidden = self._path.with_name(f".{self._path.stem}")
        self._file, self._size = hidden.open("ab"), 0
        with contextlib.suppress(OSError):  # a file system that has no locks
            fcntl.flock(self._file, fcntl.LOCK_EX)
        hidden.rename(self._path)
        sync_folder(self.folder)
        return self._file

    def close(self) -> None:
        with self._appending:
            if self._file is not None:
                self._file.close()
                self._file = self._path = None

    # ---- reading ----

    def reading(self) -> "Reading | None":
        """The one reader; None while another process reads."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (self.folder / ".reading").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return None
        return Reading(self, lock)

    def files(self) -> list[Path]:
        return sorted(self.folder.glob(f"*{SUFFIX}")) if self.folder.is_dir() else []

    def waiting_bytes(self) -> int:
        state = self.state()
        total = sum(path.stat().st_size for path in self.files() if path.name >= state.file)
        return max(0, total - state.offset)

    def state(self) -> State:
        try:
            return msgspec.json.decode((self.folder / "state.json").read_bytes(), type=State)
        except (OSError, msgspec.MsgspecError):
            return State()

    def is_being_written(self, path: Path) -> bool:
        """Whether something may still be added to it, by this process or by another that lives.

        Its lock says so: the process id that wrote it may be anybody's since the machine started anew.
        """
        if path == self._path:
            return True
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            except OSError:  # no locks here
                return False
        return False


class Reading:
    """Where the reader stands. `next_calls` shows what comes, `done` goes past it."""

    def __init__(self, queue: Queue, lock: IO[str]) -> None:
        self.queue = queue
        self.state = queue.state()
        self._lock = lock

    def next_calls(self, most: int) -> list[Call]:
        """The next calls, in their order; none when all are passed on."""
        for path in self.queue.files():
            if path.name < self.state.file:
                path.unlink()  # read to its end before
                continue
            if path.name > self.state.file:
                self.state.file, self.state.offset = path.name, 0
            found = list(_records(path, self.state.offset, most))
            if found:
                self._after = found[-1][1]
                return [call for call, _ in found]
            if self.queue.is_being_written(path):
                return []
        return []

    def done(self, *, delivered: int, refused: int = 0, trouble: str = "") -> None:
        """The calls shown last are dealt with."""
        self.state.offset = self._after
        self.state.delivered += delivered
        self.state.refused += refused
        self.state.trouble = trouble
        self.save()

    def save(self) -> None:
        partial = self.queue.folder / ".state.json"
        partial.write_bytes(msgspec.json.encode(self.state))
        partial.rename(self.queue.folder / "state.json")

    def close(self) -> None:
        self._lock.close()


def _packed(call: Call) -> bytes:
    header = msgspec.json.encode({"at": call.at, "method": call.method, "target": call.target, "headers": call.headers})
    rest = header + call.body
    head = len(header).to_bytes(4, "big") + len(call.body).to_bytes(4, "big") + zlib.crc32(rest).to_bytes(4, "big")
    return head + rest


def _records(path: Path, offset: int, most: int) -> Iterator[tuple[Call, int]]:
    """Whole records from there on, each with where the next begins; nothing behind one that was cut."""
    with path.open("rb") as file:
        file.seek(offset)
        for _ in range(most):
            head = file.read(_HEAD)
            if len(head) < _HEAD:
                return
            header_size, body_size = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:8], "big")
            rest = file.read(header_size + body_size)
            if len(rest) < header_size + body_size or zlib.crc32(rest) != int.from_bytes(head[8:], "big"):
                return
            call = msgspec.json.decode(rest[:header_size], type=Call)
            yield msgspec.structs.replace(call, body=rest[header_size:]), file.tell()
