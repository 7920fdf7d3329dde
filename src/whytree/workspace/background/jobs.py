"""Background work as rows. A worker claims one by a conditional UPDATE and looks at the count.

    @handler("learning.fill_reviews")
    def fill_reviews(payload: dict[str, Any]) -> None: ...

    enqueue("learning.fill_reviews", {"product": 3}, key="3")

A job that raises is tried again with growing pauses, then kept as failed with its error. Of one kind and key one runs at a
time, however many processes there are.
Whoever runs one says so each minute. A worker that dies leaves its job running; the next one on its host takes it, another one
after `STALE`, so a handler must bear being run twice, after each other. One that ends its worker each time is given up, too.
What takes minutes says `long=True`: a lane of its own, so that a mail never waits for it.
"""

import logging
import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db import DatabaseError, IntegrityError, OperationalError, close_old_connections, connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from ..models import Job

log = logging.getLogger("whytree.jobs")

Handler = Callable[[dict[str, Any]], None]

MAX_ATTEMPTS = 5
STALE = timedelta(minutes=5)
KEEP_DONE = timedelta(days=7)
ENDED_EACH_TIME = f"The process that ran it ended before it did, for the {MAX_ATTEMPTS}th time."
_SAY_SECONDS = 60.0  # several times within `STALE`: a database that was away for a moment costs nobody a job
_IDLE_SECONDS = 1.0
_SCHEDULE_SECONDS = 30.0

Lane = Literal["", "short", "long"]  # "": whatever is due

_handlers: dict[str, Handler] = {}
_periodic: dict[str, timedelta] = {}
_long: set[str] = set()
_stop = threading.Event()


def handler(kind: str, *, every: timedelta | None = None, long: bool = False) -> Callable[[Handler], Handler]:
    """Register the function that does jobs of this kind; with `every`, it also runs by itself."""

    def register(function: Handler) -> Handler:
        _handlers[kind] = function
        if every is not None:
            _periodic[kind] = every
        if long:
            _long.add(kind)
        return function

    return register


def enqueue(
    kind: str, payload: dict[str, Any] | None = None, *, run_after: datetime | None = None, key: str = ""
) -> None:
    """Ask for a job. With a `key`, nothing happens while one of that kind and key is still waiting."""
    if kind not in _handlers:
        raise LookupError(f"no handler for jobs of kind {kind!r}")
    try:
        with transaction.atomic():
            Job.objects.create(kind=kind, payload=payload or {}, key=key, run_after=run_after or timezone.now())
    except IntegrityError:
        if not key:
            raise


def run_next(worker: str, now: datetime | None = None, *, lane: Lane = "") -> bool:
    """Claim one job that is due and run it; False when there is none."""
    job = _claim(worker, now or timezone.now(), lane)
    if job is None:
        return False
    with _in_hand(job):
        _run(job)
    return True


def _claim(worker: str, now: datetime, lane: Lane) -> Job | None:
    lost = Q(state=Job.State.RUNNING) & (  # by a worker that died, or whose clock was wrong
        Q(claimed_at__lt=now - STALE) | Q(claimed_at__gt=now + STALE)
    )
    alike = Job.objects.filter(kind=OuterRef("kind"), key=OuterRef("key"), state=Job.State.RUNNING).exclude(key="")
    due = Q(state=Job.State.WAITING, run_after__lte=now) & ~Exists(alike) | lost
    if lane:
        due &= Q(kind__in=_long) if lane == "long" else ~Q(kind__in=_long)
    for job in Job.objects.filter(due).order_by("run_after", "pk")[:5]:
        as_found = Job.objects.filter(pk=job.pk, state=job.state, claimed_at=job.claimed_at)
        if job.attempts >= MAX_ATTEMPTS:
            as_found.update(state=Job.State.FAILED, finished_at=now, error=ENDED_EACH_TIME)
            continue
        claimed = as_found.update(state=Job.State.RUNNING, claimed_by=worker, claimed_at=now, attempts=job.attempts + 1)
        if claimed:
            job.refresh_from_db()
            return job
    return None


