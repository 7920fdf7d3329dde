"""What is decided once a guardrail was harmed: drafted by the watch, worded and taken by a person."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from whytree.errors import Conflict, Invalid
from whytree.experiments.models import TEXT_LENGTH, AfterHarm, Rollout, RolloutState
from whytree.tree.models import Note, NoteKind, Solution
from whytree.tree.services import add_note, answer_note
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .services import held, nobody_has_it, resume, take_back, watcher


def options_of(rollout: Rollout) -> list[AfterHarm]:
    """What may be decided where it stands; what is likeliest first."""
    if rollout.is_open:
        return [AfterHarm.ROLL_BACK, AfterHarm.MEND, AfterHarm.GO_ON]
    if rollout.state == RolloutState.ROLLED_BACK:
        return [AfterHarm.ROLL_BACK, AfterHarm.MEND]
    return [AfterHarm.GO_ON]


@transaction.atomic
def decide_rollout(actor: Actor, rollout: Rollout, *, decision: str, text: str = "") -> Rollout:
    """Take the decision that a harmed guardrail asks for: it is done, noted on the solution, and its question answered.

    Without `text` the draft stands as it is.
    """
    require(actor, rollout.product, Role.MEMBER)
    fresh = held(rollout)
    key = fresh.flag.key
    if fresh.decision is None:
        raise Conflict(f"No guardrail of {key} was harmed, so no decision is asked for. Halt it, go on or roll back.")
    if fresh.decided_at is not None:
        raise Conflict(f"What becomes of {key} was decided on {fresh.decided_at:%-d %b %Y}.")
    options = options_of(fresh)
    if decision not in options:
        state = RolloutState(fresh.state).label
        raise Invalid(f"The rollout of {key} is {state}. Decide one of: {', '.join(options)}.")
    text = text.strip() or fresh.decision
    if len(text) > TEXT_LENGTH or "\x00" in text:
        raise Invalid(f"A decision fits into {TEXT_LENGTH:,} characters of plain text.")
    before = snapshot(fresh)
    fresh.decision, fresh.decided_at = text, timezone.now()
    fresh.save()
    record(actor, fresh.product, "decide_rollout", fresh, before=before, after=snapshot(fresh), undoable=False)
    if fresh.flag.solution is not None:
        _tell_solution(actor, fresh, fresh.flag.solution, f"{AfterHarm(decision).label.capitalize()}. {text}")
    if decision == AfterHarm.ROLL_BACK or fresh.state == RolloutState.ROLLED_BACK:
        nobody_has_it(actor, fresh)
    if decision == AfterHarm.ROLL_BACK and fresh.is_open:
        return take_back(actor, fresh, reason=fresh.says)
    if decision == AfterHarm.GO_ON and fresh.state == RolloutState.HALTED:
        return resume(actor, fresh)
    return fresh


def _tell_solution(actor: Actor, rollout: Rollout, solution: Solution, text: str) -> None:
    add_note(actor, rollout.product, solution, kind=NoteKind.DECISION, text=text)
    asked = Note.objects.filter(
        product=rollout.product,
        node_kind=solution.prefix,
        node_id=solution.pk,
        kind=NoteKind.QUESTION,
        answered_at=None,
        author=None,
        author_name=watcher(rollout).label,
    )
    for note in asked.select_related("product"):
        answer_note(actor, note, text)
