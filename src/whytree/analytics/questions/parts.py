"""What questions are made of: events with filters, spans of time, fields. Pure."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, get_args

from whytree.errors import Invalid
from whytree.stores.pieces.filters import (
    COLUMNS,
    FLAG,
    AllOf,
    AnyOf,
    Condition,
    Filter,
    Membership,
    Operator,
    Selection,
    moment_of,
)

MOST_EVENTS = 20
MOST_FILTERS = 20
MOST_VALUES = 1_000
NAME_LENGTH = 500
MAX_DAYS = 3_660
MAX_WINDOW = timedelta(days=366)
OPERATORS: tuple[Operator, ...] = get_args(Operator)
_WITHOUT_VALUE = ("is set", "is not set")
_NUMERIC = ("above", "below", "at least", "at most")
_DATED = ("before", "after")
_PATTERNS = ("matches", "does not match")
#: Of a filter tree. A person who reads it gives up earlier.
DEEPEST = 8
#: A filter or a breakdown by who belongs to a cohort: `cohort:early_birds`.
COHORT = "cohort:"
#: By what is known of the person now, whatever it was when the event happened: `person:plan`.
PERSON_TRAIT = "person:"
#: By what is known now of the company that somebody belongs to: `company:plan`; `company:id` is its key.
COMPANY_TRAIT = "company:"
#: By what was known when the event happened, of the person: `then:plan`, or of their company: `then:company:plan`.
THEN = "then:"
#: By the session that the event lies in: `session:seconds`.
SESSION = "session:"
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"\s*(\d{1,9})\s*([smhdw])\s*")
_UNITS = {"w": "week", "d": "day", "h": "hour", "m": "minute", "s": "second"}


def label(step: Selection) -> str:
    """A step as people read it: `opened`, `opened or paid`, `opened (plan is free)`."""
    events = " or ".join(step.events)
    filters = " and ".join(filter_words(one) for one in step.filters)
    return f"{events} ({filters})" if filters else events


def filter_words(one: Condition) -> str:
    if isinstance(one, AnyOf | AllOf):
        word = " or " if isinstance(one, AnyOf) else " and "
        return f"({word.join(filter_words(part) for part in one.parts)})"
    if isinstance(one, Membership):
        return f"{'in' if one.inside else 'not in'} {one.name}"
    if one.field.startswith(COHORT):
        return f"{'in' if one.operator == 'is set' else 'not in'} {one.field.removeprefix(COHORT)}"
    values = [_ago(value) for value in one.values] if one.operator in _DATED else one.values
    return f"{field_words(one.field.removeprefix(FLAG))} {one.operator} {' or '.join(values)}".rstrip()


def _ago(value: str) -> str:
    """A moment as people read it: “7d” is seven days ago."""
    found = _SPAN.fullmatch(value)
    if found is None:
        return value
    unit = _UNITS[found[2]]
    return f"{int(found[1]):,} {unit}{'' if int(found[1]) == 1 else 's'} ago"


def field_words(field: str) -> str:
    """A field as people read it: `person’s plan`, `plan then`, `company’s plan then`, `session’s seconds`."""
    if field.startswith(THEN):
        return f"{field_words(field.removeprefix(THEN).strip())} then"
    for prefix, whose in _WHOSE.items():
        if field.startswith(prefix):
            return f"{whose}{field.removeprefix(prefix).strip()}"
    return field


_WHOSE = {PERSON_TRAIT: "person’s ", COMPANY_TRAIT: "company’s ", SESSION: "session’s "}


def fields_of_filters(filters: Iterable[Condition]) -> list[str]:
    """Every field that is read, in its order."""
    found: list[str] = []
    for one in filters:
        if isinstance(one, AnyOf | AllOf):
            found += fields_of_filters(one.parts)
        elif isinstance(one, Filter):
            found.append(one.field)
    return found


def parse_filter(text: str) -> Condition:
    """A filter as one types it: `plan=free`, `plan!=free,trial`, `title~guitar`, `price>10`, `coupon` (is set), `!coupon`.

    `title=~^gui` is a regular expression, `born<2000-01-01` a date, `cohort:early_birds` who belongs to one; `|` between two
    of them means either.
    """
    either = [part for part in text.split("|") if part.strip()] if "=~" not in text else [text]
    if len(either) > 1:
        return AnyOf(tuple(parse_filter(part) for part in either))
    found = re.fullmatch(
        r"(?P<field>[^=!~<>]+?)\s*(?P<sign>!=|=~|!~|>=|<=|=|~|>|<)\s*(?P<values>.*)", text.strip(), re.DOTALL
    )
    if found is None:
        name = text.strip()
        raw: dict[str, Any] = {
            "field": name.removeprefix("!"),
            "operator": "is not set" if name[:1] == "!" else "is set",
        }
        return _filter(raw)
    values = [value.strip() for value in found["values"].split(",")]
    operator = _SIGNS[found["sign"]]
    if operator in _DAYS and values and not _is_number(values[0]):
        operator = _DAYS[operator]
    if operator in _PATTERNS:
        values = [found["values"].strip()]
    return _filter({"field": found["field"], "operator": operator, "values": values})


_SIGNS = {
    "=": "is",
    "!=": "is not",
    "~": "contains",
    "!~": "does not contain",
    "=~": "matches",
    ">": "above",
    "<": "below",
    ">=": "at least",
    "<=": "at most",
}
_DAYS = {"above": "after", "below": "before"}


def parse_span(value: object) -> timedelta:
    """30m, 12h, 1d, 2w."""
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Invalid(f"{str(value)[:40]!r} is no span of time. Write it as 30m, 12h, 1d or 2w.")
    seconds = int(found[1]) * _SECONDS[found[2]]
    if not 0 < seconds <= MAX_WINDOW.total_seconds():
        raise Invalid(f"People can be followed for a second to {MAX_WINDOW.days} days. Write it as 30m, 12h, 1d or 2w.")
    return timedelta(seconds=seconds)


def span(window: timedelta) -> str:
    """1d: the shortest way to write it."""
    number, unit = _largest(window)
    return f"{number}{unit}"


def span_words(window: timedelta) -> str:
    """a day, 2 weeks"""
    number, unit = _largest(window)
    if number == 1:
        return f"an {_UNITS[unit]}" if unit == "h" else f"a {_UNITS[unit]}"
    return f"{number} {_UNITS[unit]}s"


def is_property(field: str) -> bool:
    """Whether a field is something that events carry, and not a column of theirs, a flag, a cohort, a trait or a session's."""
    return field not in COLUMNS and not field.startswith((FLAG, COHORT, PERSON_TRAIT, COMPANY_TRAIT, THEN, SESSION))


