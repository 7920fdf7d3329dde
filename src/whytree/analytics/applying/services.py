"""Making a file's metrics the product's."""

from dataclasses import dataclass
from typing import Any

import yaml
from django.db import transaction

from whytree.errors import Invalid, WhytreeError
from whytree.events.plan import services as plans
from whytree.events.queries import property_names
from whytree.workspace.models import Product
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..definitions import warnings
from ..models import Metric
from ..queries import definition_of, known_events, list_metrics
from ..services import create_metric, edit_metric
from .document import FIELDS, Fault, Wanted, as_document, read_document, refuse
from .lines import Lined, read_lines


@dataclass(frozen=True)
class Change:
    """One difference. `kind` is metric or event, `what` is added, changed or removed; `warnings` name events that never came."""

    kind: str
    name: str
    what: str
    details: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def apply_file(actor: Actor, product: Product, text: str, *, dry_run: bool = False) -> list[Change]:
    """Make metrics, and the tracking plan where the file has one, what it says; all of it or nothing. Returns what changed.

    Metrics that it does not name stay; events that its plan does not name are planned no longer. A dry run goes all the
    way, with every refusal, and takes it back.
    """
    require(actor, product, Role.MEMBER)
    found = read_lines(text)
    wanted, plan = read_document(found)
    with transaction.atomic():
        changes = _apply_metrics(actor, product, wanted, found)
        changes += _apply_plan(actor, product, plan, found) if plan is not None else []
        if dry_run:
            transaction.set_rollback(True)
    return changes


def export_metrics(product: Product, keys: list[str] | None = None) -> str:
    """The product's metrics as a file; always the same for the same metrics."""
    metrics = [metric for metric in list_metrics(product) if keys is None or metric.key in keys]
    return yaml.safe_dump(as_document(metrics), allow_unicode=True, sort_keys=False, width=110)


def _apply_metrics(actor: Actor, product: Product, wanted: list[Wanted], found: Lined) -> list[Change]:
    known = {metric.key: metric for metric in list_metrics(product)}
    changes, faults = [], []
    names, properties = known_events(product), property_names(product)
    for one in wanted:
        before = known.get(one.key)
        details = _differences(before, one) if before is not None else ()
        if before is not None and not details:
            continue
        try:
            made = _apply_one(actor, product, one, is_new=before is None)
        except WhytreeError as error:
            faults.append(Fault(found.line(("metrics", one.key)), f"{one.key}: {error}"))
            continue
        what = "added" if before is None else "changed"
        changes.append(
            Change("metric", one.key, what, details, tuple(warnings(definition_of(made), names, properties)))
        )
    refuse(faults)
    return changes


def _apply_one(actor: Actor, product: Product, one: Wanted, *, is_new: bool) -> Metric:
    fields: Any = one.fields
    with transaction.atomic():  # a refusal takes back this one alone, so that all others are looked at too
        if is_new:
            return create_metric(actor, product, key=one.key, definition=one.definition, **fields)
        return edit_metric(actor, product, one.key, definition=one.definition, **fields)


def _differences(before: Metric, wanted: Wanted) -> tuple[str, ...]:
    was = {**before.definition, **{name: getattr(before, name) for name in FIELDS}}
    will = {**wanted.definition, **wanted.fields}
    names = [name for name in (*FIELDS, *sorted(was.keys() | will.keys() - set(FIELDS))) if name != "version"]
    return tuple(
        f"{name}: {_shown(was.get(name))} → {_shown(will.get(name))}"
        for name in dict.fromkeys(names)
        if was.get(name) != will.get(name)
    )


def _shown(value: Any) -> str:
    if value in (None, ""):
        return "nothing"
    text = value if isinstance(value, str) else yaml.safe_dump(value, default_flow_style=True, width=10_000)
    text = text.removesuffix("\n...\n").strip()
    return text if len(text) <= 200 else f"{text[:199]}…"


def _apply_plan(actor: Actor, product: Product, plan: dict[str, Any], found: Lined) -> list[Change]:
    try:
        changes = plans.apply_plan(actor, product, plan)
    except Invalid as error:
        events = said if isinstance(said := plan.get("events"), dict) else {}
        named = next((name for name in events if f"“{name}" in str(error)), "")
        raise Invalid(f"line {found.line(('events', named))}: {error}") from error
    return [Change("event", one.event or "the plan", one.what, one.details) for one in changes]
