"""The kinds of question there are, each with its JSON and its sentence. Pure."""

from collections.abc import Mapping
from typing import Any

from whytree.errors import Invalid

from .funnel import Funnel
from .living import Lifecycle, Stickiness
from .parts import fields_of_filters
from .paths import Paths
from .retention import Retention
from .sessions import Sessions
from .trends import Trends

VERSION = 1
Question = Funnel | Trends | Retention | Lifecycle | Stickiness | Paths | Sessions
KINDS: dict[str, type[Question]] = {
    kind.kind: kind for kind in (Funnel, Trends, Retention, Lifecycle, Stickiness, Paths, Sessions)
}


def checked_question(raw: object) -> Question:
    """The question that this JSON means; `Invalid` says what to write instead."""
    if not isinstance(raw, Mapping):
        raise Invalid('A question is a JSON object, as {"version": 1, "kind": "funnel", "steps": [...]}.')
    if raw.get("version") != VERSION:
        raise Invalid(f'This question is of version {raw.get("version")!r}; write "version": {VERSION}.')
    name = raw.get("kind")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise Invalid(f"There is no kind {str(name)[:40]!r} of question; there are {', '.join(KINDS)}.")
    unknown = set(raw) - {"version", "kind"} - kind.fields
    if unknown:
        given = ", ".join(sorted(map(str, unknown)))[:200]
        raise Invalid(f"A question of kind {kind.kind} has no field {given}; it has {', '.join(sorted(kind.fields))}.")
    return kind.of(raw)


def as_json(question: Question) -> dict[str, Any]:
    """The form that is stored and sent."""
    return {"version": VERSION, "kind": question.kind} | question.json


def events_of(question: Question) -> list[str]:
    """Every event it reads, in its order."""
    return list(dict.fromkeys(event for one in question.selections for event in one.events))


def fields_of(question: Question) -> list[str]:
    """Every field it reads, in its order."""
    used = [field for selection in question.selections for field in fields_of_filters(selection.filters)]
    return list(dict.fromkeys([*used, *question.spoken]))