def refuse_unknown(kind: str, wanted: Iterable[str], known: Sequence[str]) -> None:
    """`Invalid` for a name that nothing was ever sent under, with the nearest that was."""
    for name in wanted:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.6)
            hint = f" Did you mean “{near[0]}”?" if near else ""
            raise Invalid(f"No {kind} “{name[:80]}” has been seen yet.{hint}")


def _largest(window: timedelta) -> tuple[int, str]:
    seconds = int(window.total_seconds())
    unit = next(unit for unit in "wdhms" if seconds % _SECONDS[unit] == 0)
    if unit == "w" and seconds == _SECONDS["w"]:
        return 7, "d"  # nobody says "within a week" for a window of exactly seven days and means the calendar's
    return seconds // _SECONDS[unit], unit


def checked_selection(raw: object, shared: tuple[Condition, ...] = ()) -> Selection:
    """A step, a series, a beginning: an event, or one of several, with filters."""
    if isinstance(raw, str):
        raw = {"event": raw}
    if (
        not isinstance(raw, Mapping)
        or not set(raw) <= {"event", "events", "where"}
        or ("event" in raw) == ("events" in raw)
    ):
        raise Invalid(
            'A step is the name of an event, or {"event": "paid", "where": [...]}, or {"events": ["a", "b"]}.'
        )
    names = [raw["event"]] if "event" in raw else raw["events"]
    if not isinstance(names, list) or not 1 <= len(names) <= MOST_EVENTS or not all(map(_is_name, names)):
        raise Invalid("A step names an event, or a list of some, as your product sends them.")
    return Selection(tuple(dict.fromkeys(names)), checked_filters(raw.get("where", [])) + shared)


