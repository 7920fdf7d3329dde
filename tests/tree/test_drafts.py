"""Drafts of the tree: proposed, confirmed, worded, discarded; never nodes before a person says so."""

from datetime import UTC, datetime
from typing import Any

import pytest

from whytree.code.models import Repository, Ticket
from whytree.engines.links.rules import CommitFacts, find_link
from whytree.errors import Conflict, Invalid
from whytree.tree.models import Draft, EvidenceLink, Opportunity, Solution, TicketLink
from whytree.tree.outline import load_tree
from whytree.tree.queries import open_drafts
from whytree.tree.services import Proposal, confirm_draft, discard_draft, edit_draft, propose_drafts
from whytree.why.answering.linking import Resolver
from whytree.workspace.models import Activity


@pytest.fixture
def tickets(product: Any) -> list[Ticket]:
    said = ("I get paged at night.", "Pausing takes eleven clicks.", "")
    return [
        Ticket.objects.create(
            product=product,
            key=f"#{number}",
            tracker="github.com/acme/sprout",
            url=f"https://github.com/acme/sprout/issues/{number}",
            title=f"Pause {number}",
            body=words,
            author=f"person{number}",
            opened_at=datetime(2026, 1, number, tzinfo=UTC),
        )
        for number, words in enumerate(said, 1)
    ]


@pytest.fixture
def proposals(tickets: list[Ticket]) -> list[Proposal]:
    keys = [ticket.pk for ticket in tickets]
    topic = Proposal("OPP", "topic #1", "Pause 1", "alike tickets", 0.4, "3 tickets", tickets=keys)
    work = Proposal(
        "SOL", "ticket #1", "Pause 1", "work on one ticket", 0.6, under="topic #1", tickets=keys[:1], lines=40
    )
    return [topic, work, Proposal("SOL", "flag x", "x", "flag in code", 0.6, lines=3)]


def by_key(key: str) -> Draft:
    return Draft.objects.get(key=key)


def test_drafts_are_no_nodes_and_count_nowhere(actor: Any, product: Any, proposals: list[Proposal]) -> None:
    done = propose_drafts(actor, product, proposals)
    assert (done.new, done.open) == (3, 3)
    assert len(load_tree(product)) == 0
    assert not Solution.objects.exists()
    assert not EvidenceLink.objects.exists()
    assert [draft.key for draft in open_drafts(product)] == ["topic #1", "ticket #1", "flag x"]
    assert Activity.objects.filter(verb="propose_drafts").count() == 1


def test_proposing_again_changes_nothing(actor: Any, product: Any, proposals: list[Proposal]) -> None:
    propose_drafts(actor, product, proposals)
    again = propose_drafts(actor, product, proposals)
    assert (again.new, again.kept, again.open) == (0, 3, 3)
    assert Activity.objects.filter(verb="propose_drafts").count() == 1


def test_a_confirmed_draft_becomes_a_node_with_its_tickets_and_words(
    actor: Any, product: Any, proposals: list[Proposal]
) -> None:
    propose_drafts(actor, product, proposals)
    solution = confirm_draft(actor, by_key("ticket #1"))
    assert (solution.ref, solution.title, solution.parent_node) == ("SOL-1", "Pause 1", None)
    assert isinstance(solution, Solution)
    assert solution.state == "live"
    assert TicketLink.objects.get().provenance == "stated"
    opportunity = confirm_draft(actor, by_key("topic #1"))
    solution.refresh_from_db()
    assert solution.parent_node == opportunity  # it waited for its parent
    words = EvidenceLink.objects.order_by("said_at")
    assert [link.quote for link in words] == ["I get paged at night.", "Pausing takes eleven clicks.", "Pause 3"]
    assert {(link.provenance, link.rule) for link in words} == {("inferred", "alike tickets")}
    with pytest.raises(Conflict, match="it is OPP-1"):
        confirm_draft(actor, by_key("topic #1"))


def test_a_discarded_draft_never_comes_back(actor: Any, product: Any, proposals: list[Proposal]) -> None:
    propose_drafts(actor, product, proposals)
    discard_draft(actor, by_key("topic #1"))
    done = propose_drafts(actor, product, proposals)
    assert (done.new, done.open) == (0, 2)
    assert by_key("ticket #1").parent is None  # what stood under it stands alone
    with pytest.raises(Conflict, match="was discarded"):
        discard_draft(actor, by_key("topic #1"))


def test_what_nothing_speaks_for_any_more_goes_unless_a_person_worded_it(
    actor: Any, product: Any, proposals: list[Proposal]
) -> None:
    propose_drafts(actor, product, proposals)
    edit_draft(actor, by_key("flag x"), title="Let people try x")
    propose_drafts(actor, product, [])
    assert [draft.title for draft in open_drafts(product)] == ["Let people try x"]
    propose_drafts(actor, product, proposals)
    assert by_key("flag x").title == "Let people try x"


