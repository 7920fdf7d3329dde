"""Who belongs to the cohorts that rules ask for: a snapshot in memory, so that an evaluation asks no store.

A snapshot is a sorted array of the hashes of all ids that belong, eight bytes each, in which looking takes microseconds. It is
taken when a flag begins to ask for the cohort and when the cohort is changed, and again after `FRESH_SECONDS`, by a
thread of its own. While the event store does not answer, the last one holds; without one nobody belongs, and the evaluation says so.
"""

import logging
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from django.db import DatabaseError, close_old_connections
from numpy.typing import NDArray

from whytree.analytics.cohorts.queries import ids_of
from whytree.analytics.models import Cohort
from whytree.errors import WhytreeError
from whytree.people.identity import person_hash

log = logging.getLogger("whytree.flags")

FRESH_SECONDS = 300.0
RETRY_SECONDS = 15.0


@dataclass(slots=True)
class _Snapshot:
    """`stamp` says of which rule; `at` is None as long as nobody could be looked up."""

    stamp: float
    at: float | None
    ids: NDArray[np.uint64]
    look_at: float

    def holds(self, hashed: int) -> bool:
        place = int(np.searchsorted(self.ids, np.uint64(hashed)))
        return place < len(self.ids) and int(self.ids[place]) == hashed


_held: dict[tuple[int, str], _Snapshot] = {}
_stale: set[tuple[int, str]] = set()
_changed = threading.Condition()
_worker: threading.Thread | None = None


def hold(product_id: int, keys: Collection[str]) -> None:
    """Take a snapshot of each that is not held yet, or that was changed since."""
    if not keys:
        return
    for cohort in Cohort.objects.filter(product_id=product_id, key__in=keys).select_related("product"):
        known = _held.get((product_id, cohort.key))
        if known is None or known.at is None or known.stamp != cohort.updated_at.timestamp():
            _take(cohort)


def _take(cohort: Cohort) -> None:
    place = (cohort.product_id, cohort.key)
    known, stamp = _held.get(place), cohort.updated_at.timestamp()
    at = time.time()
    try:
        ids = np.array(ids_of(cohort), dtype=np.uint64)
    except (WhytreeError, DatabaseError):
        log.warning("who is in the cohort %s cannot be looked up; the last snapshot holds", cohort.key, exc_info=True)
        again = time.monotonic() + RETRY_SECONDS
        if known is None:
            _held[place] = _Snapshot(stamp, None, np.array([], dtype=np.uint64), again)
        else:
            known.look_at = again
        return
    _held[place] = _Snapshot(stamp, at, ids, time.monotonic() + FRESH_SECONDS)


def cohorts_of(product_id: int, unit: str | None, keys: Collection[str]) -> tuple[list[str], float | None]:
    """Those of the cohorts to which the person with this id belongs, and when the oldest of the snapshots was taken."""
    hashed = person_hash(product_id, unit) if unit else None
    found: list[str] = []
    oldest: float | None = None
    now = time.monotonic()
    for key in sorted(keys):
        snapshot = _held.get((product_id, key))
        if snapshot is None:
            continue
        if snapshot.look_at <= now:
            _ask_again(product_id, key)
        if snapshot.at is None:
            continue
        oldest = snapshot.at if oldest is None else min(oldest, snapshot.at)
        if hashed is not None and snapshot.holds(hashed):
            found.append(key)
    return found, oldest


def _ask_again(product_id: int, key: str) -> None:
    """By the thread: who asks for a flag waits for nothing."""
    global _worker
    with _changed:
        _stale.add((product_id, key))
        _changed.notify()
        if _worker is None:
            _worker = threading.Thread(target=_work, name="cohorts", daemon=True)
            _worker.start()


def _work() -> None:
    while True:
        with _changed:
            _changed.wait_for(lambda: _stale)
            product_id, key = _stale.pop()
        close_old_connections()
        try:
            look_again(product_id, key)
        except DatabaseError:
            log.warning("the cohort %s cannot be read; the last snapshot holds", key, exc_info=True)
        finally:
            close_old_connections()


def look_again(product_id: int, key: str) -> None:
    """A new snapshot, unless a thread took one meanwhile. A cohort that is gone has nobody."""
    held = _held.get((product_id, key))
    if held is None or held.look_at > time.monotonic():
        return
    held.look_at = time.monotonic() + RETRY_SECONDS
    cohort = Cohort.objects.filter(product_id=product_id, key=key).select_related("product").first()
    if cohort is None:
        _held.pop((product_id, key), None)
    else:
        _take(cohort)


def forget() -> None:
    """Drop everything held, as a new process would start."""
    _held.clear()
    _stale.clear()
