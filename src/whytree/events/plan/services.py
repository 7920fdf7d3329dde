"""Writing the tracking plan."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from whytree.errors import Invalid
from whytree.workspace.access import require
from whytree.workspace.activity import record
from whytree.workspace.actors import Actor
from whytree.workspace.models import Product
from whytree.workspace.roles import Role

from ..models import TrackingPlan
from .document import Change, NotAPlan, Plan, as_document, differences, read_document


def plan_of(product: Product) -> Plan:
    """What the product means to send; empty when nobody wrote a plan."""
    found = TrackingPlan.objects.filter(product=product).first()
    return read_document(found.document) if found is not None else {}


def checked_plan(document: Any) -> Plan:
    """A document as a plan. Raises `Invalid` with what is wrong in it."""
    try:
        return read_document(document)
    except NotAPlan as error:
        raise Invalid(str(error)) from error


def diff_plan(product: Product, document: Mapping[str, Any]) -> list[Change]:
    """What `apply_plan` would change."""
    return differences(plan_of(product), checked_plan(document))


def apply_plan(actor: Actor, product: Product, document: Mapping[str, Any]) -> list[Change]:
    """Make this the product's plan; what it does not name is planned no longer. Returns what changed."""
    require(actor, product, Role.MEMBER)
    after = checked_plan(document)
    with transaction.atomic():
        kept, _ = TrackingPlan.objects.select_for_update().get_or_create(
            product=product, defaults={"document": as_document({})}
        )
        changes = differences(read_document(kept.document), after)
        if changes:
            kept.document = as_document(after)
            kept.save(update_fields=["document"])
            summary = {what: [one.event for one in changes if one.what == what][:50] for what in _WHATS}
            record(actor, product, "apply_plan", kept, after=summary, undoable=False)
    return changes


_WHATS = ("added", "changed", "removed")
