"""The tree as a file: written, read, written again."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from whytree.errors import Conflict, Invalid
from whytree.tree import services, transfer
from whytree.tree.models import EvidenceLink, Hypothesis, Note, Outcome, Solution
from whytree.workspace.models import Activity
from whytree.workspace.services import create_product

from .conftest import Garden

OWN_TREE = Path(__file__).resolve().parents[2] / "docs" / "why" / "tree.json"
BY_HAND: dict[str, Any] = {
    "whytree_tree": 1,
    "product": {"name": "Sprout", "vision": "Everybody eats something they grew."},
    "nodes": [
        {"id": "SOL-7", "kind": "solution", "title": "Browse as a guest", "parent": "OPP-3"},
        {"id": "OPP-3", "kind": "opportunity", "title": "I wanted to look around first", "parent": "OUT-1"},
        {"id": "OUT-1", "kind": "outcome", "title": "Activated in 7 days", "parent": None, "due": "2026-09-30"},
        {"id": "SOL-8", "title": "Social sign-in", "parent": "OPP-3", "close_reason": "9 of 400 pressed it"},
    ],
    "evidence": [
        {
            "node": "OPP-3",
            "stance": "supports",
            "evidence_type": "anecdotal",
            "statement": "Asks for a look",
            "source_url": "https://example.org/1",
        }
    ],
    "notes": [{"node": "SOL-7", "kind": "question", "text": "Do guests come back?"}],
    "tickets": [{"node": "SOL-7", "key": "#412", "tracker": "github.com/acme/sprout", "title": "Guest mode"}],
}


def test_a_file_written_by_hand_comes_in_whatever_its_order(actor: Any, product: Any) -> None:
    report = transfer.import_tree(actor, product, BY_HAND)
    assert (len(report.created), report.evidence, report.notes, report.tickets) == (4, 1, 1, 1)
    product.refresh_from_db()
    assert product.vision == "Everybody eats something they grew."
    dropped = Solution.objects.get(number=8)
    assert (dropped.state, dropped.close_reason, dropped.is_closed) == ("dropped", "9 of 400 pressed it", True)
    assert services.create_solution(actor, product, title="next").ref == "SOL-9", "imported numbers are taken"


def test_the_same_file_again_changes_nothing(actor: Any, product: Any) -> None:
    transfer.import_tree(actor, product, BY_HAND)
    before = Activity.objects.count()
    report = transfer.import_tree(actor, product, BY_HAND)
    assert (report.created, report.changed, report.evidence, report.notes, report.tickets) == ([], [], 0, 0, 0)
    assert len(report.unchanged) == 4
    assert Activity.objects.count() == before


def test_what_the_file_leaves_out_stays_as_it_is(actor: Any, product: Any) -> None:
    transfer.import_tree(actor, product, BY_HAND)
    solution = Solution.objects.get(number=7)
    services.set_state(actor, solution, "building")
    services.edit_solution(actor, solution, description="only the first page")
    transfer.import_tree(actor, product, BY_HAND)
    solution.refresh_from_db()
    assert (solution.state, solution.description) == ("building", "only the first page")


def test_export_import_export_is_byte_equal(garden: Garden, actor: Any, product: Any) -> None:
    services.lock_prediction(actor, garden.hypothesis, at=timezone.now())
    services.conclude_test(actor, services.start_test(actor, garden.test), verdict="validated", result="4 of 5")
    services.link_evidence(
        actor,
        product,
        garden.opportunity,
        evidence_type="anecdotal",
        source_kind="note",
        quote="‮why?‬ <b>",
        person_key="ana",
    )
    services.override_confidence(actor, garden.opportunity, strength="strong", reason="I sold to forty")
    note = services.add_note(actor, product, garden.solution, kind="challenge", text="really?")
    services.answer_note(actor, note, "yes")
    services.link_written_ticket(actor, garden.solution, "ABC-12")
    services.create_opportunity(actor, product, title="not placed", struggle_signal={"version": 1, "event": "rage"})
    first = transfer.as_text(transfer.export_tree(product))
    copy = create_product(actor, name="Sprout", slug="copy")
    transfer.import_tree(actor, copy, json.loads(first))
    assert transfer.as_text(transfer.export_tree(copy)) == first
    assert Hypothesis.objects.get(product=copy).is_locked


def test_a_preview_says_what_would_change_and_changes_nothing(api: Any, product: Any) -> None:
    report = api.post("/products/sprout/tree/import?preview=true", BY_HAND).ok
    assert report["preview"]
    assert sorted(report["created"]) == ["OPP-3", "OUT-1", "SOL-7", "SOL-8"]
    assert not Outcome.objects.exists()
    product.refresh_from_db()
    assert product.vision == ""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"whytree_tree": 2}, "no tree file"),
        ({"nodez": []}, "nodez"),
        ({"nodes": {}}, "should be a list"),
        ({"nodes": [{"id": "SOL-01", "title": "x"}]}, "no id"),
        ({"nodes": [{"id": "FB-1", "title": "x"}]}, "no id"),
        ({"nodes": [{"id": "OUT-1", "kind": "solution", "title": "x"}]}, "kind outcome"),
        ({"nodes": [{"id": "OUT-1", "title": "x", "colour": "red"}]}, "unknown fields: colour"),
        ({"nodes": [{"id": "OUT-1", "title": "x"}, {"id": "OUT-1", "title": "y"}]}, "twice"),
        ({"nodes": [{"id": "OUT-1"}]}, "OUT-1: Title"),
        ({"nodes": [{"id": "OUT-1", "title": "x", "due": "soon"}]}, "OUT-1: due cannot be"),
        ({"nodes": [{"id": "OUT-1", "title": 7}]}, "should be a text"),
        ({"nodes": [{"id": "SOL-1", "title": "x", "parent": "OPP-9"}]}, "no OPP-9"),
        ({"nodes": [{"id": "ASM-1", "title": "x"}]}, "needs a place"),
        (
            {
                "nodes": [
                    {"id": "OUT-1", "title": "x", "parent": "OUT-2"},
                    {"id": "OUT-2", "title": "y", "parent": "OUT-1"},
                ]
            },
            "in a circle",
        ),
        (
            {"nodes": [], "evidence": [{"node": "OPP-1", "evidence_type": "anecdotal", "statement": "x"}]},
            "no such node",
        ),
        ({"nodes": [{"id": "OUT-1", "title": "x"}], "evidence": [{"node": "OUT-1", "statement": "x"}]}, "OUT-1"),
    ],
)
def test_a_wrong_file_is_refused_as_a_whole(actor: Any, product: Any, change: dict[str, Any], says: str) -> None:
    document = {"whytree_tree": 1, "nodes": [{"id": "OUT-5", "title": "right"}], **change}
    with pytest.raises(Invalid) as refused:
        transfer.import_tree(actor, product, document)
    told = str(refused.value) + json.dumps(refused.value.details or {})
    assert says in told
    assert not Outcome.objects.exists()


def test_a_locked_prediction_cannot_be_changed_by_a_file(garden: Garden, actor: Any, product: Any) -> None:
    services.lock_prediction(actor, garden.hypothesis, at=timezone.now())
    document = transfer.export_tree(product)
    row = next(row for row in document["nodes"] if row["id"] == "HYP-1")
    row["forecast_high"] = 9.0
    with pytest.raises(Conflict, match="HYP-1 is locked"):
        transfer.import_tree(actor, product, document)
    # nor be smuggled into another product under a seal that does not fit
    with pytest.raises(Invalid, match="does not fit its content"):
        transfer.import_tree(actor, create_product(actor, name="Other"), document)


def test_only_maintainers_import_and_everybody_exports(
    api_bob: Any, api_viewer: Any, api_charlie: Any, garden: Garden
) -> None:
    assert api_bob.post("/products/sprout/tree/import", BY_HAND).status == 403
    assert api_viewer.get("/products/sprout/tree/export").ok["whytree_tree"] == 1
    assert api_charlie.get("/products/sprout/tree/export").status == 404


def test_whytree_s_own_tree_comes_in_and_stays_the_same(actor: Any, product: Any) -> None:
    document = json.loads(OWN_TREE.read_text(encoding="utf-8"))
    report = transfer.import_tree(actor, product, document)
    assert {"OUT-1", "OPP-5", "SOL-9"} <= set(report.created)
    assert transfer.import_tree(actor, product, document).created == []
    assert not EvidenceLink.objects.exclude(quote="").exists(), "no quotes but people's own"
    assert all(link.source_url.startswith("https://github.com/") for link in EvidenceLink.objects.all())
    assert Hypothesis.objects.filter(solution__number__in=[1, 8]).count() >= 2
    assert not Note.objects.filter(text="").exists()
