"""Which events are meant: a field of an event and what it must be, as a piece of SQL with bound values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

from .sql import PERSON

Operator = Literal[
    "is",
    "is not",
    "contains",
    "does not contain",
    "matches",
    "does not match",
    "is set",
    "is not set",
    "above",
    "below",
    "at least",
    "at most",
    "before",
    "after",
]
Sign = Literal[">", "<", ">=", "<="]

#: Fields with a column of their own; every other name is a property of the event.
COLUMNS = ("platform", "os", "browser", "app", "version", "locale", "country", "path")
FLAG = "flag:"
#: Before a column's name: no event has a property of that name, so that properties need not be read, which is half the
#: work. Nobody can type it.
ALONE = "\0"
SIGNS: dict[str, Sign] = {"above": ">", "below": "<", "at least": ">=", "at most": "<="}


@dataclass(frozen=True)
class Filter:
    """`field` is a column, a property, or `flag:KEY` for the variant in force. Several values of `is` mean one of them.

    A property that was not sent is the empty text: it is not any value, and it is neither above nor below one. A moment
    is written as 2026-05-01, 2026-05-01T08:00Z, or as 7d, which is seven days before now.
    """

    field: str
    operator: Operator
    values: tuple[str, ...] = ()

    def sql(self, bound: "Bound") -> str:
        """Whether a row of `events` passes."""
        return text_condition(field_sql(self.field, bound), self, bound)


class People(Protocol):
    """Some people: `sql` selects who they are, after their ids were joined, as one column."""

    def sql(self, product_id: int, bound: "Bound") -> str: ...


@dataclass(frozen=True)
class Membership:
    """Events of those who are, or are not, among some people. `name` is what one calls these."""

    people: People
    product_id: int
    name: str
    inside: bool = True


@dataclass(frozen=True)
class AnyOf:
    """Any of its parts holds."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class AllOf:
    """All of its parts hold."""

    parts: tuple["Condition", ...]


Condition = Filter | Membership | AnyOf | AllOf


@dataclass(frozen=True)
class Selection:
    """Events of one name, or of one of several, that pass all filters."""

    events: tuple[str, ...]
    filters: tuple[Condition, ...] = ()


@dataclass
class Bound:
    """Collects the values that a piece of SQL binds."""

    values: dict[str, Any] = field(default_factory=dict)
    #: What else holds of every event that people are told by, as a condition that begins with AND.
    only: str = ""

    def add(self, kind: str, value: Any) -> str:
        """The placeholder of one more value."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{kind}}}"


class Told(Protocol):
    """Something of a row's person that is not on the row: `text_sql` is its text, as an expression on a row of `events`."""

    @property
    def name(self) -> str: ...

    def text_sql(self, bound: Bound) -> str: ...


#: What groups are told apart by: a field's name, some people, or what is known of each.
By = str | Membership | Told
#: Stands between the values of several fields.
BETWEEN = " · "


def field_sql(name: str, bound: Bound) -> str:
    """A field's text; empty where the event has none. What a client did not say of its context may be a property."""
    if name.startswith(ALONE) and name.removeprefix(ALONE) in COLUMNS:
        return f"toString({name.removeprefix(ALONE)})"
    if name in COLUMNS:
        return f"if({name} = '', properties[{bound.add('String', name)}], {name})"
    if name.startswith(FLAG):
        return f"flags[{bound.add('String', name.removeprefix(FLAG))}]"
    return f"properties[{bound.add('String', name)}]"


def group_sql(by: Sequence[By], bound: Bound) -> str:
    """The text that tells an event's group; empty where the event says nothing of any of these."""
    parts = [_group_part(one, bound) for one in by]
    if len(parts) == 1:
        return parts[0]
    shown = ", ".join(f"if({part} = '', '–', {part})" for part in parts)
    return f"if({' AND '.join(f'{part} = {chr(39)}{chr(39)}' for part in parts)}, '', concat_ws('{BETWEEN}', {shown}))"


