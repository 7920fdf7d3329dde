"""What every change of a flag's answers goes through: checked, written as a `FlagChange`, told when people begin to meet it."""

import hashlib
import json
from datetime import datetime

from django.utils import timezone

from whytree.analytics.models import Cohort
from whytree.engines import flags as engine
from whytree.engines.flag_rules.cohorts import cohorts_in
from whytree.errors import Conflict, Invalid
from whytree.workspace.actors import Actor
from whytree.workspace.sockets import tell_fact

from ..assembling import rules_of, shared_of
from ..models import Flag, FlagChange


def check(flag: Flag) -> None:
    """Raise for rules that cannot be evaluated, with the conditions they refer to in their place."""
    problem = engine.fault(rules_of(flag, shared_of(flag.product_id)))
    if problem:
        raise Invalid(problem)


def moment(at: datetime | None) -> datetime:
    now = timezone.now()
    if at is not None and at > now:
        raise Invalid("A flag's history cannot lie in the future. Leave the time out.")
    return at or now


def refuse_archived(flag: Flag) -> None:
    if flag.archived_at is not None:
        raise Conflict(f"{flag.key} is archived. Restore it first.")


def not_before_the_last(flag: Flag, at: datetime) -> None:
    last = flag.changes.last()
    if last is not None and at < last.at:
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
    if not any((*decides, group)):
        return ""
    parts = [*decides, group, flag.bucketing, flag.arm_order]
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
