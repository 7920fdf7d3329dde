"""What every change of a flag's answers goes through: checked, written as a `FlagChange`, told when people begin to meet it."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from whytree.analytics.models import Cohort
from whytree.engines import flags as engine
from whytree.engines.flags.rules.cohorts import cohorts_in
from whytree.errors import Conflict, Invalid
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.actors import Actor
from whytree.workspace.sockets import tell_fact

from ..evaluation.assembling import rules_of, shared_of
from ..models import PLACED, Flag, FlagChange, FlagSettings, FlagState, Kind


class NeedsApproval(Conflict):
    """The change is sound and was not made: another maintainer has to approve it. `ask_for` makes a request of it."""

    def __init__(self, flag: Flag, verb: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        super().__init__(
            f"Changes of {flag.key} in production need the approval of another maintainer. Ask for it on the flag's page, by "
            "`whytree flag open` or the like, or at /flags/KEY/rollout or /rules. Turning it off needs none."
        )
        self.flag, self.verb = flag, verb
        # Out of the archive all of it reaches people, so all of it is approved.
        is_new = before["archived_at"] != after["archived_at"]
        asked = {name for name in ANSWERS if is_new or after[name] != before[name]} | (
            {"archived_at"} if is_new else set()
        )
        self.before = {name: value for name, value in before.items() if name in asked}
        self.after = {name: after[name] for name in self.before}


def save_change(
    actor: Actor,
    flag: Flag,
    before: Mapping[str, Any],
    *,
    was_open: bool,
    at: datetime | None,
    verb: str,
    is_approved: bool = False,
) -> Flag:
    """Write a flag whose answers were changed, where it is looked at: checked, recorded, told when people begin to meet it."""
    check(flag)
    after = snapshot(flag)
    if after == before:
        return flag
    if flag.environment is not None:
        return _save_elsewhere(actor, flag, before, verb)
    if not is_approved:
        refuse_unapproved(flag, verb, before, after)
    at = when(flag, at)
    flag.save()
    record(actor, flag.product, verb, flag, before=dict(before), after=snapshot(flag), undoable=False)
    write_change(actor, flag, at)
    if flag.is_open and not was_open:
        tell_opened(actor, flag, at)
    return flag


def _save_elsewhere(actor: Actor, flag: Flag, before: Mapping[str, Any], verb: str) -> Flag:
    """No line of the rollout's history, no prediction, no exposure: those are production's."""
    values = {name: getattr(flag, name) for name in PLACED}
    flag.state_there, _ = FlagState.objects.update_or_create(
        flag_id=flag.pk, environment=flag.environment, defaults=values
    )
    record(
        actor,
        flag.product,
        verb,
        flag.state_there,
        before={name: before[name] for name in PLACED},
        after=snapshot(flag.state_there),
        undoable=False,
    )
    return flag


def needs_approval(product_id: int) -> bool:
    return FlagSettings.objects.filter(product_id=product_id, needs_approval=True).exists()


def refuse_unapproved(flag: Flag, verb: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """The kill switch never waits, whoever presses it, nor what nobody meets. All else does, also what Whytree does by itself."""
    if before["archived_at"] is not None:
        return
    changed = {name for name in ANSWERS if after[name] != before[name]}
    off = {"is_on"} if after["switching"] else {"is_on", "switching"}  # off and drawn by people again
    if not changed or (changed <= off and not after["is_on"]):
        return
    if needs_approval(flag.product_id):
        raise NeedsApproval(flag, verb, before, after)


def is_quiet(flag: Flag) -> bool:
    """Whether code gets from it, off, what it got without it: only false is that, a text or number might be anything."""
    return flag.kind == Kind.BOOLEAN and flag.variants[flag.off_variant] is False


def check(flag: Flag) -> None:
    """Raise for rules that cannot be evaluated, with the conditions they refer to in their place."""
    problem = engine.fault(rules_of(flag, shared_of(flag.product_id)))
    if problem:
        raise Invalid(problem)


#: What decides who gets what. Name, purpose and the archive are not among them.
ANSWERS = (
    *("kind", "variants", "default_variant", "off_variant", "weights", "coverage", "is_on", "salt", "bucketing"),
    *("arm_order", "targeting", "overrides", "prerequisites", "on_from", "on_until", "unit", "is_sticky"),
    *("group_id", "group_start", "group_end", "heeds_holdout", "metadata", "switching"),
)


def moment(at: datetime | None) -> datetime:
    now = timezone.now()
    if at is not None and at > now:
        raise Invalid("A flag's history cannot lie in the future. Leave the time out.")
    return at or now


def refuse_archived(flag: Flag) -> None:
    if flag.archived_at is not None:
        raise Conflict(f"{flag.key} is archived. Restore it first.")


def when(flag: Flag, said: datetime | None) -> datetime:
    """When a change is made: as said, where history is loaded, else now. A clock that was set back holds up no kill switch."""
    last, at = flag.changes.last(), moment(said)
    if last is None or last.at <= at:
        return at
    if said is None:
        return last.at
    raise Invalid(f"The rollout was changed at {last.at:%Y-%m-%d %H:%M} UTC; a change cannot lie before that.")


def write_change(actor: Actor, flag: Flag, at: datetime) -> None:
    FlagChange.objects.create(
        flag=flag,
        at=at,
        coverage=flag.coverage,
        weights=flag.weights,
        is_on=flag.is_on,
        on_from=flag.on_from,
        on_until=flag.on_until,
        targets=flag.targeting is not None,
        rules=digest(flag),
        by=actor.label[:160],
        user_id=actor.user_id,
    )


def digest(flag: Flag) -> str:
    """Of all that decides beside coverage, weights, switch and schedule; "" when nothing does. Results never pool two of them."""
    rules = rules_of(flag, shared_of(flag.product_id))
    holdout = [rules.holdout.salt, rules.holdout.end] if rules.holdout else None
    decides = [flag.overrides, flag.prerequisites, rules.targeting, holdout, flag.is_sticky, flag.unit == "company"]
    group = [rules.group.salt, rules.group.start, rules.group.end] if rules.group else None
    if not any((*decides, group, flag.switching)):
        return ""
    parts = [*decides, group, flag.bucketing, flag.arm_order, *([flag.switching] if flag.switching else [])]
    asked = cohorts_in(rules.targeting)
    if asked:  # only then, so that the digests of all other rules stay what they were
        found = Cohort.objects.filter(product_id=flag.product_id, key__in=asked).order_by("key")
        parts.append([[cohort.key, cohort.definition, cohort.version] for cohort in found])
    said = json.dumps(parts, sort_keys=True)
    return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def tell_opened(actor: Actor, flag: Flag, at: datetime) -> None:
    tell_fact(
        "flag_opened", actor=actor, product=flag.product, flag_key=flag.key, hypothesis_id=flag.hypothesis_id, at=at
    )
