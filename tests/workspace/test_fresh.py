"""What many ask for at once is worked out once, and is never older than it may be."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.utils import timezone

from whytree.workspace.fresh import at_most

ASKERS = 8


@dataclass(frozen=True)
class Answer:
    as_of: datetime
    text: str = "old"


@pytest.fixture
def key() -> str:
    return f"fresh:{uuid4()}"


def aged(seconds: float) -> Answer:
    return Answer(timezone.now() - timedelta(seconds=seconds))


def now() -> Answer:
    return Answer(timezone.now(), "new")


def test_many_who_ask_at_once_share_one_working_out(key: str) -> None:
    made, all_in = [], threading.Barrier(ASKERS)
    waiting = threading.Event()

    def make() -> Answer:
        waiting.wait(10)
        made.append(now())
        return made[-1]

    def ask() -> Answer:
        all_in.wait(10)
        return at_most(key, 60, make)

    with ThreadPoolExecutor(ASKERS) as pool:
        asked = [pool.submit(ask) for _ in range(ASKERS)]
        threading.Timer(0.05, waiting.set).start()
        found = [one.result(10) for one in asked]
    assert len(made) == 1
    assert set(found) == {made[0]}


def test_all_who_waited_are_told_why_there_is_no_answer_and_the_next_tries_again(key: str) -> None:
    tried = []

    def make() -> Answer:
        tried.append(1)
        raise LookupError("no such event")

    for _ in range(2):
        with pytest.raises(LookupError):
            at_most(key, 60, make)
    assert len(tried) == 2


@pytest.mark.parametrize(("age", "text"), [(10, "old"), (50, "new"), (61, "new"), (-5, "new")])
def test_what_is_young_stays_and_what_is_old_or_of_the_future_is_worked_out(key: str, age: float, text: str) -> None:
    cache.set(key, aged(age), 600)
    assert at_most(key, 60, now).text == text


def test_while_one_works_it_out_anew_the_others_take_what_is_young_enough(key: str) -> None:
    cache.set(key, aged(50), 600)
    begun, may_end = threading.Event(), threading.Event()

    def make() -> Answer:
        begun.set()
        may_end.wait(10)
        return now()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(at_most, key, 60, make)
        begun.wait(10)
        assert at_most(key, 60, now).text == "old"
        may_end.set()
        assert first.result(10).text == "new"
    assert at_most(key, 60, now).text == "new"
