"""What a flag's variants and weights may be, checked in one place. Pure; every fault is an `Invalid` that says what to do."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from whytree.engines.flags.rules import MAX_DEPTH
from whytree.engines.flags.rules.checking import is_too_deep
from whytree.errors import Invalid

from ..models import KEY_LENGTH, KEY_PATTERN, Kind

MAX_VARIANTS = 50
MAX_VALUE_BYTES = 20_000
MAX_RULE_BYTES = 200_000
MAX_OVERRIDES = 1_000
MAX_PREREQUISITES = 10
MAX_METADATA = 20
MAX_UNIT = 400  # characters of a person's id
EXACT_IN_JAVASCRIPT = 2**53  # larger whole numbers change on their way through a browser

ON_OFF: dict[str, Any] = {"on": True, "off": False}


def checked_key(key: str) -> str:
    """A flag's key as code will write it."""
    key = key.strip()
    if len(key) > KEY_LENGTH or not re.fullmatch(KEY_PATTERN, key):
        raise Invalid(
            f"{key!r} cannot be a flag key. Use letters, digits, dashes, dots, colons and underscores "
            f"({KEY_LENGTH} at most), as in ask-later."
        )
    return key


def checked_name(name: str) -> str:
    name = name.strip()
    if len(name) > 200 or "\x00" in name:
        raise Invalid("A name is one plain sentence: 200 characters at most.")
    return name


