"""PostHog's insights, cohorts and shared metrics, as its API gives them: today's `query` and the older `filters`.

What an insight counts in an action is carried where the actions come along and are plain events.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .incoming import MALFORMED, MALFORMED_WHY, CannotCarry, Incoming, LeftOut, Moved, listed, mapping, texts, whole
from .posthog_filters import Filters

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
_WINDOW_UNITS = {
    "second": (1, "s"),
    "minute": (1, "m"),
    "hour": (1, "h"),
    "day": (1, "d"),
    "week": (1, "w"),
    "month": (30, "d"),
}
_DAYS_IN = {"d": 1, "w": 7, "m": 30, "y": 365}
_OLDER = {
    "TRENDS": "TrendsQuery",
    "FUNNELS": "FunnelsQuery",
    "RETENTION": "RetentionQuery",
    "LIFECYCLE": "LifecycleQuery",
    "STICKINESS": "StickinessQuery",
    "PATHS": "PathsQuery",
}
_TIME_UNITS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30, "year": 365}


def is_posthog(thing: Mapping[str, Any]) -> bool:
    return _kind(thing) != ""


def _kind(thing: Mapping[str, Any]) -> str:
    query = mapping(thing.get("query"))
    if "is_static" in thing:
        return "cohort"
    if str(query.get("kind", "")).startswith("Experiment") or thing.get("kind") == "ExperimentMetric":
        return "metric"
    if query or "insight" in mapping(thing.get("filters")) or "short_id" in thing:
        return "insight"
    return "action" if "steps" in thing and "name" in thing else ""


def read_posthog(things: Sequence[Mapping[str, Any]]) -> list[Moved]:
    by_kind: dict[str, list[Mapping[str, Any]]] = {}
    for thing in things:
        if not thing.get("deleted"):
            by_kind.setdefault(_kind(thing), []).append(thing)
    actions = {str(one.get("id")): one for one in by_kind.get("action", [])}
    readers: dict[str, Callable[[Mapping[str, Any], _Reader], Incoming]] = {
        "cohort": _cohort,  # first: questions name them
        "metric": _metric,
        "insight": _insight,
    }
    return [_moved(kind, thing, read, actions) for kind, read in readers.items() for thing in by_kind.get(kind, [])]


class _Reader(Filters):
    """One definition on its way: what there is to note, and the actions it may name."""

    def __init__(self, actions: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__()
        self.actions = actions

    def selection(self, node: Any) -> dict[str, Any]:
        """A node of a series: an event, or an action that is nothing but events."""
        said = mapping(node)
        where = self.all_of(said.get("properties")) + self.all_of(said.get("fixedProperties"))
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

    def days(self, query: Mapping[str, Any], usual: int | None) -> dict[str, int]:
        said = mapping(query.get("dateRange")).get("date_from")
        if said in (None, ""):
            return {"days": usual} if usual else {}
        if said == "all":
            return {}
        found = re.fullmatch(r"-(\d{1,5})([dwmy])", str(said))
        if found:
            return {"days": max(1, int(found[1]) * _DAYS_IN[found[2]])}
        self.notes.append(f"Its period was {str(said)[:40]}; here it is the last 28 days.")
        return {"days": 28}

    def by(self, query: Mapping[str, Any]) -> dict[str, Any]:
        said = mapping(query.get("breakdownFilter") or query.get("breakdown"))
        some = listed(said.get("breakdowns"))
        if not some and said.get("breakdown") not in (None, "", []):
            some = [{"property": one, "type": said.get("breakdown_type")} for one in _many(said["breakdown"])]
        fields = [self.group_field(mapping(one)) for one in some]
        return {"by": fields[0] if len(fields) == 1 else fields} if fields else {}


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _moved(
    kind: str,
    thing: Mapping[str, Any],
    read: Callable[[Mapping[str, Any], _Reader], Incoming],
    actions: Mapping[str, Mapping[str, Any]],
) -> Moved:
    try:
        return read(thing, _Reader(actions))
    except CannotCarry as error:
        return LeftOut(_foreign(kind, thing), _name(thing), str(error))
    except MALFORMED:
        return LeftOut(_foreign(kind, thing), _name(thing), MALFORMED_WHY)


def _foreign(kind: str, thing: Mapping[str, Any]) -> str:
    return f"{kind} {thing.get('id', thing.get('short_id', '?'))}"[:100]


def _name(thing: Mapping[str, Any]) -> str:
    return str(thing.get("name") or thing.get("derived_name") or "")[:200]


# --- insights -------------------------------------------------------------------------------------------------------


def _insight(thing: Mapping[str, Any], reader: _Reader) -> Incoming:
    query = mapping(thing.get("query"))
    query = mapping(query.get("source")) or query
    if not query:
        query = _todays(mapping(thing.get("filters")))
    readers: dict[str, Callable[[Mapping[str, Any], _Reader], dict[str, Any]]] = {
        "TrendsQuery": _trends,
        "FunnelsQuery": _funnel,
        "RetentionQuery": _retention,
        "LifecycleQuery": _living,
        "StickinessQuery": _living,
        "PathsQuery": _paths,
    }
    kind = str(query.get("kind", ""))
    if kind not in readers:
        raise CannotCarry(f"it is a {kind[:40] or 'question without a kind'}, which has no counterpart here")
    definition = {"version": 1, **readers[kind](query, reader)}
    foreign = _foreign("insight", thing)
    return Incoming(
        foreign, "question", _name(thing), definition, str(thing.get("description") or ""), notes=tuple(reader.notes)
    )


def _todays(filters: Mapping[str, Any]) -> dict[str, Any]:
    """The older `filters` in today's words."""
    kind = _OLDER.get(str(filters.get("insight", "TRENDS")))
    if kind is None:
        raise CannotCarry(f"it is a {str(filters.get('insight'))[:40]}, which has no counterpart here")
    nodes = [{**mapping(one), "type": "events"} for one in listed(filters.get("events"))]
    nodes += [{**mapping(one), "type": "actions"} for one in listed(filters.get("actions"))]
    nodes.sort(key=lambda one: one.get("order") or 0)
    return {
        "kind": kind,
        "series": nodes,
        "interval": filters.get("interval"),
        "properties": filters.get("properties"),
        "filterTestAccounts": filters.get("filter_test_accounts"),
        "dateRange": {"date_from": filters.get("date_from")},
        "breakdownFilter": {
            name: filters.get(name) for name in ("breakdown", "breakdown_type", "breakdowns") if filters.get(name)
        },
        "trendsFilter": {
            "display": filters.get("display"),
            "formula": filters.get("formula"),
            "smoothingIntervals": filters.get("smoothing_intervals"),
        },
        "compareFilter": {"compare": filters.get("compare")},
        "funnelsFilter": {
            "funnelWindowInterval": filters.get("funnel_window_interval") or filters.get("funnel_window_days"),
            "funnelWindowIntervalUnit": filters.get("funnel_window_interval_unit"),
            "funnelOrderType": filters.get("funnel_order_type"),
            "funnelVizType": filters.get("funnel_viz_type"),
            "exclusions": [
                {
                    **mapping(one),
                    "funnelFromStep": one.get("funnel_from_step"),
                    "funnelToStep": one.get("funnel_to_step"),
                }
                for one in listed(filters.get("exclusions"))
                if isinstance(one, Mapping)
            ],
        },
        "retentionFilter": {
            "targetEntity": filters.get("target_entity"),
            "returningEntity": filters.get("returning_entity"),
            "period": filters.get("period"),
            "totalIntervals": filters.get("total_intervals"),
            "retentionType": filters.get("retention_type"),
        },
        "pathsFilter": {
            "startPoint": filters.get("start_point"),
            "endPoint": filters.get("end_point"),
            "stepLimit": filters.get("step_limit"),
            "excludeEvents": filters.get("exclude_events"),
            "includeEventTypes": filters.get("include_event_types"),
        },
    }


