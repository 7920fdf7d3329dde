"""Group commit: many requests, one fsynced insert, and nobody is answered before it.

A request hands in its rows and waits. A writing thread takes all that came in within some milliseconds, leaves out what
was seen before, writes the rest in one insert and lets the requests go. Two such threads take turns, so that while one
waits for the disk the other one works. So:

- acknowledged means on disk: in the store, or in a file (while inserts follow each other quickly, as rows that are
  `owed` to it for a second at most; while it cannot be written, in the spool);
- an id that is just being written by the other thread is waited for, never written twice nor acknowledged early;
- a row the engine refuses is found by halving and put into quarantine, the others land (`storing`);
- when more waits than can be held, a request is told to come back instead of being held in memory.

`kill -9` at any point loses nothing that was acknowledged. It may leave rows in the store that were never acknowledged
and come again: their ids are read back at the next start.
"""

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from whytree.errors import TooMany, Unavailable, WhytreeError
from whytree.people.edges import EdgeRow
from whytree.people.identity import check_key, key_fingerprint
from whytree.stores.errors import StoreUnavailable
from whytree.stores.events import EventStore, nothing_is_owed
from whytree.stores.writing.capture import ids_received_since, recent_ids
from whytree.stores.writing.marks import read_mark, write_mark

from ..shaping.rows import as_datetime
from .current import Current
from .owed import Entry, Owed, adopt
from .recent import SIZE, RecentEdges, RecentIds
from .spool import Spool, Spooled
from .storing import event_id_of, store_rows

log = logging.getLogger("whytree.events")
T = TypeVar("T")

WRITERS = 2
LINGER_SECONDS = 0.003  # how long the first rows wait for company
# A second insert begins beside one that is under way once this share of its rows waits, or after some time: many small
# inserts cost far more, at once and when they are merged, than a few large ones.
WORTH_A_SECOND = 0.75
SECOND_AFTER_SECONDS = 0.05
MAX_ROWS_AT_ONCE = 20_000
MAX_BYTES_AT_ONCE = 8 * 1024 * 1024  # below what the engine would parse, and so write, in several pieces
MAX_WAITING_ROWS = 50_000  # some two seconds' worth
MAX_WAITING_BYTES = 128 * 1024 * 1024
ANSWER_SECONDS = 60
PRIME_WITHIN = timedelta(days=2)
PRECISION = timedelta(seconds=1)  # the store keeps milliseconds and may round them down: look back a little further
RETRY_SECONDS = (1, 2, 4, 8, 15, 30)
# So many inserts a second may be small; with more, their rows are owed and written together. What somebody sends as a
# bulk, an import, is always written at once: it is large enough, and is told what the engine refused.
CALM_INSERTS = 4
BULK_ROWS = 1_000
KEY_MARK = "people key"


@dataclass(eq=False)
class Batch:
    """What one request hands in: rows as lines of JSON in one text, their ids, and what they say about people's ids."""

    rows: bytes
    ids: list[int]
    received_at: float
    edges: list[EdgeRow] = field(default_factory=list)
    items: int = 0  # the first so many rows are the items that were sent; the others follow from them
    repeated: set[int] = field(default_factory=set)  # places of rows left out because their id was seen before
    refused: dict[int, str] = field(default_factory=dict)  # place of a row in quarantine -> why
    done: threading.Event = field(default_factory=threading.Event)
    then: Callable[[], None] | None = None  # called in the writing thread once it is done: must be quick
    error: WhytreeError | None = None

    def kept(self, items: list[T]) -> list[T]:
        """Those of the items whose rows were written."""
        if not self.repeated and not self.refused:
            return items
        return [item for at, item in enumerate(items) if at not in self.repeated and at not in self.refused]

    def answer(self, error: WhytreeError | None) -> None:
        """Let the request go."""
        self.error = error
        self.done.set()
        if self.then is not None:
            self.then()