def _group_part(one: By, bound: Bound) -> str:
    if isinstance(one, str):
        return field_sql(one, bound)
    if not isinstance(one, Membership):
        return one.text_sql(bound)
    inside, outside = bound.add("String", one.name), bound.add("String", f"not {one.name}")
    return f"if({_member_sql(one, bound)}, {inside}, {outside})"


def selected(selection: Selection, bound: Bound) -> str:
    """The condition on a row of `events`."""
    return is_named(selection, bound) + passes(selection, bound)


def is_named(selection: Selection, bound: Bound) -> str:
    """Whether an event has the name, or one of the names: for PREWHERE."""
    # one name is compared as a number of the column's dictionary; a list of one is looked up row by row
    if len(selection.events) == 1:
        return f"event = {bound.add('String', selection.events[0])}"
    return f"event IN {bound.add('Array(String)', list(selection.events))}"


def passes(selection: Selection, bound: Bound) -> str:
    """The filters as a condition that begins with AND; empty without any."""
    return "".join(f" AND {condition_sql(one, bound)}" for one in selection.filters)


def named(selections: Sequence[Selection]) -> list[str]:
    """Every event that any of them may mean."""
    return sorted({event for selection in selections for event in selection.events})


def condition_sql(one: Condition, bound: Bound) -> str:
    """Whether a row of `events` passes."""
    if isinstance(one, AnyOf | AllOf):
        word = " OR " if isinstance(one, AnyOf) else " AND "
        return f"({word.join(condition_sql(part, bound) for part in one.parts)})"
    if isinstance(one, Membership):
        return f"{'' if one.inside else 'NOT '}{_member_sql(one, bound)}"
    return one.sql(bound)


def _member_sql(one: Membership, bound: Bound) -> str:
    return f"({PERSON} IN ({one.people.sql(one.product_id, bound)}))"


#: What is not so is asked as what is so: it then holds where nothing is known, too.
_OPPOSITES: dict[Operator, Operator] = {
    "is not": "is",
    "does not contain": "contains",
    "does not match": "matches",
    "is not set": "is set",
}


def positive(one: Filter) -> tuple[Filter, bool]:
    """What is so, and whether it has to be."""
    return Filter(one.field, _OPPOSITES.get(one.operator, one.operator), one.values), one.operator not in _OPPOSITES


def text_condition(text: str, one: Filter, bound: Bound) -> str:
    """Whether a text, as SQL, is what the filter wants."""
    match one.operator:
        case "is set":
            return f"{text} != ''"
        case "is not set":
            return f"{text} = ''"
        case "above" | "below" | "at least" | "at most":
            return (
                f"ifNull(toFloat64OrNull({text}) {SIGNS[one.operator]} {bound.add('Float64', float(one.values[0]))}, 0)"
            )
        case "before" | "after":
            moment = bound.add("DateTime64(3, 'UTC')", moment_of(one.values[0]))
            sign = "<" if one.operator == "before" else ">"
            return f"ifNull(parseDateTime64BestEffortOrNull({text}, 3, 'UTC') {sign} {moment}, 0)"
        case "contains" | "does not contain":
            wanted = bound.add("Array(String)", list(one.values))
            found = f"arrayExists(word -> positionCaseInsensitiveUTF8({text}, word) > 0, {wanted})"
            return found if one.operator == "contains" else f"NOT {found}"
        case "matches" | "does not match":
            found = f"match({text}, {bound.add('String', one.values[0])})"
            return found if one.operator == "matches" else f"NOT {found}"
    sign = "IN" if one.operator == "is" else "NOT IN"
    return f"{text} {sign} {bound.add('Array(String)', list(one.values))}"


_AGO = {"h": "hours", "d": "days", "w": "weeks"}


def moment_of(text: str) -> datetime:
    """2026-05-01, 2026-05-01T08:00Z, or 7d for so long ago. Raises `ValueError`."""
    text = text.strip()
    if text[-1:] in _AGO and text[:-1].isdecimal() and len(text) <= 6:
        return datetime.now(UTC) - timedelta(**{_AGO[text[-1]]: int(text[:-1])})
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