def _trends(query: Mapping[str, Any], reader: _Reader) -> dict[str, Any]:
    chosen, interval = mapping(query.get("trendsFilter")), str(query.get("interval") or "day")
    if interval == "minute":
        reader.notes.append("It went by minutes; here it goes by hours.")
        interval = "hour"
    series = []
    for node in listed(query.get("series")):
        if mapping(node).get("math") == "unique_group":
            reader.notes.append("It counted a group of its own; here the group is the company.")
        series.append(reader.selection(node) | {"measure": _measure(mapping(node))})
    said: dict[str, Any] = {"kind": "trends", "series": series, "interval": interval}
    said |= reader.by(query) | reader.days(query, 7)
    said |= {"where": shared} if (shared := reader.shared(query)) else {}
    formulas = [one for one in [chosen.get("formula"), *listed(chosen.get("formulas"))] if one]
    formulas += [mapping(one).get("formula") for one in listed(chosen.get("formulaNodes"))]
    if len(formulas) > 1:
        raise CannotCarry("it has several formulas; a question here has one")
    said |= {"formula": str(formulas[0])} if formulas else {}
    said |= {"previous": True} if mapping(query.get("compareFilter")).get("compare") else {}
    smooth = chosen.get("smoothingIntervals")
    said |= {"smooth": whole(smooth, "its smoothing")} if smooth and smooth != 1 else {}
    return said | ({"cumulative": True} if chosen.get("display") == "ActionsLineGraphCumulative" else {})