@dataclass(eq=False)
class Group:
    """What is written at once: batches, and of their rows those that are new."""

    batches: list[Batch]
    blocks: list[bytes] = field(default_factory=list)
    ids: set[int] = field(default_factory=set)

    @property
    def has_bulk(self) -> bool:
        return any(len(batch.ids) >= BULK_ROWS for batch in self.batches)

    def rows(self) -> Spooled:
        edges = [edge.line for batch in self.batches for edge in batch.edges]
        received_from = min(batch.received_at for batch in self.batches)
        return Spooled(edges, b"\n".join(self.blocks), len(self.ids), received_from)


class Commit:
    """The one door into the event store of a process. `submit` is called from any thread."""

    def __init__(self, events: EventStore, spool: Spool) -> None:
        self.events = events
        self.spool = spool
        self.edges_seen = RecentEdges()
        self._seen = RecentIds()
        self._being_written: set[int] = set()
        self._writing_rows = 0
        self._idle = 0  # writers that wait for something to do
        self._waiting: deque[Batch] = deque()
        self._waiting_rows = 0
        self._waiting_bytes = 0
        self._changed = threading.Condition()  # guards all of the above
        self._priming = threading.Lock()
        self._primed = False
        self._closing = False
        self._store_is_down = False
        self._owed = Owed(spool)
        self._owes = False  # a thread is there that pays
        self._inserts: deque[float] = deque(maxlen=CALM_INSERTS)  # when the last ones began
        self._wake_replay = threading.Event()
        self._threads: list[threading.Thread] = []

    # ---- for requests ----

    def submit(self, batch: Batch) -> None:
        """Return when the batch is on disk; raise `TooMany` or `Unavailable` when it is not."""
        self.hand_over(batch)
        if not batch.done.wait(ANSWER_SECONDS):
            raise Unavailable("The event store is too slow now. Send it again; what did arrive counts once.")
        if batch.error is not None:
            raise batch.error

    def hand_over(self, batch: Batch) -> None:
        """Take a batch to write; the batch says when that is done. Raises `TooMany` or `Unavailable` when it is not taken."""
        if not batch.ids and not batch.edges:
            batch.answer(None)
            return
        with self._changed:
            self._refuse_when_full()
            self._waiting.append(batch)
            self._waiting_rows += len(batch.ids)
            self._waiting_bytes += len(batch.rows)
            if self._idle or (self._writing_rows and self._is_worth_a_second()):  # waking a thread for nothing is dear
                self._changed.notify_all()

    def _refuse_when_full(self) -> None:
        if self._closing:
            raise Unavailable("The server is stopping. Send it again in a moment.", retry_after=5)
        if not self._waiting:
            return  # one batch is always taken, however long
        if self._waiting_rows > MAX_WAITING_ROWS or self._waiting_bytes > MAX_WAITING_BYTES:
            raise TooMany("More events arrive than can be written. Send this again after a pause.", retry_after=1)

    @property
    def waiting(self) -> int:
        """Rows handed in and not yet taken up by a writer."""
        return self._waiting_rows

    def forget_ids(self) -> None:
        """Rows were taken out on purpose: the same ids may come again."""
        with self._priming, self._changed:
            self._seen.forget()
            self._primed = False

    # ---- threads ----

    def start(self) -> "Commit":
        work = [*((self._run, f"commit-{n}") for n in range(WRITERS)), (self._replay_forever, "replay")]
        self._threads = [threading.Thread(target=target, name=name, daemon=True) for target, name in work]
        self._paying = threading.Thread(target=self._pay_forever, name="owed", daemon=True)
        for thread in [*self._threads, self._paying]:
            thread.start()
        self._owes = True
        self.events.before_reading = self._owed.wait
        if adopt(self.spool):
            with contextlib.suppress(StoreUnavailable, OSError):  # then the thread goes on with it
                self.replay()
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
        if self._owes:
            self._owed.stop()
            self._paying.join(timeout=30)
            self._owed.close()
            self.events.before_reading = nothing_is_owed

    # ---- writing ----

    def _run(self) -> None:
        while self._wait_for_work():
            try:
                self._prime()
            except WhytreeError as error:
                self._refuse_all(error)
                continue
            group = self._take()
            if group.batches:
                self._write_and_answer(group)

    def _write_and_answer(self, group: Group) -> None:
        error: WhytreeError | None = None
        try:
            self._write(group)
        except WhytreeError as refusal:
            error = refusal
        except Exception:  # the writer must live on; those who wait are told, and may come again
            log.exception("a commit failed")
            error = Unavailable("The events could not be written. Send them again.")
        for batch in group.batches:
            batch.answer(error)

    def _refuse_all(self, error: WhytreeError) -> None:
        with self._changed:
            refused, self._waiting = self._waiting, deque()
            self._waiting_rows = self._waiting_bytes = 0
        for batch in refused:
            batch.answer(error)

    def _wait_for_work(self) -> bool:
        """Until something waits that can be written (another writer may still be quicker); False when it is time to stop."""
        with self._changed:
            if not any(self._can_be_taken()):
                self._idle += 1
                self._changed.wait_for(lambda: any(self._can_be_taken()) or self._is_over)
                self._idle -= 1
                self._linger()
            if self._writing_rows:
                self._changed.wait_for(self._is_worth_a_second, SECOND_AFTER_SECONDS)
            return not self._is_over

    def _is_worth_a_second(self) -> bool:
        return self._closing or self._waiting_rows >= WORTH_A_SECOND * self._writing_rows

    @property
    def _is_over(self) -> bool:
        return self._closing and not self._waiting

    def _can_be_taken(self) -> Iterable[bool]:
        """For each batch that waits, whether none of its ids is just being written."""
        return (self._being_written.isdisjoint(batch.ids) for batch in self._waiting)

    def _linger(self) -> None:
        """Let the first one wait for company; while an insert ran, the others had their time already."""
        until = time.monotonic() + LINGER_SECONDS
        while not self._closing and self._waiting_rows < MAX_ROWS_AT_ONCE:
            left = until - time.monotonic()
            if left <= 0:
                return
            self._changed.wait(left)

    def _take(self) -> Group:
        """Everything that waits, up to what goes well into one insert."""
        with self._changed:
            group = Group([])
            left: deque[Batch] = deque()
            rows = size = 0
            for batch in self._waiting:
                too_much = rows + len(batch.ids) > MAX_ROWS_AT_ONCE or size + len(batch.rows) > MAX_BYTES_AT_ONCE
                if (group.batches and too_much) or not self._being_written.isdisjoint(batch.ids):
                    left.append(batch)
                    continue
                self._add(group, batch)
                rows += len(batch.ids)
                size += len(batch.rows)
            self._waiting = left
            self._waiting_rows -= rows
            self._waiting_bytes -= size
            self._being_written |= group.ids
            self._writing_rows += len(group.ids)
            return group

    def _add(self, group: Group, batch: Batch) -> None:
        """Put a batch into a group, without the rows seen earlier or already in the group."""
        group.batches.append(batch)
        own = set(batch.ids)
        if len(own) == len(batch.ids) and group.ids.isdisjoint(own) and self._seen.has_none_of(own):
            if own:
                group.blocks.append(batch.rows)
                group.ids |= own
            return
        lines = batch.rows.split(b"\n")
        for place, event_id in enumerate(batch.ids):
            if event_id in group.ids or event_id in self._seen:
                batch.repeated.add(place)
            else:
                group.blocks.append(lines[place])
                group.ids.add(event_id)

    def _write(self, group: Group) -> None:
        written = False
        try:
            refused = self._keep(group)
            written = True
        finally:
            with self._changed:
                self._being_written -= group.ids
                self._writing_rows -= len(group.ids)
                if written:
                    self._seen.add(group.ids)
                self._changed.notify_all()
        for batch in group.batches:
            for edge in batch.edges:
                self.edges_seen.add(edge.key, edge.at)
            if refused:
                batch.refused = {at: refused[each] for at, each in enumerate(batch.ids) if each in refused}

    def _keep(self, group: Group) -> dict[int, str]:
        """Bring rows to disk, wherever that is best now. Returns those that went to quarantine: event id -> why."""
        rows = group.rows()
        if not rows.events and not rows.edges:
            return {}
        if self._primed and not self._store_is_down:
            if self._is_busy() and not group.has_bulk:
                with contextlib.suppress(Unavailable):  # then the store may still take them
                    self._owed.keep(rows)
                    return {}
            try:
                self._inserts.append(time.monotonic())
                return store_rows(self.events, rows)
            except StoreUnavailable as error:
                self._note_down(error)
        self._put_into_spool(rows)
        return {}

    def _is_busy(self) -> bool:
        """Whether rows had better be owed for a moment than written at once."""
        if not self._owes or self._owed.is_full:
            return False
        several = len(self._inserts) == CALM_INSERTS and time.monotonic() - self._inserts[0] < 1
        return several or not self._owed.is_empty

    def _note_down(self, error: StoreUnavailable) -> None:
        log.error("the event store cannot be written, events go to %s: %s", self.spool.folder, error.message)
        self._store_is_down = True

    def _put_into_spool(self, rows: Spooled) -> None:
        self.spool.append(rows)
        self._store_is_down = True
        self._wake_replay.set()

    def _pay_forever(self) -> None:
        while block := self._owed.next_block():
            try:
                store_rows(self.events, _together([entry.rows for entry in block]))
            except StoreUnavailable as error:
                self._note_down(error)
                self._give_up(block)
            except Exception:  # the thread must live on, and the rows are on disk
                log.exception("what was owed could not be stored")
                self._give_up(block)
            else:
                self._owed.settle(block)

    def _give_up(self, block: Sequence[Entry]) -> None:
        self._owed.give_up(block)
        self._store_is_down = True
        self._wake_replay.set()

    def _prime(self) -> None:
        """Read back the latest ids: what was written just before a crash was never acknowledged and comes again."""
        with self._priming:
            if self._primed:
                return
            try:
                self._check_key()
                ids = recent_ids(self.events, datetime.now(UTC) - PRIME_WITHIN, SIZE)
            except StoreUnavailable as error:
                log.warning("cannot read back the latest event ids: %s", error.message)
                return  # everything goes to the spool now, and is compared with the store before it is replayed
            with self._changed:
                self._seen.add(ids)
            self._primed = True

    def _check_key(self) -> None:
        """Refuse to write people's hashes under another key than those that are there."""
        remembered = read_mark(self.events, KEY_MARK)
        check_key(remembered)
        if remembered is None:
            write_mark(self.events, KEY_MARK, key_fingerprint())

    # ---- replaying ----

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
        """What of it is not in the store yet. A crash may come between the insert and the removal of the file."""
        waiting = self.spool.read(path)
        lines = waiting.event_lines()
        ids = [event_id_of(line) for line in lines]
        known = ids_received_since(self.events, as_datetime(waiting.received_from) - PRECISION, ids)
        fresh = [line for line, event_id in zip(lines, ids, strict=True) if event_id not in known]
        store_rows(self.events, Spooled(waiting.edges, b"\n".join(fresh), len(fresh), waiting.received_from))
        path.unlink()
        return len(fresh)


def _together(several: Sequence[Spooled]) -> Spooled:
    edges = [line for rows in several for line in rows.edges]
    events = b"\n".join(rows.events for rows in several if rows.events)
    received_from = min(rows.received_from for rows in several)
    return Spooled(edges, events, sum(rows.count for rows in several), received_from)


commit = Current(lambda events: Commit(events, Spool(_spool_folder(events))).start())
"""The writer of this process, on the event store in force."""


def open_commit() -> None:
    """Bring in at once what a process that is gone still owed; called when a server starts.

    Raises where the people are named under another key: a second server that was given none would take no event.
    """
    with contextlib.suppress(StoreUnavailable):  # each event looks again
        check_key(read_mark(commit().events, KEY_MARK))


def close_commit() -> None:
    """Write what waits; the next use starts anew."""
    commit.close()


def _spool_folder(events: EventStore) -> Path:
    from django.conf import settings

    folder: Path = settings.WHYTREE.data / "spool"
    return folder if events.database == events.engine.default_database else folder / events.database
