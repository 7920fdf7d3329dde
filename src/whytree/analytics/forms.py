"""What the pages' forms send, as services take it."""

import json
from dataclasses import dataclass, fields, replace
from typing import Any

from django.http import QueryDict
from django.utils.text import slugify

from whytree.engines.typed import number_of
from whytree.errors import Invalid
from whytree.stores.pieces.filters import Selection

from .asking.links import typed_filter
from .definitions import (
    Conversion,
    Count,
    Definition,
    Mean,
    Quantile,
    Ratio,
    Retention,
    Sum,
    TimeTo,
    Unique,
)
from .models import Metric
from .queries import definition_of
from .questions import filter_json, parse_filter
from .services import MetricFields

_FIELDS = ("name", "direction", "category", "role", "owner", "description")


@dataclass(frozen=True)
class MetricForm:
    """The fields as they were typed, so that a refused form comes back as it was. Filters stand as one types them."""

    key: str = ""
    name: str = ""
    kind: str = Conversion.kind
    event: str = ""
    where: str = ""
    entry: str = ""
    goal: str = ""
    within_days: str = "7"
    after_days: str = "7"
    for_days: str = "1"
    number: str = ""
    per: str = "person"
    percentile: str = "50"
    time_unit: str = "hours"
    top: str = ""
    top_measure: str = "total"
    bottom: str = ""
    bottom_measure: str = "total"
    by_company: str = ""
    unit: str = ""
    direction: str = "up"
    category: str = ""
    role: str = ""
    owner: str = ""
    description: str = ""
    #: The definition as JSON, for what no field can say; it wins.
    raw: str = ""

    @classmethod
    def sent(cls, post: QueryDict) -> "MetricForm":
        typed = cls(**{one.name: str(post.get(one.name, "")).strip() for one in fields(cls) if one.name in post})
        return replace(typed, key=typed.key or slugify(typed.name).replace("-", "_")[:100])

    @classmethod
    def suggested(cls, get: QueryDict) -> "MetricForm":
        """What the page one comes from already knows: an event, or a step of a funnel."""
        names = {"event": "event", "entry": "from", "goal": "to", "within_days": "within_days"}
        return cls(**{field: str(get[name]).strip() for field, name in names.items() if get.get(name)})

    @classmethod
    def of(cls, metric: Metric) -> "MetricForm":
        kept = {name: getattr(metric, name) for name in ("key", *_FIELDS)}
        definition = definition_of(metric)
        kept["unit"] = "" if metric.unit == definition.usual_unit else metric.unit
        if not _fits(definition):
            return cls(**kept, raw=json.dumps(metric.definition, ensure_ascii=False))
        by_company = "1" if definition.by_company else ""
        return cls(**kept, kind=definition.kind, by_company=by_company, **_typed(definition))

    @property
    def fields(self) -> MetricFields:
        """What the metric is called and what it is for."""
        said: Any = {name: getattr(self, name) for name in _FIELDS} | ({"unit": self.unit} if self.unit else {})
        named: MetricFields = said
        return named

    @property
    def definition(self) -> dict[str, Any]:
        """The JSON that was meant; whether it is any good is for `checked_definition` to say."""
        if self.raw:
            return _read(self.raw)
        whom = {"by_company": True} if self.by_company else {}
        return {"version": 1, "kind": self.kind} | self._own | whom

    @property
    def _own(self) -> dict[str, Any]:
        match self.kind:
            case Conversion.kind | TimeTo.kind:
                said = {
                    "from": self._with_filters(self.entry),
                    "to": self.goal,
                    "within_days": _whole(self.within_days),
                }
                more = {"percentile": _whole(self.percentile), "in": self.time_unit}
                return said | (more if self.kind == TimeTo.kind else {})
            case Retention.kind:
                days = {"after_days": _whole(self.after_days), "for_days": _whole(self.for_days)}
                return {"begin": self._with_filters(self.entry), "back": self.goal, **days}
            case Ratio.kind:
                return {"top": _part(self.top, self.top_measure), "bottom": _part(self.bottom, self.bottom_measure)}
        said = {"event": self._with_filters(self.event)}
        if self.kind in (Sum.kind, Quantile.kind) or (self.kind == Mean.kind and self.number):
            said["property"] = self.number
        if self.kind == Mean.kind:
            said["per"] = self.per
        return said | ({"percentile": _whole(self.percentile)} if self.kind == Quantile.kind else {})

    def _with_filters(self, event: str) -> object:
        where = [filter_json(parse_filter(text)) for text in self.where.split(";") if text.strip()]
        return {"event": event, "where": where} if where else event


def _typed(definition: Definition) -> dict[str, str]:
    """The fields that stand for a definition."""
    match definition:
        case Conversion(entry, goal, days):
            return _pair(entry, goal) | {"within_days": str(days)}
        case TimeTo(entry, goal, days, percentile, unit):
            more = {"within_days": str(days), "percentile": str(percentile), "time_unit": unit}
            return _pair(entry, goal) | more
        case Retention(begin, back, after, length):
            return _pair(begin, back) | {"after_days": str(after), "for_days": str(length)}
        case Ratio(top, bottom):
            return {
                "top": _name(top.selection),
                "top_measure": f"sum:{top.field}" if top.field else top.measure,
                "bottom": _name(bottom.selection),
                "bottom_measure": f"sum:{bottom.field}" if bottom.field else bottom.measure,
            }
        case Count(did) | Unique(did):
            return {"event": _name(did), "where": _where(did)}
        case Quantile(did, number, percentile):
            return {"event": _name(did), "where": _where(did), "number": number, "percentile": str(percentile)}
        case Sum(did, number):
            return {"event": _name(did), "where": _where(did), "number": number}
        case Mean(did, number, per):
            return {"event": _name(did), "where": _where(did), "number": number, "per": per}


def _pair(entry: Selection, goal: Selection) -> dict[str, str]:
    return {"entry": _name(entry), "goal": _name(goal), "where": _where(entry)}


def _name(did: Selection) -> str:
    return did.events[0]


def _where(did: Selection) -> str:
    return "; ".join(typed_filter(one) or "" for one in did.filters)


def _fits(definition: Definition) -> bool:
    """Whether the fields can say all of it: one event each, and filters on the first alone."""
    first, *others = definition.selections
    if any(len(one.events) != 1 for one in definition.selections) or any(one.filters for one in others):
        return False
    return not (isinstance(definition, Ratio) and first.filters) and None not in map(typed_filter, first.filters)


def _read(raw: str) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"This is no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise Invalid('A definition is a JSON object, as {"version": 1, "kind": "count", "event": "signed_up"}.')
    return found


def _part(event: str, measure: str) -> dict[str, str]:
    return {"event": event, "measure": measure or "total"}


def _whole(text: str) -> object:
    return int(text) if text.isdecimal() else text


def optional_number(text: str, name: str) -> float | None:
    """A number as people type it; nothing for nothing."""
    return number_of(text, f"{name}: “{text}” is no number. Write it as 31.2.") if text.strip() else None
