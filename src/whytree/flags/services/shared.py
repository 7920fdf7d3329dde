"""What the flags of a product have in common: named conditions, and the holdout."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from whytree.analytics.cohorts.queries import refuse_missing
from whytree.analytics.models import Cohort
from whytree.engines import flags as engine
from whytree.engines.flags.rules.checking import references_in
from whytree.engines.flags.rules.cohorts import cohorts_in
from whytree.errors import Conflict, Invalid, NotFound
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..evaluation.assembling import rules_of, shared_of
from ..evaluation.live import changed
from ..models import Flag, FlagCondition, Holdout
from ..queries import asking_for, list_flags, referring
from ..rules.definition import checked_key, checked_logic, checked_name
from .changing import digest, needs_approval, write_change


@transaction.atomic
def set_condition(
    actor: Actor, product: Product, key: str, logic: Mapping[str, Any], *, name: str = ""
) -> FlagCondition:
    """Make or change a condition that rules refer to by `{"$ref": key}`. Flags that do answer by the new one at once."""
    require(actor, product, Role.MEMBER)
    logic = checked_logic(logic)
    if references_in(logic):
        raise Invalid("A condition cannot refer to another one, as in flagd. Write that one's rule here.")
    refuse_missing(product, sorted(cohorts_in(logic)))
    condition = FlagCondition.objects.select_for_update().filter(product=product, key=key).first()
    before = snapshot(condition) if condition else None
    users = referring(product, key)
    affected = {flag.pk: digest(flag) for flag in users if flag.environment is None}
    condition = condition or FlagCondition(product=product, key=checked_key(key))
    condition.logic, condition.name = logic, checked_name(name) or condition.name
    if before is not None and snapshot(condition) == before:
        return condition
    _refuse_unapproved(product, key, users, "condition")
    condition.save()
    _check_elsewhere(users)
    record(actor, product, "set_condition", condition, before=before, after=snapshot(condition), undoable=False)
    _follow(actor, product, affected)
    return condition


def _refuse_unapproved(product: Product, key: str, users: Iterable[Flag], what: str) -> None:
    names = sorted({flag.key for flag in users if flag.environment is None})
    if names and needs_approval(product.pk):
        raise Conflict(
            f"{key} is in use by {', '.join(names[:5])}, and changes in production need approval. Make a new {what}, and "
            "change the rule to it."
        )


def refuse_unapproved_cohort(product: Product, keys: Iterable[str]) -> None:
    """Other people would get a flag's variant: by a new rule of this cohort, or of one that it names."""
    for key in keys:
        _refuse_unapproved(product, key, asking_for(product, key), "cohort")


def _check_elsewhere(users: Iterable[Flag]) -> None:
    for flag in users:
        if flag.environment is not None:
            problem = engine.fault(rules_of(flag, shared_of(flag.product_id)))
            if problem:
                raise Invalid(f"{flag.key} could not be evaluated with this in {flag.place}: {problem}")


def _follow(actor: Actor, product: Product, before: Mapping[int, str]) -> None:
    """Each flag that now answers otherwise gets its line of history, and is read anew by every process."""
    shared = shared_of(product.pk)
    for flag in Flag.objects.filter(pk__in=before).select_related("group", "product"):
        problem = engine.fault(rules_of(flag, shared))
        if problem:
            raise Invalid(f"{flag.key} could not be evaluated with this: {problem}")
        if digest(flag) != before[flag.pk]:
            flag.save()
            write_change(actor, flag, timezone.now())


@transaction.atomic
def follow_cohort(cohort: Cohort) -> None:
    """A cohort became another one: flags that ask for it begin a new period, and every process looks up its people anew."""
    flags = asking_for(cohort.product, cohort.key)
    for flag in flags:
        if flag.environment is not None:
            continue
        last = flag.changes.last()
        if last is not None and last.rules != digest(flag):
            write_change(Actor.system(f"The cohort {cohort.key}"), flag, timezone.now())
    if flags:
        changed(cohort.product_id)


@transaction.atomic
def remove_condition(actor: Actor, product: Product, key: str) -> None:
    """Take a condition away that no flag refers to."""
    require(actor, product, Role.MEMBER)
    condition = FlagCondition.objects.filter(product=product, key=key).first()
    if condition is None:
        raise NotFound(f"There is no condition {key!r} in {product.name}.")
    users = sorted({flag.key for flag in referring(product, key)})
    if users:
        raise Conflict(
            f"{', '.join(users)} {'refers' if len(users) == 1 else 'refer'} to {key}. Change that rule first."
        )
    record(actor, product, "remove_condition", condition, before=snapshot(condition), after=None, undoable=False)
    condition.delete()


@transaction.atomic
def set_holdout(actor: Actor, product: Product, share: int) -> Holdout:
    """Keep this share of the people (basis points, half at most; 0 for none) out of every change from now on.

    Flags that are open already keep their people: they do not heed a holdout that comes after them.
    """
    require(actor, product, Role.MAINTAINER)
    if not 0 <= share <= engine.FULL_COVERAGE // 2:
        raise Invalid("A holdout is 0 to 50 % of the people.")
    holdout = Holdout.objects.select_for_update().filter(product=product).first()
    before = snapshot(holdout) if holdout else None
    flags = list(list_flags(product))
    affected = {flag.pk: digest(flag) for flag in flags}
    if holdout is None or holdout.share == 0:
        for flag in flags:
            _heed(actor, flag, heeds=not flag.is_open)
    holdout = holdout or Holdout(product=product)
    if before is not None and holdout.share == share:
        return holdout
    if needs_approval(product.pk) and any(flag.heeds_holdout and flag.is_open for flag in flags):
        raise Conflict(
            "Flags that are open in production heed the holdout, and their changes need approval. An owner can switch that off meanwhile."
        )
    holdout.share, holdout.since = share, timezone.now()
    holdout.save()
    record(actor, product, "set_holdout", holdout, before=before, after=snapshot(holdout), undoable=False)
    _follow(actor, product, affected)
    return holdout


def _heed(actor: Actor, flag: Flag, *, heeds: bool) -> None:
    if flag.heeds_holdout == heeds:
        return
    before = snapshot(flag)
    flag.heeds_holdout = heeds
    flag.save()
    record(actor, flag.product, "heed_holdout", flag, before=before, after=snapshot(flag), undoable=False)
