"""Group commit: many requests, one fsynced insert, and nobody is answered before it.

A request hands in its rows and waits. One thread takes all that came in within some milliseconds, leaves out what it
has seen before, writes the rest in one insert and lets the requests go. So:

- acknowledged means on disk, in the store or (while the store cannot be written) in the spool;
- a row the engine refuses is found by halving and put into quarantine, the others land;
- when more waits than can be held, a request is told to come back instead of being held in memory.

`kill -9` at any point loses nothing that was acknowledged. It may leave rows in the store that were never acknowledged
and come again: their ids are read back at the next start.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from whytree.errors import TooMany, Unavailable, WhytreeError
from whytree.people.edges import EdgeRow
from whytree.people.identity import check_key, key_fingerprint
from whytree.stores.capture import ids_received_since, put_aside, recent_ids
from whytree.stores.errors import StoreRefused, StoreUnavailable
from whytree.stores.events import EventStore, store
from whytree.stores.marks import read_mark, write_mark

from .recent import SIZE, RecentEdges, RecentIds
from .rows import as_datetime
from .spool import Spool, Spooled

log = logging.getLogger("whytree.events")
T = TypeVar("T")

LINGER_SECONDS = 0.003  # how long the first rows wait for company
MAX_ROWS_AT_ONCE = 20_000
MAX_BYTES_AT_ONCE = 8 * 1024 * 1024  # below what the engine would parse, and so write, in several pieces
MAX_WAITING_ROWS = 100_000
MAX_WAITING_BYTES = 128 * 1024 * 1024
ANSWER_SECONDS = 60
# Properties that were handed on as they were sent: every scalar is kept as its JSON text.
AS_TEXT = {"input_format_json_read_numbers_as_strings": 1, "input_format_json_read_bools_as_strings": 1}
KEY_MARK = "people key"
PRIME_WITHIN = timedelta(days=2)
RETRY_SECONDS = (1, 2, 4, 8, 15, 30)
GIVE_UP_AFTER = 8  # single rows refused in a row, none taken: then the fault is the store's, not theirs


@dataclass(eq=False)
class Batch:
    """What one request hands in: rows as lines of JSON with their ids, and what they say about people's ids."""

    lines: list[bytes]
    ids: list[int]
    received_at: float
    edges: list[EdgeRow] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    error: WhytreeError | None = None
    items: int = 0  # the first so many rows are the items that were sent; the others follow from them
    repeated: set[int] = field(default_factory=set)  # places of rows left out because their id was seen before
    refused: dict[int, str] = field(default_factory=dict)  # place of a row in quarantine -> why
    size: int = 0

    def __post_init__(self) -> None:
        self.size = sum(map(len, self.lines))

    def kept(self, items: list[T]) -> list[T]:
        """Those of the items whose rows were written."""
        if not self.repeated and not self.refused:
            return items
        return [item for at, item in enumerate(items) if at not in self.repeated and at not in self.refused]


