"""Writing the tracking plan."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction

from whytree.errors import Conflict, Invalid, NotFound
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..models import TrackingPlan
from ..queries import property_names
from .document import BY_ITSELF, Change, NotAPlan, Plan, PlannedEvent, as_document, differences, read_document

#: Events of a plan that is kept whole with each edit, so that one can be taken back.
MOST_UNDONE = 1_000


def plan_of(product: Product) -> Plan:
    """What the product means to send; empty when nobody wrote a plan."""
    found = TrackingPlan.objects.filter(product=product).first()
    return read_document(found.document) if found is not None else Plan(strict=False)


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
            product=product, defaults={"document": _nothing_said()}
        )
        changes = differences(read_document(kept.document), after)
        if changes:
            kept.document = as_document(after)
            kept.save(update_fields=["document"])
            summary = {what: [one.event for one in changes if one.what == what][:50] for what in _WHATS}
            record(actor, product, "apply_plan", kept, after=summary, undoable=False)
    return changes


def plan_event(actor: Actor, product: Product, event: str, said: Mapping[str, Any]) -> PlannedEvent:
    """Say what one event is: any of `status`, `owner`, `description`, and those `properties` that are named (None: planned no
    longer). All else stays. Where the plan is strict, the properties that are sent by now are planned with the first one:
    else they would break it.
    """
    require(actor, product, Role.MEMBER)
    with transaction.atomic():
        kept, _ = TrackingPlan.objects.select_for_update().get_or_create(
            product=product, defaults={"document": _nothing_said()}
        )
        before, plan = snapshot(kept), read_document(kept.document)
        known = plan.events[event].as_plain() if event in plan.events else {}
        properties = _properties(product, event, known.get("properties", {}), said.get("properties"), whole=plan.strict)
        document = as_document(plan)
        document["events"][event] = {**known, **said, "properties": properties}
        after = checked_plan(document)
        if after != plan:
            _keep(actor, product, kept, before, after, "plan_event")
    return after.events[event]


def unplan_event(actor: Actor, product: Product, event: str) -> None:
    """Plan an event no longer. What is sent of it still comes in."""
    require(actor, product, Role.MEMBER)
    with transaction.atomic():
        kept = TrackingPlan.objects.select_for_update().filter(product=product).first()
        plan = read_document(kept.document) if kept else Plan()
        if kept is None or event not in plan.events:
            raise NotFound(f"The plan has no event “{event[:80]}”. `whytree plan export` names those it has.")
        rest = {name: one for name, one in plan.events.items() if name != event}
        _keep(actor, product, kept, snapshot(kept), replace(plan, events=rest), "unplan_event")


def set_strict(actor: Actor, product: Product, *, strict: bool) -> Plan:
    """Say whether the plan is the whole of it, so that what it does not name breaks it."""
    require(actor, product, Role.MEMBER)
    with transaction.atomic():
        kept = TrackingPlan.objects.select_for_update().filter(product=product).first()
        if kept is None:
            raise Conflict("There is no plan yet. Describe an event first, or apply a file.")
        plan = read_document(kept.document)
        if plan.strict != strict:
            _keep(actor, product, kept, snapshot(kept), replace(plan, strict=strict), "set_plan_strict")
    return replace(plan, strict=strict)


def _nothing_said() -> dict[str, Any]:
    """Whoever describes one event has said nothing of the others."""
    return as_document(Plan(strict=False))


def _properties(product: Product, event: str, known: Mapping[str, Any], said: Any, *, whole: bool) -> dict[str, Any]:
    if said is not None and not isinstance(said, Mapping):
        raise Invalid("properties are names with what each is, as {plan: {type: text, required: true}}.")
    sent = property_names(product, event) if whole and said and not known else []
    by_now = {name: "any" for name in sent if not name.startswith(BY_ITSELF)}
    planned = {**by_now, **known, **(said or {})}
    return {name: one for name, one in planned.items() if one is not None}


def _keep(actor: Actor, product: Product, kept: TrackingPlan, before: dict[str, Any], after: Plan, verb: str) -> None:
    kept.document = as_document(after)
    kept.save(update_fields=["document"])
    record(actor, product, verb, kept, before=before, after=snapshot(kept), undoable=len(after.events) <= MOST_UNDONE)


_WHATS = ("added", "changed", "removed")
