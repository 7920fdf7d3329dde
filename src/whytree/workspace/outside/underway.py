"""Files that are being imported in steps, held open from one step to the next: a step costs its own rows, not all before it.

with in_turn(name):
    reading = read_on(name, after, opened, upto)   # opened() -> the file and its batches behind row `after`
    for batch in reading.batches: ...
    hold(name, reading, upto)                # or reading.let_go(), at its end

Another process, or this one after a restart, opens the file anew and reads up to where the import has come. Several processes
that take turns read each other's rows over, so that each reads the file once.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

MOST = 4
"""Files held open at once; one more lets go of the one that has waited longest."""
WAITS_SECONDS = 600.0
"""Whoever closed the page for longer comes back to a file that is opened anew."""


class ReadFile(Protocol):
    """A file that is read in batches; one with a `close` is closed at the end."""

    @property
    def progress(self) -> float: ...


@dataclass
class Reading:
    """An open file, and its batches from where reading has come: behind row `upto`."""

    file: ReadFile
    batches: Iterator[Any]
    upto: int
    since: float = 0.0

    def let_go(self) -> None:
        """Close it: an open file keeps its room on the disk, even when it was thrown away."""
        for part in (self.batches, self.file):
            close = getattr(part, "close", None)
            if close is not None:
                close()


_held: dict[str, Reading] = {}
_turns: dict[str, threading.Lock] = {}
_guard = threading.Lock()


@contextmanager
def in_turn(name: str) -> Iterator[None]:
    """Two pages that bring in the same file take turns."""
    with _guard:
        turn = _turns.setdefault(name, threading.Lock())
    with turn:
        yield


def read_on(
    name: str, after: int, opened: Callable[[], tuple[ReadFile, Iterator[Any]]], upto: Callable[[Any], int]
) -> Reading:
    """The file from behind row `after` on; whoever takes it holds it again, or lets it go. `upto` tells a batch's last row."""
    with _guard:
        found = _held.pop(name, None)
    if found is not None:
        _read_over(found, after, upto)
        if found.upto == after:
            return found
        found.let_go()
    file, batches = opened()
    return Reading(file, batches, after)


def _read_over(reading: Reading, after: int, upto: Callable[[Any], int]) -> None:
    """Where another process has gone on meanwhile: its rows alone are read again, not all before them too."""
    while reading.upto < after and (batch := next(reading.batches, None)) is not None:
        reading.upto = upto(batch)


def hold(name: str, reading: Reading, upto: int) -> None:
    """Until the next step."""
    reading.upto, reading.since = upto, time.monotonic()
    with _guard:
        _held[name] = reading
        spare = [_held.pop(one) for one in list(_held)[:-MOST]]
    for one in spare:
        one.let_go()


def progress_of(name: str) -> float | None:
    """The share of the file that was read, from 0 to 1; None when this process does not read it."""
    found = _held.get(name)
    return found.file.progress if found else None


def forget(name: str) -> None:
    """A file that is thrown away."""
    with _guard:
        found = _held.pop(name, None)
        _turns.pop(name, None)
    if found is not None:
        found.let_go()


def forget_waiting(longest: float = WAITS_SECONDS) -> None:
    """Files that nobody has gone on with for a while."""
    with _guard:
        names = [name for name, one in _held.items() if time.monotonic() - one.since > longest]
    for name in names:
        forget(name)
