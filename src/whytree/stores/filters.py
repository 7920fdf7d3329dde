"""Which events are meant: a field of an event and what it must be, as a piece of SQL with bound values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Operator = Literal["is", "is not", "contains", "is set", "is not set", "above", "below"]

#: Fields with a column of their own; every other name is a property of the event.
COLUMNS = ("platform", "os", "browser", "app", "version", "locale", "country", "path")
FLAG = "flag:"


@dataclass(frozen=True)
class Filter:
    """`field` is a column, a property, or `flag:KEY` for the variant in force. Several values of `is` mean one of them.

    A property that was not sent is the empty text: it is not any value, and it is neither above nor below one.
    """

    field: str
    operator: Operator
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Selection:
    """Events of one name, or of one of several, that pass all filters."""

    events: tuple[str, ...]
    filters: tuple[Filter, ...] = ()


@dataclass
class Bound:
    """Collects the values that a piece of SQL binds."""

    values: dict[str, Any] = field(default_factory=dict)

    def add(self, kind: str, value: Any) -> str:
        """The placeholder of one more value."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{kind}}}"


def field_sql(name: str, bound: Bound) -> str:
    """A field's text; empty where the event has none. What a client did not say of its context may be a property."""
    if name in COLUMNS:
        return f"if({name} = '', properties[{bound.add('String', name)}], {name})"
    if name.startswith(FLAG):
        return f"flags[{bound.add('String', name.removeprefix(FLAG))}]"
    return f"properties[{bound.add('String', name)}]"


def selected(selection: Selection, bound: Bound) -> str:
    """The condition on a row of `events`."""
    names = bound.add("Array(String)", list(selection.events))
    return " AND ".join([f"event IN {names}", *(_condition(one, bound) for one in selection.filters)])


def named(selections: Sequence[Selection]) -> list[str]:
    """Every event that any of them may mean."""
    return sorted({event for selection in selections for event in selection.events})


def _condition(one: Filter, bound: Bound) -> str:
    text = field_sql(one.field, bound)
    if one.operator == "is set":
        return f"{text} != ''"
    if one.operator == "is not set":
        return f"{text} = ''"
    if one.operator in ("above", "below"):
        sign = ">" if one.operator == "above" else "<"
        return f"toFloat64OrNull({text}) {sign} {bound.add('Float64', float(one.values[0]))}"
    if one.operator == "contains":
        wanted = bound.add("Array(String)", list(one.values))
        return f"arrayExists(word -> positionCaseInsensitiveUTF8({text}, word) > 0, {wanted})"
    sign = "IN" if one.operator == "is" else "NOT IN"
    return f"{text} {sign} {bound.add('Array(String)', list(one.values))}"
