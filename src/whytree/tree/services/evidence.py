"""Hang evidence on a node, take it off, and say where one sees its strength differently."""

from typing import Unpack

from django.db import transaction

from whytree.errors import Invalid
from whytree.tree.models import EvidenceLink, Node, Strength
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .checks import AnyNode, assign, for_update, refuse_other_product, save_checked
from .fields import EvidenceFields


def link_evidence(actor: Actor, product: Product, node: Node, **fields: Unpack[EvidenceFields]) -> EvidenceLink:
    """Evidence on any node: `quote` for a person's own words, `statement` for ours, `source_id` for where it comes from.

    A source (`source_kind` and `source_id`) speaks once on a node: linking it again replaces what it said before.
    """
    require(actor, product, Role.MEMBER)
    refuse_other_product(product, node)
    if not any(str(fields.get(name, "")).strip() for name in ("quote", "statement", "source_id")):
        raise Invalid("Say what the evidence is: a quote, a statement, or where it can be found.")
    with transaction.atomic():
        link = _same_source(node, fields)
        before = snapshot(link) if link is not None else None
        if link is None:
            link = EvidenceLink(product=product, node_kind=node.prefix, node_id=node.pk, added_by_id=actor.user_id)
        assign(link, fields)
        if before is not None and snapshot(link) == before:
            return link
        save_checked(link)
        record(actor, product, "link_evidence", link, before=before, after=snapshot(link))
    return link


def unlink_evidence(actor: Actor, link: EvidenceLink) -> None:
    """Take evidence off its node; the activity list keeps it, and undo brings it back."""
    require(actor, link.product, Role.MEMBER)
    with transaction.atomic():
        before, pk = snapshot(link), link.pk
        link.delete()
        link.pk = pk
        record(actor, link.product, "unlink_evidence", link, before=before, after=None)


def override_confidence(actor: Actor, node: AnyNode, *, strength: str, reason: str = "") -> AnyNode:
    """Show another strength than the evidence gives, as an override with its reason. An empty `strength` takes it back."""
    require(actor, node.product, Role.MEMBER)
    if strength and strength not in Strength.values:
        raise Invalid(f"Evidence is {', '.join(Strength.values)}.")
    if strength and not reason.strip():
        raise Invalid("Say why you see the evidence differently.")
    with transaction.atomic():
        fresh = for_update(node)
        before = snapshot(fresh)
        fresh.override, fresh.override_reason = strength, reason.strip() if strength else ""
        if snapshot(fresh) == before:
            return fresh
        save_checked(fresh)
        record(actor, fresh.product, "override_confidence", fresh, before=before, after=snapshot(fresh))
    return fresh


def _same_source(node: Node, fields: EvidenceFields) -> EvidenceLink | None:
    source_id = fields.get("source_id", "").strip()
    if not source_id:
        return None
    return (
        EvidenceLink.objects.select_for_update()
        .filter(
            product=node.product,
            node_kind=node.prefix,
            node_id=node.pk,
            source_kind=fields.get("source_kind", ""),
            source_id=source_id,
        )
        .first()
    )
