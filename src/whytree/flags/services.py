"""What may change a flag. Every change of its rollout writes a `FlagChange`, and tells `flag_opened` when people begin to meet it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.utils import timezone

from whytree.engines import flags as engine
from whytree.errors import Conflict, Invalid
from whytree.tree.models import Hypothesis, Solution
from whytree.workspace.access import require
from whytree.workspace.activity import record, snapshot
from whytree.workspace.actors import Actor
from whytree.workspace.models import Product
from whytree.workspace.roles import Role
from whytree.workspace.sockets import tell_fact

from . import live
from .definition import checked_key, checked_variants, default_weights, full_weights
from .models import Flag, FlagChange
from .queries import find_flag


@transaction.atomic
def create_flag(
    actor: Actor,
    product: Product,
    *,
    key: str,
    kind: str = "boolean",
    name: str = "",
    variants: Mapping[str, Any] | None = None,
    default_variant: str = "",
    off_variant: str = "",
    weights: Mapping[str, int] | None = None,
    salt: str = "",
    solution: Solution | None = None,
    hypothesis: Hypothesis | None = None,
    at: datetime | None = None,
) -> Flag:
    """A new flag, off and at 0 %. `at` dates it back when history is loaded.

    Without `weights` the arms are equal, but a boolean flag without a hypothesis gives all to `on`: a rollout compares
    nothing, a test of a hypothesis needs its control arm.
    """
    require(actor, product, Role.MEMBER)
    key, values = checked_key(key), checked_variants(kind, variants)
    default_variant = default_variant or _usual_default(values)
    flag = Flag(
        product=product,
        key=key,
        name=_checked_name(name),
        kind=kind,
        variants=values,
        default_variant=default_variant,
        off_variant=off_variant or default_variant,
        weights=full_weights(values, weights or default_weights(values, compare=hypothesis is not None)),
        salt=checked_key(salt) if salt.strip() else "",
        created_at=_moment(at),
    )
    _belong_to(flag, solution, hypothesis)
    _check(flag)
    try:
        with transaction.atomic():
            flag.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(
            f"There is a flag {key} already, perhaps archived. Choose another key, or restore that one."
        ) from error
    record(actor, product, "create_flag", flag)
    _write_change(actor, flag, flag.created_at)
    return flag


def _usual_default(variants: Mapping[str, Any]) -> str:
    """Who is outside the rollout sees what was there before: off, control, or the first variant named."""
    return next((name for name in ("off", "control") if name in variants), next(iter(variants)))


def _checked_name(name: str) -> str:
    name = name.strip()
    if len(name) > 200 or "\x00" in name:
        raise Invalid("A flag's name is one plain sentence: 200 characters at most.")
    return name


def _moment(at: datetime | None) -> datetime:
    now = timezone.now()
    if at is not None and at > now:
        raise Invalid("A flag's history cannot lie in the future. Leave the time out.")
    return at or now


def _belong_to(flag: Flag, solution: Solution | None, hypothesis: Hypothesis | None) -> None:
    if hypothesis is not None:
        solution = solution or hypothesis.solution
        if hypothesis.solution_id != solution.pk:
            raise Invalid(
                f"{hypothesis.ref} is about {hypothesis.solution.ref}, not {solution.ref}. Choose one of the two."
            )
    for node in (solution, hypothesis):
        if node is not None and node.product_id != flag.product_id:
            raise Invalid(f"{node.ref} belongs to another product.")
    flag.solution, flag.hypothesis = solution, hypothesis


def _check(flag: Flag) -> None:
    problem = engine.fault(flag.rules)
    if problem:
        raise Invalid(problem)


class Edits(TypedDict, total=False):
    """What `edit_flag` may change; what is left out stays."""

    name: str
    variants: Mapping[str, Any]
    default_variant: str
    off_variant: str
    salt: str
    solution: Solution | None
    hypothesis: Hypothesis | None


@transaction.atomic
def edit_flag(actor: Actor, product: Product, key: str, **edits: Unpack[Edits]) -> Flag:
    """Change what a flag is. How far it is rolled out is `set_rollout`'s matter."""
    require(actor, product, Role.MEMBER)
    flag = find_flag(product, key, for_update=True)
    before, hypothesis_before = snapshot(flag), flag.hypothesis_id
    if "name" in edits:
        flag.name = _checked_name(edits["name"])
    if "variants" in edits:
        flag.variants = checked_variants(flag.kind, edits["variants"])
        flag.weights = full_weights(flag.variants, _still_meant(flag))
    flag.default_variant = edits.get("default_variant") or flag.default_variant
    flag.off_variant = edits.get("off_variant") or flag.off_variant
    if "salt" in edits:
        _set_salt(flag, edits["salt"])
    if "solution" in edits or "hypothesis" in edits:
        hypothesis = edits.get("hypothesis", flag.hypothesis)
        kept = flag.solution if hypothesis is None else None  # else the hypothesis says which
        _belong_to(flag, edits.get("solution", kept), hypothesis)
    _check(flag)
    if snapshot(flag) == before:
        return flag
    flag.save()
    record(actor, product, "edit_flag", flag, before=before, after=snapshot(flag))
    if flag.is_open and flag.hypothesis_id != hypothesis_before:
        _tell_opened(actor, flag, timezone.now())
    return flag


