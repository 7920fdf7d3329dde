"""What may change before a decision: plan an experiment, start it, stop it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypedDict, Unpack

import msgspec
from django.db import transaction
from django.utils import timezone

from whytree.analytics import definitions
from whytree.analytics.definitions import Mean, Quantile, Ratio, Share, Sum, TimeTo
from whytree.analytics.models import Direction, Metric
from whytree.analytics.queries import definition_of, find_metric
from whytree.errors import Conflict, Invalid
from whytree.flags.models import Flag
from whytree.flags.queries import find_flag
from whytree.flags.services import NeedsApproval, ask_for, set_rollout
from whytree.tree.models import TITLE_LENGTH, Hypothesis
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.records.numbering import next_number
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role
from whytree.workspace.sockets import tell_fact

from .deeper.bandit import refuse_bandit
from .judgement.design import Design, MetricDesign, as_json, read_design
from .models import FIXED, OPEN_STATES, PREFIX, TEXT_LENGTH, Experiment, Rollout
from .switchbacks.planning import begun, ends_at, refuse_switchback
from .underway.countings import not_judged


class PlanEdits(TypedDict, total=False):
    """What `edit_experiment` may change; what is left out stays. `plan` holds fields of `design.Design`."""

    title: str
    plan: Mapping[str, Any]


@transaction.atomic
def create_experiment(
    actor: Actor,
    product: Product,
    *,
    flag: Flag,
    plan: Mapping[str, Any],
    hypothesis: Hypothesis | None = None,
    title: str = "",
) -> Experiment:
    """Plan an experiment on a flag. `plan` holds fields of `design.Design`; arms and weights left out are the flag's,
    and with a hypothesis its metric decides, its guardrails guard, and its horizon is the length.
    """
    require(actor, product, Role.MEMBER)
    hypothesis = hypothesis or flag.hypothesis
    for node in (flag, hypothesis):
        if node is not None and node.product_id != product.pk:
            raise Invalid("The flag or the hypothesis belongs to another product.")
    if flag.archived_at is not None:
        raise Conflict(f"{flag.key} is archived, so nobody can be exposed. Restore it first, or make another flag.")
    if hypothesis is not None and flag.hypothesis_id not in (None, hypothesis.pk):
        raise Invalid(f"{flag.key} carries another hypothesis than {hypothesis.ref}. One flag tests one of them.")
    design = _checked(product, flag, _filled(flag, hypothesis, plan), hypothesis)
    experiment = Experiment(
        product=product,
        number=next_number(product, PREFIX),
        title=_title(title, hypothesis, flag),
        flag=flag,
        hypothesis=hypothesis,
        plan=as_json(design),
    )
    experiment.save()
    record(actor, product, "create_experiment", experiment, undoable=False)
    return experiment


def _filled(flag: Flag, hypothesis: Hypothesis | None, plan: Mapping[str, Any]) -> dict[str, Any]:
    """The plan with what flag and hypothesis know already: nothing is typed twice."""
    known: dict[str, Any] = {
        "control": flag.default_variant,
        "weights": {arm: weight for arm, weight in flag.weights.items() if weight > 0},
        "coverage": flag.coverage or 10_000,
    }
    if hypothesis is not None:
        known["days"] = hypothesis.horizon_days
        known["metrics"] = [{"key": hypothesis.metric_key, "role": "primary"}]
        known["metrics"] += [
            {"key": rail["metric_key"], "role": "guardrail", "harms": rail["direction"], "margin": rail["margin"]}
            for rail in hypothesis.guardrails
        ]
    filled = known | {name: value for name, value in plan.items() if value is not None}
    if "metrics" not in filled:
        raise Invalid("Which metric decides? Name one as primary, or tie the flag to a hypothesis.")
    if "days" not in filled:
        raise Invalid("How many days does it run? No hypothesis brings a length: say days, 21 for three whole weeks.")
    return filled


def _checked(product: Product, flag: Flag, plan: Mapping[str, Any], hypothesis: Hypothesis | None) -> Design:
    switchback = plan.get("switchback") or None
    design = read_design({**plan, "switchback": switchback, "unit": "period" if switchback else flag.unit})
    refuse_switchback(flag, design)
    if hypothesis is not None and design.primary.key != hypothesis.metric_key:
        raise Invalid(
            f"{hypothesis.ref} predicts {hypothesis.metric_key}, so that decides. Make {design.primary.key} a secondary metric, or "
            "write another hypothesis."
        )
    unknown = [arm for arm in design.weights if arm not in flag.variants]
    if unknown:
        raise Invalid(f"{flag.key} has no variant “{unknown[0]}”. Its variants are {', '.join(flag.variants)}.")
    for metric in design.metrics:
        found = find_metric(product, metric.key)
        _check_judged(found, metric, design)
        _check_length(found, design)
    return design


def _check_judged(found: Metric, planned: MetricDesign, design: Design) -> None:
    definition = definition_of(found)
    reason = not_judged(definition, design.unit)
    if reason:
        raise Invalid(f"{found.key}: {reason}")
    if isinstance(definition, Quantile | TimeTo) and (planned.amount or planned.cap or planned.days_before):
        raise Invalid(
            f"{found.key} is a percentile, which no largest value moves: it takes no amount, cap or days before. Leave them out."
        )
    if design.unit == "company" and not definition.by_company and planned.days_before:
        raise Invalid(
            f"{found.key} counts people, and {design.whom} are drawn: what people did before is not taken out of that noise. Leave "
            "the days before out, or plan with a metric of companies."
        )
    if isinstance(definition, Ratio | Mean) and (planned.amount or planned.cap or planned.days_before):
        raise Invalid(
            f"{found.key} is one sum over another, and takes no amount, cap or days before. Leave them out, or plan with a "
            "sum or count."
        )
    if isinstance(definition, Sum) and planned.amount:
        raise Invalid(f"{found.key} adds up {definition.field} already. Leave the amount out.")


def _check_length(metric: Metric, design: Design) -> None:
    meant = definition_of(metric)
    if isinstance(meant, Share | TimeTo) and meant.within_days >= design.days:
        raise Invalid(
            f"{metric.key} gives people {meant.within_days} days, and the experiment runs {design.days}: nobody's time would be "
            f"over. Run it {meant.within_days + 7} days, or choose a metric with a shorter window."
        )


def _title(title: str, hypothesis: Hypothesis | None, flag: Flag) -> str:
    title = title.strip() or (hypothesis.solution.title if hypothesis is not None else flag.name or flag.key)
    if len(title) > TITLE_LENGTH or "\x00" in title:
        raise Invalid(f"A title is one plain sentence: {TITLE_LENGTH} characters at most.")
    return title


def edit_experiment(actor: Actor, experiment: Experiment, **edits: Unpack[PlanEdits]) -> Experiment:
    """Change the title, or the plan while it has not started. An attempt after that is refused, and stays in the log."""
    require(actor, experiment.product, Role.MEMBER)
    if "plan" in edits:
        refuse_started(actor, experiment, edits["plan"])
    with transaction.atomic():
        fresh = held(experiment)
        before = snapshot(fresh)
        if "title" in edits:
            fresh.title = _title(edits["title"], fresh.hypothesis, fresh.flag)
        if "plan" in edits:
            known = as_json(fresh.design)
            fresh.plan = as_json(_checked(fresh.product, fresh.flag, known | dict(edits["plan"]), fresh.hypothesis))
        if snapshot(fresh) == before:
            return fresh
        fresh.save()
        record(actor, fresh.product, "edit_experiment", fresh, before=before, after=snapshot(fresh), undoable=False)
    return fresh


def refuse_started(actor: Actor, experiment: Experiment, attempted: Mapping[str, Any]) -> None:
    """Raise `Conflict` for a started experiment, after the attempt was logged: the log outlives the refusal."""
    now = Experiment.objects.select_related("product").get(pk=experiment.pk)
    if not now.is_started:
        return
    wanted = msgspec.to_builtins({name: value for name, value in attempted.items() if value is not None})
    record(actor, now.product, "refused_edit", now, before=snapshot(now), after=wanted, undoable=False)
    raise Conflict(FIXED.format(ref=now.ref))


@transaction.atomic
def start_experiment(actor: Actor, experiment: Experiment, *, at: datetime | None = None) -> Experiment:
    """Fix the plan and open the flag as it says. The prediction locks with it, and its review is due when this ends."""
    require(actor, experiment.product, Role.MEMBER)
    fresh = held(experiment)
    if fresh.started_at is not None:
        raise Conflict(f"{fresh.ref} has started already, on {fresh.product.there(fresh.started_at):%-d %b %Y}.")
    design, flag = fresh.design, find_flag(fresh.product, fresh.flag.key, for_update=True)
    if flag.archived_at is not None:
        raise Conflict(
            f"{flag.key} is archived, so nobody can be exposed. Restore it first, or plan with another flag."
        )
    others = Experiment.objects.filter(flag=flag, started_at__isnull=False, decided_at=None, stopped_at=None)
    for other in others.exclude(pk=fresh.pk):
        raise Conflict(f"{other.ref} runs on {flag.key} and is not decided. Decide or stop it first.")
    if Rollout.objects.filter(flag=flag, state__in=OPEN_STATES).exists():
        raise Conflict(f"{flag.key} is being rolled out step by step, which changes its weights. End that first.")
    refuse_bandit(flag)
    design = _checked(fresh.product, flag, as_json(design), fresh.hypothesis)
    before, moment = snapshot(fresh), at or timezone.now()
    design = begun(fresh, design, moment)
    fresh.plan = as_json(_with_definitions(fresh.product, design))
    fresh.started_at, fresh.ends_at = moment, ends_at(design, moment)
    fresh.plan_hash = fresh.content_hash()
    fresh.save()
    record(actor, fresh.product, "start_experiment", fresh, before=before, after=snapshot(fresh), undoable=False)
    set_rollout(
        actor,
        fresh.product,
        flag.key,
        coverage=max(design.coverage, flag.coverage) if flag.is_on else design.coverage,
        weights=design.weights,
        is_on=True,
        switching=msgspec.to_builtins(design.switchback) if design.switchback is not None else {},
        at=at,
        verb="open_flag",
    )
    _tell_due(actor, fresh, fresh.ends_at)
    return fresh


def start_or_ask(actor: Actor, experiment: Experiment) -> Experiment:
    """Start it; where another maintainer has to approve, a switchback asks by itself, since no other door makes a flag switch."""
    try:
        return start_experiment(actor, experiment)
    except NeedsApproval as held_up:
        if experiment.design.switchback is None:
            raise
        ask_for(actor, held_up, f"{experiment.ref} switches it.")
        raise Conflict(
            f"{experiment.flag.key} may not switch before another maintainer approves it: that is asked for now. Start "
            f"{experiment.ref} then."
        ) from held_up


def _with_definitions(product: Product, design: Design) -> Design:
    """What the metrics count and which way is better, as it stands now: a change of theirs does not reach into this experiment."""
    return msgspec.structs.replace(design, metrics=[_as_it_stands(product, one) for one in design.metrics])


def _as_it_stands(product: Product, planned: MetricDesign) -> MetricDesign:
    metric = find_metric(product, planned.key)
    worse: Literal["up", "down"] = "up" if metric.direction == Direction.DOWN else "down"
    definition = definitions.as_json(definition_of(metric))
    return msgspec.structs.replace(planned, definition=definition, harms=planned.harms or worse)


@transaction.atomic
def stop_experiment(
    actor: Actor, experiment: Experiment, *, reason: str, close_flag: bool = False, at: datetime | None = None
) -> Experiment:
    """End it now. It is read as of this moment: by intervals that bear stopping at any time, where it was to be read later."""
    require(actor, experiment.product, Role.MEMBER)
    fresh, now = held(experiment), at or timezone.now()
    if fresh.started_at is None:
        raise Conflict(f"{fresh.ref} has not started, so there is nothing to stop.")
    if fresh.is_decided or fresh.stopped_at is not None:
        raise Conflict(f"{fresh.ref} has ended already.")
    reason = written(reason, "Say why it is stopped, in a line: whoever reads it later will ask.")
    before = snapshot(fresh)
    fresh.stopped_at, fresh.stop_reason = max(now, fresh.started_at), reason
    fresh.save()
    record(actor, fresh.product, "stop_experiment", fresh, before=before, after=snapshot(fresh), undoable=False)
    if (close_flag or fresh.flag.switching) and fresh.flag.is_on:  # nobody is switched back and forth for nothing
        set_rollout(actor, fresh.product, fresh.flag.key, is_on=False, switching={}, at=at, verb="turn_off")
    _tell_due(actor, fresh, fresh.read_at or now)
    return fresh


def _tell_due(actor: Actor, experiment: Experiment, due_at: datetime) -> None:
    if experiment.hypothesis_id is not None:
        tell_fact(
            "experiment_due",
            actor=actor,
            product=experiment.product,
            hypothesis_id=experiment.hypothesis_id,
            due_at=due_at,
        )


def written(text: str, empty: str) -> str:
    """A text that somebody has to write, without the blanks around it."""
    text = text.strip()
    if not text:
        raise Invalid(empty)
    if len(text) > TEXT_LENGTH or "\x00" in text:
        raise Invalid(f"This fits into {TEXT_LENGTH:,} characters of plain text.")
    return text


def held(experiment: Experiment) -> Experiment:
    """The experiment as it stands now, held until the transaction ends."""
    locked = Experiment.objects.select_for_update(of=("self",))
    related = ("product", "flag__product", "hypothesis__solution__product", "hypothesis__product")
    return locked.select_related(*related).get(pk=experiment.pk)
