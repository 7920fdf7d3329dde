"""What may change the metrics."""

from typing import Any, TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import transaction

from whytree.errors import Conflict, Invalid
from whytree.tree.models import Hypothesis, Node, Outcome
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role
from whytree.workspace.sockets import tell_fact

from .definitions import as_json, checked_definition
from .models import Metric
from .queries import find_metric

#: Would hide behind the page that makes a new one.
RESERVED = frozenset({"new"})


class MetricFields(TypedDict, total=False):
    """What a metric is called and what it is for. `unit` None is that of its kind."""

    name: str
    unit: str | None
    direction: str
    category: str
    role: str
    owner: str
    description: str


class MetricEdits(MetricFields, total=False):
    """What `edit_metric` may change; what is left out stays. The key stays: outcomes and predictions name it."""

    definition: object


@transaction.atomic
def create_metric(
    actor: Actor, product: Product, *, key: str, definition: object, **fields: Unpack[MetricFields]
) -> Metric:
    """A new number that computes itself. Without a name it is called by its key, without a unit by its kind's."""
    require(actor, product, Role.MEMBER)
    key, checked = key.strip(), checked_definition(definition)
    if key in RESERVED:
        raise Invalid(f"{key!r} is an address of ours. Choose another key.")
    if Metric.objects.filter(product=product, key=key).exists():
        raise Conflict(f"There is a metric {key} already. Edit it, or choose another key.")
    metric = Metric(product=product, key=key, name=key, definition=as_json(checked), unit=checked.usual_unit)
    _fill(metric, fields)
    _save(metric)
    record(actor, product, "create_metric", metric)
    return metric


@transaction.atomic
def edit_metric(actor: Actor, product: Product, key: str, **edits: Unpack[MetricEdits]) -> Metric:
    """Change what it is called or counts. Refused for the definition while a locked prediction rests on it."""
    require(actor, product, Role.MEMBER)
    metric = find_metric(product, key)
    before = snapshot(metric)
    if "definition" in edits:
        _redefine(metric, edits["definition"])
    _fill(metric, edits)
    if snapshot(metric) == before:
        return metric
    _save(metric)
    record(actor, product, "edit_metric", metric, before=before, after=snapshot(metric))
    return metric


def _fill(metric: Metric, fields: MetricFields) -> None:
    if "name" in fields:
        metric.name = fields["name"].strip() or metric.key
    if (unit := fields.get("unit")) is not None:
        metric.unit = unit.strip()
    metric.direction = fields.get("direction", metric.direction)
    metric.category = fields.get("category", metric.category)
    metric.role = fields.get("role", metric.role)
    metric.owner = fields.get("owner", metric.owner).strip()
    metric.description = fields.get("description", metric.description).strip()


def _redefine(metric: Metric, definition: object) -> None:
    checked = checked_definition(definition)
    if as_json(checked) == metric.definition:
        return
    locked = _locked_on(metric)
    if locked is not None:
        raise Conflict(
            f"{locked.ref} is locked and was predicted in this metric, so what it counts cannot change. Make a new metric."
        )
    tell_fact("metric_changing", product=metric.product, key=metric.key, is_leaving=False)
    if checked.usual_unit != checked_definition(metric.definition).usual_unit:
        metric.unit = checked.usual_unit
    metric.definition = as_json(checked)


@transaction.atomic
def delete_metric(actor: Actor, product: Product, key: str) -> None:
    """Remove a metric that no outcome and no prediction names. The events stay."""
    require(actor, product, Role.MEMBER)
    metric = find_metric(product, key)
    users = used_by(metric)
    if users:
        rest = "rests" if len(users) == 1 else "rest"
        raise Conflict(
            f"{', '.join(node.ref for node in users[:5])} {rest} on it. Give {'it' if len(users) == 1 else 'them'} another metric first."
        )
    tell_fact("metric_changing", product=product, key=metric.key, is_leaving=True)
    before = snapshot(metric)
    record(actor, product, "delete_metric", metric, before=before, after=None)
    metric.delete()


def used_by(metric: Metric) -> list[Node]:
    """The outcomes and hypotheses that name this metric, also as a guardrail or a counter-metric."""
    outcomes = [
        outcome
        for outcome in Outcome.objects.filter(product=metric.product)
        if metric.key in (outcome.metric_key, *outcome.counter_metric_keys)
    ]
    return [*outcomes, *(hypothesis for hypothesis in _hypotheses(metric.product) if _rests_on(hypothesis, metric.key))]


def _locked_on(metric: Metric) -> Hypothesis | None:
    hypotheses = _hypotheses(metric.product)
    return next((one for one in hypotheses if one.is_locked and _rests_on(one, metric.key)), None)


def _hypotheses(product: Product) -> list[Hypothesis]:
    return list(Hypothesis.objects.filter(product=product))


def _rests_on(hypothesis: Hypothesis, key: str) -> bool:
    guardrails: list[dict[str, Any]] = hypothesis.guardrails
    return key == hypothesis.metric_key or any(rail["metric_key"] == key for rail in guardrails)


def _save(metric: Metric) -> None:
    if any("\x00" in text for text in (metric.name, metric.unit, metric.owner, metric.description)):
        raise Invalid("Plain text, please: it holds a NUL character.")
    try:
        metric.full_clean()
    except ValidationError as error:
        field, problems = next(iter(error.message_dict.items()))
        raise Invalid(
            f"{field.replace('_', ' ').capitalize()}: {problems[0]}", details=dict(error.message_dict)
        ) from error
    metric.save()
