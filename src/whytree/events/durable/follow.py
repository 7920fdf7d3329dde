"""What follows from events once they are safe: who is who, profiles, the catalogue, facts told to others.

None of it is on the way of a request. In a server a thread does it a moment after each commit, several at once
(`start`); without that thread, as in the command line and in tests, the caller does it itself right away. What a crash
leaves undone is found again from what is stored: everything here may be done twice.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import close_old_connections, transaction
from django.db.utils import OperationalError

from whytree.errors import RetryLater
from whytree.people.edges import EdgeRow
from whytree.people.identity import Traits, forget_key
from whytree.people.services import follow_edges, follow_rows, update_profiles
from whytree.stores.errors import StoreUnavailable
from whytree.stores.events import EventStore
from whytree.stores.identity.people import pairs_since, reload_overrides
from whytree.stores.usage.catalogue import note_types
from whytree.stores.writing import capture as stored
from whytree.stores.writing.marks import read_mark, write_mark
from whytree.workspace.entry.keys import write_uses, write_uses_later
from whytree.workspace.sockets import tell_fact

from ..shaping.normalise import EXPOSURE
from ..shaping.rows import CAPTURE, TYPE_NAMES, Normalised, Rejected, as_datetime
from ..shaping.traits import traits_of_row
from .current import Current

log = logging.getLogger("whytree.events")

GATHER_SECONDS = 1.0  # how long the thread lets things add up
IDLE_SECONDS = 5.0
MARK_SECONDS = 30.0
OVERLAP = timedelta(seconds=60)  # clocks of several servers, and rows on their way while the mark was set
MARK = "followed"
SAMPLE = 200  # events looked at for types, each time, before the next ones are only looked at now and then
TYPED_EACH = 100
MAX_ASIDE = 1_000  # rejected messages kept for showing, at once

Typed = tuple[int, str, str, str]  # product, event, property, letter of its type
Exposed = tuple[int, str, bool]  # product, flag, whether a secret key said so


@dataclass
class Pending:
    """What is still to be followed."""

    edges: list[EdgeRow] = field(default_factory=list)
    traits: list[Traits] = field(default_factory=list)
    exposures: dict[Exposed, float] = field(default_factory=dict)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    sample: list[Normalised] = field(default_factory=list)  # to learn the types of properties from
    events: int = 0

    def add(self, items: Sequence[Normalised], edges: Sequence[EdgeRow]) -> None:
        self.edges += edges
        self.sample += items if self.events < SAMPLE else items[-self.events % TYPED_EACH :: TYPED_EACH]
        self.events += len(items)
        for item in items:
            if item.traits is not None:
                self.traits.append(item.traits)
            exposure = item.exposure or (item.event if item.event.event == EXPOSURE else None)
            if exposure is not None:
                key = (exposure.product, exposure.said.get("flag", ""), exposure.source != CAPTURE)
                self.exposures[key] = min(self.exposures.get(key, exposure.timestamp), exposure.timestamp)


class Follower:
    """Collects what commits leave behind, and follows it."""

    def __init__(self, events: EventStore) -> None:
        self.events = events
        self._pending = Pending()
        self._guard = threading.Lock()
        self._following = threading.RLock()  # who hears of a fact may send events in turn
        self._told: set[Exposed] = set()
        self._ready = False
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._closing = False
        self._types: set[Typed] = set()
        self._marked_at = time.monotonic()

    # ---- after a commit ----

    def note(self, items: Sequence[Normalised], edges: Sequence[EdgeRow]) -> None:
        """Take what a commit left behind; it is followed soon, or now when no thread is there for it."""
        with self._guard:
            self._pending.add(items, edges)
        self._go_on()

    def note_rejected(self, product_id: int, source: str, received_at: float, rejected: Sequence[Rejected]) -> None:
        """Keep what was not taken, so that it can be shown."""
        rows = [
            {
                "product": product_id,
                "received_at": as_datetime(received_at),
                "kind": "rejected",
                "reason": one.reason,
                "event": one.event,
                "distinct_id": one.distinct_id,
                "message_id": one.message_id,
                "source": source,
                "body": one.body.decode("utf-8", "replace"),
            }
            for one in rejected
        ]
        with self._guard:
            self._pending.rejected = [*self._pending.rejected, *rows][:MAX_ASIDE]
        self._go_on()

    def _go_on(self) -> None:
        if self._thread is None:
            self.settle()
        else:
            self._wake.set()

    # ---- following ----

    def settle(self) -> None:
        """Follow everything noted so far, in this thread."""
        with self._following:
            self._make_ready()
            with self._guard:
                pending, self._pending = self._pending, Pending()
            try:
                self._follow(pending)
            except Exception:
                self._put_back(pending)
                raise

    def _follow(self, pending: Pending) -> None:
        """The parts clear what they have done, so that a failure in between repeats nothing but itself."""
        follow_rows(pending.edges)
        pending.edges = []
        update_profiles(pending.traits)
        pending.traits = []
        self._tell_exposures(pending)
        stored.put_aside(pending.rejected)
        pending.rejected = []
        self._note_types(pending)
        self._mark()

    def _tell_exposures(self, pending: Pending) -> None:
        """Once per flag and kind of key: after a restart a listener may hear of a flag again."""
        for exposed, at in pending.exposures.items():
            if exposed not in self._told:
                self._tell_exposure(exposed, as_datetime(at))
                self._told.add(exposed)
        pending.exposures = {}

    def _tell_exposure(self, exposed: Exposed, at: datetime) -> None:
        """What one listener refuses is logged: it must not hold up everybody's events. What passes is tried again."""
        product_id, flag, trusted = exposed
        try:
            with transaction.atomic():
                tell_fact("exposure_received", product_id=product_id, flag_key=flag, at=at, trusted=trusted)
        except (RetryLater, OperationalError):
            raise
        except Exception:
            log.exception("the first exposure of flag %r in product %s was not taken", flag, product_id)

    def _note_types(self, pending: Pending) -> None:
        seen = {
            (item.event.product, item.event.event, name, letter)
            for item in pending.sample
            for name, letter in item.typed()
        }
        new = seen - self._types
        note_types((product, event, name, TYPE_NAMES[letter]) for product, event, name, letter in sorted(new))
        self._types |= new
        pending.sample = []

    def _put_back(self, pending: Pending) -> None:
        with self._guard:
            newer, self._pending = self._pending, pending
            pending.edges += newer.edges
            pending.traits += newer.traits
            pending.rejected = [*pending.rejected, *newer.rejected][:MAX_ASIDE]
            for key, at in newer.exposures.items():
                pending.exposures[key] = min(at, pending.exposures.get(key, at))
            pending.sample += newer.sample

    # ---- what a crash left undone ----

    def _make_ready(self) -> None:
        """Once per process: follow what was stored but not followed, because a process was killed."""
        if self._ready:
            return
        followed = read_mark(self.events, MARK)
        if followed is not None:
            self._catch_up(datetime.fromisoformat(followed) - OVERLAP)
        else:
            self._write_mark()
        self._ready = True

    def _catch_up(self, since: datetime) -> None:
        reload_overrides(self.events)
        touched: dict[int, set[int]] = {}
        for row in pairs_since(since):
            touched.setdefault(row["product"], set()).update((row["one"], row["other"]))
        for product_id, persons in touched.items():
            follow_edges(product_id, persons)
        said = [traits_of_row(row) for row in stored.identified_since(since)]
        update_profiles(traits for traits in said if traits is not None)
        exposed = {
            (row["product"], row["flag"], bool(row["trusted"])): row["first_at"].timestamp()
            for row in stored.exposed_since(since)
        }
        with self._guard:
            self._pending.exposures |= exposed | self._pending.exposures

    def _mark(self) -> None:
        if time.monotonic() - self._marked_at > MARK_SECONDS or self._closing:
            self._write_mark()

    def _write_mark(self) -> None:
        self._marked_at = time.monotonic()
        write_mark(self.events, MARK, datetime.now(UTC).isoformat())

    # ---- the thread ----

    def start(self) -> None:
        """Follow in a thread of its own from now on; only a server does that. It also writes down which keys were used."""
        self._thread = threading.Thread(target=self._run, name="follow", daemon=True)
        self._thread.start()
        write_uses_later(True)
        self._wake.set()  # what the last process left undone is followed at once

    def close(self) -> None:
        """Follow what is left, then stop."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=30)
            write_uses_later(False)

    def _run(self) -> None:
        while not self._closing:
            self._wake.wait(IDLE_SECONDS)
            self._wake.clear()
            if not self._closing:
                time.sleep(GATHER_SECONDS)
            close_old_connections()
            try:
                write_uses()
                self.settle()
            except (RetryLater, OperationalError) as error:
                log.warning("people and catalogue are behind: %s", error)
                time.sleep(GATHER_SECONDS)
            except Exception:  # the thread must live on; what failed was put back
                log.exception("people and catalogue are behind")
                time.sleep(GATHER_SECONDS)
            finally:
                close_old_connections()


follower = Current(Follower)
"""The follower of this process, for the event store in force."""


def start_following() -> None:
    """Follow in a thread; called by the server once, before it takes requests."""
    try:
        follower().start()
    except StoreUnavailable as error:
        log.error("people and catalogue are not followed: %s", error.message)


def start_over() -> None:
    """After a whole workspace was brought in: its key, and who is who in it."""
    forget_key()
    reload_overrides()


def stop_following() -> None:
    follower.close()
