"""Drafts of the tree: proposed from what was read, confirmed, worded or discarded by a person."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from whytree.code.models import Repository, Ticket
from whytree.code.services import tell_reason
from whytree.code.trackers.tickets import TicketFacts, see_ticket
from whytree.engines.links.tickets import TicketRef
from whytree.engines.texts.issues import is_machine, spoken
from whytree.errors import Conflict, Invalid
from whytree.tree.models import (
    TITLE_LENGTH,
    Draft,
    DraftKind,
    DraftState,
    EvidenceType,
    Node,
    Provenance,
    SourceKind,
    State,
)
from whytree.tree.queries import find_node
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .checks import save_checked
from .evidence import link_evidence
from .lifecycle import move_node, set_state
from .nodes import create_opportunity, create_outcome, create_solution
from .tickets import link_ticket

# How an activity says so.
PROPOSE_DRAFTS = "propose_drafts"

# A confirmed topic brings the words of its most typical tickets; more would bury the page.
MOST_VOICES = 12
_BEHIND = re.compile(r"(?P<what>request|commit) (?P<repository>\d+) (?P<name>[#!]\d+|[0-9a-f]{40,64})")


def request_key(repository: int, number: str) -> str:
    """How a draft of one pull request is called, by whoever infers it."""
    return f"request {repository} {number}"


def commit_key(repository: int, sha: str) -> str:
    """... and one of a single commit."""
    return f"commit {repository} {sha}"


@dataclass(frozen=True)
class Proposal:
    """A node that might be. `under` is the key of the proposal it belongs under."""

    kind: str
    key: str
    title: str
    rule: str
    score: float
    because: str = ""
    under: str = ""
    tickets: Sequence[int] = ()
    lines: int = 0


@dataclass(frozen=True)
class Proposed:
    """Drafts that are new, that were there, and that wait for a person now."""

    new: int
    kept: int
    open: int


def propose_drafts(actor: Actor, product: Product, proposals: Sequence[Proposal]) -> Proposed:
    """Make the open drafts be these. What a person confirmed, discarded or worded stays as it is."""
    require(actor, product, Role.MEMBER)
    with transaction.atomic():
        Product.objects.select_for_update().get(pk=product.pk)
        rows = {row.key: row for row in Draft.objects.filter(product=product)}
        wanted = {one.key[:400]: one for one in proposals}
        new = 0
        for key, one in wanted.items():
            known = rows.get(key)
            if known is not None and known.state != DraftState.PROPOSED:
                continue
            new += known is None
            rows[key] = save_checked(_told(known or Draft(product=product, key=key), one))
        _hang(rows, wanted)
        gone = [
            row
            for key, row in rows.items()
            if key not in wanted and row.state == DraftState.PROPOSED and not row.edited
        ]
        for row in gone:
            row.delete()
        still = Draft.objects.filter(product=product, state=DraftState.PROPOSED).count()
        if new or gone:
            after = {"new": new, "gone": len(gone), "open": still}
            record(actor, product, PROPOSE_DRAFTS, product, after=after, undoable=False)
    return Proposed(new=new, kept=len(wanted) - new, open=still)


def _told(row: Draft, one: Proposal) -> Draft:
    if not row.edited:
        row.title = " ".join(one.title.split())[:TITLE_LENGTH]
    row.kind, row.rule, row.score = one.kind, one.rule, one.score
    row.because, row.tickets, row.lines = one.because[:300], list(one.tickets), one.lines
    return row


def _hang(rows: dict[str, Draft], wanted: dict[str, Proposal]) -> None:
    for key, one in wanted.items():
        row, above = rows[key], rows.get(one.under)
        parent = above if above is not None and above.state != DraftState.DISCARDED else None
        if row.state == DraftState.PROPOSED and row.parent_id != (parent.pk if parent else None):
            row.parent = parent
            row.save(update_fields=["parent"])


def edit_draft(actor: Actor, draft: Draft, *, title: str) -> Draft:
    """Put it into better words; later readings leave them alone."""
    require(actor, draft.product, Role.MEMBER)
    with transaction.atomic():
        fresh = _open(draft)
        before = snapshot(fresh)
        fresh.title, fresh.edited = title.strip(), True
        if snapshot(fresh) != before:
            save_checked(fresh)
            record(actor, fresh.product, "edit_draft", fresh, before=before, after=snapshot(fresh), undoable=False)
    return fresh


def discard_draft(actor: Actor, draft: Draft) -> Draft:
    """No. It is remembered, so that no reading proposes it again; what stood under it stands alone."""
    require(actor, draft.product, Role.MEMBER)
    with transaction.atomic():
        fresh = _open(draft)
        fresh.children.filter(state=DraftState.PROPOSED).update(parent=None)
        _decide(actor, fresh, DraftState.DISCARDED, "discard_draft")
    return fresh


def confirm_draft(actor: Actor, draft: Draft) -> Node:
    """Yes: it becomes a node, under the node its draft parent became, with its tickets and their authors' words."""
    require(actor, draft.product, Role.MEMBER)
    with transaction.atomic():
        fresh = _open(draft)
        node = _make(actor, fresh)
        fresh.node_ref = node.ref
        _decide(actor, fresh, DraftState.CONFIRMED, "confirm_draft")
        _bring_tickets(actor, fresh, node)
        for child in fresh.children.filter(state=DraftState.CONFIRMED):
            below = find_node(fresh.product, child.node_ref)
            if below.parent_node is None and not below.is_closed:
                move_node(actor, below, node)
    return node


