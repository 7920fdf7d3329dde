"""PostHog's cohorts as ours."""

import re
from collections.abc import Mapping
from typing import Any

from .incoming import CannotCarry, Incoming, listed, mapping, whole
from .posthog_reader import Reader, foreign_id, name_of

_DAYS_IN = {"d": 1, "w": 7, "m": 30, "y": 365}
_TIME_UNITS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30, "year": 365}


def read_cohort(thing: Mapping[str, Any], reader: Reader) -> Incoming:
    """A cohort by rules as ours; `CannotCarry` for a list of people and for rules without a counterpart."""
    if thing.get("is_static"):
        raise CannotCarry("it is a list: export its people and bring them with `whytree cohort add KEY --ids FILE`")
    top = mapping(mapping(thing.get("filters")).get("properties"))
    if not top.get("values"):
        raise CannotCarry("it has no rule")
    foreign = foreign_id("cohort", thing)
    definition = {"version": 1, **_outermost(_together(top, reader))}
    description = str(thing.get("description") or "")
    return Incoming(foreign, "cohort", name_of(thing) or foreign, definition, description, notes=tuple(reader.notes))


def _outermost(part: dict[str, Any]) -> dict[str, Any]:
    return part if set(part) <= {"all", "any"} else {"all": [part]}


def _together(said: Mapping[str, Any], reader: Reader, depth: int = 0) -> dict[str, Any]:
    if depth > 20:
        raise CannotCarry("its rule is nested too deep")
    if "values" not in said or "key" in said:
        return _part(said, reader)
    parts = [_together(mapping(one), reader, depth + 1) for one in listed(said["values"])]
    if not parts:
        raise CannotCarry("a part of its rule is empty")
    if len(parts) == 1:
        return parts[0]
    return {"any" if said.get("type") == "OR" else "all": parts}


def _part(said: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    kind = said.get("type")
    part = _did(said, reader) if kind == "behavioral" else _is(said, reader)
    return {"not": part} if said.get("negation") and kind != "behavioral" else part


def _is(said: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    if said.get("type") in ("cohort", "static-cohort", "precalculated-cohort"):
        return {"cohort": f"cohort {said.get('value')}"}
    if said.get("type") != "person":
        raise CannotCarry(f"its rule asks for {str(said.get('type'))[:40]}")
    found = reader.one(said)
    if len(found) != 1 or "field" not in found[0]:
        raise CannotCarry("its rule about a person is more than one filter")
    plain = {**found[0], "field": found[0]["field"].removeprefix("person:")}
    return {"person": plain}


def _did(said: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    value, kind = said.get("value"), said.get("event_type")
    node = {
        "kind": "ActionsNode" if kind == "actions" else "EventsNode",
        "id": said.get("key"),
        "event": said.get("key"),
    }
    selection = reader.selection(node | {"properties": said.get("event_filters")})
    lately = _lately(said, reader)
    if value == "performed_event":
        return ({"did_not": selection} if said.get("negation") else {"did": selection}) | lately
    if value == "performed_event_multiple" and not said.get("negation"):
        return {"did": selection} | _often(said) | lately
    if value == "performed_event_sequence" and not said.get("negation"):
        then = reader.selection({"kind": "EventsNode", "event": said.get("seq_event")})
        days = whole(said.get("seq_time_value") or 1, "its time") * _TIME_UNITS.get(
            str(said.get("seq_time_interval")), 1
        )
        return {"in_order": [selection, then], "within": f"{max(1, round(days * 24))}h"} | lately
    raise CannotCarry(f"its rule is “{str(value)[:40]}”, which has no counterpart here")


def _often(said: Mapping[str, Any]) -> dict[str, int]:
    times, operator = whole(said.get("operator_value", 1), "how often"), str(said.get("operator") or "gte")
    bounds = {
        "gte": {"at_least": times},
        "gt": {"at_least": times + 1},
        "exact": {"at_least": times, "at_most": times},
        "eq": {"at_least": times, "at_most": times},
        "lte": {"at_least": 1, "at_most": times},
        "lt": {"at_least": 1, "at_most": times - 1},
    }
    if operator not in bounds or min(bounds[operator].values()) < 1:
        raise CannotCarry(f"its rule counts {operator[:20]} {times}")
    return bounds[operator]


def _lately(said: Mapping[str, Any], reader: Reader) -> dict[str, int]:
    explicit = re.fullmatch(r"-(\d{1,5})([dwmyh])", str(said.get("explicit_datetime") or ""))
    if explicit:
        days = int(explicit[1]) * {**_DAYS_IN, "h": 1 / 24}[explicit[2]]
    elif said.get("time_value"):
        days = whole(said["time_value"], "its time") * _TIME_UNITS.get(str(said.get("time_interval")), 1)
    else:
        return {}
    if days < 1:
        reader.notes.append("It looked at hours; here it looks at one day.")
    return {"days": max(1, round(days))}
