"""PostHog's insights as questions: today's `query`, and the older `filters`."""

from collections.abc import Callable, Mapping
from itertools import accumulate, pairwise
from typing import Any

from .incoming import CannotCarry, Incoming, listed, mapping, texts, whole
from .posthog_reader import Reader, foreign_id, measure_of, name_of

_WINDOW_UNITS = {
    "second": (1, "s"),
    "minute": (1, "m"),
    "hour": (1, "h"),
    "day": (1, "d"),
    "week": (1, "w"),
    "month": (30, "d"),
}
_DAYS_IN = {"day": 1, "week": 7, "month": 30}
#: Pictures that show one value for the whole time.
_WITHOUT_TIME = ("ActionsBarValue", "ActionsPie", "ActionsTable", "BoldNumber", "WorldMap")
_OLDER = {
    "TRENDS": "TrendsQuery",
    "FUNNELS": "FunnelsQuery",
    "RETENTION": "RetentionQuery",
    "LIFECYCLE": "LifecycleQuery",
    "STICKINESS": "StickinessQuery",
    "PATHS": "PathsQuery",
}


def read_insight(thing: Mapping[str, Any], reader: Reader) -> Incoming:
    """An insight as a question of ours; `CannotCarry` where there is no counterpart."""
    query = mapping(thing.get("query"))
    query = mapping(query.get("source")) or query
    if not query:
        query = _todays(mapping(thing.get("filters")))
    readers: dict[str, Callable[[Mapping[str, Any], Reader], dict[str, Any]]] = {
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
    if query.get("aggregation_group_type_index") is not None and kind != "TrendsQuery":  # trends say it of each series
        raise CannotCarry("it counts groups, not people")
    definition = {"version": 1, **readers[kind](query, reader)}
    foreign = foreign_id("insight", thing)
    return Incoming(
        foreign, "question", name_of(thing), definition, str(thing.get("description") or ""), notes=tuple(reader.notes)
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
        "dateRange": {name: filters.get(name) for name in ("date_from", "date_to")},
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


def _trends(query: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    chosen, interval = mapping(query.get("trendsFilter")), str(query.get("interval") or "day")
    if interval == "minute":
        reader.notes.append("It went by minutes; here it goes by hours.")
        interval = "hour"
    if any(_counts_sessions(mapping(node)) for node in listed(query.get("series"))):
        return _sessions(query, interval, reader)
    series = []
    for node in listed(query.get("series")):
        if mapping(node).get("math") == "unique_group":
            reader.notes.append("It counted a group of its own; here the group is the company.")
        series.append(reader.selection(node) | {"measure": measure_of(mapping(node))})
    if chosen.get("display") in _WITHOUT_TIME and not any(one["measure"] in ("wau", "mau") for one in series):
        interval = "whole"
    said: dict[str, Any] = {"kind": "trends", "series": series, "interval": interval}
    said |= reader.by(query) | reader.days(query, 7)
    said |= {"where": shared} if (shared := reader.shared(query)) else {}
    formulas = [one for one in [chosen.get("formula"), *listed(chosen.get("formulas"))] if one]
    formulas += [mapping(one).get("formula") for one in listed(chosen.get("formulaNodes"))]
    if len(formulas) > 1:
        raise CannotCarry("it has several formulas; a question here has one")
    said |= {"formula": str(formulas[0])} if formulas else {}
    said |= _compared(query, reader)
    smooth = chosen.get("smoothingIntervals")
    said |= {"smooth": whole(smooth, "its smoothing")} if smooth and smooth != 1 else {}
    return said | ({"cumulative": True} if chosen.get("display") == "ActionsLineGraphCumulative" else {})


def _counts_sessions(node: Mapping[str, Any]) -> bool:
    return node.get("math") == "unique_session" or node.get("math_property") == "$session_duration"


def _sessions(query: Mapping[str, Any], interval: str, reader: Reader) -> dict[str, Any]:
    """How many sessions there were with an event, or how long they were: one question answers both."""
    nodes = listed(query.get("series"))
    if len(nodes) != 1 or mapping(query.get("trendsFilter")).get("formula"):
        raise CannotCarry("it sets sessions beside something else; a question about sessions stands alone")
    node = mapping(nodes[0])
    said: dict[str, Any] = {"kind": "sessions", "interval": interval}
    named = node.get("event") or node.get("id")
    where = [] if named else reader.all_of(node.get("properties"))
    said |= {"event": reader.selection(node)} if named else {}
    said |= reader.by(query) | reader.days(query, 7)
    where += reader.shared(query)
    said |= {"where": where} if where else {}
    return said | _compared(query, reader)


def _compared(query: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    chosen = mapping(query.get("compareFilter"))
    if chosen.get("compare") and chosen.get("compare_to"):
        reader.notes.append(
            f"It stood beside {str(chosen['compare_to'])[:20]}; here it stands beside the period before."
        )
    return {"previous": True} if chosen.get("compare") else {}


def _funnel(query: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    chosen = mapping(query.get("funnelsFilter"))
    if chosen.get("funnelAggregateByHogQL"):
        raise CannotCarry("its funnel counts something else than people")
    steps = [
        reader.selection(node) | ({"optional": True} if mapping(node).get("optionalInFunnel") else {})
        for node in listed(query.get("series"))
    ]
    said: dict[str, Any] = {"kind": "funnel", "steps": steps} | _first_ever(query, reader)
    if chosen.get("breakdownAttributionType") not in (None, "", "first_touch") and query.get("breakdownFilter"):
        reader.notes.append("Its groups were told at another step; here they are told at the first one.")
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
    if without:
        said["without"] = without
        reader.notes.append(
            "There an excluded event leaves somebody out; here it ends that try, and an earlier step counts."
        )
    shape = chosen.get("funnelVizType")
    if shape == "trends" and (chosen.get("funnelFromStep") or chosen.get("funnelToStep") not in (None, len(steps) - 1)):
        reader.notes.append("Its line went between two of its steps; here it goes from the first to the last.")
    said |= {"times": True} if shape == "time_to_convert" else {}
    if shape == "trends":
        over = str(query.get("interval") or "day")
        said["over"] = over if over in ("day", "week", "month") else "day"
    said |= reader.by(query) | reader.days(query, 7)
    return said | ({"where": shared} if (shared := reader.shared(query)) else {})


def _first_ever(query: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    """Whether the way begins with the first time of somebody's life; at a later step that cannot be said here."""
    firsts = [str(mapping(node).get("math") or "").startswith("first_time") for node in listed(query.get("series"))]
    if any(firsts[1:]):
        reader.notes.append("A later step counted only the first time ever; here any time counts.")
    return {"first_time": True} if firsts[:1] == [True] else {}


def _span(number: Any, unit: Any) -> str:
    times, sign = _WINDOW_UNITS.get(str(unit or "day"), (0, ""))
    if not times:
        raise CannotCarry(f"its window is in {str(unit)[:40]}")
    return f"{whole(number or 14, 'its window') * times}{sign}"


def _retention(query: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    chosen = mapping(query.get("retentionFilter"))
    interval = str(chosen.get("period") or "Day").lower()
    if interval not in ("day", "week", "month"):
        raise CannotCarry(f"its retention goes by {interval[:20]}")
    kind = str(chosen.get("retentionType") or "retention_first_time")
    if whole(chosen.get("minimumOccurrences") or 1, "how often") > 1:
        raise CannotCarry("it counts only who came back several times in a stretch")
    if chosen.get("aggregationType") not in (None, "count"):
        raise CannotCarry("it adds up a property of those who came back")
    begin = reader.selection(chosen.get("targetEntity"))
    back = reader.selection(chosen.get("returningEntity"))
    said: dict[str, Any] = {"kind": "retention", "begin": begin, "back": back, "interval": interval}
    stretches = max(1, whole(chosen.get("totalIntervals") or 11, "its length") - 1)
    brackets = _brackets(listed(chosen.get("retentionCustomBrackets")))
    said |= {"brackets": brackets} if brackets else {"stretches": stretches}
    said |= {"first_time": kind != "retention_recurring"} | reader.by(query)
    said |= {"clock": "rolling"} if chosen.get("timeWindowMode") == "24_hour_windows" else {}
    said |= reader.days(query, (stretches + 1) * _DAYS_IN[interval])
    if chosen.get("cumulative"):
        said["how"] = "later"
    return said | ({"where": shared} if (shared := reader.shared(query)) else {})


def _brackets(lengths: list[Any]) -> list[list[int]]:
    """How long each bracket is, behind the stretch in which people begin: `[1, 3]` is 0, 1, and 2 to 4."""
    ends = list(accumulate((whole(one, "one of its brackets") for one in lengths), initial=0))
    return [[0, 0], *([before + 1, end] for before, end in pairwise(ends))] if lengths else []


def _living(query: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    kind = "lifecycle" if query.get("kind") == "LifecycleQuery" else "stickiness"
    nodes = listed(query.get("series"))
    if len(nodes) != 1:
        raise CannotCarry(f"its {kind} has {len(nodes)} series; here it has one")
    interval = str(query.get("interval") or "day")
    if interval not in ("day", "week", "month"):
        raise CannotCarry(f"its {kind} goes by {interval[:20]}")
    chosen = mapping(query.get("stickinessFilter"))
    if (often := mapping(chosen.get("stickinessCriteria"))) and dict(often) != {"operator": "gte", "value": 1}:
        raise CannotCarry("it counts a day only where somebody did it so many times")
    if chosen.get("computedAs") == "cumulative":
        reader.notes.append("It counted who did it on so many days or more; here it is on exactly so many.")
    if query.get("intervalCount") not in (None, 1):
        raise CannotCarry(f"it goes by several {interval}s at a time")
    said = {"kind": kind, "event": reader.selection(nodes[0]), "interval": interval} | reader.days(query, 7)
    return said | ({"where": shared} if (shared := reader.shared(query)) else {})


def _paths(query: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    chosen = mapping(query.get("pathsFilter"))
    if "hogql" in listed(chosen.get("includeEventTypes")) or chosen.get("pathGroupings"):
        raise CannotCarry("its paths go by expressions or groupings of pages")
    if chosen.get("pathsHogQLExpression") or query.get("funnelPathsFilter"):
        raise CannotCarry("its paths go by an expression, or within a funnel")
    kinds = listed(chosen.get("includeEventTypes")) or ["custom_event"]
    if "custom_event" not in kinds:
        raise CannotCarry("its paths go from page to page; here they go from event to event")
    if len(kinds) > 1:
        reader.notes.append("It told pages apart by their address; here a page view is one event.")
    said: dict[str, Any] = {"kind": "paths"} | reader.days(query, 7)
    said |= {"from": str(chosen["startPoint"])} if chosen.get("startPoint") else {}
    said |= {"to": str(chosen["endPoint"])} if chosen.get("endPoint") else {}
    said |= {"hide": texts(chosen["excludeEvents"])} if listed(chosen.get("excludeEvents")) else {}
    said |= {"depth": min(10, whole(chosen["stepLimit"], "its steps"))} if chosen.get("stepLimit") else {}
    return said | ({"where": shared} if (shared := reader.shared(query)) else {})
