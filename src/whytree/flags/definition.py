"""What a flag's variants and weights may be, checked in one place. Pure; every fault is an `Invalid` that says what to do."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from whytree.errors import Invalid

from .models import KEY_LENGTH, KEY_PATTERN, Kind

MAX_VARIANTS = 50
MAX_VALUE_BYTES = 20_000
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


def basis_points(percent: float) -> int:
    """25 -> 2500. Finer than a hundredth of a percent cannot be rolled out."""
    if not 0 <= percent <= 100:  # also refuses nan
        raise Invalid("Coverage must lie between 0 and 100 %.")
    points = round(percent * 100)
    if abs(points - percent * 100) > 1e-6:
        raise Invalid("Coverage has two decimals at most, as in 0.25 %.")
    return points


def default_weights(variants: Mapping[str, Any], *, compare: bool) -> dict[str, int]:
    """Equal arms; but a boolean flag that tests no hypothesis gives its rollout to `true` alone."""
    if not compare and set(map(type, variants.values())) == {bool} and any(variants.values()):
        return {name: int(value) for name, value in variants.items()}
    return dict.fromkeys(variants, 1)


def full_weights(variants: Mapping[str, Any], weights: Mapping[str, int]) -> dict[str, int]:
    """A weight for every variant: one that is not named gets 0."""
    return dict.fromkeys(variants, 0) | dict(weights)
