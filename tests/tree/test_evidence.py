"""What speaks for and against a node, and how strong that is."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from whytree.tree import queries, services
from whytree.tree.models import EvidenceLink
from whytree.tree.plugs import erase_person, export_person
from whytree.workspace.models import Activity
from whytree.workspace.records.activity import last_undoable, undo

from .conftest import Garden

EVIDENCE = "/products/sprout/nodes/OPP-1/evidence"


def voice(person: str, **more: Any) -> dict[str, Any]:
    return {
        "evidence_type": "user_evidence",
        "source_kind": "interview",
        "person_key": person,
        "quote": f"says {person}",
        **more,
    }


def test_confidence_is_derived_from_independent_people(api: Any, garden: Garden) -> None:
    path = "/products/sprout/nodes/OPP-1/confidence"
    assert api.get(path).ok["label"] == "none"
    api.post(EVIDENCE, voice("ana"))
    one = api.get(path).ok
    api.post(EVIDENCE, voice("ana", quote="says ana again"))
    assert api.get(path).ok["value"] == pytest.approx(one["value"], abs=1e-6), "the same person twice is one person"
    api.post(EVIDENCE, voice("ben"))
    two = api.get(path).ok
    assert (one["label"], two["label"]) == ("weak", "moderate")
    assert two["value"] == pytest.approx(3 * 0.75, abs=1e-3)
    assert two["breakdown"][0]["people"] == 2
    assert one["raise_most"] == "Find one more independent market source (+1.5)"


def test_a_contradiction_counts_against_it(api: Any, garden: Garden) -> None:
    api.post(EVIDENCE, voice("ana"))
    api.post(EVIDENCE, voice("ben", stance="contradicts"))
    found = api.get("/products/sprout/nodes/OPP-1/confidence").ok
    assert (found["value"], found["label"]) == (0.0, "none")
    assert found["contradiction"] > 0


def test_the_same_source_speaks_once_and_the_latest_wins(api: Any, garden: Garden) -> None:
    source = {"evidence_type": "anecdotal", "source_kind": "url", "source_id": "https://example.org/1"}
    first = api.post(EVIDENCE, {**source, "statement": "asks for it", "importance": 1}).ok
    second = api.post(EVIDENCE, {**source, "statement": "needs it", "importance": 3}).ok
    assert first["id"] == second["id"]
    assert [(link["statement"], link["importance"]) for link in api.get(EVIDENCE).ok] == [("needs it", 3)]
    before = Activity.objects.count()
    api.post(EVIDENCE, {**source, "statement": "needs it", "importance": 3})
    assert Activity.objects.count() == before, "saying the same again changes nothing"


@pytest.mark.parametrize(
    "body",
    [
        {"evidence_type": "anecdotal"},
        {"evidence_type": "gut", "statement": "x"},
        {"evidence_type": "anecdotal", "statement": "x", "importance": 4},
        {"evidence_type": "anecdotal", "statement": "x", "provenance": "inferred"},
        {"evidence_type": "anecdotal", "statement": "x", "stance": "likes"},
    ],
)
def test_it_refuses_evidence_that_says_nothing_or_does_not_fit(api: Any, garden: Garden, body: dict[str, Any]) -> None:
    assert api.post(EVIDENCE, body).status == 400
    assert not EvidenceLink.objects.exists()


def test_it_can_be_taken_off_and_brought_back(api: Any, garden: Garden, actor: Any, product: Any) -> None:
    link = api.post(EVIDENCE, voice("ana")).ok
    assert api.delete(f"/products/sprout/evidence/{link['id']}").status == 204
    assert api.get(EVIDENCE).ok == []
    last = last_undoable(actor, product)
    assert last is not None
    undo(actor, product, last.pk)
    assert [one["quote"] for one in api.get(EVIDENCE).ok] == ["says ana"]


def test_evidence_of_another_product_cannot_be_touched(
    api: Any, api_charlie: Any, garden: Garden, other_product: Any
) -> None:
    link = api.post(EVIDENCE, voice("ana")).ok
    assert api_charlie.delete(f"/products/elsewhere/evidence/{link['id']}").status == 404
    assert EvidenceLink.objects.exists()


def test_an_override_needs_a_reason_and_is_shown_as_one(api: Any, as_alice: Any, garden: Garden) -> None:
    path = "/products/sprout/nodes/OPP-1/confidence"
    assert api.put(path, {"strength": "strong"}).status == 400
    assert api.put(path, {"strength": "strong", "reason": "I sold to forty of them"}).ok["label"] == "none"
    page = as_alice.get("/p/sprout/OPP-1").content.decode()
    assert "by override; the evidence itself is none" in page
    assert "I sold to forty of them" in page
    assert api.put(path, {"strength": ""}).ok["override"] == ""


def test_old_evidence_counts_less(garden: Garden, actor: Any, product: Any) -> None:
    now = timezone.now()
    services.link_evidence(actor, product, garden.opportunity, **voice("ana", said_at=now - timedelta(days=365)))
    old = queries.confidence(garden.opportunity, now)
    assert old.value == pytest.approx(3 * (1 - 2**-0.5), abs=0.01)


def test_erasing_a_person_keeps_the_count_and_none_of_the_text(garden: Garden, actor: Any, product: Any) -> None:
    link = services.link_evidence(
        actor, product, garden.opportunity, **voice("ana", statement="she left", source_id="INT-1")
    )
    services.link_evidence(actor, product, garden.opportunity, **voice("ben"))
    before = queries.confidence(garden.opportunity).value
    assert [one["quote"] for one in export_person(product, "ana")["evidence"]] == ["says ana"]
    erase_person(product, "ana")
    link.refresh_from_db()
    assert (link.quote, link.statement, link.source_id) == ("", "", "")
    assert queries.confidence(garden.opportunity).value == pytest.approx(before, abs=1e-6)
    kept = " ".join(str((act.before, act.after, act.subject_label)) for act in Activity.objects.all())
    assert "ana" not in kept
    assert "she left" not in kept
    assert "says ben" in kept
