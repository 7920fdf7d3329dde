"""JavaScript's conversions and comparisons as JsonLogic needs them, with the answers of flagd's Python evaluator."""

import math
from typing import Any

NAN = math.nan


def to_number(value: Any) -> float | int:
    """A number stays, nothing is 0, a text is read, everything else is NaN."""
    if isinstance(value, int | float):
        return value
    if value is None:
        return 0
    if isinstance(value, list):
        if not value:
            return 0
        return NAN if len(value) > 1 else to_number(value[0])
    if isinstance(value, str):
        if value.strip().lower() in ("inf", "-inf", "+inf"):
            return NAN
        try:
            return float(value)
        except ValueError:
            return NAN
    return NAN


def to_text(value: Any) -> str:
    """A value as text, as flagd's evaluator writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, int):  # true and false too: Python's words, as flagd's evaluator writes them
        return str(value)
    if value is None:
        return "null"
    if isinstance(value, list):
        return ",".join(map(to_text, value))
    return "[object Object]"


def truthy(value: Any) -> bool:
    """JsonLogic's truth: an empty list is false, an empty object true."""
    if isinstance(value, float):
        return not math.isnan(value) and value != 0
    return True if isinstance(value, dict) else bool(value)


def loosely_equal(one: Any, two: Any) -> bool:
    """`==`. Two lists or two objects are equal only when they are the very same one."""
    if isinstance(one, str) and isinstance(two, str):
        return one == two
    if type(one) is type(two):
        return one is two if isinstance(one, list | dict) else bool(one == two)
    if isinstance(one, int | float) or isinstance(two, int | float):
        return bool(to_number(one) == to_number(two))
    if one is None or two is None:
        return False
    if isinstance(one, str):
        return one == to_text(two)
    return to_text(one) == two if isinstance(two, str) else False


def less(one: Any, two: Any) -> bool:
    left, right = _comparable(one, two)
    return bool(left < right)


def at_most(one: Any, two: Any) -> bool:
    left, right = _comparable(one, two)
    return bool(left <= right)


def _comparable(one: Any, two: Any) -> tuple[Any, Any]:
    """Numbers where one of them is a number, texts where one is a text, numbers otherwise."""
    if isinstance(one, int | float) or isinstance(two, int | float):
        return to_number(one), to_number(two)
    if isinstance(one, str) or isinstance(two, str):
        return to_text(one), to_text(two)
    return to_number(one), to_number(two)
