"""Jobs are rows; one worker gets each, and what fails is tried again, then kept."""

import os
import socket
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from tests.servers import until
from whytree.workspace.background import jobs
from whytree.workspace.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the test's own handler was given."""
    monkeypatch.setattr(jobs, "_handlers", dict(jobs._handlers))
    seen: list[dict[str, Any]] = []
    jobs.handler("test.note")(seen.append)
    return seen


def test_it_runs_what_is_due_once(done: list[dict[str, Any]]) -> None:
    jobs.enqueue("test.note", {"n": 1})
    assert jobs.run_next("w")
    assert not jobs.run_next("w")
    assert done == [{"n": 1}]
    assert Job.objects.get().state == "done"


def test_it_leaves_what_is_not_due(done: list[dict[str, Any]]) -> None:
    jobs.enqueue("test.note", run_after=timezone.now() + timedelta(hours=1))
    assert not jobs.run_next("w")
    assert done == []


def test_two_waiting_jobs_never_share_a_key(done: list[dict[str, Any]]) -> None:
    jobs.enqueue("test.note", {"n": 1}, key="same")
    jobs.enqueue("test.note", {"n": 2}, key="same")
    jobs.enqueue("test.note", {"n": 3}, key="other")
    assert Job.objects.count() == 2


def test_a_claim_is_lost_to_whoever_was_faster(done: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Between our look at the table and our claim, another worker takes the job."""
    jobs.enqueue("test.note")
    real = jobs.Job.objects.filter

    def filter_slowly(*args: Any, **kwargs: Any) -> Any:
        if "pk" in kwargs:
            real(pk=kwargs["pk"]).update(state="running", claimed_at=timezone.now(), claimed_by="faster")
        return real(*args, **kwargs)

    monkeypatch.setattr(jobs.Job.objects, "filter", filter_slowly)
    assert not jobs.run_next("slower")
    assert done == []


def test_a_failing_job_is_tried_again_then_kept_with_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_handlers", dict(jobs._handlers))

    def fail(payload: dict[str, Any]) -> None:
        raise ValueError("the reason")

    jobs.handler("test.fail")(fail)
    jobs.enqueue("test.fail")
    for _ in range(jobs.MAX_ATTEMPTS):
        Job.objects.update(run_after=timezone.now())
        assert jobs.run_next("w")
    job = Job.objects.get()
    assert (job.state, job.attempts) == ("failed", jobs.MAX_ATTEMPTS)
    assert "the reason" in job.error


def test_it_takes_over_from_a_worker_that_died(done: list[dict[str, Any]]) -> None:
    jobs.enqueue("test.note")
    Job.objects.update(state="running", claimed_at=timezone.now() - jobs.STALE - timedelta(seconds=1), attempts=1)
    assert jobs.run_next("another")
    assert len(done) == 1


def test_of_one_kind_and_key_one_runs_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each tells people what is new; two at once would tell them twice."""
    monkeypatch.setattr(jobs, "_handlers", dict(jobs._handlers))
    told: list[int] = []

    def tell(payload: dict[str, Any]) -> None:
        told.append(payload["n"])
        if payload["n"] == 1:  # meanwhile there is more to tell, and another process looks for work
            jobs.enqueue("test.tell", {"n": 2}, key="same")
            jobs.enqueue("test.tell", {"n": 3}, key="other")
            assert jobs.run_next("another")
            assert not jobs.run_next("another")

    jobs.handler("test.tell")(tell)
    jobs.enqueue("test.tell", {"n": 1}, key="same")
    assert jobs.run_next("one")
    assert told == [1, 3]
    assert jobs.run_next("another")
    assert told == [1, 3, 2]


@pytest.mark.django_db(transaction=True)
def test_what_only_takes_long_is_taken_from_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_handlers", dict(jobs._handlers))
    monkeypatch.setattr(jobs, "_SAY_SECONDS", 0.01)

    def take_long(payload: dict[str, Any]) -> None:
        begun = timezone.now() - 2 * jobs.STALE
        Job.objects.update(claimed_at=begun)
        until(lambda: Job.objects.get().claimed_at != begun)
        assert not jobs.run_next("another")

    jobs.handler("test.long")(take_long)
    jobs.enqueue("test.long")
    assert jobs.run_next("one")
    job = Job.objects.get()
    assert (job.state, job.attempts, job.error) == ("done", 1, "")


def test_what_ends_its_worker_each_time_is_given_up(done: list[dict[str, Any]]) -> None:
    jobs.enqueue("test.note")
    Job.objects.update(state="running", attempts=jobs.MAX_ATTEMPTS, claimed_at=timezone.now() - 2 * jobs.STALE)
    assert not jobs.run_next("w")
    job = Job.objects.get()
    assert (job.state, done) == ("failed", [])
    assert "ended before it did" in job.error


def test_what_a_killed_process_of_this_host_had_in_hand_is_taken_up_at_once(done: list[dict[str, Any]]) -> None:
    jobs.enqueue("test.note", {"n": 1})
    jobs.enqueue("test.note", {"n": 2})
    host, now = socket.gethostname(), timezone.now()
    for pk, pid in zip(Job.objects.order_by("pk").values_list("pk", flat=True), (2**22 + 1, os.getppid()), strict=True):
        Job.objects.filter(pk=pk).update(state="running", claimed_by=f"{host}:{pid} short", claimed_at=now)
    assert not jobs.run_next("w")
    jobs.take_up_left()
    assert jobs.run_next("w")
    assert not jobs.run_next("w")
    assert done == [{"n": 1}]


def test_what_takes_long_has_a_lane_of_its_own(done: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_long", set())
    long: list[dict[str, Any]] = []
    jobs.handler("test.long", long=True)(long.append)
    jobs.enqueue("test.long")
    assert not jobs.run_next("w", lane="short")
    jobs.enqueue("test.note")
    assert jobs.run_next("w", lane="short")
    assert not jobs.run_next("w", lane="short")
    assert (len(done), len(long)) == (1, 0)
    assert jobs.run_next("w", lane="long")
    assert (len(done), len(long)) == (1, 1)


def test_it_refuses_a_kind_nobody_handles() -> None:
    with pytest.raises(LookupError, match=r"no.such"):
        jobs.enqueue("no.such")


def test_periodic_jobs_are_asked_for_once_a_period(done: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_periodic", {"test.note": timedelta(hours=1)})
    jobs.schedule_periodic()
    jobs.schedule_periodic()
    assert Job.objects.filter(kind="test.note").count() == 1
    jobs.schedule_periodic(timezone.now() + timedelta(hours=2))
    assert Job.objects.filter(kind="test.note").count() == 1, "the first is still waiting"


@pytest.mark.parametrize("state", ["waiting", "running", "done"])
def test_a_clock_that_was_ahead_keeps_nothing_from_running(
    state: str, done: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set right again, what was dated years ahead must not be waited for: alarms and rollouts are looked after this way."""
    monkeypatch.setattr(jobs, "_periodic", {"test.note": timedelta(hours=1)})
    ahead = timezone.now() + timedelta(days=3650)
    jobs.schedule_periodic()
    Job.objects.update(state=state, created_at=ahead, run_after=ahead, claimed_at=ahead, finished_at=ahead)
    jobs.schedule_periodic()
    assert jobs.run_next("w")
    assert done


@pytest.mark.parametrize("step", ["schedule_periodic", "run_next"])
def test_a_worker_lives_on_while_the_database_is_locked(
    done: list[dict[str, Any]], open_connection: None, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    stop = threading.Event()
    tried: list[int] = []
    real = getattr(jobs, step)

    def answer_at_the_third_try(*args: Any, **words: Any) -> Any:
        tried.append(len(tried))
        if len(tried) < 3:
            raise OperationalError("database is locked")
        return real(*args, **words)

    monkeypatch.setattr(jobs, step, answer_at_the_third_try)
    monkeypatch.setattr(jobs, "_periodic", {})
    monkeypatch.setattr(jobs, "_IDLE_SECONDS", 0.01)
    jobs.handler("test.end")(lambda payload: stop.set())
    jobs.enqueue("test.end")
    deadline = threading.Timer(20, stop.set)
    deadline.start()
    jobs.work(stop)
    deadline.cancel()
    assert len(tried) >= 3
    assert Job.objects.get().state == "done"
