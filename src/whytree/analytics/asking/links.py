"""A question as the address of its page: what the page's form would send."""

import json
from collections.abc import Sequence
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from whytree.errors import Invalid
from whytree.stores.pieces.filters import AllOf, AnyOf, Condition, Membership, Selection
from whytree.workspace.models import Product

from ..answers import Part
from ..questions import (
    COHORT,
    Funnel,
    Lifecycle,
    Paths,
    Question,
    Retention,
    Sessions,
    Stickiness,
    Trends,
    When,
    as_json,
    span,
)
from .forms import DATES, FORMS

Fields = list[tuple[str, str]]


def address_of(product: Product, question: Question, part: Part | None = None) -> str:
    """Where it is answered. What no field of the form can say goes along as JSON."""
    page = reverse(f"ask_{question.kind}", args=[product.slug])
    return f"{page}?{urlencode([*_fields(question), *_part(part)])}"


def _fields(question: Question) -> Fields:
    """What one would type, where the form reads the very same question out of it."""
    form = next(form for form in FORMS if form.kind == question.kind)
    typed = [(name, value) for name, value in _typed(question) if value]
    try:
        if form.sent(QueryDict(urlencode(typed))).question == question:
            return typed
    except Invalid:
        pass
    return [("question", json.dumps(as_json(question)))]


def _typed(question: Question) -> Fields:
    common = _common(question.steps if isinstance(question, Funnel) else question.selections)
    found: Fields = [("where", _filters(common)), *_when(question.when)]
    match question:
        case Funnel():
            steps = enumerate(question.steps, 1)
            events = [_event(one, common) + ("?" if at in question.optional else "") for at, one in steps]
            found += [
                ("within", span(question.within)),
                ("order", question.order),
                ("hold", question.hold),
                ("without", ",".join(_event(one.selection) for one in question.without)),
                ("entry", "first" if question.first_time else ""),
                ("at", "any" if question.by_any_step else ""),
                ("over", question.over or ""),
                ("view", "over" if question.over else "time" if question.times else ""),
                ("by", ",".join(question.by)),
            ]
        case Trends():
            usual = question.measure
            pairs = zip(question.measures, question.series, strict=True)
            events = [f"{'' if own == usual else f'{own.text} of '}{_event(one, common)}" for own, one in pairs]
            found += [
                ("measure", usual.name),
                ("of", usual.field),
                ("interval", question.interval),
                ("formula", question.formula.text if question.formula else ""),
                ("previous", "1" if question.previous else ""),
                ("smooth", str(question.smooth) if question.smooth > 1 else ""),
                ("made", "sum" if question.cumulative else ""),
                ("by", ",".join(question.by)),
            ]
        case Retention():
            events = [_event(question.begin, common), _event(question.back, common)]
            found += [
                ("interval", question.interval),
                ("stretches", "" if question.brackets else str(question.stretches)),
                ("entry", "first" if question.first_time else "every"),
                ("back", question.how),
                ("clock", question.clock),
                ("brackets", ",".join(f"{one}-{two}" for one, two in question.brackets)),
                ("by", ",".join(question.by)),
            ]
        case Lifecycle() | Stickiness():
            events = [_event(question.event, common)]
            found += [("interval", question.interval)]
        case Sessions():
            events = [_event(question.event, common)] if question.event else []
            found += [
                ("interval", question.interval),
                ("by", ",".join(question.by)),
                ("previous", "1" if question.previous else ""),
            ]
        case Paths():
            events = []
            found = [
                ("begin", _event(question.begin) if question.begin else ""),
                ("finish", _event(question.finish) if question.finish else ""),
                ("hide", ",".join(question.hidden)),
                ("depth", str(question.depth)),
                ("pause", span(question.pause)),
                ("top", str(question.top)),
                ("where", _filters(question.where)),
                *_when(question.when),
                ("go", "1"),
            ]
    return [*(("event", event) for event in events), *found]


def _when(when: When) -> Fields:
    if not (when.since or when.until):
        return [("days", str(when.days or ""))]
    return [("days", DATES), *((name, str(day)) for name, day in when.json.items())]


def _common(selections: Sequence[Selection]) -> tuple[Condition, ...]:
    """The filters that all of them end with: the form has a field for these."""
    first, *others = selections
    for at in range(len(first.filters) + 1):
        some = first.filters[at:]
        if all(one.filters[len(one.filters) - len(some) :] == some for one in others):
            return some
    return ()


def _event(one: Selection, common: tuple[Condition, ...] = ()) -> str:
    own = _filters(one.filters[: len(one.filters) - len(common)])
    return f"{one.events[0]} where {own}" if own else one.events[0]


def _filters(some: Sequence[Condition]) -> str:
    return "; ".join(typed_filter(one) or "" for one in some)


_SIGNS = {
    "is": "=",
    "is not": "!=",
    "contains": "~",
    "does not contain": "!~",
    "matches": "=~",
    "above": ">",
    "below": "<",
    "at least": ">=",
    "at most": "<=",
}


def typed_filter(one: Condition) -> str | None:
    """A filter as one types it; None where there is no such way."""
    if isinstance(one, AnyOf | AllOf):
        parts = [typed_filter(part) for part in one.parts]
        if isinstance(one, AllOf) or None in parts:
            return None
        return "|".join(part for part in parts if part is not None)
    if isinstance(one, Membership):
        return f"{'' if one.inside else '!'}{COHORT}{one.name}"
    if one.operator in ("is set", "is not set"):
        return one.field if one.operator == "is set" else f"!{one.field}"
    if one.operator not in _SIGNS or any(set(value) & set(",;|") or value != value.strip() for value in one.values):
        return None
    return f"{one.field}{_SIGNS[one.operator]}{','.join(one.values)}"


def _part(part: Part | None) -> list[tuple[str, str]]:
    if part is None:
        return []
    usual = Part()
    values = {name: getattr(part, name) for name in Part.__dataclass_fields__}
    return [
        (name, value.isoformat() if hasattr(value, "isoformat") else str(value))
        for name, value in values.items()
        if value is not None and (value != getattr(usual, name) or name == "step")
    ]
