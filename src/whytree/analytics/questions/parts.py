"""What questions are made of: events with filters, spans of time, fields. Pure."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, get_args

from whytree.errors import Invalid
from whytree.stores.filters import FLAG, Filter, Operator, Selection

MOST_EVENTS = 20
MOST_FILTERS = 20
MOST_VALUES = 1_000
NAME_LENGTH = 500
MAX_DAYS = 3_660
MAX_WINDOW = timedelta(days=366)
OPERATORS: tuple[Operator, ...] = get_args(Operator)
_WITHOUT_VALUE = ("is set", "is not set")
_NUMERIC = ("above", "below")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"\s*(\d{1,9})\s*([smhdw])\s*")
_UNITS = {"w": "week", "d": "day", "h": "hour", "m": "minute", "s": "second"}


def label(step: Selection) -> str:
    """A step as people read it: `opened`, `opened or paid`, `opened (plan is free)`."""
    events = " or ".join(step.events)
    filters = " and ".join(filter_words(one) for one in step.filters)
    return f"{events} ({filters})" if filters else events


def filter_words(one: Filter) -> str:
    return f"{one.field.removeprefix(FLAG)} {one.operator} {' or '.join(one.values)}".rstrip()


def parse_filter(text: str) -> Filter:
    """A filter as one types it: `plan=free`, `plan!=free,trial`, `title~guitar`, `price>10`, `coupon` (is set), `!coupon`."""
    found = re.fullmatch(r"(?P<field>[^=!~<>]+?)\s*(?P<sign>!=|=|~|>|<)\s*(?P<values>.*)", text.strip(), re.DOTALL)
    if found is None:
        name = text.strip()
        raw: dict[str, Any] = {
            "field": name.removeprefix("!"),
            "operator": "is not set" if name[:1] == "!" else "is set",
        }
        return _filter(raw)
    signs = {"=": "is", "!=": "is not", "~": "contains", ">": "above", "<": "below"}
    values = [value.strip() for value in found["values"].split(",")]
    return _filter({"field": found["field"], "operator": signs[found["sign"]], "values": values})


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


def checked_selection(raw: object, shared: tuple[Filter, ...] = ()) -> Selection:
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


def checked_filters(raw: object) -> tuple[Filter, ...]:
    if not isinstance(raw, Sequence) or isinstance(raw, str) or len(raw) > MOST_FILTERS:
        raise Invalid(f"“where” is a list of at most {MOST_FILTERS} filters.")
    return tuple(_filter(one) for one in raw)


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


def selection_json(step: Selection) -> dict[str, Any]:
    where = {"where": [filter_json(one) for one in step.filters]} if step.filters else {}
    return {"events": list(step.events)} | where


def filter_json(one: Filter) -> dict[str, Any]:
    head: dict[str, Any] = {"field": one.field, "operator": one.operator}
    return head | ({"values": list(one.values)} if one.values else {})
