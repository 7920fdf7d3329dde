"""What many ask for at once is worked out once, and is never older than it may be."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from whytree.workspace.background.fresh import ERASE, at_most, kept, put, renew_behind, stop_renewing
from whytree.workspace.background.once import Page, current_page, one_page
from whytree.workspace.models import Activity, Product

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


@pytest.fixture
def behind() -> Iterator[None]:
    renew_behind()
    yield
    stop_renewing()


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
    put(key, aged(age))
    assert at_most(key, 60, now).text == text


def test_while_one_works_it_out_anew_the_others_take_what_is_young_enough(key: str) -> None:
    put(key, aged(50))
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


def test_in_a_server_nobody_waits_for_what_is_renewed_behind_the_requests(key: str, behind: None) -> None:
    put(key, aged(50))
    may_end, made = threading.Event(), threading.Event()

    def make() -> Answer:
        assert may_end.wait(10)
        made.set()
        return now()

    assert [at_most(key, 60, make).text for _ in range(3)] == ["old"] * 3
    may_end.set()
    assert made.wait(10)
    stop_renewing()
    assert at_most(key, 60, now).as_of < timezone.now()
    assert at_most(key, 60, lambda: aged(0)).text == "new"


def test_what_is_too_old_never_waits_for_its_turn_behind_others(key: str, behind: None) -> None:
    """Nor is it ever shown: whoever asks does it, and the one whose turn it was does nothing."""
    may_end = threading.Event()
    put(f"{key}:other", aged(50))
    at_most(f"{key}:other", 60, lambda: now() if may_end.wait(10) else aged(0))
    put(key, aged(50))
    made = []

    def make() -> Answer:
        made.append(now())
        return made[-1]

    assert at_most(key, 60, make).text == "old"  # queued behind the other one
    put(key, aged(61))
    assert at_most(key, 60, make).text == "new"
    may_end.set()
    stop_renewing()
    assert len(made) == 1


def test_a_renewal_that_fails_is_told_once_there_is_nothing_young_enough(key: str, behind: None) -> None:
    put(key, aged(50))

    def make() -> Answer:
        raise LookupError("no such event")

    assert at_most(key, 60, make).text == "old"
    stop_renewing()
    put(key, aged(61))
    with pytest.raises(LookupError):
        at_most(key, 60, make)


def test_what_has_no_date_is_kept_by_all_that_it_depends_on(key: str) -> None:
    made: list[str] = []

    def make(text: str) -> str:
        made.append(text)
        return text

    assert [kept(key, [1, "a"], 60, lambda: make("one")) for _ in range(3)] == ["one"] * 3
    assert kept(key, [1, "b"], 60, lambda: make("two")) == "two"
    assert made == ["one", "two"]


def test_what_took_long_may_be_as_old_as_it_is_worth(key: str) -> None:
    put(key, aged(50), took=5)
    assert at_most(key, 10, now).text == "old"
    put(key, aged(250), took=5)
    assert at_most(key, 10, now).text == "new"


def test_a_page_waits_for_nothing_that_takes_long_and_says_how_old_it_is(
    key: str, product: Product, behind: None
) -> None:
    put(key, aged(7200), took=2)
    made = threading.Event()

    def make() -> Answer:
        made.set()
        return now()

    with one_page():
        assert at_most(key, 60, make).text == "old"
        page = current_page()
        assert page
        assert page.oldest
        assert page.oldest < timezone.now() - timedelta(hours=1)
    assert made.wait(10)
    stop_renewing()
    with one_page():
        assert at_most(key, 60, make).text == "new"
        assert current_page() == Page(oldest=None)


def test_nobody_who_was_forgotten_since_is_shown(key: str, product: Product, behind: None) -> None:
    put(key, aged(7200), took=2)
    Activity.objects.create(product=product, verb=ERASE, actor="a", via="page", subject_type="x", subject_id=1)
    with one_page():
        assert at_most(key, 60, now).text == "new"


def test_a_page_waits_for_what_is_quick_and_other_doors_for_everything(key: str, behind: None) -> None:
    put(key, aged(7200), took=0.1)
    with one_page():
        assert at_most(key, 60, now).text == "new"
    put(key, aged(7200), took=2)
    assert at_most(key, 60, now).text == "new"


def test_a_page_says_first_from_when_its_oldest_number_is(
    as_alice: Any, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Page(oldest=datetime(2026, 11, 28, 8, 12, tzinfo=UTC))
    monkeypatch.setattr("whytree.site.context.current_page", lambda: old)
    said = as_alice.get("/p/sprout/today").content.decode()
    assert said.index("28 Nov, 08:12</time> and are being counted anew") < said.index("<h1")
    monkeypatch.undo()
    assert "counted anew" not in as_alice.get("/p/sprout/today").content.decode()
