"""Flags that move in from another tool's file. The same file again changes nothing: what is there stays as it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from whytree.engines.flags.moving import Incoming, LeftOut, Unreadable, read_flags, tool_of
from whytree.engines.flags.rules import draws, resolve_references
from whytree.errors import Conflict, Invalid
from whytree.people.queries import trait_names
from whytree.workspace.models import Product
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..models import Flag, FlagCondition
from .making import create_flag
from .rollout import set_rollout
from .rules import set_rules
from .shared import set_condition

MOST_FLAGS = 5_000
MADE, THERE, LEFT_OUT = "made", "there already", "left out"


@dataclass(frozen=True)
class Moved:
    """What became of one flag. `moves_nobody`: everybody keeps the variant that the tool gave them; `notes` say who does not, or
    what it takes. One that is left out stays in the tool.
    """

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
    there = Flag.objects.filter(product=product, key=found.key).first()
    if there is not None:
        return _beside(there, found, bucketing or found.bucketing)
    try:
        with transaction.atomic():
            flag = _make(actor, product, found, bucketing or found.bucketing)
    except (Invalid, Conflict) as error:
        return Moved(found.key, LEFT_OUT, notes=[error.message])
    told = [*found.notes, *_draws_as(found, bucketing)]
    unknown = _unknown_traits(product, found.targeting)
    if unknown:
        told.append(
            f"Its rule reads {', '.join(unknown)} from the profiles here, and no profile has that yet: whom it concerns gets another "
            "variant until people are brought in."
        )
    return Moved(found.key, MADE, flag.state, found.moves_nobody and not unknown, told)


def _beside(flag: Flag, found: Incoming, bucketing: str) -> Moved:
    """One of that key is here and stays; whoever moves over to it gets what it gives."""
    here = {
        "variants": (flag.variants, dict(found.variants)),
        "default variant": (flag.default_variant, found.default_variant),
        "weights": (_some(flag.weights), _some(found.weights)),
        "coverage": (flag.coverage, found.coverage),
        "switch": (flag.is_on, found.is_on),
        "rule": (flag.targeting, found.targeting),
        "hash": (flag.bucketing, bucketing),
        "unit": (flag.unit, found.unit),
        "stickiness": (flag.is_sticky, found.is_sticky),
    }
    other = [name for name, (ours, theirs) in here.items() if ours != theirs]
    if not other:
        return Moved(flag.key, THERE, flag.state, notes=["It is here already, as it is in the file."])
    note = f"A flag with this key is here and stays as it is. It differs in {', '.join(other)}: people may get another variant of it."
    return Moved(flag.key, THERE, flag.state, moves_nobody=False, notes=[note])


def _some(weights: Mapping[str, int]) -> dict[str, int]:
    return {name: weight for name, weight in weights.items() if weight}


def _draws_as(found: Incoming, bucketing: str) -> list[str]:
    """A flagd file does not say which of its two hashes drew."""
    if found.bucketing != "3" or bucketing or found.targeting is None or not draws(found.targeting):
        return []
    return [
        "It is drawn as flagd draws now. If yours still hashes plain texts, bring it in with bucketing 2: else people change variant."
    ]


def _unknown_traits(product: Product, rule: Any) -> list[str]:
    """What a rule asks of a person that no profile here says."""
    asked = sorted(
        {path.split(".")[1] for path in _variables(rule) if path.startswith("person.") and path != "person.cohorts"}
    )
    known = set(trait_names(product)) if asked else set()
    return [f"person.{name}" for name in asked if name not in known]


def _variables(logic: Any) -> Iterator[str]:
    if isinstance(logic, Mapping):
        for name, said in logic.items():
            if name == "var":
                yield str(said[0] if isinstance(said, list) and said else said)
            yield from _variables(said)
    elif isinstance(logic, list):
        for part in logic:
            yield from _variables(part)


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
