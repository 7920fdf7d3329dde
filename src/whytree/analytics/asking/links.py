"""A question as the address of its page: what the page's form would send."""

import json
from urllib.parse import urlencode

from django.urls import reverse

from whytree.stores.filters import AllOf, AnyOf, Condition, Filter, Membership, Selection
from whytree.stores.funnels import Without
from whytree.workspace.models import Product

from ..answers import Part
from ..questions import COHORT, Funnel, Question, Retention, Trends, as_json, span


def address_of(product: Product, question: Question, part: Part | None = None) -> str:
    """Where it is answered. What no field of the form can say (filters of single steps, say) goes along as JSON."""
    page = reverse(f"ask_{question.kind}", args=[product.slug])
    return f"{page}?{urlencode([*_fields(question), *_part(part)])}"


def _fields(question: Question) -> list[tuple[str, str]]:
    if not isinstance(question, Funnel | Trends | Retention):
        return [("question", json.dumps(as_json(question)))]
    events, where = _plain(question.selections if not isinstance(question, Funnel) else question.steps)
    if events is None or (isinstance(question, Trends) and len(set(question.measures)) > 1):
        return [("question", json.dumps(as_json(question)))]
    found: list[tuple[str, str]] = []
    if isinstance(question, Funnel):
        if not all(_reaches_over_all(question, one) for one in question.without):
            return [("question", json.dumps(as_json(question)))]
        events = [f"{event}?" if at in question.optional else event for at, event in enumerate(events, 1)]
        found += [
            ("within", span(question.within)),
            ("order", question.order),
            ("hold", question.hold),
            ("without", ",".join(one.selection.events[0] for one in question.without)),
            ("entry", "first" if question.first_time else ""),
            ("over", question.over or ""),
            ("view", "over" if question.over else "time" if question.times else ""),
        ]
    elif isinstance(question, Trends):
        found += [
            ("measure", question.measure.name),
            ("of", question.measure.field),
            ("interval", question.interval),
            ("formula", question.formula.text if question.formula else ""),
            ("previous", "1" if question.previous else ""),
            ("smooth", str(question.smooth) if question.smooth > 1 else ""),
            ("made", "sum" if question.cumulative else ""),
        ]
    elif isinstance(question, Retention):
        found += [
            ("interval", question.interval),
            ("stretches", "" if question.brackets else str(question.stretches)),
            ("entry", "first" if question.first_time else "every"),
            ("back", question.how),
            ("clock", question.clock),
            ("brackets", ",".join(f"{one}-{two}" for one, two in question.brackets)),
        ]
    found += [("where", "; ".join(where)), ("by", ",".join(question.by)), ("days", str(question.days or ""))]
    return [*(("event", event) for event in events), *((name, value) for name, value in found if value)]


def _reaches_over_all(question: Funnel, one: Without) -> bool:
    plain = not one.selection.filters and len(one.selection.events) == 1
    return plain and (one.after, one.before) == (1, len(question.steps))


def _plain(selections: tuple[Selection, ...]) -> tuple[list[str] | None, list[str]]:
    """One event each, and the filters that all of them share as one types them; None where the form cannot say it."""
    typed = [[typed_filter(one) for one in selection.filters] for selection in selections]
    same = all(those == typed[0] for those in typed)
    if not same or any(len(selection.events) > 1 for selection in selections) or None in typed[0]:
        return None, []
    return [selection.events[0] for selection in selections], [one for one in typed[0] if one is not None]


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
    assert isinstance(one, Filter)  # noqa: S101 - for the type checker
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
