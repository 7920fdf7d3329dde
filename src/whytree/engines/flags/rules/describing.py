"""A rule in words, and what it came to for one person: which condition held, with the values that it read."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .checking import attributes_of
from .cohorts import BELONGS_TO, cohort_of
from .compiling import compile_logic
from .operators import var
from .values import truthy

MOST_WORDS = 160  # characters of one condition; the page shows the whole rule beside it
_BETWEEN = {
    "==": "is",
    "===": "is",
    "!=": "is not",
    "!==": "is not",
    "<": "<",
    ">": ">",
    "<=": "≤",
    ">=": "≥",
    "in": "in",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "+": "+",
    "-": "−",
    "*": "×",
    "/": "÷",
    "%": "modulo",
}


def laid_out(value: Any, width: int = 76, indent: str = "") -> str:
    """JSON for people: what fits on a line stays on one."""
    compact = json.dumps(value, ensure_ascii=False)
    if len(compact) + len(indent) <= width or not value or not isinstance(value, dict | list):
        return compact
    inner = indent + "  "
    if isinstance(value, list):
        parts, (opened, closed) = [laid_out(part, width, inner) for part in value], "[]"
    else:
        parts = [
            f"{json.dumps(key, ensure_ascii=False)}: {laid_out(part, width, inner)}" for key, part in value.items()
        ]
        opened, closed = "{}"
        if len(parts) == 1:  # an operator and its arguments begin on one line
            return opened + _operator(value, width, indent) + closed
    return f"{opened}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{closed}"


def _operator(value: Mapping[str, Any], width: int, indent: str) -> str:
    ((key, words),) = value.items()
    return f"{json.dumps(key, ensure_ascii=False)}: {laid_out(words, width - 1, indent)}"


def in_words(logic: Any) -> str:
    """`{"==": [{"var": "plan"}, "pro"]}` as `plan is "pro"`."""
    text = _words(logic)
    return text if len(text) <= MOST_WORDS else text[: MOST_WORDS - 1] + "…"


def _words(logic: Any) -> str:
    if isinstance(logic, list):
        return "[" + ", ".join(map(_words, logic)) + "]"
    if not isinstance(logic, dict) or len(logic) != 1:
        return json.dumps(logic, ensure_ascii=False)
    cohort = cohort_of(logic)
    if cohort is not None:
        return f"in the cohort {cohort}"
    operator, words = next(iter(logic.items()))
    words = words if isinstance(words, list) else [words]
    if operator == "var":
        return str(words[0]) if words and words[0] != "" else "the context"
    if operator == "$ref":
        return f"condition {words[0]}"
    if operator in ("and", "or") and words:
        return f" {operator} ".join(_part(word) for word in words)
    if operator == "!" and words:
        return f"not {_part(words[0])}"
    if operator == "!!" and words:
        return _words(words[0])
    if operator == "sem_ver" and len(words) == 3:
        return f"version {_words(words[0])} {words[1]} {_words(words[2])}"
    if operator in _BETWEEN and len(words) == 2:
        return f"{_words(words[0])} {_BETWEEN[operator]} {_words(words[1])}"
    return f"{operator}({', '.join(map(_words, words))})"


def _part(logic: Any) -> str:
    nested = isinstance(logic, dict) and next(iter(logic), "") in ("and", "or")
    return f"({_words(logic)})" if nested else _words(logic)


def follow(logic: Any, bucketing: str, flag: str, data: Mapping[str, Any]) -> list[str]:
    """What a rule asked of one person, in order, and what it came to."""
    return list(_followed(logic, bucketing, flag, data))


def _followed(logic: Any, bucketing: str, flag: str, data: Mapping[str, Any]) -> Iterator[str]:
    def value_of(part: Any) -> Any:
        return compile_logic(part, bucketing, flag)(data)

    operator, words = next(iter(logic.items())) if isinstance(logic, dict) and len(logic) == 1 else ("", None)
    if operator not in ("if", "?:") or not isinstance(words, list):
        yield _outcome(logic, value_of(logic))
        return
    at = 0
    while at < len(words) - 1:
        held = truthy(value_of(words[at]))
        yield f"{in_words(words[at])}{_read(words[at], data)}: {'yes' if held else 'no'}."
        if held:
            yield from _followed(words[at + 1], bucketing, flag, data)
            return
        at += 2
    if at < len(words):
        yield from _followed(words[at], bucketing, flag, data)
    else:
        yield "No condition of the rule holds."


def _read(logic: Any, data: Mapping[str, Any]) -> str:
    """(plan: "free", email: not sent)"""
    names = sorted(name for name in attributes_of(logic) if name and name != BELONGS_TO)
    if not names:
        return ""
    values = {name: var(data, name) for name in names}
    said = (f"{name}: {'not sent' if value is None else _short(value)}" for name, value in values.items())
    return f" ({', '.join(said)})"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"


def _outcome(logic: Any, value: Any) -> str:
    if value is None:
        return "The rule leaves it to the rollout."
    if isinstance(logic, dict) and "fractional" in logic:
        return f"Drawn by {in_words(logic)}: {value}."
    return f"So the rule gives {_short(value) if not isinstance(value, str) else value}."
