"""Formulas between series, as `A / B * 100`: arithmetic and nothing else. Pure."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from whytree.errors import Invalid

LENGTH = 200
_DEEPEST = 40
_SHAPE = "Write “formula” with the letters of the series, numbers, + - * / and brackets, as A / B * 100."
_SIGNS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True)
class Formula:
    text: str
    letters: frozenset[str]

    def value(self, values: Mapping[str, float | None]) -> float | None:
        """None where a series has no answer, and where nothing can be divided."""
        try:
            found = _value(ast.parse(self.text, mode="eval").body, values)
        except (ZeroDivisionError, OverflowError):
            return None
        return found if found is not None and math.isfinite(found) else None


def parse_formula(text: object, series: int) -> Formula:
    """`A` is the first of the series. Raises `Invalid` with how to write it."""
    if not isinstance(text, str) or not 0 < len(text) <= LENGTH:
        raise Invalid(_SHAPE)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Invalid(f"{text[:60]!r} is no formula. {_SHAPE}") from error
    letters: set[str] = set()
    _check(tree, letters, _DEEPEST)
    known = {chr(ord("A") + number) for number in range(series)}
    if letters - known or not letters:
        unknown = ", ".join(sorted(letters - known)) or "no series"
        raise Invalid(f"The formula names {unknown}; there are {', '.join(sorted(known))}.")
    return Formula(text.strip(), frozenset(letters))


def _check(node: ast.expr, letters: set[str], depth: int) -> None:
    match node:
        case _ if depth == 0:
            raise Invalid("This formula is nested too deep.")
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _SIGNS:
            _check(left, letters, depth - 1)
            _check(right, letters, depth - 1)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=inner):
            _check(inner, letters, depth - 1)
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool) and abs(number) < 1e15:
            pass
        case ast.Name(id=name) if len(name) == 1 and "A" <= name <= "Y":
            letters.add(name)
        case _:
            raise Invalid(_SHAPE)


def _value(node: ast.expr, values: Mapping[str, float | None]) -> float | None:
    match node:
        case ast.BinOp(left=left, op=sign, right=right):
            one, two = _value(left, values), _value(right, values)
            return None if one is None or two is None else _SIGNS[type(sign)](one, two)
        case ast.UnaryOp(op=sign, operand=inner):
            value = _value(inner, values)
            return -value if value is not None and isinstance(sign, ast.USub) else value
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return values.get(name)
    return None
