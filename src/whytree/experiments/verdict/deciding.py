"""The end of an experiment: a person decides it, or its prediction's review, and with the one the other."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils import timezone

from whytree.errors import Conflict, Invalid
from whytree.flags.models import ChangeRequest, Flag
from whytree.flags.services import MOST_WORDS, changed_or_asked, settle_flag
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role
from whytree.workspace.sockets import tell_fact

from ..judgement.design import Design
from ..models import OPEN_STATES, Decision, Experiment, Rollout
from ..services import held, written
from .doubting import checked_despite, doubts
from .reading import Reading, as_json, read


@transaction.atomic
def decide_experiment(
    actor: Actor,
    experiment: Experiment,
    *,
    decision: str,
    learning: str,
    arm: str = "",
    verdict: str = "",
    move_flag: bool = True,
    despite: str = "",
    now: datetime | None = None,
) -> Experiment:
    """A person's decision, once. Where a prediction hangs on it, its review is decided by the same words (`verdict`: was
    the prediction achieved), and the learning becomes evidence. The result is frozen as it stands, and the flag becomes
    what was decided unless told not to. `despite` says why, where checks speak against deciding.
    """
    require(actor, experiment.product, Role.MEMBER)
    fresh, now = held(experiment), now or timezone.now()
    _refuse_decision(fresh, decision, now)
    arm = _shipped(fresh.design, decision, arm)
    learning = written(learning, "Say what was learned, in a line or three: it is what the next person will find.")
    reading = read(fresh, now)
    fresh.despite = checked_despite(doubts(reading, ships=decision == Decision.SHIP), despite)
    _decide(actor, fresh, Decision(decision), arm, learning, reading, now)
    if fresh.hypothesis_id is not None:
        tell_fact(
            "experiment_decided",
            actor=actor,
            product=fresh.product,
            hypothesis_id=fresh.hypothesis_id,
            verdict=verdict,
            decision=decision,
            learning=learning,
            arm=arm,
            move_flag=move_flag,
            despite=fresh.despite,
        )
    elif move_flag:
        settle(actor, fresh.flag, Decision(decision), arm=arm, words=f"{fresh.ref}: {learning}")
    return fresh


def settle(actor: Actor, flag: Flag, decision: Decision, *, arm: str, words: str) -> None:
    """The flag follows: everybody gets what is shipped, or what was there before. It asks where that needs approval; a
    guarded rollout goes on by its own steps. Tried again, it stays as it is, but that nobody switches back and forth any more."""
    if (decision is Decision.ITERATE and not flag.switching) or flag.archived_at is not None:
        return
    if decision is Decision.SHIP and (not arm or Rollout.objects.filter(flag=flag, state__in=OPEN_STATES).exists()):
        return
    change = partial(settle_flag, actor, flag.product, flag.key, keep=arm if decision is Decision.SHIP else "")
    changed_or_asked(actor, change, words=words[:MOST_WORDS])


def _refuse_decision(experiment: Experiment, decision: str, now: datetime) -> None:
    if experiment.decided_at is not None:
        raise Conflict(
            f"{experiment.ref} was decided on {_day(experiment, experiment.decided_at)}. Another question gets another experiment."
        )
    if experiment.started_at is None:
        raise Conflict(f"{experiment.ref} has not started: there is nothing to decide from.")
    if decision not in Decision.values:
        raise Invalid(f"A decision is one of: {', '.join(Decision.values)}.")
    if experiment.design.looks == "once" and experiment.read_at is not None and now < experiment.read_at:
        raise Conflict(
            f"{experiment.ref} is read once, on {_day(experiment, experiment.read_at)}. Deciding on the day it looks good is how chance "
            "becomes a result. If it does harm, stop it."
        )


def _day(experiment: Experiment, moment: datetime) -> str:
    return f"{experiment.product.there(moment):%-d %b %Y}"


def _shipped(design: Design, decision: str, arm: str) -> str:
    if decision != Decision.SHIP:
        return ""
    others = design.arms[1:]
    arm = arm.strip() or (others[0] if len(others) == 1 else "")
    if arm not in others:
        raise Invalid(f"Which arm is shipped? Name one of: {', '.join(others)}.")
    return arm


def _decide(
    actor: Actor, experiment: Experiment, decision: Decision, arm: str, learning: str, reading: Reading, now: datetime
) -> None:
    before = snapshot(experiment) | {"despite": ""}
    experiment.decision, experiment.shipped, experiment.learning = decision.value, arm, learning
    experiment.result = as_json(reading)
    experiment.decided_at, experiment.decided_by_id = now, actor.user_id
    experiment.save()
    record(
        actor,
        experiment.product,
        "decide_experiment",
        experiment,
        before=before,
        after=snapshot(experiment),
        undoable=False,
    )


def flag_follows(flag: Flag) -> str:
    """How the flag stands after the decision, as a sentence to add."""
    flag.refresh_from_db()
    if flag.requests.filter(state=ChangeRequest.State.OPEN).exists():
        return f" What that changes on {flag.key} waits for another maintainer."
    return f" {flag.key} is {flag.standing}."


#: What a review's decision means for the experiment it was taken from.
FOLLOWS = {"keep": Decision.SHIP, "iterate": Decision.ITERATE, "roll_back": Decision.STAY, "remove": Decision.STAY}


@transaction.atomic
def follow_review(
    actor: Actor, experiment: Experiment, *, decision: str, learning: str, arm: str, at: datetime, despite: str = ""
) -> Experiment:
    """The prediction's review was decided, and with it the experiment. Already decided: nothing to follow."""
    fresh = held(experiment)
    if fresh.is_decided or not fresh.is_started:
        return fresh
    follows = FOLLOWS[decision]
    if fresh.stopped_at is None and fresh.ends_at is not None and at < fresh.ends_at:
        fresh.stopped_at, fresh.stop_reason = at, "Its review was decided."
    fresh.despite = despite
    _decide(actor, fresh, follows, arm, learning, read(fresh, at), at)
    return fresh
