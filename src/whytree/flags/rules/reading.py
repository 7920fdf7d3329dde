"""Rules and attributes as people write them in forms and on the command line. Every fault is an `Invalid` that says what to do."""

import json
from collections.abc import Mapping
from typing import Any

from whytree.errors import Invalid


def json_object(text: str, what: str) -> Mapping[str, Any]:
    """The object that this JSON is."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{what} is no JSON that can be read: {error}.") from error
    if not isinstance(found, dict):
        raise Invalid(f"{what} must be an object in JSON, as {{...}}.")
    return found


def read_document(text: str) -> Any:
    """Any JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"That is no JSON that can be read: {error}.") from error


def read_value(text: str) -> Any:
    """JSON where it is some, as 3, true or "3"; else the text as it stands."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def put_path(target: dict[str, Any], path: str, value: Any) -> None:
    """`company.seats` goes into the object `company`."""
    *parents, last = path.split(".")
    for name in parents:
        inner = target.setdefault(name, {})
        if not isinstance(inner, dict):
            raise Invalid(f"{name} has a value of its own, so {path} cannot be within it.")
        target = inner
    target[last] = value


def rule_in(document: Mapping[str, Any], key: str) -> tuple[Any, Mapping[str, Any]]:
    """The targeting rule in what was given, and the named conditions beside it.

    It may be the rule itself, one flag of flagd's (with `variants` and `targeting`), or a whole flagd file.
    """
    conditions = document.get("$evaluators")
    conditions = conditions if isinstance(conditions, dict) else {}
    flags = document.get("flags")
    if isinstance(flags, dict):
        if key not in flags:
            raise Invalid(f"The file has no flag {key!r}; it has {', '.join(sorted(flags)[:20]) or 'none'}.")
        document = flags[key]
    if isinstance(document, dict) and "variants" in document:
        return document.get("targeting") or None, conditions
    return document or None, conditions


def pairs_of(text: str, what: str) -> dict[str, str]:
    """Lines of `name = value`."""
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, sign, value = (part.strip() for part in line.rpartition("="))
        if not (name and sign and value):
            raise Invalid(f"{line!r} is no {what}. Write one on each line, as name = variant.")
        found[name] = value
    return found
