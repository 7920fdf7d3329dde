"""What may change a guarded rollout: a person at any time, the watch by its rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from whytree.analytics.queries import find_metric
from whytree.engines.flags import percent
from whytree.errors import Conflict, Invalid
from whytree.experiments.deeper.bandit import refuse_bandit
from whytree.experiments.models import OPEN_STATES, Bandit, Rollout, RolloutState
from whytree.experiments.underway.holding import running_on
from whytree.flags.models import ChangeRequest, Flag
from whytree.flags.queries import find_flag
from whytree.flags.services import NeedsApproval, ask_for, needs_approval, set_rollout, turn_off
from whytree.tree.models import MOVES, NoteKind, State
from whytree.tree.services import add_note, set_state
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role
from whytree.workspace.sockets import tell_fact

from .steps import read_guardrails, read_steps, rollout_of
from .watch import Watched, given_before, refuse_unwatchable, watch
from .words import drafted


@transaction.atomic
def start_rollout(
    actor: Actor,
    product: Product,
    *,
    flag: Flag,
    steps: Sequence[Mapping[str, Any]] = (),
    guardrails: Sequence[Mapping[str, Any]] | None = None,
    roll_back: bool = False,
    variant: str = "",
    at: datetime | None = None,
) -> Rollout:
    """Bring a flag's variant to people step by step. Without guardrails those of its hypothesis are watched."""
    require(actor, product, Role.MEMBER)
    flag = find_flag(product, flag.key, for_update=True)
    if flag.archived_at is not None:
        raise Conflict(f"{flag.key} is archived. Restore it first.")
    _refuse_taken(flag)
    said = guardrails if guardrails is not None else flag.hypothesis.guardrails if flag.hypothesis else []
    rails = read_guardrails(said)
    for rail in rails:
        refuse_unwatchable(find_metric(product, rail["metric_key"]), flag)
    now = at or timezone.now()
    rollout = Rollout(
        product=product,
        flag=flag,
        variant=_variant(flag, variant),
        steps=read_steps(steps),
        guardrails=rails,
        roll_back=roll_back,
        started_at=now,
        step_since=now,
        owner_id=actor.user_id,
    )
    rollout.save()
    record(actor, product, "start_rollout", rollout, undoable=False)
    # A new rollout is what became of the last one: nobody is asked any more.
    Rollout.objects.filter(flag=flag, decided_at=None).exclude(pk=rollout.pk).update(decision=None)
    _reach(actor, rollout, at)
    return rollout


def is_taken(flag: Flag) -> bool:
    """Whether a rollout, an experiment or a bandit has its weights already."""
    taken = (Rollout.objects.filter(flag=flag, state__in=OPEN_STATES), Bandit.objects.filter(flag=flag, ended_at=None))
    return any(found.exists() for found in taken) or running_on(flag) is not None


def _refuse_taken(flag: Flag) -> None:
    if Rollout.objects.filter(flag=flag, state__in=OPEN_STATES).exists():
        raise Conflict(f"{flag.key} is being rolled out already. Go on with that, or end it.")
    running = running_on(flag)
    if running is not None:
        raise Conflict(f"{running.ref} runs on {flag.key}: its weights are its plan. Decide or stop it first.")
    refuse_bandit(flag)


def others_of(flag: Flag) -> list[str]:
    """The variants that may be rolled out: all but what people have without it."""
    return [name for name in flag.variants if name != flag.default_variant]


def _variant(flag: Flag, wanted: str) -> str:
    others = others_of(flag)
    wanted = wanted.strip() or (others[0] if len(others) == 1 else "")
    if wanted not in others:
        raise Invalid(f"Which variant is rolled out? Name one of: {', '.join(others)}.")
    return wanted


def _reach(actor: Actor, rollout: Rollout, at: datetime | None = None) -> None:
    """Make the flag what the step says."""
    coverage, weights = rollout_of(rollout.now["share"], rollout.variant, rollout.flag.default_variant)
    set_rollout(
        actor,
        rollout.product,
        rollout.flag.key,
        coverage=coverage,
        weights=weights,
        is_on=True,
        switching={},
        at=at,
        verb="open_flag",
    )


def go_on(actor: Actor, rollout: Rollout, *, now: datetime | None = None) -> Rollout:
    """The next step now, whatever the plan says: also out of a halt."""
    return _step(actor, rollout, "go_on", now or timezone.now(), says="")