def test_it_refuses_a_draft_without_words(actor: Any, product: Any, proposals: list[Proposal]) -> None:
    propose_drafts(actor, product, proposals)
    with pytest.raises(Invalid, match="Say it in one sentence"):
        edit_draft(actor, by_key("flag x"), title="   ")


def test_confirmed_nodes_are_not_touched_by_later_readings(actor: Any, product: Any, proposals: list[Proposal]) -> None:
    propose_drafts(actor, product, proposals)
    node = confirm_draft(actor, by_key("topic #1"))
    changed = [Proposal("OPP", "topic #1", "Other words", "alike tickets", 0.4), *proposals[1:]]
    propose_drafts(actor, product, changed)
    assert Opportunity.objects.get(pk=node.pk).title == "Pause 1"


# Doors


def test_the_api_lists_confirms_words_and_discards(
    api: Any, api_viewer: Any, api_charlie: Any, actor: Any, product: Any, proposals: list[Proposal]
) -> None:
    propose_drafts(actor, product, proposals)
    listed = api_viewer.get("/products/sprout/drafts").ok
    assert [(one["kind"], one["score"]) for one in listed] == [
        ("opportunity", 0.4),
        ("solution", 0.6),
        ("solution", 0.6),
    ]
    first = f"/products/sprout/drafts/{listed[0]['id']}"
    assert api_viewer.post(f"{first}/confirm").status == 403
    assert api_charlie.post(f"{first}/confirm").status == 404
    assert api.patch(first, {"title": "They are paged at night"}).ok["title"] == "They are paged at night"
    assert api.post(f"{first}/confirm").ok["node"] == "OPP-1"
    assert api.post(f"{first}/confirm").status == 409
    assert api.post(f"/products/sprout/drafts/{listed[2]['id']}/discard").ok["state"] == "discarded"
    assert api.post("/products/sprout/drafts/999/discard").status == 404


def test_another_products_draft_is_not_there(api: Any, other_product: Any, charlie: Any) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    propose_drafts(actor_of_user(charlie), other_product, [Proposal("SOL", "flag x", "x", "flag in code", 0.6)])
    assert api.post(f"/products/sprout/drafts/{Draft.objects.get().pk}/confirm").status == 404


def test_the_tree_page_shows_them_as_drafts_and_takes_yes_and_no(
    as_alice: Any, as_viewer: Any, actor: Any, product: Any, proposals: list[Proposal]
) -> None:
    propose_drafts(actor, product, [*proposals, Proposal("SOL", "flag <b>", "<script>x</script>", "flag in code", 0.6)])
    page = as_viewer.get("/p/sprout/tree").content.decode()
    assert "draft, inferred" in page
    assert "inferred: alike tickets (0.4)" in page
    assert "<script>x</script>" not in page
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert "/confirm" not in page  # a viewer is offered nothing
    pk = by_key("topic #1").pk
    assert as_viewer.post(f"/p/sprout/drafts/{pk}/confirm").status_code == 403
    assert as_alice.get(f"/p/sprout/drafts/{pk}/confirm").status_code == 405
    assert "OPP-1 stands in the tree" in as_alice.post(f"/p/sprout/drafts/{pk}/confirm", follow=True).content.decode()
    assert "was confirmed already" in as_alice.post(f"/p/sprout/drafts/{pk}/discard", follow=True).content.decode()
    as_alice.post(f"/p/sprout/drafts/{by_key('flag x').pk}/edit", {"title": "Let people try x"})
    assert by_key("flag x").edited
    assert (
        "Say it in one sentence"
        in as_alice.post(f"/p/sprout/drafts/{by_key('flag x').pk}/edit", {"title": ""}, follow=True).content.decode()
    )


def test_a_confirmed_pull_request_explains_its_commits(actor: Any, product: Any) -> None:
    repository = Repository.objects.create(
        product=product, name="sprout", root_sha="a" * 40, tracker="github.com/acme/sprout"
    )
    propose_drafts(actor, product, [Proposal("SOL", f"request {repository.pk} #12", "Pause", "one pull request", 0.5)])
    node = confirm_draft(actor, by_key(f"request {repository.pk} #12"))
    tied = TicketLink.objects.get(ticket__key="#12", ticket__tracker="github.com/acme/sprout")
    assert (tied.node_id, tied.provenance) == (node.pk, "stated")
    facts = CommitFacts("Add pausing (#12)")
    assert find_link(facts, Resolver(product, "github.com/acme/sprout")).link.refs == (node.ref,)  # type: ignore[union-attr]
