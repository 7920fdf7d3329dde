"""GrowthBook's targeting conditions (MongoDB's style) as JsonLogic."""

from collections.abc import Mapping
from typing import Any

from .incoming import CannotCarry

_COMPARED = {"$lt": "<", "$lte": "<=", "$gt": ">", "$gte": ">="}
_VERSIONS = {"$veq": "=", "$vne": "!=", "$vlt": "<", "$vlte": "<=", "$vgt": ">", "$vgte": ">="}


def variable(name: str) -> dict[str, Any]:
    """An attribute: `id` is the targeting key, all others are what code sends."""
    return {"var": "targetingKey" if name == "id" else name}


def condition_of(said: Any) -> Any:
    if not isinstance(said, Mapping):
        raise CannotCarry("a condition cannot be read")
    return _all([_one(name, value) for name, value in said.items()])


def _all(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else {"and": parts or [True]}


def _one(name: str, value: Any) -> Any:
    if name in ("$and", "$or", "$nor"):
        parts = [condition_of(each) for each in value]
        joined: dict[str, Any] = {"and" if name == "$and" else "or": parts or [True]}
        return {"!": [joined]} if name == "$nor" else joined
    if name == "$not":
        return {"!": [condition_of(value)]}
    if name.startswith("$"):
        raise CannotCarry(f"a condition uses {name}")
    known = variable(name)
    if isinstance(value, Mapping) and any(key.startswith("$") for key in value):
        return _all([_compared(known, operator, each) for operator, each in value.items()])
    if isinstance(value, Mapping | list):
        raise CannotCarry("a condition compares with a whole object or list")
    return {"===": [known, value]}


def _compared(known: Any, operator: str, value: Any) -> Any:
    if operator == "$eq":
        return {"===": [known, value]}
    if operator == "$ne":
        return {"!==": [known, value]}
    if operator in _COMPARED:
        return {"and": [{"!==": [known, None]}, {_COMPARED[operator]: [known, value]}]}
    if operator in _VERSIONS:
        return {"sem_ver": [known, _VERSIONS[operator], value]}
    if operator in ("$in", "$nin") and isinstance(value, list):
        # an attribute that is a list is in when one of its items is
        among = {"or": [{"in": [known, value]}, {"some": [known, {"in": [{"var": ""}, value]}]}]}
        return among if operator == "$in" else {"!": [among]}
    if operator == "$exists":
        return {"!==" if value else "===": [known, None]}
    if operator == "$not":
        inner = value if isinstance(value, Mapping) else {"$eq": value}
        return {"!": [_all([_compared(known, name, each) for name, each in inner.items()])]}
    raise CannotCarry(f"a condition uses {operator}")
