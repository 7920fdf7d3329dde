"""Flags that move in from another tool's file. The same file again changes nothing: what is there stays as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from whytree.engines.flags.moving import Incoming, LeftOut, Unreadable, read_flags, tool_of
from whytree.engines.flags.rules import resolve_references
from whytree.errors import Conflict, Invalid
from whytree.workspace.access import require
from whytree.workspace.actors import Actor
from whytree.workspace.models import Product
from whytree.workspace.roles import Role

from ..models import Flag, FlagCondition
from .making import create_flag
from .rollout import set_rollout
from .rules import set_rules
from .shared import set_condition

MOST_FLAGS = 5_000
MADE, THERE, LEFT_OUT = "made", "there already", "left out"


@dataclass(frozen=True)
class Moved:
    """What became of one flag. `moves_nobody`: everybody keeps the variant that the tool gave them."""

    key: str
    became: str
    state: str = ""
    moves_nobody: bool = True
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Moving:
    """What became of a file."""

    tool: str
    flags: list[Moved]


def import_flags(
    actor: Actor, product: Product, document: Any, *, dry_run: bool = False, bucketing: str = ""
) -> Moving:
    """Make the flags of flagd's, PostHog's or GrowthBook's file, on or off as they are there.

    `bucketing` "2" is for a flagd file whose flagd still hashes plain texts. With `dry_run` everything is tried and nothing stays.
    """
    require(actor, product, Role.MEMBER)
    try:
        tool, found = tool_of(document), read_flags(document)
    except Unreadable as error:
        raise Invalid(str(error)) from error
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise Invalid(
            f"The file looks like a flag file, but a part of it is not what it should be: {error}."
        ) from error
    if bucketing and (bucketing != "2" or tool != "flagd"):
        raise Invalid("Only a flagd file has a choice: bucketing 2 is for a flagd that hashes plain texts.")
    if len(found) > MOST_FLAGS:
        raise Invalid(f"The file has {len(found):,} flags; {MOST_FLAGS:,} is the most. Split it.")
    with transaction.atomic():
        moved = [_move(actor, product, each, bucketing) for each in found]
        if dry_run:
            transaction.set_rollback(True)
    return Moving(tool, moved)


def _move(actor: Actor, product: Product, found: Incoming | LeftOut, bucketing: str) -> Moved:
    if isinstance(found, LeftOut):
        return Moved(found.key, LEFT_OUT, notes=[_sentence(found.why)])
    if Flag.objects.filter(product=product, key=found.key).exists():
        return Moved(found.key, THERE, notes=["A flag with this key is here; it stays as it is."])
    try:
        with transaction.atomic():
            flag = _make(actor, product, found, bucketing or found.bucketing)
    except (Invalid, Conflict) as error:
        return Moved(found.key, LEFT_OUT, notes=[error.message])
    return Moved(found.key, MADE, flag.state, found.moves_nobody, list(found.notes))


def _sentence(why: str) -> str:
    return f"{why[:1].upper()}{why[1:]}."


def _make(actor: Actor, product: Product, found: Incoming, bucketing: str) -> Flag:
    made = create_flag(
        actor,
        product,
        key=found.key,
        kind=found.kind,
        name=found.name,
        variants=found.variants,
        default_variant=found.default_variant,
        weights=found.weights,
    )
    if made.archived_at is not None:
        raise Conflict("Changes in production need another maintainer’s approval: make it by hand, and ask.")
    set_rules(
        actor,
        product,
        found.key,
        targeting=_with_conditions(actor, product, found.targeting, found.conditions),
        bucketing=bucketing,
        arm_order=list(found.arm_order),
        unit=found.unit,
        is_sticky=found.is_sticky,
        metadata=found.metadata,
        heeds_holdout=False,  # a holdout would take people out who are in
    )
    return set_rollout(actor, product, found.key, coverage=found.coverage, is_on=found.is_on, verb="import_flags")


def _with_conditions(actor: Actor, product: Product, rule: Any, conditions: Mapping[str, Any]) -> Any:
    """The rule's conditions become ours; one whose name is taken by another is written into the rule."""
    there = dict(FlagCondition.objects.filter(product=product).values_list("key", "logic"))
    taken = {name: logic for name, logic in conditions.items() if name in there and there[name] != logic}
    for name, logic in conditions.items():
        if name not in there:
            set_condition(actor, product, name, logic)
    return resolve_references(rule, taken) if taken else rule