@transaction.atomic
def _step(actor: Actor, rollout: Rollout, verb: str, now: datetime, *, says: str) -> Rollout:
    require(actor, rollout.product, Role.MEMBER)
    fresh = held(rollout)
    if not fresh.is_open:
        raise Conflict(f"The rollout of {fresh.flag.key} is {RolloutState(fresh.state).label}.")
    if fresh.next is None:
        raise Conflict(f"{fresh.flag.key} has reached everybody.")
    before = snapshot(fresh)
    fresh.step, fresh.step_since, fresh.says = fresh.step + 1, now, says
    fresh.state = RolloutState.DONE if fresh.next is None else RolloutState.RUNNING
    fresh.save()
    record(actor, fresh.product, verb, fresh, before=before, after=snapshot(fresh), undoable=False)
    _reach(actor, fresh)
    return fresh


@transaction.atomic
def halt(actor: Actor, rollout: Rollout, *, reason: str) -> Rollout:
    """No further step; who has it keeps it."""
    require(actor, rollout.product, Role.MEMBER)
    return _set(actor, rollout, RolloutState.HALTED, "halt_rollout", reason.strip() or "Halted by hand.")


@transaction.atomic
def resume(actor: Actor, rollout: Rollout) -> Rollout:
    """Go on watching; the step's time begins anew."""
    require(actor, rollout.product, Role.MEMBER)
    fresh = held(rollout)
    if fresh.state != RolloutState.HALTED:
        raise Conflict(f"The rollout of {fresh.flag.key} is {RolloutState(fresh.state).label}, not halted.")
    before = snapshot(fresh)
    fresh.state, fresh.says, fresh.step_since = RolloutState.RUNNING, "", timezone.now()
    fresh.save()
    record(actor, fresh.product, "resume_rollout", fresh, before=before, after=snapshot(fresh), undoable=False)
    return fresh


@transaction.atomic
def take_back(actor: Actor, rollout: Rollout, *, reason: str) -> Rollout:
    """Everybody gets what was there before."""
    require(actor, rollout.product, Role.MEMBER)
    fresh = _turned_off(actor, rollout, reason.strip() or "Rolled back by hand.")
    nobody_has_it(actor, fresh)
    return fresh


def _turned_off(actor: Actor, rollout: Rollout, says: str) -> Rollout:
    fresh = _set(actor, rollout, RolloutState.ROLLED_BACK, "roll_back", says)
    turn_off(actor, fresh.product, fresh.flag.key)
    return fresh


def nobody_has_it(actor: Actor, rollout: Rollout) -> None:
    """A person has seen that it was rolled back: so is its solution, which ends guards and voids debts."""
    solution = rollout.flag.solution
    if solution is not None and State.ROLLED_BACK in MOVES[State(solution.state)]:
        set_state(actor, solution, State.ROLLED_BACK)


def _set(actor: Actor, rollout: Rollout, state: RolloutState, verb: str, says: str) -> Rollout:
    fresh = held(rollout)
    if not fresh.is_open:
        raise Conflict(f"The rollout of {fresh.flag.key} is {RolloutState(fresh.state).label}.")
    if len(says) > 5_000 or "\x00" in says:
        raise Invalid("A reason fits into 5,000 characters of plain text.")
    before = snapshot(fresh)
    fresh.state, fresh.says = state, says
    fresh.save()
    record(actor, fresh.product, verb, fresh, before=before, after=snapshot(fresh), undoable=False)
    return fresh


# --- what the watch does ---------------------------------------------------------------------------------------------


def look_after(rollout: Rollout, *, now: datetime | None = None) -> Rollout:
    """One look: halt on harm (and roll back, where that is set and nobody could have forged it), or take the next step
    when its time is over and its people are there."""
    now = now or timezone.now()
    if rollout.state != RolloutState.RUNNING:
        return rollout
    actor = watcher(rollout)
    if rollout.next is not None and needs_approval(rollout.product_id) and _stands_at(rollout, rollout.next):
        return _step(actor, rollout, "take_step", now, says="Another maintainer approved this step.")
    touched = _touched(rollout)
    if touched:
        return halt(actor, rollout, reason=touched)
    watched = watch(rollout, now)
    if watched.harmed:
        return _harmed(rollout, watched, now)
    Rollout.objects.filter(pk=rollout.pk).update(looked_at=now, says=_waits(rollout, watched, now))
    if not _is_ready(rollout, watched, now):
        return rollout
    try:
        return _step(actor, rollout, "take_step", now, says=f"{watched.people:,} people, no guardrail harmed.")
    except NeedsApproval as held:
        _ask_for_step(actor, rollout, held, watched)
        return rollout


def _ask_for_step(actor: Actor, rollout: Rollout, held: NeedsApproval, watched: Watched) -> None:
    """Once a step, in the name of whoever began it: they cannot approve it themselves. A declined one may be taken by hand."""
    says = f"The next step waits for another maintainer. {watched.people:,} people, no guardrail harmed."
    asked = ChangeRequest.objects.filter(flag=rollout.flag, asked_by=actor.label, asked_at__gte=rollout.step_since)
    if not asked.exists():
        ask_for(replace(actor, user_id=rollout.owner_id), held, says)
    Rollout.objects.filter(pk=rollout.pk).update(says=says)