def checked_filters(raw: object, depth: int = DEEPEST) -> tuple[Condition, ...]:
    if not isinstance(raw, Sequence) or isinstance(raw, str) or len(raw) > MOST_FILTERS:
        raise Invalid(f"“where” is a list of at most {MOST_FILTERS} filters.")
    return tuple(_condition(one, depth) for one in raw)


def _condition(raw: object, depth: int) -> Condition:
    """A filter, or {"any": [...]}, {"all": [...]} of some."""
    if not isinstance(raw, Mapping) or set(raw) not in ({"any"}, {"all"}):
        return _filter(raw)
    if depth == 0:
        raise Invalid(f"Filters within filters go {DEEPEST} deep at most. Say it with fewer brackets.")
    kind, parts = next(iter(raw.items()))
    found = checked_filters(parts, depth - 1)
    if not found:
        raise Invalid(f"“{kind}” needs at least one filter.")
    return AnyOf(found) if kind == "any" else AllOf(found)


def _filter(raw: object) -> Filter:
    if (
        not isinstance(raw, Mapping)
        or not set(raw) <= {"field", "operator", "values"}
        or not _is_name(raw.get("field"))
    ):
        raise Invalid('A filter is {"field": "plan", "operator": "is", "values": ["free"]}.')
    operator = raw.get("operator", "is")
    if operator not in OPERATORS:
        raise Invalid(f"A filter cannot say {str(operator)[:40]!r}. It says one of: {', '.join(OPERATORS)}.")
    values = raw.get("values", [])
    if not isinstance(values, list) or len(values) > MOST_VALUES or not all(_is_value(value) for value in values):
        raise Invalid(f"The values of “{raw['field']}” are a list of at most {MOST_VALUES:,} texts or numbers.")
    texts = tuple(_text(value) for value in values)
    if (operator in _WITHOUT_VALUE) != (not texts):
        raise Invalid(f"“{raw['field']} {operator}” {'takes no value' if texts else 'needs a value'}.")
    if operator in _NUMERIC and (len(texts) != 1 or not _is_number(texts[0])):
        raise Invalid(f"“{raw['field']} {operator}” needs one number.")
    if operator in _DATED and (len(texts) != 1 or not _is_moment(texts[0])):
        raise Invalid(f"“{raw['field']} {operator}” needs one moment, as 2026-05-01, or 7d for seven days ago.")
    if operator in _PATTERNS and len(texts) != 1:
        raise Invalid(f"“{raw['field']} {operator}” needs one regular expression.")
    if str(raw["field"]).strip().startswith(COHORT) and operator not in _WITHOUT_VALUE:
        raise Invalid("Somebody is in a cohort or not: write cohort:KEY with “is set” or “is not set”.")
    return Filter(str(raw["field"]).strip(), operator, texts)


def checked_field(value: object) -> str:
    if value in ("", None):
        return ""
    if not _is_name(value):
        raise Invalid("“by” is the name of a field, as platform, a property, or flag:KEY.")
    return str(value).strip()


def checked_days(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_DAYS:
        raise Invalid(f"“days” is a whole number from 1 to {MAX_DAYS:,}.")
    return value


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= NAME_LENGTH and _is_storable(value)


def _is_value(value: object) -> bool:
    if isinstance(value, bool | int | float):
        return math.isfinite(value)
    return isinstance(value, str) and len(value) <= NAME_LENGTH and _is_storable(value)


def _is_storable(text: str) -> bool:
    """Neither NUL nor half of a surrogate pair, which JSON can spell and no store can hold."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _text(value: object) -> str:
    """As the store keeps it: true, 12, 1.5."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    try:
        moment_of(text)
    except (ValueError, OverflowError):
        return False
    return True


def selection_json(step: Selection) -> dict[str, Any]:
    where = {"where": [filter_json(one) for one in step.filters]} if step.filters else {}
    return {"events": list(step.events)} | where


def filter_json(one: Condition) -> dict[str, Any]:
    if isinstance(one, AnyOf | AllOf):
        return {"any" if isinstance(one, AnyOf) else "all": [filter_json(part) for part in one.parts]}
    if isinstance(one, Membership):
        return {"field": f"{COHORT}{one.name}", "operator": "is set" if one.inside else "is not set"}
    head: dict[str, Any] = {"field": one.field, "operator": one.operator}
    return head | ({"values": list(one.values)} if one.values else {})