def _still_meant(flag: Flag) -> dict[str, int]:
    """The weights without those of variants that are gone and had none; a gone one that had some is a fault to name."""
    return {name: weight for name, weight in flag.weights.items() if weight or name in flag.variants}


def _set_salt(flag: Flag, salt: str) -> None:
    salt = checked_key(salt) if salt.strip() else ""
    if salt != flag.salt and flag.is_open:
        raise Conflict("A new salt moves everybody to another arm. Turn the flag off first.")
    flag.salt = salt


@transaction.atomic
def set_rollout(
    actor: Actor,
    product: Product,
    key: str,
    *,
    coverage: int | None = None,
    weights: Mapping[str, int] | None = None,
    is_on: bool | None = None,
    at: datetime | None = None,
    verb: str = "set_rollout",
) -> Flag:
    """Change how many people meet the flag (`coverage`, in basis points), the arms' weights, or the switch.

    `at` dates the change back when history is loaded; it cannot lie before the last one.
    """
    require(actor, product, Role.MEMBER)
    flag = find_flag(product, key, for_update=True)
    if flag.archived_at is not None:
        raise Conflict(f"{flag.key} is archived. Restore it first.")
    at, before, was_open = _moment(at), snapshot(flag), flag.is_open
    flag.coverage = flag.coverage if coverage is None else coverage
    flag.weights = flag.weights if weights is None else full_weights(flag.variants, weights)
    flag.is_on = flag.is_on if is_on is None else is_on
    _check(flag)
    if snapshot(flag) == before:
        return flag
    last = flag.changes.last()
    if last is not None and at < last.at:
        raise Invalid(f"The rollout was changed at {last.at:%Y-%m-%d %H:%M} UTC; a change cannot lie before that.")
    flag.save()
    record(actor, product, verb, flag, before=before, after=snapshot(flag), undoable=False)
    _write_change(actor, flag, at)
    if flag.is_open and not was_open:
        _tell_opened(actor, flag, at)
    return flag


def _write_change(actor: Actor, flag: Flag, at: datetime) -> None:
    FlagChange.objects.create(
        flag=flag,
        at=at,
        coverage=flag.coverage,
        weights=flag.weights,
        is_on=flag.is_on,
        by=actor.label[:160],
        user_id=actor.user_id,
    )


def _tell_opened(actor: Actor, flag: Flag, at: datetime) -> None:
    tell_fact(
        "flag_opened", actor=actor, product=flag.product, flag_key=flag.key, hypothesis_id=flag.hypothesis_id, at=at
    )


def open_flag(
    actor: Actor,
    product: Product,
    key: str,
    *,
    coverage: int = engine.FULL_COVERAGE,
    weights: Mapping[str, int] | None = None,
    at: datetime | None = None,
) -> Flag:
    """Turn the flag on for a share of the people (all, when not said). A prediction tied to it locks now."""
    if coverage == 0:
        raise Invalid("At 0 % a flag is open to nobody. Give a share above 0, or turn it off.")
    return set_rollout(actor, product, key, coverage=coverage, weights=weights, is_on=True, at=at, verb="open_flag")


def turn_on(actor: Actor, product: Product, key: str, *, at: datetime | None = None) -> Flag:
    """Switch on at the coverage the flag already has."""
    return set_rollout(actor, product, key, is_on=True, at=at, verb="turn_on")


def turn_off(actor: Actor, product: Product, key: str, *, at: datetime | None = None) -> Flag:
    """Everybody gets the off variant; the coverage is kept for the next time."""
    return set_rollout(actor, product, key, is_on=False, at=at, verb="turn_off")


@transaction.atomic
def archive_flag(actor: Actor, product: Product, key: str) -> Flag:
    """Off, and gone from lists and SDKs: code that still asks gets its own default. The history stays."""
    require(actor, product, Role.MEMBER)
    flag = find_flag(product, key, for_update=True)
    if flag.is_on:
        flag = turn_off(actor, product, key)
    return _set_archived(actor, flag, "archive_flag", timezone.now())


@transaction.atomic
def restore_flag(actor: Actor, product: Product, key: str) -> Flag:
    """Back from the archive, off."""
    require(actor, product, Role.MEMBER)
    return _set_archived(actor, find_flag(product, key, for_update=True), "restore_flag", None)


def _set_archived(actor: Actor, flag: Flag, verb: str, at: datetime | None) -> Flag:
    if (flag.archived_at is None) == (at is None):
        return flag
    before = snapshot(flag)
    flag.archived_at = at
    flag.save()
    record(actor, flag.product, verb, flag, before=before, after=snapshot(flag), undoable=False)
    return flag


def flags_in_force(product_id: int, distinct_id: str) -> dict[str, str]:
    """Flag key to variant, for the flags that are on and whose rollout includes this person. Makes no query."""
    return dict(live.flag_set(product_id).in_force(distinct_id))
