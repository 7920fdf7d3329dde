"""Exposures on their way into the event store: noted on the request path, written off it.

A single evaluation that puts somebody into a rollout is an exposure. It is counted once per flag, unit, variant and day
(UTC); of a flag that switches once per period, and once more after its washout. Noting one costs some microseconds, never
waits and never fails: a thread writes what was noted as `$exposure` events, through the same durable door as everything
captured, which also tells `exposure_received`. While that door is shut they wait here, up to `CAPACITY`; beyond it they
are not noted, which is logged and made good by the person's next evaluation, as is what a killed process had not written
yet.
"""

import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import close_old_connections

from whytree.engines.flags import Evaluation, Rules
from whytree.errors import RetryLater
from whytree.events.services import accept, exposure
from whytree.events.shaping.normalise import Door
from whytree.events.shaping.properties import Unfit
from whytree.events.shaping.rows import Normalised
from whytree.workspace.background.lifecycle import at_shutdown

log = logging.getLogger("whytree.flags")

CAPACITY = 50_000  # waiting exposures
MAX_UNIT = 400  # characters, so that what waits is bounded in bytes too
BATCH = 1_000  # written at once
GATHER_SECONDS = 0.5  # how long the first one waits for others: few inserts keep the engine from merging all the time
RETRY_SECONDS = 1.0
RECENT = 250_000  # exposures of today remembered in each of two generations, about 40 MB


@dataclass(frozen=True, slots=True)
class DrawnFor:
    """For what a variant was drawn, where it was not for the person: a company; or a period, and in it a region.

    `period` is its number, with a "w" while its washout lasts; `by` is the attribute that says the region.
    """

    company: str = ""
    period: str = ""
    by: str = ""
    region: str = ""

    @classmethod
    def of(cls, rules: Rules, answer: Evaluation, now: float) -> "DrawnFor":
        """Told by the answer, and by when it was given."""
        if rules.switching is not None and answer.by == "period":
            period, _, region = answer.says.partition("/")
            washed = "w" if rules.switching.is_washout(now) else ""
            return cls(period=period + washed, by=rules.switching.by, region=region)
        return cls(company=answer.unit or "") if rules.unit == "company" else THE_PERSON


THE_PERSON = DrawnFor()


@dataclass(frozen=True, slots=True)
class Exposure:
    """Somebody got a variant. `source` is the kind of key that asked, capture or server."""

    product_id: int
    flag: str
    unit: str
    variant: str
    reason: str
    source: str
    at: datetime
    drawn_for: DrawnFor = THE_PERSON

    @property
    def message_id(self) -> str:
        """The same for everything that counts as one exposure, so that a repetition from another process is one too."""
        period = self.drawn_for.period and f":{self.drawn_for.period}"
        return f"exposure:{self.flag}:{self.variant}:{self.at:%Y-%m-%d}{period}:{self.unit}"


class _Recent:
    """A set that forgets the older half when it is full."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: set[int] = set()
        self._old: set[int] = set()

    def __contains__(self, item: int) -> bool:
        return item in self._young or item in self._old

    def add(self, item: int) -> None:
        if len(self._young) >= self._size:
            self._old, self._young = self._young, set()
        self._young.add(item)


class ExposureQueue:
    """Bounded, and emptied by a thread of its own that starts with the first exposure."""

    def __init__(self, deliver: Callable[[int, str, Sequence[Exposure]], None], *, capacity: int = CAPACITY) -> None:
        self._deliver = deliver
        self._capacity = capacity
        self._changed = threading.Condition()
        self._delivering = threading.Lock()
        self._waiting: deque[Exposure] = deque()
        self._recent = _Recent(RECENT)
        self._worker: threading.Thread | None = None
        self.refused = 0

    def note(
        self,
        product_id: int,
        flag: str,
        unit: str,
        variant: str,
        reason: str,
        source: str,
        drawn_for: DrawnFor = THE_PERSON,
    ) -> None:
        """Remember an exposure for writing, unless today's is known or its id is longer than one on an event may be."""
        if len(unit) > MAX_UNIT:
            return
        now = datetime.now(UTC)
        once = hash((product_id, flag, unit, variant, drawn_for.period, now.toordinal()))
        if once in self._recent:
            return
        with self._changed:
            if len(self._waiting) >= self._capacity:
                self._refuse()
                return
            self._recent.add(once)
            self._waiting.append(Exposure(product_id, flag, unit, variant, reason, source, now, drawn_for))
            self._changed.notify()
        if self._worker is None:
            self._start()

    def _refuse(self) -> None:
        self.refused += 1
        if self.refused % 1_000 == 1:
            log.error("%s exposures could not be noted: %s wait for the event store", self.refused, self._capacity)

    def _start(self) -> None:
        with self._changed:
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="exposures", daemon=True)
                self._worker.start()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
            time.sleep(GATHER_SECONDS)
            close_old_connections()
            try:
                self.flush()
            except RetryLater as error:
                log.warning("exposures wait: %s", error.message)
                time.sleep(RETRY_SECONDS)
            finally:
                close_old_connections()

    def flush(self) -> None:
        """Write everything that waits, now and in this thread. What could not be written goes on waiting."""
        with self._delivering:
            while batch := self._take():
                try:
                    self._write(batch)
                except RetryLater:
                    with self._changed:
                        self._waiting.extendleft(reversed(batch))
                    raise
                except Exception:  # a batch that breaks the writer must not stop those behind it
                    log.exception("%s exposures could not be written and are given up", len(batch))

    def _take(self) -> list[Exposure]:
        with self._changed:
            return [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]

    def _write(self, batch: list[Exposure]) -> None:
        by_door: dict[tuple[int, str], list[Exposure]] = defaultdict(list)
        for each in batch:
            by_door[each.product_id, each.source].append(each)
        for (product_id, source), noted in by_door.items():
            self._deliver(product_id, source, noted)


def deliver(product_id: int, source: str, noted: Sequence[Exposure]) -> None:
    """Write exposures as events; durable when it returns."""
    door = Door(product_id, source, time.time())
    accept(product_id, source, [event for each in noted if (event := _as_event(door, each)) is not None])


def _as_event(door: Door, noted: Exposure) -> Normalised | None:
    try:
        return exposure(
            door,
            distinct_id=noted.unit,
            flag=noted.flag,
            variant=noted.variant,
            reason=noted.reason,
            at=noted.at,
            message_id=noted.message_id,
            company=noted.drawn_for.company,
            more={noted.drawn_for.by: noted.drawn_for.region} if noted.drawn_for.region else {},
        )
    except Unfit as error:  # a targeting key that can be hashed, but is no id
        log.warning("an exposure of %s is not written: %s", noted.flag, error)
        return None


queue = ExposureQueue(deliver)
at_shutdown(
    queue.flush
)  # imported with the addresses, so registered after the events door: it runs before that one closes
