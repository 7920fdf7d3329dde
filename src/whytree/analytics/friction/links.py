"""The figures of a field as questions: who they are, what they said, which code and what for stand beside the answer."""

from typing import Any

from whytree.stores.usage.form_friction import FieldMet
from whytree.workspace.models import Product

from ..answers import Part
from ..asking.links import address_of
from ..questions import checked_question

_MORE_THAN_NONE = ("corrected", "errors")


def addresses(product: Product, form: str, field: FieldMet, days: int) -> dict[str, str]:
    """Of each figure of a field that counts people, where these people are asked about."""
    known = {"reached": field.reached, "corrected": field.corrected, "errors": field.refused, "left": field.left}
    return {name: _address(product, form, field, days, name) for name, people in known.items() if people}


def _address(product: Product, form: str, field: FieldMet, days: int, figure: str) -> str:
    where = [_is("form", form) if form else _filter("form", "is not set"), _is("field", field.field)]
    if figure in _MORE_THAN_NONE:
        where.append(_filter(figure, "above", "0"))
    elif figure == "left":
        where.append(_is("left", "true"))
    elif field.told:  # met is not filled in
        where.append({"any": [_filter(name, "above", "0") for name in ("focused", "changed")] + _of_others(field)})
    series = {"events": list(field.events), "where": where}
    asked = {"version": 1, "kind": "trends", "series": [series], "measure": "people", "interval": "whole", "days": days}
    return address_of(product, checked_question(asked), Part(series=0)) + "#behind"


def _of_others(field: FieldMet) -> list[dict[str, Any]]:
    """Events of other clients come when it was filled in."""
    return [_filter("focused", "is not set")] if field.events != ("$form_field",) else []


def _is(name: str, value: str) -> dict[str, Any]:
    return _filter(name, "is", value)


def _filter(name: str, operator: str, *values: str) -> dict[str, Any]:
    return {"field": name, "operator": operator, **({"values": list(values)} if values else {})}