def _measure(node: Mapping[str, Any]) -> str:
    math = str(node.get("math") or "total")
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


def _funnel(query: Mapping[str, Any], reader: _Reader) -> dict[str, Any]:
    chosen = mapping(query.get("funnelsFilter"))
    if query.get("aggregation_group_type_index") is not None or chosen.get("funnelAggregateByHogQL"):
        raise CannotCarry("its funnel counts something else than people")
    steps = [
        reader.selection(node) | ({"optional": True} if mapping(node).get("optionalInFunnel") else {})
        for node in listed(query.get("series"))
    ]
    said: dict[str, Any] = {"kind": "funnel", "steps": steps}
    said["within"] = _span(chosen.get("funnelWindowInterval"), chosen.get("funnelWindowIntervalUnit"))
    order = str(chosen.get("funnelOrderType") or "ordered")
    said |= {"order": "any" if order == "unordered" else order} if order != "ordered" else {}
    without = [
        reader.selection(one)
        | {
            "after": whole(one.get("funnelFromStep", 0), "a step") + 1,
            "before": whole(one.get("funnelToStep", 1), "a step") + 1,
        }
        for one in map(mapping, listed(chosen.get("exclusions")))
    ]
    said |= {"without": without} if without else {}
    shape = chosen.get("funnelVizType")
    said |= {"times": True} if shape == "time_to_convert" else {}
    if shape == "trends":
        over = str(query.get("interval") or "day")
        said["over"] = over if over in ("day", "week", "month") else "day"
    said |= reader.by(query) | reader.days(query, 7)
    return said | ({"where": shared} if (shared := reader.shared(query)) else {})


def _span(number: Any, unit: Any) -> str:
    times, sign = _WINDOW_UNITS.get(str(unit or "day"), (0, ""))
    if not times:
        raise CannotCarry(f"its window is in {str(unit)[:40]}")
    return f"{whole(number or 14, 'its window') * times}{sign}"