def _open(draft: Draft) -> Draft:
    fresh = Draft.objects.select_for_update(of=("self",)).select_related("product", "parent").get(pk=draft.pk)
    if fresh.state == DraftState.CONFIRMED:
        raise Conflict(f"This draft was confirmed already: it is {fresh.node_ref}. Edit or close that.")
    if fresh.state == DraftState.DISCARDED:
        raise Conflict("This draft was discarded. Say it in your own words instead: add a node to the tree.")
    return fresh


def _decide(actor: Actor, draft: Draft, state: DraftState, verb: str) -> None:
    before = {"state": draft.state}
    draft.state, draft.decided_at, draft.decided_by_id = state, timezone.now(), actor.user_id
    draft.save()
    after = {"state": draft.state, "node": draft.node_ref}
    record(actor, draft.product, verb, draft, before=before, after=after, undoable=False)


def _make(actor: Actor, draft: Draft) -> Node:
    product = draft.product
    parent = draft.parent
    above: Any = find_node(product, parent.node_ref) if parent and parent.state == DraftState.CONFIRMED else None
    if above is not None and above.is_closed:
        above = None
    fields: dict[str, Any] = {"title": draft.title, "description": draft.because}
    if draft.kind == DraftKind.OUTCOME:
        return create_outcome(actor, product, **fields)
    if draft.kind == DraftKind.OPPORTUNITY:
        return create_opportunity(actor, product, outcome=above, **fields)
    if draft.kind == DraftKind.SOLUTION:
        made = create_solution(actor, product, opportunity=above, **fields)
        return set_state(actor, made, State.LIVE) if draft.lines else made
    raise Invalid(f"There is no kind of node {draft.kind!r}.")


def _bring_tickets(actor: Actor, draft: Draft, node: Node) -> None:
    """A solution's tickets are tied to it, and its commit is for it, which a person has just said. A topic's tickets
    bring their authors' words: that each belongs there was inferred, and stays marked so."""
    tickets = {row.pk: row for row in Ticket.objects.filter(product=draft.product, pk__in=draft.tickets)}
    ordered = [tickets[pk] for pk in draft.tickets if pk in tickets]
    if draft.kind == DraftKind.SOLUTION:
        for ticket in ordered:
            link_ticket(actor, node, ticket)
        _bring_commits(actor, draft, node)
    if draft.kind == DraftKind.OPPORTUNITY:
        for ticket in ordered[:MOST_VOICES]:
            _link_words(actor, draft, node, ticket)


def _bring_commits(actor: Actor, draft: Draft, node: Node) -> None:
    """What a draft was inferred from leads to its node now: a request by its number, a commit because somebody said so."""
    found = _BEHIND.fullmatch(draft.key)
    repository = found and Repository.objects.filter(product=draft.product, pk=int(found["repository"])).first()
    if not found or not repository:
        return
    if found["what"] == "request":
        ref = TicketRef(found["name"], repository.tracker)
        link_ticket(actor, node, see_ticket(actor, draft.product, TicketFacts(ref, title=draft.title)))
    elif commit := repository.commits.select_related("repository__product").filter(sha=found["name"]).first():
        tell_reason(actor, commit, node.ref)


def _link_words(actor: Actor, draft: Draft, node: Node, ticket: Ticket) -> None:
    if is_machine(ticket.author):
        return
    link_evidence(
        actor,
        draft.product,
        node,
        quote=(spoken(ticket.body) or ticket.title)[:2000],
        source_kind=SourceKind.URL,
        source_id=ticket.url or f"{ticket.tracker}{ticket.key}",
        person_key=ticket.author,
        evidence_type=EvidenceType.ANECDOTAL,
        said_at=ticket.opened_at,
        provenance=Provenance.INFERRED,
        rule=draft.rule,
    )
