"""One of PostHog's definitions on its way: what every kind of them says alike."""

import re
from collections.abc import Mapping
from typing import Any

from .incoming import CannotCarry, listed, mapping
from .posthog_filters import Filters

_DAYS_IN = {"h": 1 / 24, "d": 1, "w": 7, "m": 30, "y": 365}
_MEASURES = {
    "total": "total",
    "dau": "people",
    "weekly_active": "wau",
    "monthly_active": "mau",
    "unique_group": "companies",
    "avg_count_per_actor": "average",
}
_OF_A_PROPERTY = {"sum": "sum", "avg": "mean", "median": "median", "p90": "p90", "p95": "p95", "p99": "p99"}
_OF_A_PROPERTY |= {"min": "min", "max": "max"}


class Reader(Filters):
    """One definition on its way: what there is to note, and the actions it may name."""

    def __init__(self, actions: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__()
        self.actions = actions

    def selection(self, node: Any) -> dict[str, Any]:
        """A node of a series: an event, or an action that is nothing but events."""
        said = mapping(node)
        where = self.all_of(said.get("properties")) + self.all_of(said.get("fixedProperties"))
        if said.get("kind") == "GroupNode" or said.get("type") == "groups":
            return self._any_of_them(said, where)
        if said.get("kind") == "ActionsNode" or said.get("type") == "actions":
            events = self._of_action(str(said.get("id", "")))
        elif said.get("kind") in (None, "EventsNode"):
            event = said.get("event", said.get("id"))
            if not event:
                raise CannotCarry("it counts all events at once")
            events = [str(event)]
        else:
            raise CannotCarry(f"it counts {str(said.get('kind'))[:40]}, which are no events")
        return {"events": events} | ({"where": where} if where else {})

    def _any_of_them(self, group: Mapping[str, Any], where: list[dict[str, Any]]) -> dict[str, Any]:
        """Several events counted as one; here they have their filters together."""
        nodes = [self.selection(node) for node in listed(group.get("nodes"))]
        if not nodes or any(one.get("where") != nodes[0].get("where") for one in nodes):
            raise CannotCarry("it counts several events as one, each with filters of its own")
        events = list(dict.fromkeys(event for one in nodes for event in one["events"]))
        both = [*nodes[0].get("where", []), *where]
        return {"events": events} | ({"where": both} if both else {})

    def _of_action(self, number: str) -> list[str]:
        action = self.actions.get(number)
        if action is None:
            raise CannotCarry(f"it counts the action {number}; bring the actions along")
        events = []
        for step in listed(action.get("steps")):
            said = mapping(step)
            if any(said.get(name) for name in ("selector", "text", "href", "url", "properties", "tag_name")):
                raise CannotCarry(f"its action “{action.get('name')}” looks at clicks, pages or properties")
            events.append(str(said.get("event") or ""))
        if not events or not all(events):
            raise CannotCarry(f"its action “{action.get('name')}” names no event")
        return events

    def shared(self, query: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Filters of the whole question."""
        if query.get("filterTestAccounts"):
            self.notes.append("It left test accounts out. Here that is a filter or a cohort of yours.")
        if query.get("samplingFactor"):
            self.notes.append("It was sampled; here everything counts.")
        return self.all_of(query.get("properties"))

    def days(self, query: Mapping[str, Any], usual: int | None) -> dict[str, Any]:
        span = mapping(query.get("dateRange"))
        said = span.get("date_from")
        if said in (None, ""):
            return {"days": usual} if usual else {}
        if said == "all":
            return {}
        if since := _day(said):
            until = _day(span.get("date_to"))
            return {"since": since} | ({"until": until} if until else {})
        found = re.fullmatch(r"-(\d{1,5})([hdwmy])", str(said))
        if found:
            return {"days": max(1, round(int(found[1]) * _DAYS_IN[found[2]]))}
        self.notes.append(f"Its period was {str(said)[:40]}; here it is the last 28 days.")
        return {"days": 28}

    def by(self, query: Mapping[str, Any]) -> dict[str, Any]:
        said = mapping(query.get("breakdownFilter") or query.get("breakdown"))
        some = listed(said.get("breakdowns"))
        if not some and said.get("breakdown") not in (None, "", []):
            some = [{"property": one, "type": said.get("breakdown_type")} for one in _many(said["breakdown"])]
        if said.get("breakdown_normalize_url") or said.get("breakdown_path_cleaning"):
            self.notes.append("Its groups were addresses made alike; here each stands as it was sent.")
        fields = [self.group_field(mapping(one)) for one in some]
        return {"by": fields[0] if len(fields) == 1 else fields} if fields else {}


def _day(value: Any) -> str | None:
    """The day of a moment; None where it is none."""
    found = re.match(r"\d{4}-\d{2}-\d{2}(?!\d)", str(value))
    return found[0] if found else None


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def foreign_id(kind: str, thing: Mapping[str, Any]) -> str:
    return f"{kind} {thing.get('id', thing.get('short_id', '?'))}"[:100]


def name_of(thing: Mapping[str, Any]) -> str:
    return str(thing.get("name") or thing.get("derived_name") or "")[:200]


def measure_of(node: Mapping[str, Any]) -> str:
    """Our word for how a series counts: "total", "people", "sum:price" and the like; `CannotCarry` for others."""
    math = str(node.get("math") or "total")
    if node.get("math_multiplier") not in (None, 1):
        raise CannotCarry("it multiplies what it counts")
    if math in _MEASURES:
        return _MEASURES[math]
    field = node.get("math_property")
    if math in _OF_A_PROPERTY and field:
        if str(node.get("math_property_type") or "event_properties") not in (
            "event_properties",
            "numerical_event_properties",
        ):
            raise CannotCarry(f"it adds up a property of {str(node['math_property_type'])[:40]}, not of events")
        return f"{_OF_A_PROPERTY[math]}:{field}"
    raise CannotCarry(f"it counts by {math[:40]}")