def checked_logic(logic: Mapping[str, Any]) -> dict[str, Any]:
    """A rule that can be stored; whether it can be answered is known when its references are in their place."""
    if not isinstance(logic, dict):
        raise Invalid(
            'A rule is one operator with its arguments, as {"if": [{"==": [{"var": "plan"}, "pro"]}, "on", null]}.'
        )
    if is_too_deep(logic):  # before anything walks it by recursion
        raise Invalid(
            f"The rule is nested more than {MAX_DEPTH} deep. Name its parts as conditions and refer to them by $ref."
        )
    try:
        text = json.dumps(logic, ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (ValueError, TypeError) as error:
        raise Invalid(f"The rule cannot be stored: {error}.") from error
    if "\\u0000" in text:
        raise Invalid("The rule holds a NUL character. Copy it again as plain text.")
    if size > MAX_RULE_BYTES:
        raise Invalid(f"The rule has {size:,} bytes; {MAX_RULE_BYTES:,} is the most. Send long lists as an attribute.")
    return dict(logic)


def checked_cohorts(given: Mapping[str, str], variants: Mapping[str, Any]) -> dict[str, str]:
    """A cohort's key to the variant that its people get."""
    for key, name in given.items():
        if not isinstance(name, str) or name not in variants:
            raise Invalid(f"There is no variant “{name}” to give {key}; choose one of {', '.join(sorted(variants))}.")
    return dict(given)


def checked_overrides(overrides: Mapping[str, str]) -> dict[str, str]:
    """A person's id to a variant's name."""
    if len(overrides) > MAX_OVERRIDES:
        raise Invalid(
            f"A flag has {MAX_OVERRIDES:,} overrides at most. Write a rule on an attribute these people share."
        )
    for unit, name in overrides.items():
        if not unit.strip() or len(unit) > MAX_UNIT or "\x00" in unit or not _is_text(unit):
            raise Invalid(f"An override is for a person's id of 1 to {MAX_UNIT} characters.")
        if not isinstance(name, str):
            raise Invalid(f"The override of {unit} must name a variant.")
    return dict(overrides)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def checked_prerequisites(prerequisites: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each a flag's key, and the variants of which it must give one."""
    if len(prerequisites) > MAX_PREREQUISITES:
        raise Invalid(f"A flag needs {MAX_PREREQUISITES} other flags at most.")
    found: dict[str, list[str]] = {}
    for one in prerequisites:
        names = [str(name) for name in one.get("variants", [])]
        if not one.get("flag") or not names:
            raise Invalid("A prerequisite names a flag and the variants it must give, as ask-later=on.")
        found[str(one["flag"])] = names
    return [{"flag": flag, "variants": names} for flag, names in found.items()]


def checked_order(order: Sequence[str], variants: Mapping[str, Any]) -> list[str]:
    """The order in which arms are hashed; empty: by name."""
    if order and sorted(order) != sorted(variants):
        raise Invalid(f"The order must name each variant once: {', '.join(sorted(variants))}.")
    return list(order)


def checked_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What clients get beside the value: OFREP knows texts, numbers and booleans."""
    if len(metadata) > MAX_METADATA:
        raise Invalid(f"A flag carries {MAX_METADATA} pieces of metadata at most.")
    for name, value in metadata.items():
        if not isinstance(value, str | int | float) or len(str(value)) > 1_000 or not name:
            raise Invalid(f"The metadata {name!r} must be a text of 1,000 characters at most, a number, true or false.")
        _check_storable(name, value)
    return dict(metadata)


def checked_variants(kind: str, variants: Mapping[str, Any] | None) -> dict[str, Any]:
    """The variants with values of one type; a boolean flag has on and off when nothing is said."""
    if kind not in Kind.values:
        raise Invalid(f"There is no kind {kind!r}; there are {', '.join(Kind.values)}.")
    if not variants:
        if kind != Kind.BOOLEAN:
            raise Invalid(f"A {kind} flag needs its variants: a name and a value for each.")
        variants = ON_OFF
    if len(variants) > MAX_VARIANTS:
        raise Invalid(f"A flag has {MAX_VARIANTS} variants at most.")
    for name in variants:
        if len(name) > KEY_LENGTH or not re.fullmatch(KEY_PATTERN, name):
            raise Invalid(f"{name!r} cannot be a variant's name. Use letters, digits, dashes, dots and underscores.")
    for name, value in variants.items():
        _check_storable(name, value)
    checked = _OF_KIND[Kind(kind)](variants)
    return dict(checked)


def _booleans(variants: Mapping[str, Any]) -> Mapping[str, Any]:
    _demand(variants, lambda value: isinstance(value, bool), "true or false")
    return variants


def _strings(variants: Mapping[str, Any]) -> Mapping[str, Any]:
    _demand(variants, lambda value: isinstance(value, str), "a text")
    return variants


def _numbers(variants: Mapping[str, Any]) -> Mapping[str, Any]:
    """All whole or all with decimals: a client that asks for a float refuses the 10 among 7.5 and 11.0."""
    _demand(variants, _is_number, "a number that JavaScript can hold exactly")
    if any(isinstance(value, float) for value in variants.values()):
        return {name: float(value) for name, value in variants.items()}
    return variants


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and (isinstance(value, float) or abs(value) <= EXACT_IN_JAVASCRIPT)


def _documents(variants: Mapping[str, Any]) -> Mapping[str, Any]:
    wanted = list if isinstance(next(iter(variants.values())), list) else dict
    _demand(
        variants, lambda value: isinstance(value, wanted), "an object" if wanted is dict else "a list, as the first is"
    )
    return variants


_OF_KIND = {Kind.BOOLEAN: _booleans, Kind.STRING: _strings, Kind.NUMBER: _numbers, Kind.JSON: _documents}


def _demand(variants: Mapping[str, Any], fits: Any, wanted: str) -> None:
    for name, value in variants.items():
        if not fits(value):
            raise Invalid(f"The value of {name} must be {wanted}: a flag's variants are all of one type.")


def _check_storable(name: str, value: Any) -> None:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        size = len(text.encode("utf-8"))
    except (ValueError, TypeError, RecursionError) as error:
        raise Invalid(f"The value of {name} cannot be stored: {error}.") from error
    if "\\u0000" in text:
        raise Invalid(f"The value of {name} holds a NUL character. Copy it again as plain text.")
    if size > MAX_VALUE_BYTES:
        raise Invalid(
            f"The value of {name} has {size:,} bytes; {MAX_VALUE_BYTES:,} is the most. Serve large files from elsewhere."
        )


def basis_points(percent: float, *, of: str = "Coverage") -> int:
    """25 -> 2500. Finer than a hundredth of a percent cannot be rolled out."""
    if not 0 <= percent <= 100:  # also refuses nan
        raise Invalid(f"{of} must lie between 0 and 100 %.")
    points = round(percent * 100)
    if abs(points - percent * 100) > 1e-6:
        raise Invalid(f"{of} has two decimals at most, as in 0.25 %.")
    return points


def default_weights(variants: Mapping[str, Any], *, compare: bool) -> dict[str, int]:
    """Equal arms; but a boolean flag that tests no hypothesis gives its rollout to `true` alone."""
    if not compare and set(map(type, variants.values())) == {bool} and any(variants.values()):
        return {name: int(value) for name, value in variants.items()}
    return dict.fromkeys(variants, 1)


def full_weights(variants: Mapping[str, Any], weights: Mapping[str, int]) -> dict[str, int]:
    """A weight for every variant: one that is not named gets 0."""
    return dict.fromkeys(variants, 0) | dict(weights)
