"""Reads the parts of a question's JSON that are no events: one of some words, a list, yes or no, a number. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from whytree.errors import Invalid
from whytree.stores.pieces.filters import BETWEEN, FLAG

from .parts import COHORT, checked_field, field_words
from .when import When

#: More would be a table that nobody reads.
MOST_FIELDS = 3


def listed(raw: Mapping[str, Any], name: str, most: int) -> Sequence[Any]:
    value = raw.get(name)
    if not isinstance(value, Sequence) or isinstance(value, str) or not 1 <= len(value) <= most:
        raise Invalid(f"It needs a list of 1 to {most} {name}.")
    return value


def one_of(value: Any, name: str, allowed: tuple[Any, ...]) -> Any:
    if value not in allowed:
        raise Invalid(f"“{name}” cannot be {str(value)[:40]!r}. It is one of: {', '.join(allowed)}.")
    return value


def yes_or_no(raw: Mapping[str, Any], name: str, *, usual: bool) -> bool:
    value = raw.get(name, usual)
    if not isinstance(value, bool):
        raise Invalid(f"“{name}” is true or false.")
    return value


def whole_number(raw: Mapping[str, Any], name: str, low: int, high: int, usual: int) -> int:
    value = raw.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Invalid(f"“{name}” is a whole number from {low} to {high:,}.")
    return value


def checked_by(value: object) -> tuple[str, ...]:
    """A field, or up to three of them."""
    if value in ("", None):
        return ()
    fields = [value] if isinstance(value, str) else value
    if not isinstance(fields, Sequence) or len(fields) > MOST_FIELDS:
        raise Invalid(f"“by” is the name of a field, or a list of at most {MOST_FIELDS}.")
    found = tuple(dict.fromkeys(checked_field(one) for one in fields))
    if "" in found and found:
        raise Invalid("“by” has an empty field. Leave it out.")
    return found


def by_text(by: Sequence[str]) -> str:
    """What groups are told apart by, as people read it: `plan`, `plan · platform`."""
    return BETWEEN.join(_plain(one) for one in by)


def by_words(by: Sequence[str]) -> str:
    return f", by {by_text(by)}" if by else ""


def _plain(field: str) -> str:
    for prefix in (FLAG, COHORT):
        field = field.removeprefix(prefix)
    return field_words(field)


def optional_json(by: Sequence[str], when: When) -> dict[str, Any]:
    one = {"by": by[0] if len(by) == 1 else list(by)} if by else {}
    return one | when.json