class Commit:
    """The one writer of a process. `submit` is called from any thread."""

    def __init__(self, events: EventStore, spool: Spool) -> None:
        self.events = events
        self.spool = spool
        self.edges_seen = RecentEdges()
        self._seen = RecentIds()
        self._primed = False
        self._forget = False
        self._waiting: deque[Batch] = deque()
        self._waiting_rows = 0
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._closing = False
        self._store_is_down = False
        self._wake_replay = threading.Event()
        self._threads: list[threading.Thread] = []

    # ---- for requests ----

    def submit(self, batch: Batch) -> None:
        """Return when the batch is on disk; raise `TooMany` or `Unavailable` when it is not."""
        if not batch.lines and not batch.edges:
            return
        with self._changed:
            self._refuse_when_full(batch)
            self._waiting.append(batch)
            self._waiting_rows += len(batch.lines)
            self._waiting_bytes += batch.size
            self._changed.notify()
        if not batch.done.wait(ANSWER_SECONDS):
            raise Unavailable("The event store is too slow now. Send it again; what did arrive counts once.")
        if batch.error is not None:
            raise batch.error

    def _refuse_when_full(self, batch: Batch) -> None:
        if self._closing:
            raise Unavailable("The server is stopping. Send it again in a moment.", retry_after=5)
        if not self._waiting:
            return  # one batch is always taken, however long
        if self._waiting_rows > MAX_WAITING_ROWS or self._waiting_bytes > MAX_WAITING_BYTES:
            raise TooMany("More events arrive than can be written. Send this again after a pause.", retry_after=1)

    @property
    def waiting(self) -> int:
        """Rows handed in and not yet on disk."""
        return self._waiting_rows

    def forget_ids(self) -> None:
        """Rows were taken out on purpose: the same ids may come again."""
        self._forget = True

    # ---- the writing thread ----

    def start(self) -> "Commit":
        for target, name in ((self._run, "commit"), (self._replay_forever, "replay")):
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)
        if self.spool.files():
            self._wake_replay.set()
        return self

    def close(self) -> None:
        """Write what waits, then stop."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._wake_replay.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def _run(self) -> None:
        while group := self._gather():
            try:
                self._write(group)
            except WhytreeError as error:
                self._answer(group, error)
            except Exception:  # the writer must live on; those who wait are told, and may come again
                log.exception("a commit failed")
                self._answer(group, Unavailable("The events could not be written. Send them again."))
            else:
                self._answer(group, None)

    def _answer(self, group: Sequence[Batch], error: WhytreeError | None) -> None:
        for batch in group:
            batch.error = error
            batch.done.set()

    def _gather(self) -> list[Batch]:
        """Everything that waits, up to what goes well into one insert; empty when it is time to stop."""
        with self._changed:
            if not self._waiting:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                self._linger()
            group: list[Batch] = []
            rows = size = 0
            while self._waiting:
                batch = self._waiting[0]
                if group and (rows + len(batch.lines) > MAX_ROWS_AT_ONCE or size + batch.size > MAX_BYTES_AT_ONCE):
                    break
                group.append(self._waiting.popleft())
                rows += len(batch.lines)
                size += batch.size
            self._waiting_rows -= rows
            self._waiting_bytes -= size
            return group

    def _linger(self) -> None:
        """Let the first one wait for company; while an insert ran, the others had their time already."""
        until = time.monotonic() + LINGER_SECONDS
        while not self._closing and self._waiting_rows < MAX_ROWS_AT_ONCE:
            left = until - time.monotonic()
            if left <= 0:
                return
            self._changed.wait(left)

    def _write(self, group: Sequence[Batch]) -> None:
        self._prime()
        lines, ids = self._fresh(group)
        edges = [edge for batch in group for edge in batch.edges]
        edge_lines = [edge.line for edge in edges]
        if lines or edge_lines:
            refused = self._store_or_spool(Spooled(edge_lines, lines, min(batch.received_at for batch in group)))
            for batch in group if refused else ():
                batch.refused = {at: refused[each] for at, each in enumerate(batch.ids) if each in refused}
        self._seen.add(ids)
        for edge in edges:
            self.edges_seen.add(edge.key, edge.at)

    def _fresh(self, group: Sequence[Batch]) -> tuple[list[bytes], list[int]]:
        """The rows not seen before, neither earlier nor in this group."""
        lines: list[bytes] = []
        ids: set[int] = set()
        for batch in group:
            own = set(batch.ids)
            if len(own) == len(batch.ids) and ids.isdisjoint(own) and self._seen.has_none_of(own):
                lines += batch.lines
                ids |= own
                continue
            for place, event_id in enumerate(batch.ids):
                if event_id in ids or event_id in self._seen:
                    batch.repeated.add(place)
                else:
                    lines.append(batch.lines[place])
                    ids.add(event_id)
        return lines, list(ids)

    def _prime(self) -> None:
        """Read back the latest ids: what was written just before a crash was never acknowledged and comes again."""
        if self._forget:
            self._forget = self._primed = False
            self._seen.forget()
        if self._primed:
            return
        try:
            self._check_key()
            self._seen.add(recent_ids(self.events, datetime.now(UTC) - PRIME_WITHIN, SIZE))
        except StoreUnavailable as error:
            log.warning("cannot read back the latest event ids: %s", error.message)
            return  # everything goes to the spool now, and is compared with the store before it is replayed
        self._primed = True

    def _check_key(self) -> None:
        """Refuse to write people's hashes under another key than those that are there."""
        remembered = read_mark(self.events, KEY_MARK)
        check_key(remembered)
        if remembered is None:
            write_mark(self.events, KEY_MARK, key_fingerprint())

    def _store_or_spool(self, rows: Spooled) -> dict[int, str]:
        if self._primed and not self._store_is_down:
            try:
                return self._store(rows)
            except StoreUnavailable as error:
                log.error("the event store cannot be written, events go to %s: %s", self.spool.folder, error.message)
        self.spool.append(rows)
        self._store_is_down = True
        self._wake_replay.set()
        return {}

    # ---- storing, with the culprit found ----

    def _store(self, rows: Spooled) -> dict[int, str]:
        """Write the edges, then the events. Returns what had to go to quarantine: id -> why."""
        if rows.edges:
            self.events.insert_block("merge_edges", b"\n".join(rows.edges))
        return self._insert(rows.events) if rows.events else {}

    def _insert(self, lines: Sequence[bytes]) -> dict[int, str]:
        try:
            self.events.insert_block("events", b"\n".join(lines), AS_TEXT)
        except StoreRefused as error:
            return self._find_culprits(lines, error)
        return {}

    def _find_culprits(self, lines: Sequence[bytes], error: StoreRefused) -> dict[int, str]:
        """Halve until the refused rows stand alone; put them aside and keep the others."""
        aside: list[tuple[bytes, str]] = []
        taken = 0
        todo = [list(lines)]
        while todo:
            some = todo.pop()
            try:
                self.events.insert_block("events", b"\n".join(some), AS_TEXT)
                taken += len(some)
            except StoreRefused as refusal:
                if len(some) > 1:
                    todo += [some[len(some) // 2 :], some[: len(some) // 2]]
                    continue
                aside.append((some[0], refusal.message))
                if not taken and len(aside) >= GIVE_UP_AFTER:
                    raise StoreUnavailable(f"The event store refuses every row: {error.message}") from error
        if not taken and len(lines) > 1:
            raise StoreUnavailable(f"The event store refuses every row: {error.message}") from error
        log.error("%s of %s events went to quarantine: %s", len(aside), len(lines), aside[0][1] if aside else "")
        put_aside([_aside(line, reason) for line, reason in aside], self.events)
        return {_loose(line).get("event_id", 0): reason for line, reason in aside}

    # ---- the replaying thread ----

    def _replay_forever(self) -> None:
        failures = 0
        while True:
            self._wake_replay.wait()
            if self._closing:
                return
            try:
                self._wake_replay.clear()
                self.replay()
                failures = 0
                if self.spool.files():  # more came in, or another process is at it
                    self._wake_replay.set()
                    self._pause(RETRY_SECONDS[0])
            except (StoreUnavailable, OSError) as error:
                pause = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
                log.warning("the spool waits %s s more: %s", pause, error)
                failures += 1
                self._wake_replay.set()
                self._pause(pause)
            except Exception:  # as above: a file that cannot be replayed must not end the thread
                log.exception("replaying the spool failed")
                self._wake_replay.set()
                self._pause(RETRY_SECONDS[-1])

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._closing and time.monotonic() < until:
            time.sleep(0.2)

    def replay(self) -> int:
        """Bring what waits in the spool into the store, once each; how many events that were."""
        events = 0
        with self.spool.taken() as mine:
            for path in self.spool.files() if mine else ():
                events += self._replay_file(path)
                self._store_is_down = False
        return events

    def _replay_file(self, path: Path) -> int:
        waiting = self.spool.read(path)
        ids = [int(_loose(line).get("event_id", 0)) for line in waiting.events]
        known = ids_received_since(self.events, as_datetime(waiting.received_from), ids)
        fresh = [line for line, event_id in zip(waiting.events, ids, strict=True) if event_id not in known]
        self._store(Spooled(waiting.edges, fresh, waiting.received_from))
        path.unlink()
        return len(fresh)


class _Loose(msgspec.Struct):
    """What is needed of a row that may be wrong in any other way."""

    event_id: int = 0


def _loose(line: bytes) -> dict[str, Any]:
    try:
        row = msgspec.json.decode(line)
    except msgspec.MsgspecError:
        return {}
    return row if isinstance(row, dict) else {}


def _aside(line: bytes, reason: str) -> dict[str, Any]:
    row = _loose(line)
    return {
        "product": row.get("product", 0) if isinstance(row.get("product"), int) else 0,
        "received_at": datetime.now(UTC),
        "kind": "refused",
        "reason": f"The event store refused it: {reason}",
        "event": str(row.get("event", "")),
        "distinct_id": str(row.get("distinct_id", "")),
        "source": str(row.get("source", "")),
        "body": line[:4_000].decode("utf-8", "replace"),
    }


_guard = threading.Lock()
_current: Commit | None = None


def commit() -> Commit:
    """The writer of this process, on the event store in force."""
    global _current
    events = store()
    if _current is None or _current.events is not events:
        with _guard:
            if _current is None or _current.events is not events:
                if _current is not None:
                    _current.close()
                _current = Commit(events, Spool(_spool_folder(events))).start()
    return _current


def close_commit() -> None:
    """Write what waits; the next use starts anew."""
    global _current
    with _guard:
        if _current is not None:
            _current.close()
            _current = None


def _spool_folder(events: EventStore) -> Path:
    from django.conf import settings

    folder: Path = settings.WHYTREE.data / "spool"
    return folder if events.database == events.engine.default_database else folder / events.database
