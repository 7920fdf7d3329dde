"""How often `why` gets all the way: counted only where a team wants it, and never who asked what."""

import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings

from tests.events.conftest import _threads_end
from tests.why.conftest import Tree
from whytree.analytics.queries import measure
from whytree.analytics.services import create_metric
from whytree.why.answer import ReviewHop
from whytree.why.answering import counting
from whytree.why.queries import Ask, explain
from whytree.why.refs import parse_ref

__all__ = ["_threads_end"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(django_settings, "WHYTREE", replace(django_settings.WHYTREE, count_answers="sprout"))


def _events(store: Any) -> list[tuple[str, Any]]:
    rows = store.query("SELECT event, properties FROM events WHERE event LIKE 'why %' ORDER BY timestamp")
    return [(row["event"], dict(row["properties"])) for row in rows]


def _answer(product: Any, ref: str, *, measured: bool = False) -> Any:
    answer = explain(product, Ask(parse_ref(ref)))
    review = ReviewHop("REV-1", "/", "Activated", "%", difference=3.4 if measured else None)
    return replace(answer, review=review)


def test_nothing_is_counted_unless_it_is_wanted(store: Any, tree: Tree, api: Any) -> None:
    assert api.get("/products/sprout/why?ref=SOL-1").ok
    assert _events(store) == []


def test_every_door_counts_a_question_and_how_far_it_came(
    store: Any, tree: Tree, api: Any, as_alice: Any, counted: None
) -> None:
    assert api.get("/products/sprout/why?ref=SOL-1").ok
    assert api.post("/products/sprout/why", {"ref": "SOL-1"}).ok
    assert as_alice.get("/p/sprout/why?q=SOL-1").status_code == 200
    assert _events(store) == [("why asked", {"about": "node", "came_to": "person"})] * 3
    assert len(store.query("SELECT DISTINCT person FROM events")) == 1, "one person, whichever door"


def test_a_measured_difference_is_all_the_way(store: Any, tree: Tree, product: Any, actor: Any, counted: None) -> None:
    ref = parse_ref("SOL-1")
    assert counting.came_to(_answer(product, "SOL-1")) == "person"
    counting.count(actor, ref, _answer(product, "SOL-1", measured=True))
    assert [name for name, _ in _events(store)] == ["why asked", "why answered"]


@pytest.mark.parametrize(
    ("missing", "came_to"),
    [({"evidence": ()}, "opportunity"), ({"opportunity": None}, "solution"), ({"solution": None}, "nothing")],
)
def test_a_line_that_breaks_ends_there_whatever_was_measured(
    tree: Tree, product: Any, missing: dict[str, Any], came_to: str
) -> None:
    assert counting.came_to(replace(_answer(product, "SOL-1", measured=True), **missing)) == came_to


def test_the_outcome_of_our_own_tree_can_be_measured(
    store: Any, tree: Tree, product: Any, actor: Any, viewer: Any, counted: None, monkeypatch: Any
) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    definition = {"version": 1, "kind": "conversion", "from": "why asked", "to": "why answered", "within_days": 1}
    metric = create_metric(actor, product, key="why_answered", name="Answered", definition=definition)
    monkeypatch.setattr(counting, "time", SimpleNamespace(time=lambda: time.time() - 3 * 86_400))  # their day is over
    counting.count(actor, parse_ref("SOL-1"), _answer(product, "SOL-1", measured=True))
    counting.count(actor_of_user(viewer), parse_ref("SOL-1"), _answer(product, "SOL-1"))
    found = measure(metric)
    assert (found.n, found.numerator, found.value) == (2, 1, 50.0)


def test_neither_who_asked_nor_what_is_kept(store: Any, tree: Tree, api: Any, counted: None) -> None:
    assert api.get("/products/sprout/why?ref=SOL-1").ok
    kept = str(store.query("SELECT * FROM events"))
    assert not [word for word in ("alice", "Alice", "SOL-1") if word in kept]


@pytest.mark.parametrize("trouble", ["no such product", "the store refuses"])
def test_an_answer_is_given_whatever_becomes_of_the_count(
    store: Any, tree: Tree, api: Any, counted: None, monkeypatch: pytest.MonkeyPatch, trouble: str, caplog: Any
) -> None:
    if trouble == "no such product":
        chosen = replace(django_settings.WHYTREE, count_answers="nowhere")
        monkeypatch.setattr(django_settings, "WHYTREE", chosen)
    else:
        from whytree.errors import Unavailable

        def refuse(*args: Any) -> None:
            raise Unavailable("no room", retry_after=1)

        monkeypatch.setattr(counting, "accept", refuse)
    assert api.get("/products/sprout/why?ref=SOL-1").ok["solution"]["ref"] == "SOL-1"
    assert "nothing is counted" in caplog.text or "could not be counted" in caplog.text
