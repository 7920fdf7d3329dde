"""PostHog's property filters as ours."""

import re
from collections.abc import Mapping
from typing import Any

from .incoming import CannotCarry, listed, mapping, texts

_OPERATORS = {
    "exact": "is",
    "is_not": "is not",
    "icontains": "contains",
    "not_icontains": "does not contain",
    "regex": "matches",
    "not_regex": "does not match",
    "gt": "above",
    "gte": "at least",
    "lt": "below",
    "lte": "at most",
    "is_set": "is set",
    "is_not_set": "is not set",
    "is_date_before": "before",
    "is_date_after": "after",
}
_WITHOUT_VALUE = ("is_set", "is_not_set")
_OF_ANY = ("exact", "is_not", "icontains")
"""With several values these say themselves that one of them will do, or that none may be."""
_OF_NONE = ("not_icontains", "not_regex")
_SESSION = {
    "$session_duration": "seconds",
    "$pageview_count": "pages",
    "$entry_pathname": "entry",
    "$exit_pathname": "exit",
    "$end_pathname": "exit",
    "$is_bounce": "bounced",
}
_DAYS_AGO = {"d": 1, "w": 7, "m": 30, "y": 365}
DEEPEST = 8


class Filters:
    """Reads filters; `notes` are what there is to say of them."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def all_of(self, said: Any, depth: int = 0) -> list[dict[str, Any]]:
        """A list of filters, or a group of groups, as filters that hold together."""
        if not said:
            return []
        if isinstance(said, list):
            return [one for each in said for one in self._any(mapping(each), depth)]
        return self._any(mapping(said), depth)

    def _any(self, said: Mapping[str, Any], depth: int) -> list[dict[str, Any]]:
        if depth > DEEPEST:
            raise CannotCarry("its filters are nested too deep")
        if "values" not in said or "key" in said:
            return self.one(said)
        groups = [self.all_of(one, depth + 1) for one in listed(said["values"])]
        groups = [one for one in groups if one]
        if said.get("type") == "OR" and len(groups) > 1:
            return [{"any": [one[0] if len(one) == 1 else {"all": one} for one in groups]}]
        return [one for each in groups for one in each]

    def one(self, said: Mapping[str, Any]) -> list[dict[str, Any]]:
        kind, operator, key = (
            said.get("type") or "event",
            str(said.get("operator") or "exact"),
            str(said.get("key", "")),
        )
        if kind == "cohort":
            inside = operator != "not_in" and not said.get("negation")
            return [{"field": f"cohort:cohort {said.get('value')}", "operator": "is set" if inside else "is not set"}]
        field = self._field(str(kind), key)
        if operator in ("between", "not_between"):
            return self._between(field, said.get("value"), operator)
        if operator not in _OPERATORS:
            raise CannotCarry(f"it filters by “{operator[:40]}”")
        if operator in _WITHOUT_VALUE:
            return [{"field": field, "operator": _OPERATORS[operator]}]
        values = texts(said.get("value"))
        if operator.startswith("is_date"):
            values = [_moment(one) for one in values]
        if len(values) < 2 or operator in _OF_ANY:
            return [{"field": field, "operator": _OPERATORS[operator], "values": values}]
        each = [{"field": field, "operator": _OPERATORS[operator], "values": [one]} for one in values]
        return each if operator in _OF_NONE else [{"any": each}]

    def _between(self, field: str, value: Any, operator: str) -> list[dict[str, Any]]:
        if operator == "not_between" or not isinstance(value, list) or len(value) != 2:
            raise CannotCarry("it filters by what is not between two values")
        low, high = texts(value)
        return [
            {"field": field, "operator": "at least", "values": [low]},
            {"field": field, "operator": "at most", "values": [high]},
        ]

    def _field(self, kind: str, key: str) -> str:
        if not key:
            raise CannotCarry("one of its filters names no property")
        if kind == "event" and key.startswith("$feature/"):
            return f"flag:{key.removeprefix('$feature/')}"
        if kind in ("event", "feature"):
            return key
        if kind == "person":
            return f"person:{key}"
        if kind == "group":
            self.notes.append(f"Its group’s {key} is read as the company’s.")
            return f"company:{key}"
        if kind == "session" and key in _SESSION:
            return f"session:{_SESSION[key]}"
        if kind == "session":
            raise CannotCarry(f"it asks for {key[:60]} of sessions, which is not known here")
        raise CannotCarry(f"it filters by {kind[:40]}, which is not known of events here")

    def group_field(self, said: Mapping[str, Any]) -> str:
        """What groups are told apart by."""
        kind, key = (
            str(said.get("type") or said.get("breakdown_type") or "event"),
            said.get("property", said.get("value")),
        )
        if kind == "cohort":
            if key == "all":
                raise CannotCarry("one of its groups is everybody")
            return f"cohort:cohort {key}"
        if said.get("histogram_bin_count") or said.get("bin_count"):
            self.notes.append(f"Its groups were bins of {key}; here they are its values.")
        return self._field(kind, str(key or ""))


def _moment(value: str) -> str:
    """A day as it is; “-7d” as so many days ago."""
    found = re.fullmatch(r"-(\d{1,5})([dwmy])", value)
    return f"{int(found[1]) * _DAYS_AGO[found[2]]}d" if found else value
