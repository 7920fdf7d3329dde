"""Comments, questions, challenges, constraints, decisions; and tickets."""

from typing import Any

import pytest

from whytree.tree.models import KINDS, Note, TicketLink

from .conftest import Garden


def test_every_kind_of_node_takes_notes(api: Any, garden: Garden) -> None:
    for prefix in KINDS:
        assert api.post(f"/products/sprout/nodes/{prefix}-1/notes", {"text": "hm"}).status == 201, prefix
    assert Note.objects.count() == len(KINDS)


def test_a_challenge_waits_until_it_is_answered(api: Any, as_alice: Any, garden: Garden) -> None:
    note = api.post(
        "/products/sprout/nodes/SOL-1/notes", {"kind": "challenge", "text": "Trials may not store numbers"}
    ).ok
    waiting = api.get("/products/sprout/notes/open").ok
    assert [(one["ref"], one["kind"]) for one in waiting] == [("SOL-1", "challenge")]
    assert "One challenge wants an answer." in as_alice.get("/p/sprout/today").content.decode()
    answered = api.post(f"/products/sprout/notes/{note['id']}/answer", {"answer": "Split by size; see OPP-16"}).ok
    assert answered["answered_at"]
    assert api.get("/products/sprout/notes/open").ok == []
    assert api.post(f"/products/sprout/notes/{note['id']}/answer", {"answer": "again"}).status == 409


def test_what_was_closed_asks_nobody_until_it_is_reopened(api: Any, as_alice: Any, garden: Garden) -> None:
    for ref in ("SOL-1", "OUT-1"):
        api.post(
            f"/products/sprout/nodes/{ref}/notes", {"kind": "question", "text": f"Whose life, {ref}?"}
        ).must_succeed()
    api.post("/products/sprout/nodes/SOL-1/close", {"reason": "Made by mistake", "with_children": True}).must_succeed()
    assert [one["ref"] for one in api.get("/products/sprout/notes/open").ok] == ["OUT-1"]
    assert "One question is open." in as_alice.get("/p/sprout/today").content.decode()
    api.post("/products/sprout/nodes/SOL-1/reopen", {}).must_succeed()
    assert [one["ref"] for one in api.get("/products/sprout/notes/open").ok] == ["SOL-1", "OUT-1"]


def test_only_what_asks_is_answered(api: Any, garden: Garden) -> None:
    note = api.post("/products/sprout/nodes/SOL-1/notes", {"text": "nice"}).ok
    assert api.post(f"/products/sprout/notes/{note['id']}/answer", {"answer": "thanks"}).status == 400


def test_a_constraint_names_cost_and_alternative(api: Any, garden: Garden) -> None:
    told = {
        "kind": "constraint",
        "text": "Each message costs 6 cents",
        "cost": "600 a month",
        "alternative": "ask by mail",
    }
    assert api.post("/products/sprout/nodes/SOL-1/notes", told).ok["alternative"] == "ask by mail"
    assert api.post("/products/sprout/nodes/SOL-1/notes", {**told, "kind": "comment"}).status == 400


@pytest.mark.parametrize("body", [{"text": " "}, {"text": "x", "kind": "rant"}, {}])
def test_it_refuses_an_empty_or_unknown_note(api: Any, garden: Garden, body: dict[str, str]) -> None:
    assert api.post("/products/sprout/nodes/SOL-1/notes", body).status == 400


def test_a_viewer_reads_notes_and_writes_none(api: Any, api_viewer: Any, garden: Garden) -> None:
    note = api.post("/products/sprout/nodes/SOL-1/notes", {"kind": "question", "text": "why?"}).ok
    assert len(api_viewer.get("/products/sprout/nodes/SOL-1/notes").ok) == 1
    assert api_viewer.post("/products/sprout/nodes/SOL-1/notes", {"text": "x"}).status == 403
    assert api_viewer.post(f"/products/sprout/notes/{note['id']}/answer", {"answer": "x"}).status == 403


def test_another_product_s_note_cannot_be_answered(
    api: Any, api_charlie: Any, garden: Garden, other_product: Any
) -> None:
    note = api.post("/products/sprout/nodes/SOL-1/notes", {"kind": "question", "text": "why?"}).ok
    assert api_charlie.post(f"/products/elsewhere/notes/{note['id']}/answer", {"answer": "x"}).status == 404


@pytest.mark.parametrize(
    ("written", "key"),
    [("#412", "#412"), ("abc-12", "ABC-12"), ("https://github.com/acme/sprout/issues/7", "#7")],
)
def test_a_ticket_is_tied_by_number_key_or_address(api: Any, garden: Garden, written: str, key: str) -> None:
    assert api.post("/products/sprout/nodes/SOL-1/tickets", {"ticket": written}).ok["key"] == key
    assert api.post("/products/sprout/nodes/SOL-1/tickets", {"ticket": written}).status == 201
    assert TicketLink.objects.count() == 1, "tied once"


def test_what_is_no_ticket_is_refused_and_a_tie_can_be_undone(api: Any, garden: Garden) -> None:
    answer = api.post("/products/sprout/nodes/SOL-1/tickets", {"ticket": "SOL-1"})
    assert answer.status == 400
    assert "is no ticket" in answer.body["message"]
    link = api.post("/products/sprout/nodes/SOL-1/tickets", {"ticket": "#412"}).ok
    assert api.delete(f"/products/sprout/tickets/links/{link['id']}").status == 204
    assert api.get("/products/sprout/nodes/SOL-1/tickets").ok == []
