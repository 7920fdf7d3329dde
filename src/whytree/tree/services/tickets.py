"""Tie the team's own tickets to nodes."""

from django.db import transaction

from whytree.code.models import Ticket
from whytree.code.queries import find_ticket, list_repositories
from whytree.code.trackers.tickets import TicketFacts, see_ticket
from whytree.engines.links.tickets import TicketRef, parse_ticket
from whytree.errors import Invalid
from whytree.tree.models import Node, Provenance, TicketLink
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .checks import refuse_other_product, save_checked


def link_ticket(
    actor: Actor, node: Node, ticket: Ticket, *, provenance: str = Provenance.STATED, rule: str = ""
) -> TicketLink:
    """Tie a ticket of the team's tracker to a node. A stated link replaces an inferred one, never the other way."""
    require(actor, node.product, Role.MEMBER)
    refuse_other_product(node.product, ticket)
    with transaction.atomic():
        link = TicketLink.objects.filter(ticket=ticket, node_kind=node.prefix, node_id=node.pk).first()
        if link is not None and (link.provenance == provenance or link.provenance == Provenance.STATED):
            return link
        before = snapshot(link) if link is not None else None
        link = link or TicketLink(product=node.product, ticket=ticket, node_kind=node.prefix, node_id=node.pk)
        link.provenance, link.rule = provenance, rule
        save_checked(link)
        record(actor, node.product, "link_ticket", link, before=before, after=snapshot(link))
    return link


def link_written_ticket(actor: Actor, node: Node, written: str, *, title: str = "") -> TicketLink:
    """Tie the ticket that somebody typed: an address, `#12`, `ABC-12`. It is made known when it was not."""
    require(actor, node.product, Role.MEMBER)
    ref = parse_ticket(written)
    if ref is None:
        raise Invalid(
            f"{written.strip()[:80] or 'Nothing'} is no ticket. Write its address, its number (#12) or its key (ABC-12)."
        )
    with transaction.atomic():
        known = find_ticket(node.product, ref)
        if known is not None:
            ref = TicketRef(known.key, known.tracker, ref.url or known.url)
        elif not ref.tracker and ref.key[0] in "#!":
            ref = TicketRef(ref.key, _only_tracker(node.product), ref.url)
        return link_ticket(actor, node, see_ticket(actor, node.product, TicketFacts(ref, title=title)))


def _only_tracker(product: Product) -> str:
    """Whose number a bare #12 is, while there is but one repository."""
    trackers = {repository.tracker for repository in list_repositories(product)}
    return trackers.pop() if len(trackers) == 1 else ""


def unlink_ticket(actor: Actor, link: TicketLink) -> None:
    require(actor, link.product, Role.MEMBER)
    with transaction.atomic():
        before, pk = snapshot(link), link.pk
        link.delete()
        link.pk = pk
        record(actor, link.product, "unlink_ticket", link, before=before, after=None)
