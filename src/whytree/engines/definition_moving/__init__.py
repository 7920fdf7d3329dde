"""Definitions of other tools as ours: PostHog's insights, dashboards, cohorts and shared metrics, GrowthBook's
metrics. Pure.

    read_definitions([json.loads(text), ...])  ->  ("PostHog", [Incoming(...), LeftOut(...), ...])

Several documents are read together: a question may name a cohort of another file.
"""

from collections.abc import Sequence
from typing import Any

from .growthbook import is_growthbook, read_growthbook
from .incoming import Incoming, LeftOut, Moved, Unreadable
from .posthog import is_posthog, read_posthog

MOST_DEFINITIONS = 2_000
_WHAT = (
    "This is none of the exports that are known. Bring PostHog's insights, dashboards, cohorts, actions or shared metrics, or "
    "GrowthBook's metrics, fact metrics and fact tables, as their APIs give them, in JSON."
)


def read_definitions(documents: Sequence[Any]) -> tuple[str, list[Moved]]:
    """The tool, and what each of its definitions becomes here. Raises `Unreadable`."""
    things = [thing for document in documents for thing in _things(document)]
    if len(things) > MOST_DEFINITIONS:
        raise Unreadable(f"There are {len(things):,} definitions; bring at most {MOST_DEFINITIONS:,} at a time.")
    for name, knows, read in (("GrowthBook", is_growthbook, read_growthbook), ("PostHog", is_posthog, read_posthog)):
        some = [thing for thing in things if knows(thing)]
        if some:
            return name, [*read(some), *(_unknown(thing, name) for thing in things if not knows(thing))]
    raise Unreadable(_WHAT)


def _unknown(thing: dict[str, Any], tool: str) -> LeftOut:
    """Something that lay beside: nothing that was brought is passed over without a word."""
    why = f"it is no definition of {tool} that is known; what is of another tool comes by itself"
    return LeftOut(f"thing {thing.get('id', thing.get('key', '?'))}"[:100], str(thing.get("name") or "")[:200], why)


def _things(document: Any) -> list[dict[str, Any]]:
    """Every object in a list, in a page of an API's answer, or in lists under names."""
    if isinstance(document, dict):
        lists = [value for value in document.values() if isinstance(value, list)]
        if is_growthbook(document) or is_posthog(document):
            return [document]
        return [thing for one in lists for thing in one if isinstance(thing, dict)]
    if isinstance(document, list):
        return [thing for thing in document if isinstance(thing, dict)]
    raise Unreadable(_WHAT)


__all__ = ["MOST_DEFINITIONS", "Incoming", "LeftOut", "Moved", "Unreadable", "read_definitions"]
