"""PostHog's shared metrics of experiments as ours."""

from collections.abc import Callable, Mapping
from typing import Any

from .incoming import CannotCarry, Incoming, listed, mapping, whole
from .posthog_reader import Reader, foreign_id, measure_of, name_of

_TIME_UNITS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30, "year": 365}


def read_metric(thing: Mapping[str, Any], reader: Reader) -> Incoming:
    """A shared metric of PostHog's experiments as ours; `CannotCarry` where there is no counterpart."""
    query = mapping(thing.get("query")) or thing
    shapes: dict[str, Callable[[Mapping[str, Any], Reader], dict[str, Any]]] = {
        "mean": _mean,
        "funnel": _conversion,
        "ratio": _ratio,
        "retention": _back,
    }
    kind = str(query.get("metric_type", ""))
    if kind not in shapes:
        raise CannotCarry(f"it is of kind {kind[:40] or 'none'}, which has no counterpart here")
    definition = {"version": 1, **shapes[kind](query, reader)}
    foreign = foreign_id("metric", thing)
    name = name_of(thing) or str(query.get("name") or foreign)[:200]
    down = "down" if query.get("goal") == "decrease" else "up"
    description = str(thing.get("description") or "")
    return Incoming(foreign, "metric", name, definition, description, direction=down, notes=tuple(reader.notes))


def _mean(query: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    node = mapping(query.get("source"))
    event, measure = reader.selection(node), measure_of(node)
    if query.get("conversion_window"):
        reader.notes.append("Its conversion window is not carried: an experiment here has one for all its metrics.")
    if query.get("lower_bound_percentile") or query.get("upper_bound_percentile"):
        reader.notes.append("Its cap on outliers is not carried.")
    if query.get("ignore_zeros"):
        reader.notes.append("It left people with nothing out; here they count.")
    plain = {"total": "count", "people": "unique"}
    if measure in plain:
        return {"kind": plain[measure], "event": event}
    name, _, field = measure.partition(":")
    if name == "sum":
        return {"kind": "sum", "event": event, "property": field}
    if name == "mean":
        return {"kind": "mean", "event": event, "property": field, "per": "event"}
    raise CannotCarry(f"it counts by {measure}")


def _conversion(query: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    steps = [reader.selection(node) for node in listed(query.get("series"))]
    if query.get("exclusions") or query.get("funnel_order_type") not in (None, "", "ordered"):
        raise CannotCarry(
            "its funnel excludes events or has another order, as a metric here has not. Keep it as a question"
        )
    if len(steps) == 1:
        return {"kind": "unique", "event": steps[0]}
    if len(steps) != 2:
        raise CannotCarry(f"its funnel has {len(steps)} steps; a metric here has two. Keep it as a question")
    days = whole(query.get("conversion_window") or 14, "its window")
    unit = str(query.get("conversion_window_unit") or "day")
    within = max(1, round(days * _TIME_UNITS.get(unit, 1)))
    return {"kind": "conversion", "from": steps[0], "to": steps[1], "within_days": within}


def _ratio(query: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    parts = {}
    for ours, theirs in (("top", "numerator"), ("bottom", "denominator")):
        node = mapping(query.get(theirs))
        measure = measure_of(node)
        if measure.partition(":")[0] not in ("total", "people", "sum"):
            raise CannotCarry(f"its {theirs} counts by {measure}")
        selection = reader.selection(node)
        parts[ours] = selection | {"measure": measure}
    return {"kind": "ratio", **parts}


def _back(query: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
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