def _retention(query: Mapping[str, Any], reader: _Reader) -> dict[str, Any]:
    chosen = mapping(query.get("retentionFilter"))
    interval = str(chosen.get("period") or "Day").lower()
    if interval not in ("day", "week", "month"):
        raise CannotCarry(f"its retention goes by {interval[:20]}")
    kind = str(chosen.get("retentionType") or "retention_first_time")
    begin = reader.selection(chosen.get("targetEntity"))
    back = reader.selection(chosen.get("returningEntity"))
    stretches = max(1, whole(chosen.get("totalIntervals") or 11, "its length") - 1)
    said = {"kind": "retention", "begin": begin, "back": back, "interval": interval, "stretches": stretches}
    said |= {"first_time": kind != "retention_recurring"} | reader.by(query)
    if mapping(chosen).get("cumulative"):
        said["how"] = "later"
    return said | ({"where": shared} if (shared := reader.shared(query)) else {})


def _living(query: Mapping[str, Any], reader: _Reader) -> dict[str, Any]:
    kind = "lifecycle" if query.get("kind") == "LifecycleQuery" else "stickiness"
    nodes = listed(query.get("series"))
    if len(nodes) != 1:
        raise CannotCarry(f"its {kind} has {len(nodes)} series; here it has one")
    interval = str(query.get("interval") or "day")
    if interval not in ("day", "week", "month"):
        raise CannotCarry(f"its {kind} goes by {interval[:20]}")
    said = {"kind": kind, "event": reader.selection(nodes[0]), "interval": interval} | reader.days(query, 7)
    return said | ({"where": shared} if (shared := reader.shared(query)) else {})


def _paths(query: Mapping[str, Any], reader: _Reader) -> dict[str, Any]:
    chosen = mapping(query.get("pathsFilter"))
    if "hogql" in listed(chosen.get("includeEventTypes")) or chosen.get("pathGroupings"):
        raise CannotCarry("its paths go by expressions or groupings of pages")
    if "custom_event" not in (listed(chosen.get("includeEventTypes")) or ["custom_event"]):
        raise CannotCarry("its paths go from page to page; here they go from event to event")
    said: dict[str, Any] = {"kind": "paths"} | reader.days(query, 7)
    said |= {"from": str(chosen["startPoint"])} if chosen.get("startPoint") else {}
    said |= {"to": str(chosen["endPoint"])} if chosen.get("endPoint") else {}
    said |= {"hide": texts(chosen["excludeEvents"])} if listed(chosen.get("excludeEvents")) else {}
    said |= {"depth": min(10, whole(chosen["stepLimit"], "its steps"))} if chosen.get("stepLimit") else {}
    return said | ({"where": shared} if (shared := reader.shared(query)) else {})


# --- cohorts --------------------------------------------------------------------------------------------------------


def _cohort(thing: Mapping[str, Any], reader: _Reader) -> Incoming:
    if thing.get("is_static"):
        raise CannotCarry("it is a list: export its people and bring them with `whytree cohort add KEY --ids FILE`")
    top = mapping(mapping(thing.get("filters")).get("properties"))
    if not top.get("values"):
        raise CannotCarry("it has no rule")
    foreign = _foreign("cohort", thing)
    definition = {"version": 1, **_outermost(_together(top, reader))}
    description = str(thing.get("description") or "")
    return Incoming(foreign, "cohort", _name(thing) or foreign, definition, description, notes=tuple(reader.notes))


def _outermost(part: dict[str, Any]) -> dict[str, Any]:
    return part if set(part) <= {"all", "any"} else {"all": [part]}


def _together(said: Mapping[str, Any], reader: _Reader, depth: int = 0) -> dict[str, Any]:
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


def _part(said: Mapping[str, Any], reader: _Reader) -> dict[str, Any]:
    kind = said.get("type")
    part = _did(said, reader) if kind == "behavioral" else _is(said, reader)
    return {"not": part} if said.get("negation") and kind != "behavioral" else part


def _is(said: Mapping[str, Any], reader: _Reader) -> dict[str, Any]:
    if said.get("type") in ("cohort", "static-cohort", "precalculated-cohort"):
        return {"cohort": f"cohort {said.get('value')}"}
    if said.get("type") != "person":
        raise CannotCarry(f"its rule asks for {str(said.get('type'))[:40]}")
    found = reader.one(said)
    if len(found) != 1 or "field" not in found[0]:
        raise CannotCarry("its rule about a person is more than one filter")
    plain = {**found[0], "field": found[0]["field"].removeprefix("person:")}
    return {"person": plain}


