"""What a metric counts, as data: stored as versioned JSON, checked here and nowhere else. Pure.

{"version": 1, "kind": "count", "event": "lesson_started"}
{"version": 1, "kind": "unique", "event": {"event": "paid", "where": [{"field": "plan", "operator": "is", "values": ["pro"]}]}}
{"version": 1, "kind": "conversion", "from": "signed_up", "to": "planted", "within_days": 7}
{"version": 1, "kind": "sum", "event": "paid", "property": "price"}
{"version": 1, "kind": "mean", "event": "paid", "property": "price", "per": "person"}
{"version": 1, "kind": "ratio", "top": {"event": "paid", "measure": "sum:price"}, "bottom": {"event": "opened"}}
{"version": 1, "kind": "retention", "begin": "signed_up", "back": "opened", "after_days": 7, "for_days": 7}
{"version": 1, "kind": "time_to", "from": "signed_up", "to": "planted", "within_days": 7, "percentile": 50, "in": "hours"}
{"version": 1, "kind": "quantile", "event": "loaded", "property": "seconds", "percentile": 95}

Wherever an event stands, so may an object with filters: the same ones that questions have. With "by_company": true the companies
that people belong to are counted in their place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from whytree.errors import Invalid

from ..questions import label
from ..questions.parts import fields_of_filters, is_property
from .kinds import (
    SECONDS_IN,
    Conversion,
    Count,
    Definition,
    Following,
    Mean,
    Per,
    Quantile,
    Ratio,
    Retention,
    Share,
    Sum,
    TimeTo,
    TimeUnit,
    Unique,
)
from .reading import EVENT_LENGTH, MAX_WITHIN_DAYS

VERSION = 1

#: In an experiment people are followed for this long where the metric itself has no window: one of each weekday.
FOLLOW_DAYS = 7

_KINDS: dict[str, type[Definition]] = {
    kind.kind: kind for kind in (Count, Unique, Conversion, Sum, Mean, Ratio, Retention, TimeTo, Quantile)
}
_OPTIONAL = {"property": (Mean,), "per": (Mean,), "for_days": (Retention,), "percentile": (TimeTo,), "in": (TimeTo,)}

KINDS = {
    Conversion.kind: "a share: of people who did one thing, how many did another",
    Retention.kind: "who stays: of people who began, how many came back on a later day",
    Unique.kind: "people: how many did something",
    Count.kind: "a count: how often something happened",
    Sum.kind: "a sum: what a number that comes with an event adds up to",
    Mean.kind: "a mean: a number for each person, or each event",
    Ratio.kind: "a ratio: one of these divided by another",
    TimeTo.kind: "a time: how long people take from one thing to another",
    Quantile.kind: "a percentile: what most events stay below",
}


def checked_definition(raw: object) -> Definition:
    """The definition that this JSON means; `Invalid` says what to write instead."""
    if not isinstance(raw, Mapping):
        raise Invalid('A definition is a JSON object, as {"version": 1, "kind": "count", "event": "signed_up"}.')
    if raw.get("version") != VERSION:
        raise Invalid(f'This definition is of version {raw.get("version")!r}; write "version": {VERSION}.')
    name = raw.get("kind")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise Invalid(f"There is no kind {str(name)[:40]!r} of metric; there are {', '.join(_KINDS)}.")
    given = set(raw) - {"version", "kind", "by_company"}
    optional = {field for field, kinds in _OPTIONAL.items() if kind in kinds}
    if given - kind.fields or (kind.fields - optional) - given:
        wanted = ", ".join(sorted(kind.fields - optional))
        more = f", and may have {', '.join(sorted(optional))}" if optional else ""
        said = ", ".join(sorted(map(str, given)))[:200] or "none"
        raise Invalid(f"A {kind.kind} needs exactly these fields: {wanted}{more}. Given: {said}.")
    by_company = raw.get("by_company", False)
    if not isinstance(by_company, bool):
        raise Invalid("“by_company” is true, where companies are counted in place of people, or false.")
    found = kind.of(raw)
    return replace(found, by_company=True) if by_company else found


def as_json(definition: Definition) -> dict[str, Any]:
    """The form that is stored and sent."""
    whom = {"by_company": True} if definition.by_company else {}
    return {"version": VERSION, "kind": definition.kind} | definition.json | whom


def events_of(definition: Definition) -> tuple[str, ...]:
    """The events it reads."""
    return tuple(dict.fromkeys(event for one in definition.selections for event in one.events))


def goal_event(definition: Definition) -> str:
    """What somebody does whom it counts: the last of what they have to do, or what stands above the line."""
    return definition.selections[-1 if isinstance(definition, Following) else 0].events[0]


def fields_of(definition: Definition) -> tuple[str, ...]:
    """The properties it reads, in filters or as its number."""
    used = [field for one in definition.selections for field in fields_of_filters(one.filters)]
    own = [getattr(definition, "field", "")]
    if isinstance(definition, Ratio):
        own = [definition.top.field, definition.bottom.field]
    return tuple(dict.fromkeys(field for field in [*own, *used] if field))


def warnings(definition: Definition, known: Iterable[str], properties: Iterable[str] = ()) -> list[str]:
    """Names that were never seen, with the nearest that was: likely a slip, but they may also be yet to come.

    Properties are looked at where some are known and every event is: what was never sent brings none along.
    """
    found = _unseen("event", events_of(definition), list(known))
    names = list(properties)
    if found or not names:
        return found
    return _unseen("property", (name for name in fields_of(definition) if is_property(name)), names)


def _unseen(kind: str, wanted: Iterable[str], names: Sequence[str]) -> list[str]:
    found = []
    for name in wanted:
        if name not in names:
            near = get_close_matches(name, names, n=1, cutoff=0.6)
            hint = f" Did you mean “{near[0]}”?" if near else ""
            found.append(f"No {kind} “{name}” has been seen yet.{hint}")
    return found


__all__ = [
    "EVENT_LENGTH",
    "FOLLOW_DAYS",
    "KINDS",
    "MAX_WITHIN_DAYS",
    "SECONDS_IN",
    "VERSION",
    "Conversion",
    "Count",
    "Definition",
    "Following",
    "Mean",
    "Per",
    "Quantile",
    "Ratio",
    "Retention",
    "Share",
    "Sum",
    "TimeTo",
    "TimeUnit",
    "Unique",
    "as_json",
    "checked_definition",
    "events_of",
    "fields_of",
    "goal_event",
    "label",
    "warnings",
]
