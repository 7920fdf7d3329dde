"""Say afterwards what a commit is for, where its clone is not at hand: kept here, and as a git note by the next sync."""

from collections.abc import Iterable

from whytree.code.models import ToldReason
from whytree.code.queries import find_commit, ticket_named
from whytree.code.services import tell_reason, withdraw_reason
from whytree.engines.links.tickets import TicketRef
from whytree.errors import Invalid, NotFound
from whytree.tree.queries import find_node
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may, may_write
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..answer import Reason
from ..refs import NodeRef, NotAReference, parse_ref

ONE_WORD = "{reason} names nothing here. Say an id (SOL-3), a ticket (#412), or a few words."


def tell_why(actor: Actor, product: Product, sha: str, reason: str) -> ToldReason:
    """Keep that the commit is for `reason`: a node or a ticket of this product, else a reason in words."""
    return tell_reason(actor, find_commit(product, sha), checked_reason(product, reason))


def withdraw_why(actor: Actor, product: Product, pk: int) -> None:
    """Take back what was told."""
    told = ToldReason.objects.filter(pk=pk, commit__repository__product=product)
    found = told.select_related("commit__repository__product").first()
    if found is None:
        raise NotFound("Nothing was told under that number, or it was taken back already.")
    withdraw_reason(actor, found)


def withdrawable(actor: Actor, product: Product, shown: Iterable[Reason]) -> frozenset[int]:
    """Of the reasons shown, those that this person may take back."""
    told = ToldReason.objects.filter(pk__in=[one.told_id for one in shown if one.told_id])
    if not may_write(actor, product):
        return frozenset()
    mine = told if may(actor, product, Role.MAINTAINER) else told.filter(told_by=actor.user_id)
    return frozenset(mine.values_list("pk", flat=True))


def checked_reason(product: Product, reason: str) -> str:
    """A reason as it is kept. One that looks like an id or a ticket must be there; a single other word is a slip."""
    reason = reason.strip()
    try:
        ref = parse_ref(reason)
    except NotAReference:
        ref = None
    if isinstance(ref, NodeRef):
        return find_node(product, ref.ref).ref
    if isinstance(ref, TicketRef):
        ticket_named(product, ref)
        return reason
    if len(reason.split()) < 2:
        raise Invalid(ONE_WORD.format(reason=repr(reason[:40])))
    return reason
