"""A flag's rules in full: with the conditions it refers to in their place, and the product's holdout."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from whytree.engines.flags import Rules, Slots
from whytree.engines.flags.rules import resolve_references

from ..models import Flag, FlagCondition, Holdout


@dataclass(frozen=True)
class Shared:
    """What the flags of a product have in common."""

    conditions: Mapping[str, Any] = field(default_factory=dict)
    holdout: Slots | None = None


def shared_of(product_id: int) -> Shared:
    conditions = dict(FlagCondition.objects.filter(product_id=product_id).values_list("key", "logic"))
    holdout = Holdout.objects.filter(product_id=product_id, share__gt=0).first()
    return Shared(conditions, Slots("holdout", holdout.salt, 0, holdout.share) if holdout else None)


def rules_of(flag: Flag, shared: Shared) -> Rules:
    """What the evaluator needs to know."""
    rules = flag.rules
    if rules.targeting is not None and shared.conditions:
        rules = replace(rules, targeting=resolve_references(rules.targeting, shared.conditions))
    if flag.heeds_holdout and shared.holdout is not None:
        rules = replace(rules, holdout=shared.holdout)
    return rules
