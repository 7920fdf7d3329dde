"""flagd's file. Rules are taken as they are written."""

from collections.abc import Mapping
from typing import Any

from ..rules.checking import references_in
from .incoming import FULL, CannotCarry, Incoming, LeftOut, Unreadable, kind_of


def read_flagd(document: Mapping[str, Any]) -> list[Incoming | LeftOut]:
    conditions = document.get("$evaluators") or {}
    if not isinstance(conditions, Mapping):
        raise Unreadable("$evaluators must be an object of conditions.")
    return [_flag(key, said, conditions) for key, said in document["flags"].items()]


def _flag(key: str, said: Any, conditions: Mapping[str, Any]) -> Incoming | LeftOut:
    try:
        return _incoming(key, said, conditions)
    except CannotCarry as error:
        return LeftOut(key, str(error))


def _incoming(key: str, said: Any, conditions: Mapping[str, Any]) -> Incoming:
    if not isinstance(said, Mapping) or not isinstance(said.get("variants"), Mapping) or not said["variants"]:
        raise CannotCarry("it has no variants")
    variants, default = said["variants"], said.get("defaultVariant")
    default = str(default).lower() if isinstance(default, bool) else default
    if not default:
        raise CannotCarry("it has no defaultVariant, and a flag here always gives a variant: name one")
    if default not in variants:
        raise CannotCarry(f"its defaultVariant {default!r} is no variant")
    rule = said.get("targeting") or None
    is_on = said.get("state") == "ENABLED"
    notes = [] if is_on else [f"Off: flagd then leaves code its own default, here it gives {default}."]
    used = references_in(rule) if rule else set()
    return Incoming(
        key=key,
        kind=kind_of(list(variants.values())),
        variants=variants,
        default_variant=default,
        weights=_weights(rule, default, variants),
        coverage=0 if rule else FULL,
        is_on=is_on,
        targeting=rule,
        conditions={name: conditions[name] for name in used if name in conditions},
        metadata=said.get("metadata") or {},
        notes=notes,
    )


def _weights(rule: Any, default: str, variants: Mapping[str, Any]) -> dict[str, int]:
    """Those of the rule's draw, so that a result knows the shares; all on the default where there is none."""
    draws = list(_draws(rule))
    if len(draws) == 1:
        arms = [arm for arm in draws[0] if isinstance(arm, list)]
        shares = {arm[0]: arm[1] if len(arm) > 1 else 1 for arm in arms if arm and isinstance(arm[0], str)}
        if shares.keys() <= variants.keys() and all(type(each) is int and each >= 0 for each in shares.values()):
            largest = max(shares.values(), default=0)
            if 0 < largest <= 1_000_000:
                return shares
    return {default: 1}


def _draws(logic: Any) -> Any:
    if isinstance(logic, Mapping):
        for name, words in logic.items():
            if name == "fractional" and isinstance(words, list):
                yield words
            yield from _draws(words)
    elif isinstance(logic, list):
        for part in logic:
            yield from _draws(part)