def _did(said: Mapping[str, Any], reader: _Reader) -> dict[str, Any]:
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


def _lately(said: Mapping[str, Any], reader: _Reader) -> dict[str, int]:
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


# --- metrics of experiments -----------------------------------------------------------------------------------------


def _metric(thing: Mapping[str, Any], reader: _Reader) -> Incoming:
    query = mapping(thing.get("query")) or thing
    shapes: dict[str, Callable[[Mapping[str, Any], _Reader], dict[str, Any]]] = {
        "mean": _mean,
        "funnel": _conversion,
        "ratio": _ratio,
        "retention": _back,
    }
    kind = str(query.get("metric_type", ""))
    if kind not in shapes:
        raise CannotCarry(f"it is of kind {kind[:40] or 'none'}, which has no counterpart here")
    definition = {"version": 1, **shapes[kind](query, reader)}
    foreign = _foreign("metric", thing)
    name = _name(thing) or str(query.get("name") or foreign)[:200]
    down = "down" if query.get("goal") == "decrease" else "up"
    description = str(thing.get("description") or "")
    return Incoming(foreign, "metric", name, definition, description, direction=down, notes=tuple(reader.notes))


def _mean(query: Mapping[str, Any], reader: _Reader) -> dict[str, Any]:
    node = mapping(query.get("source"))
    event, measure = reader.selection(node), _measure(node)
    if query.get("conversion_window"):
        reader.notes.append("Its conversion window is not carried: an experiment here has one for all its metrics.")
    if query.get("lower_bound_percentile") or query.get("upper_bound_percentile"):
        reader.notes.append("Its cap on outliers is not carried.")
    plain = {"total": "count", "people": "unique"}
    if measure in plain:
        return {"kind": plain[measure], "event": event}
    name, _, field = measure.partition(":")
    if name == "sum":
        return {"kind": "sum", "event": event, "property": field}
    if name == "mean":
        return {"kind": "mean", "event": event, "property": field, "per": "event"}
    raise CannotCarry(f"it counts by {measure}")


def _conversion(query: Mapping[str, Any], reader: _Reader) -> dict[str, Any]:
    steps = [reader.selection(node) for node in listed(query.get("series"))]
    if len(steps) == 1:
        return {"kind": "unique", "event": steps[0]}
    if len(steps) != 2:
        raise CannotCarry(f"its funnel has {len(steps)} steps; a metric here has two. Keep it as a question")
    days = whole(query.get("conversion_window") or 14, "its window")
    unit = str(query.get("conversion_window_unit") or "day")
    within = max(1, round(days * _TIME_UNITS.get(unit, 1)))
    return {"kind": "conversion", "from": steps[0], "to": steps[1], "within_days": within}


def _ratio(query: Mapping[str, Any], reader: _Reader) -> dict[str, Any]:
    parts = {}
    for ours, theirs in (("top", "numerator"), ("bottom", "denominator")):
        node = mapping(query.get(theirs))
        measure = _measure(node)
        if measure.partition(":")[0] not in ("total", "people", "sum"):
            raise CannotCarry(f"its {theirs} counts by {measure}")
        selection = reader.selection(node)
        parts[ours] = selection | {"measure": measure}
    return {"kind": "ratio", **parts}


def _back(query: Mapping[str, Any], reader: _Reader) -> dict[str, Any]:
    if str(query.get("retention_window_unit") or "day") != "day":
        raise CannotCarry("its retention is not counted in days")
    first = whole(query.get("retention_window_start", 1), "its window")
    last = whole(query.get("retention_window_end", first), "its window")
    return {
        "kind": "retention",
        "begin": reader.selection(query.get("start_event")),
        "back": reader.selection(query.get("completion_event")),
        "after_days": max(1, first),
        "for_days": max(1, last - max(1, first) + 1),
    }
