"""A flag in flagd's file format, for providers that evaluate in their own process.

    definition, left_out = as_flagd(rules)

What the file can say gives everybody the variant that we give. What it cannot is named in `left_out`; such a flag is
DISABLED in the file, so that code falls back to its own default instead of to another person's variant.
"""

import math
from collections.abc import Mapping
from typing import Any

from .evaluating import FULL_COVERAGE, Rules, Slots
from .rules.cohorts import cohorts_in

_UNIT = {"var": "targetingKey"}
_NOW = {"var": "$flagd.timestamp"}


def as_flagd(rules: Rules, metadata: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], list[str]]:
    """The definition, and what it could not carry."""
    left_out = _left_out(rules) if rules.is_on else []
    kept = dict(metadata or {})
    definition: dict[str, Any] = {"state": "ENABLED", "variants": dict(rules.variants)}
    if left_out:
        kept |= {"serverOnly": True, "why": ", ".join(left_out)}
        return definition | {"state": "DISABLED", "defaultVariant": rules.default_variant, "metadata": kept}, left_out
    definition |= _decision(rules)
    return definition | ({"metadata": kept} if kept else {}), []


def _left_out(rules: Rules) -> list[str]:
    found = []
    if rules.is_sticky:
        found.append("sticky variants")
    if rules.prerequisites:
        found.append("flags it needs")
    if rules.unit == "company":
        found.append("given by company")
    if rules.switching is not None:
        found.append("given by period (a switchback)")
    if cohorts_in(rules.targeting):
        found.append("cohorts")
    elif _reads_profile(rules.targeting):
        found.append("a rule on people's profiles")
    if rules.bucketing != "3":
        found.append(f"hashed as {rules.bucketing}")
    return found


def _reads_profile(logic: Any) -> bool:
    if isinstance(logic, list):
        return any(map(_reads_profile, logic))
    if not isinstance(logic, Mapping):
        return False
    if len(logic) == 1 and "var" in logic:
        name = logic["var"][0] if isinstance(logic["var"], list) and logic["var"] else logic["var"]
        return isinstance(name, str) and name.partition(".")[0] == "person"
    return any(map(_reads_profile, logic.values()))


def _decision(rules: Rules) -> dict[str, Any]:
    if not rules.is_on:
        return {"defaultVariant": rules.off_variant}
    decides = _scheduled(rules, _overridden(rules, _kept_out(rules, _targeted(rules, _rolled_out(rules)))))
    if isinstance(decides, str):
        return {"defaultVariant": decides}
    default = {"defaultVariant": rules.default_variant}
    return default if decides is None else default | {"targeting": decides}


def _rolled_out(rules: Rules) -> Any:
    """A variant's name, logic that gives one, or None for the default variant."""
    if rules.coverage == 0:
        return None
    arms = rules.arms
    arm: Any = arms[0][0]
    if len(arms) > 1:
        arm = {"fractional": [_text(f"{rules.seed}/variant/"), *([name, weight] for name, weight in arms)]}
    if rules.coverage == FULL_COVERAGE:
        return arm
    places = [["in", rules.coverage], ["out", FULL_COVERAGE - rules.coverage]]
    return {"if": [{"==": [{"fractional": [_text(f"{rules.seed}/coverage/"), *places]}, "in"]}, arm, None]}


def _text(before: str) -> dict[str, Any]:
    return {"cat": [before, _UNIT]}


def _targeted(rules: Rules, rolled_out: Any) -> Any:
    rule = rules.targeting
    if rule is None or rolled_out is None:
        return rolled_out if rule is None else rule
    if {"true", "false"} & set(rules.variants):  # the rule may give a boolean, and false is an answer
        return {"if": [{"===": [rule, None]}, rolled_out, rule]}
    return {"or": [rule, rolled_out]}


def _kept_out(rules: Rules, inner: Any) -> Any:
    for slots, which, outside in ((rules.group, "group", True), (rules.holdout, "holdout", False)):
        if slots is not None:
            is_in = {"==": [_place(slots, which), "in"]}
            default = rules.default_variant
            inner = {"if": [is_in, _named(inner, default), default] if outside else [is_in, default, inner]}
    return inner


def _named(inner: Any, default: str) -> Any:
    return default if inner is None else inner


def _place(slots: Slots, which: str) -> dict[str, Any]:
    places = [["out", slots.start], ["in", slots.end - slots.start], ["out", FULL_COVERAGE - slots.end]]
    return {"fractional": [_text(f"{slots.salt}/{which}/"), *places]}


def _overridden(rules: Rules, inner: Any) -> Any:
    if not rules.overrides:
        return inner
    chosen = [part for unit, name in rules.overrides.items() for part in ({"===": [_UNIT, unit]}, name)]
    return {"if": [*chosen, inner]}


def _scheduled(rules: Rules, inner: Any) -> Any:
    """Whole seconds, as flagd counts them."""
    bounds: list[Any] = []
    if rules.on_from is not None:
        bounds.append({">=": [_NOW, math.ceil(rules.on_from)]})
    if rules.on_until is not None:
        bounds.append({"<": [_NOW, math.ceil(rules.on_until)]})
    if not bounds:
        return inner
    return {"if": [{"and": bounds}, inner, rules.off_variant]}
