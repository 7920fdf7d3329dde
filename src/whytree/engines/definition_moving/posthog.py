"""PostHog's insights, dashboards, cohorts and shared metrics, as its API gives them: today's `query` and the older `filters`.

What an insight counts in an action is carried where the actions come along and are plain events.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .incoming import MALFORMED, MALFORMED_WHY, CannotCarry, Incoming, LeftOut, Moved, mapping
from .posthog_cohorts import read_cohort
from .posthog_dashboards import insights_on, read_dashboard
from .posthog_insights import read_insight
from .posthog_metrics import read_metric
from .posthog_reader import Reader, foreign_id, name_of


def is_posthog(thing: Mapping[str, Any]) -> bool:
    return _kind(thing) != ""


def _kind(thing: Mapping[str, Any]) -> str:
    query = mapping(thing.get("query"))
    if "tiles" in thing or {"pinned", "creation_mode"} <= set(thing):
        return "dashboard"
    if "is_static" in thing:
        return "cohort"
    if str(query.get("kind", "")).startswith("Experiment") or thing.get("kind") == "ExperimentMetric":
        return "metric"
    if query or "insight" in mapping(thing.get("filters")) or "short_id" in thing:
        return "insight"
    return "action" if "steps" in thing and "name" in thing else ""


def read_posthog(things: Sequence[Mapping[str, Any]]) -> list[Moved]:
    """Cohorts, metrics, insights and dashboards as ours, in this order; deleted ones are passed over."""
    by_kind: dict[str, list[Mapping[str, Any]]] = {}
    for thing in things:
        if not thing.get("deleted"):
            by_kind.setdefault(_kind(thing), []).append(thing)
    actions = {str(one.get("id")): one for one in by_kind.get("action", [])}
    by_kind.setdefault("insight", []).extend(insights_on(by_kind.get("dashboard", []), by_kind.get("insight", [])))
    readers: dict[str, Callable[[Mapping[str, Any], Reader], Incoming]] = {
        "cohort": read_cohort,  # first: questions name them
        "metric": read_metric,
        "insight": read_insight,
        "dashboard": read_dashboard,
    }
    return [_moved(kind, thing, read, actions) for kind, read in readers.items() for thing in by_kind.get(kind, [])]


def _moved(
    kind: str,
    thing: Mapping[str, Any],
    read: Callable[[Mapping[str, Any], Reader], Incoming],
    actions: Mapping[str, Mapping[str, Any]],
) -> Moved:
    try:
        return read(thing, Reader(actions))
    except CannotCarry as error:
        return LeftOut(foreign_id(kind, thing), name_of(thing), str(error))
    except MALFORMED:
        return LeftOut(foreign_id(kind, thing), name_of(thing), MALFORMED_WHY)
