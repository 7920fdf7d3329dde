"""Tie the team's own tickets to nodes."""

from django.db import transaction

from whytree.code.models import Ticket
from whytree.tree.models import Node, Provenance, TicketLink
from whytree.workspace.access import require
from whytree.workspace.activity import record, snapshot
from whytree.workspace.actors import Actor
from whytree.workspace.roles import Role

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


def unlink_ticket(actor: Actor, link: TicketLink) -> None:
    require(actor, link.product, Role.MEMBER)
    with transaction.atomic():
        before, pk = snapshot(link), link.pk
        link.delete()
        link.pk = pk
        record(actor, link.product, "unlink_ticket", link, before=before, after=None)
