"""What the tree says today and did not on an earlier day."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.tree.conftest import Garden
from whytree.errors import Invalid
from whytree.tree import services
from whytree.tree.differing import tree_diff
from whytree.tree.models import EvidenceLink, Note, Opportunity
from whytree.workspace.models import Activity
from whytree.workspace.sockets import Difference


def long_ago(*models: Any) -> None:
    """All of it happened years ago."""
    for model, field in ((Activity, "at"), (Note, "created_at"), (EvidenceLink, "created_at"), *models):
        model.objects.update(**{field: timezone.now() - timedelta(days=1000)})


def say(actor: Any, product: Any, garden: Garden, *people: str, evidence_type: str = "anecdotal") -> None:
    """These people have the problem."""
    said = {"quote": "Why?", "source_kind": "note", "evidence_type": evidence_type}
    for who in people:
        services.link_evidence(actor, product, garden.opportunity, person_key=who, **said)


@pytest.fixture
def old(garden: Garden, actor: Any, product: Any) -> Garden:
    say(actor, product, garden, "ana")
    long_ago(*((type(node), "created_at") for node in vars(garden).values()))
    return garden


def differences(product: Any, days: int = 30) -> dict[str, list[Difference]]:
    found = tree_diff(product, (timezone.now() - timedelta(days=days)).date())
    return {node.ref: list(node.differences) for node in found.nodes}


def test_a_tree_that_nobody_touched_says_what_it_said(old: Garden, product: Any) -> None:
    assert differences(product) == {}


def test_what_was_done_and_undone_is_no_difference(old: Garden, product: Any, actor: Any) -> None:
    services.set_state(actor, old.solution, "testing")
    assert differences(product) == {"SOL-1": [Difference("state", "idea", "testing")]}
    services.set_state(actor, old.solution, "idea")
    assert differences(product) == {}


def test_beliefs_notes_verdicts_and_nodes_are_told_by_node(old: Garden, product: Any, actor: Any) -> None:
    new = services.create_solution(actor, product, opportunity=old.opportunity, title="Explain why")
    say(actor, product, old, "bo", "cy", "di", evidence_type="user_evidence")
    note = services.add_note(actor, product, old.solution, kind="challenge", text="Says who?")
    services.answer_note(actor, note, "Ana does.")
    services.close_node(actor, old.test, reason="Nobody came")
    services.lock_prediction(actor, old.hypothesis, at=timezone.now())
    told = differences(product)
    assert told[new.ref] == [Difference("came", now="idea")]
    assert told["OPP-1"] == [Difference("evidence", "none", "moderate"), Difference("heard", now="3 for it")]
    assert told["SOL-1"] == [
        Difference("note", now="challenge", words="Says who?"),
        Difference("answer", "Says who?", "challenge", "Ana does."),
    ]
    assert told["TST-1"] == [Difference("closed", words="Nobody came")]
    assert told["HYP-1"] == [Difference("locked")]


def test_evidence_that_aged_is_believed_less_though_nobody_did_anything(old: Garden, product: Any, actor: Any) -> None:
    say(actor, product, old, "bo", "cy", evidence_type="user_evidence")
    EvidenceLink.objects.update(created_at=timezone.now() - timedelta(days=900), said_at=None)
    assert differences(product, days=890) == {"OPP-1": [Difference("evidence", "moderate", "weak")]}
    assert differences(product, days=1) == {}


def test_the_day_is_where_the_product_is_and_lies_behind(old: Garden, product: Any, api: Any, api_charlie: Any) -> None:
    assert api.get("/products/sprout/tree/diff?since=0001-01-01").ok["nodes"][0]["ref"] == "OUT-1"
    assert "Write it as 2026-03-01" in api.get("/products/sprout/tree/diff?since=monday").body["message"]
    assert api_charlie.get("/products/sprout/tree/diff?since=2026-01-01").status == 404
    with pytest.raises(Invalid, match="lies ahead"):
        tree_diff(product, date.max)
    assert Opportunity.objects.count() == 1


def _page(client: Any, since: str = "") -> tuple[int, str]:
    response = client.get("/p/sprout/tree/diff", {"since": since} if since else {})
    return response.status_code, str(response.content.decode())


def test_the_page_says_how_much_is_otherwise_and_then_what(
    old: Garden, product: Any, actor: Any, as_viewer: Any
) -> None:
    assert "The tree says what it said on" in _page(as_viewer)[1]
    services.create_solution(actor, product, opportunity=old.opportunity, title="<b>Explain</b> why")
    services.set_state(actor, old.solution, "testing")
    services.add_note(actor, product, old.solution, kind="challenge", text="Says who?")
    status, page = _page(as_viewer)
    assert status == 200
    assert ": 1\N{NO-BREAK SPACE}solution moved on, 1\N{NO-BREAK SPACE}is new.</h1>" in page
    assert "&lt;b&gt;Explain&lt;/b&gt; why" in page
    assert page.index("Says who?") < page.index("SOL-2")


def test_the_page_says_what_is_wrong_with_a_day_and_goes_on(old: Garden, as_alice: Any, as_charlie: Any) -> None:
    for since, says in (("monday", "Write it as 2026-03-01"), (date.max.isoformat(), "lies ahead")):
        status, page = _page(as_alice, since)
        assert status == 400
        assert says in page
        assert "The tree says what it said on" in page
    assert _page(as_charlie)[0] == 404


def test_the_tree_and_the_activity_lead_there(old: Garden, as_alice: Any) -> None:
    for page in ("tree", "activity"):
        assert 'href="/p/sprout/tree/diff"' in as_alice.get(f"/p/sprout/{page}").content.decode()