def _stands_at(rollout: Rollout, step: Mapping[str, int]) -> bool:
    flag = rollout.flag
    coverage, weights = rollout_of(step["share"], rollout.variant, flag.default_variant)
    used = [{name: one for name, one in each.items() if one} for each in (flag.weights, weights)]
    return flag.is_on and flag.coverage == coverage and used[0] == used[1]


def _touched(rollout: Rollout) -> str:
    """What a person did to the flag beside its rollout: no step undoes it."""
    flag = rollout.flag
    if flag.archived_at is not None:
        return f"{flag.key} was archived. Restore it and watch on, or roll back."
    if _stands_at(rollout, rollout.now):
        return ""
    did = "changed" if flag.is_on else "turned off"
    return f"{flag.key} was {did} by hand. Take the next step to go on from here, or roll back."


def _is_ready(rollout: Rollout, watched: Watched, now: datetime) -> bool:
    step = rollout.now
    return now >= rollout.step_since + timedelta(days=step["days"]) and watched.people >= step["people"]


def _waits(rollout: Rollout, watched: Watched, now: datetime) -> str:
    step, due = rollout.now, rollout.step_since + timedelta(days=rollout.now["days"])
    parts = [f"until {due:%-d %b %Y, %H:%M} UTC"] if now < due else []
    if watched.people < step["people"]:
        left = f"for {step['people'] - watched.people:,} more people"
        if given_before(rollout) is not None:
            left += f" who first meet it now: who met it before {rollout.started_at:%-d %b} may have left because of it"
        parts.append(left)
    return f"Waits {' and '.join(parts)}." if parts else ""


def _harmed(rollout: Rollout, watched: Watched, now: datetime) -> Rollout:
    """Halted first; what happens then is told to its owner, as a question on the solution, and by mail where mail is set."""
    worst = "; ".join(f"{rail.name} {rail.text}" for rail in watched.harmed)
    may_roll_back = rollout.roll_back and any(not rail.doubt for rail in watched.harmed)
    actor = watcher(rollout)
    told = f"A guardrail is harmed at {percent(rollout.now['share'])}: {worst}."
    if rollout.roll_back and not may_roll_back:
        told += f" It was not rolled back by itself: {watched.harmed[0].doubt}. Look, and decide."
    with transaction.atomic():
        fresh = _turned_off(actor, rollout, told) if may_roll_back else halt(actor, rollout, reason=told)
        _draft(actor, fresh, told)
        solution = fresh.flag.solution
        if solution is not None:
            question = "Keep it rolled back, mend it, or go on?" if may_roll_back else "Roll back, mend it, or go on?"
            add_note(actor, fresh.product, solution, kind=NoteKind.QUESTION, text=f"{told} {question}")
        _tell(fresh, told, now)
    return fresh


def _tell(rollout: Rollout, told: str, now: datetime) -> None:
    """Whoever started it hears what its guardrails did."""
    solution = rollout.flag.solution
    asks = "\n\nWhat now? A decision is drafted there, and waits for you." if rollout.wants_decision else ""
    tell_fact(
        "harm_seen",
        product=rollout.product,
        owner_id=rollout.owner_id,
        key=f"rollout {rollout.pk} {now.isoformat()}",
        title=f"{rollout.flag.key}: {rollout.get_state_display()}",
        text=told + asks,
        path=f"/p/{rollout.product.slug}/{solution.ref if solution is not None else 'experiments'}",
        at=now,
    )


def _draft(actor: Actor, rollout: Rollout, told: str) -> None:
    """The decision that is asked for now, as it might read; a new harm makes a new draft of an older decision."""
    before, flag = snapshot(rollout), rollout.flag
    rollout.decision = drafted(
        told,
        other=flag.default_variant,
        reached=percent(rollout.now["share"]),
        is_rolled_back=rollout.state == RolloutState.ROLLED_BACK,
    )
    rollout.decided_at = None
    rollout.save()
    record(actor, rollout.product, "draft_decision", rollout, before=before, after=snapshot(rollout), undoable=False)


def watcher(rollout: Rollout) -> Actor:
    """Who halts and asks, where nobody does."""
    return Actor.system(f"Rollout of {rollout.flag.key}")


def held(rollout: Rollout) -> Rollout:
    """The rollout as it stands now, held until the transaction ends."""
    locked = Rollout.objects.select_for_update(of=("self",))
    return locked.select_related("product", "flag__product", "flag__solution__product", "owner").get(pk=rollout.pk)