@contextmanager
def _in_hand(job: Job) -> Iterator[None]:
    """Say each minute that somebody is at it, so that no other process takes what only takes long."""
    ended = threading.Event()

    def say() -> None:
        while not ended.wait(_SAY_SECONDS):
            try:
                mine = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, claimed_by=job.claimed_by)
                mine.update(claimed_at=timezone.now())
            except DatabaseError as error:
                log.warning("the database does not answer, a running job cannot say so: %s", error)
            finally:
                connection.close()

    saying = threading.Thread(target=say, name="job in hand", daemon=True)
    saying.start()
    try:
        yield
    finally:
        ended.set()
        saying.join()


def _run(job: Job) -> None:
    try:
        _handlers[job.kind](job.payload)
    except Exception:  # a job may fail in any way; the row keeps the traceback, the worker goes on
        _fail(job, traceback.format_exc(limit=-8))
    else:
        Job.objects.filter(pk=job.pk).update(state=Job.State.DONE, finished_at=timezone.now(), error="")


def _fail(job: Job, error: str) -> None:
    final = job.attempts >= MAX_ATTEMPTS
    taken = not final and job.key and Job.objects.filter(kind=job.kind, key=job.key, state=Job.State.WAITING).exists()
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.FAILED if final or taken else Job.State.WAITING,
        run_after=timezone.now() + timedelta(seconds=2**job.attempts * 5),
        error=error,
        finished_at=timezone.now() if final else None,
    )


def schedule_periodic(now: datetime | None = None) -> None:
    """Ask for each periodic job that has not been asked for within its period; forget old done ones.

    What a clock that was ahead has dated into the future counts for nothing: else nothing would run until then.
    """
    now = now or timezone.now()
    waiting = Job.objects.filter(key="periodic", state=Job.State.WAITING, run_after__gt=now + STALE)
    waiting.update(run_after=now, created_at=now)
    for kind, every in _periodic.items():
        recent = Job.objects.filter(kind=kind, key="periodic", created_at__range=(now - every, now + STALE))
        if not recent.exists():
            enqueue(kind, key="periodic")
    Job.objects.filter(state=Job.State.DONE, finished_at__lt=now - KEEP_DONE).delete()


def start_workers(stop: threading.Event) -> list[threading.Thread]:
    """A thread for each lane, working until `stop` is set."""
    global _stop
    _stop = stop
    take_up_left()
    lanes: tuple[Lane, ...] = ("short", "long")
    workers = [threading.Thread(target=work, args=(stop, lane), name=f"jobs {lane}", daemon=True) for lane in lanes]
    for worker in workers:
        worker.start()
    return workers


def take_up_left() -> None:
    """Jobs that a killed process of this host had in hand are due at once; called before this process claims any."""
    host = f"{socket.gethostname()}:"
    running = Job.objects.filter(state=Job.State.RUNNING, claimed_by__startswith=host)
    for worker in set(running.values_list("claimed_by", flat=True)):
        if not _is_alive(worker.removeprefix(host).partition(" ")[0]):
            running.filter(claimed_by=worker).update(claimed_at=timezone.now() - 2 * STALE)


def _is_alive(pid: str) -> bool:
    if not pid.isdigit() or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def stopping() -> bool:
    """Whether this process is about to end: a long job lets go, and is taken up again by whoever comes next."""
    return _stop.is_set()


def work(stop: threading.Event, lane: Lane = "") -> None:
    """Run jobs until `stop` is set. Used by `whytree work` and by the threads inside `whytree serve`.

    It outlives a database that is locked by a long write, or away for a moment: it tries again.
    """
    worker = f"{socket.gethostname()}:{os.getpid()} {lane}".strip()[:60]
    next_schedule = 0.0
    while not stop.is_set():
        try:
            close_old_connections()
            if lane != "long" and time.monotonic() >= next_schedule:
                schedule_periodic()
                next_schedule = time.monotonic() + _SCHEDULE_SECONDS
            found = run_next(worker, lane=lane)
        except OperationalError as error:
            log.warning("the database does not answer, jobs wait: %s", error)
            found = False
        if not found:
            stop.wait(_IDLE_SECONDS)
    close_old_connections()
