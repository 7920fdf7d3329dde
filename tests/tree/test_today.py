"""Today: the first page after sign-in."""

import threading
from typing import Any

import pytest

from tests.experiments.world import event, long_ago, write
from whytree.tree import plugs, services
from whytree.tree.pages.today import sentence
from whytree.workspace.background import lifecycle
from whytree.workspace.background.fresh import behind, kept, renew_behind, stop_renewing
from whytree.workspace.models import Product
from whytree.workspace.sockets import Panel, _panels, plug_panel

from .conftest import Garden
from .test_tree_page import Balance, text


def test_a_new_product_is_shown_the_first_steps(as_alice: Any, product: Any) -> None:
    page = text(as_alice, "/p/sprout/today")
    assert "Whose life gets better, and how will you see it?" in page
    for command in (
        "whytree key add capture",
        "whytree import feedback FILE",
        "whytree init",
        "whytree outcome add",
    ):
        assert command in page
    Balance().feed(page)


def test_a_products_address_alone_leads_here(as_alice: Any, product: Any) -> None:
    for address in ("/p/sprout", "/p/sprout/"):
        assert as_alice.get(address).headers["Location"] == "/p/sprout/today"


def test_a_key_alone_is_no_number_and_the_next_step_is_a_first_event(
    as_alice: Any, product: Any, capture_key: str
) -> None:
    page = text(as_alice, "/p/sprout/today")
    assert "whytree key add capture" not in page
    assert "curl http://testserver/v1/track -u KEY:" in page


def test_the_vision_is_said_here_and_shown_from_then_on(as_alice: Any, product: Any) -> None:
    assert as_alice.post("/p/sprout/vision", {"vision": "Everybody eats something they grew."}).status_code == 302
    assert "Everybody eats something they grew." in text(as_alice, "/p/sprout/today")
    assert "Everybody eats something they grew." in text(as_alice, "/p/sprout/tree")
    refused = as_alice.post("/p/sprout/vision", {"vision": "x" * 301})
    assert refused.status_code == 400
    assert Product.objects.get(slug="sprout").vision == "Everybody eats something they grew."


def test_a_viewer_cannot_say_the_vision(as_viewer: Any, product: Any) -> None:
    assert as_viewer.post("/p/sprout/vision", {"vision": "x"}).status_code == 403


def test_what_waits_for_an_answer_comes_first_and_is_answered_here(
    as_alice: Any, garden: Garden, actor: Any, product: Any
) -> None:
    note = services.add_note(actor, product, garden.solution, kind="challenge", text="Trials may not store numbers")
    services.add_note(actor, product, garden.opportunity, kind="question", text="Who asks?")
    page = text(as_alice, "/p/sprout/today")
    assert "One challenge wants an answer. One question is open." in page
    assert "Trials may not store numbers" in page
    as_alice.post(f"/p/sprout/notes/{note.pk}/answer", {"answer": "Split by size"})
    assert "One question is open." in text(as_alice, "/p/sprout/today")


def test_panels_of_others_make_the_sentence(as_alice: Any, garden: Garden) -> None:
    def panel(actor: Any, product: Any, subject: Any) -> Panel:
        return Panel(
            "Verdict", "tree/_metric_keys.html", {"keys": {}}, tone="amber", headline="One result wants your verdict."
        )

    plug_panel("today", panel, order=1)
    try:
        page = text(as_alice, "/p/sprout/today")
    finally:
        _panels["today"] = [entry for entry in _panels["today"] if entry[1] is not panel]
    assert "One result wants your verdict." in page
    assert '<section class="card amber">' in page


def test_two_things_in_the_head_and_the_rest_below() -> None:
    assert sentence(["A.", "B.", "C."], [], False) == ("A. B.", "C.")
    assert sentence([], [], False)[0] == "Nothing waits for you."


def test_recent_changes_name_the_node_and_an_import_is_one(as_alice: Any, garden: Garden, api: Any) -> None:
    api.post("/products/sprout/tree/import", {"whytree_tree": 1, "nodes": [{"id": "OUT-7", "title": "more"}]})
    page = text(as_alice, "/p/sprout/today")
    assert "imported a tree: 1 nodes, 0 pieces of evidence" in page
    assert "Defer phone to first booking" in page
    assert "imported node" not in page


def test_strangers_see_no_today(as_charlie: Any, product: Any) -> None:
    assert as_charlie.get("/p/sprout/today").status_code == 404


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each time that Today counted, in a panel of its own."""
    done: list[str] = []

    def panel(actor: Any, product: Any, subject: Any) -> None:
        kept("counted-for-today", [product.pk], 60, lambda: done.append(product.slug))

    monkeypatch.setitem(_panels, "today", [(0, panel)])
    return done


@pytest.mark.engine
def test_with_many_events_a_server_counts_as_it_starts(
    monkeypatch: pytest.MonkeyPatch, counted: list[str], product: Any, store: Any, as_alice: Any
) -> None:
    monkeypatch.setattr(plugs, "MANY_EVENTS", 1)
    write(store, product, [event(1, "signed_up", long_ago(1))])
    done = threading.Event()
    for begin in [one for one in lifecycle._at_start if one in (renew_behind, plugs.count_for_today)]:
        begin()
    behind(done.set)
    assert done.wait(10)
    stop_renewing()
    assert counted == ["sprout"]
    assert as_alice.get("/p/sprout/today").status_code == 200
    assert counted == ["sprout"], "whoever comes first finds it"


@pytest.mark.engine
def test_with_few_nothing_is_counted_before_somebody_looks(counted: list[str], product: Any, store: Any) -> None:
    plugs.count_for_today()
    assert counted == []
