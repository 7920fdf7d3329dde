"""What a flag is: made, named, tied to what it is for."""

import json
from collections.abc import Mapping
from copy import copy
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.utils import timezone

from whytree.errors import Conflict, Invalid
from whytree.tree.models import Hypothesis, Solution
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role
from whytree.workspace.sockets import tell_fact

from ..environments.placing import placed
from ..models import Flag, Kind
from ..queries import find_flag
from ..rules.definition import checked_key, checked_name, checked_variants, default_weights, full_weights
from .approving import ask_for
from .changing import check, is_quiet, moment, needs_approval, refuse_unapproved, tell_opened, write_change
from .rollout import unseen


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

    Where changes need approval, code asking for a text, number or JSON flag would get a value nobody approved: it is made in
    the archive, where code keeps its own default, and asks to be let out.

    Without `weights` the arms are equal, but a boolean flag without a hypothesis gives all to `on`: a rollout compares
    nothing, a test of a hypothesis needs its control arm.
    """
    require(actor, product, Role.MEMBER)
    key, values = checked_key(key), checked_variants(kind, variants)
    default_variant = default_variant or _usual_default(values)
    flag = Flag(
        product=product,
        key=key,
        name=checked_name(name),
        kind=kind,
        variants=values,
        default_variant=default_variant,
        off_variant=off_variant or default_variant,
        weights=full_weights(values, weights or default_weights(values, compare=hypothesis is not None)),
        salt=checked_key(salt) if salt.strip() else "",
        created_at=moment(at),
    )
    _belong_to(flag, solution, hypothesis)
    check(flag)
    held = not is_quiet(flag) and needs_approval(product.pk)
    if held:
        _refuse_loud(flag)
        flag.archived_at = timezone.now()
    try:
        with transaction.atomic():
            flag.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(
            f"There is a flag {key} already, perhaps archived. Choose another key, or restore that one."
        ) from error
    record(actor, product, "create_flag", flag)
    write_change(actor, flag, flag.created_at)
    if held:
        ask_for(actor, unseen(flag), f"It is new. While it is off, everybody gets {_said(flag)}.")
    return flag


def _usual_default(variants: Mapping[str, Any]) -> str:
    """Who is outside the rollout sees what was there before: off, control, or the first variant named."""
    return next((name for name in ("off", "control") if name in variants), next(iter(variants)))


def _said(flag: Flag) -> str:
    value = json.dumps(flag.variants[flag.off_variant], ensure_ascii=False)
    return f"{flag.off_variant} = {value if len(value) <= 200 else value[:199] + '…'}"


def _refuse_loud(flag: Flag) -> None:
    """A switch that is on for everybody from the start can be made quiet instead, so nobody has to wait."""
    if flag.kind == Kind.BOOLEAN:
        quiet = next((name for name, value in flag.variants.items() if value is False), _usual_default(flag.variants))
        raise Conflict(
            f"Everybody would get {flag.off_variant} as soon as {flag.key} is made, and changes in production need another "
            f"maintainer’s approval. Make it with {quiet} as its default and off variant, then ask for the change."
        )


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
        flag.name = checked_name(edits["name"])
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
    check(flag)
    after = snapshot(flag)
    if after == before:
        return flag
    tell_fact("flag_editing", flag=flag, before=before, after=after)
    refuse_unapproved(flag, "edit_flag", before, after)
    flag.save()
    _follow_elsewhere(flag)
    record(actor, product, "edit_flag", flag, before=before, after=snapshot(flag))
    if flag.is_open and flag.hypothesis_id != hypothesis_before:
        tell_opened(actor, flag, timezone.now())
    return flag


def _follow_elsewhere(flag: Flag) -> None:
    """Other environments have the same variants. One that is in use there cannot be taken away."""
    for state in flag.elsewhere.select_related("environment"):
        there = placed(copy(flag), state.environment)
        there.weights = full_weights(flag.variants, _still_meant(there))
        try:
            check(there)
        except Invalid as error:
            raise Invalid(f"In {state.environment.key}: {error.message}") from error
        if there.weights != state.weights:
            state.weights = there.weights
            state.save()


def _still_meant(flag: Flag) -> dict[str, int]:
    """The weights without those of variants that are gone and had none; a gone one that had some is a fault to name."""
    return {name: weight for name, weight in flag.weights.items() if weight or name in flag.variants}


def _set_salt(flag: Flag, salt: str) -> None:
    salt = checked_key(salt) if salt.strip() else ""
    if salt != flag.salt and flag.is_open:
        raise Conflict("A new salt moves everybody to another arm. Turn the flag off first.")
    flag.salt = salt
