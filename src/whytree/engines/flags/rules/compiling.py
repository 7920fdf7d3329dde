"""Turns a rule into nested Python functions once, so that asking it often costs little.

The functions read the data that is in scope: the evaluation context at the top, one item inside `map`, `filter`, `all`,
`some` and `none`, `{"current", "accumulator"}` inside `reduce`.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from .bucketing import BUCKETINGS, Bucketing
from .operators import OPERATORS, Drawn, var, walk
from .values import truthy

Logic = Callable[[Any], Any]

MAX_WEIGHT_SUM = 2_147_483_647
MOST_ITEMS = 10_000  # of a list that a rule may go through


@dataclass(frozen=True)
class _Scope:
    """What the compiler knows: how to hash, for which flag, and whether the data in scope is the whole context."""

    bucketing: Bucketing
    flag: str
    is_top: bool = True


def compile_logic(logic: Any, bucketing: str, flag: str) -> Logic:
    """The rule as a function of the context. LookupError for an operator that there is not."""
    return _compile(logic, _Scope(BUCKETINGS[bucketing], flag))


def _compile(logic: Any, scope: _Scope) -> Logic:
    if isinstance(logic, list):
        return _list(logic, scope)
    if not isinstance(logic, dict) or len(logic) != 1:
        return lambda data: logic
    operator, words = next(iter(logic.items()))
    words = words if isinstance(words, list) else [words]
    if operator in _SPECIAL:
        return _SPECIAL[operator](words, scope)
    apply = OPERATORS.get(operator)
    if apply is None:
        raise LookupError(operator)
    return _applied(apply, [_compile(word, scope) for word in words])


def _list(items: list[Any], scope: _Scope) -> Logic:
    parts = [_compile(item, scope) for item in items]
    if not any(isinstance(item, dict | list) for item in items):
        return lambda data: items
    return lambda data: [part(data) for part in parts]


def _applied(apply: Callable[..., Any], parts: Sequence[Logic]) -> Logic:
    if len(parts) == 1:
        (only,) = parts
        return lambda data: apply(data, only(data))
    if len(parts) == 2:
        one, two = parts
        return lambda data: apply(data, one(data), two(data))
    return lambda data: apply(data, *[part(data) for part in parts])


def _var(words: list[Any], scope: _Scope) -> Logic:
    """A path that is written down is taken apart once."""
    key = words[0] if words else None
    if not isinstance(key, str) or key == "" or len(words) > 2:
        return _applied(var, [_compile(word, scope) for word in words])
    path, default = key.split("."), _compile(words[1], scope) if len(words) == 2 else None
    if default is not None:
        return lambda data: walk(data, path, default(data))
    if len(path) > 1:
        return lambda data: walk(data, path, None)
    return lambda data: data.get(key) if isinstance(data, dict) else walk(data, path, None)


def _if(words: list[Any], scope: _Scope) -> Logic:
    parts = [_compile(word, scope) for word in words]
    pairs = list(zip(parts[:-1:2], parts[1::2], strict=False))
    last = parts[-1] if len(parts) % 2 else None

    def decide(data: Any) -> Any:
        for test, then in pairs:
            if truthy(test(data)):
                return then(data)
        return last(data) if last is not None else None

    return decide


def _and(words: list[Any], scope: _Scope) -> Logic:
    return _until(words, scope, stop_at=False)


def _or(words: list[Any], scope: _Scope) -> Logic:
    return _until(words, scope, stop_at=True)


def _until(words: list[Any], scope: _Scope, *, stop_at: bool) -> Logic:
    parts = [_compile(word, scope) for word in words]

    def decide(data: Any) -> Any:
        found = None
        for part in parts:
            found = part(data)
            if truthy(found) is stop_at:
                break
        return found

    return decide


def _items(words: list[Any], scope: _Scope) -> tuple[Logic, Logic]:
    """The list to go through, and what is asked of each item."""
    each = _compile(words[1] if len(words) > 1 else None, replace(scope, is_top=False))
    items = _compile(words[0], scope)

    def found(data: Any) -> Any:
        value = items(data)
        if isinstance(value, list) and len(value) > MOST_ITEMS:
            raise ValueError(f"a rule may go through {MOST_ITEMS:,} items")
        return value

    return found, each


def _filter(words: list[Any], scope: _Scope) -> Logic:
    if len(words) < 2:
        return lambda data: []
    items, keeps = _items(words, scope)
    return lambda data: [item for item in _listed(items(data)) if truthy(keeps(item))]


def _map(words: list[Any], scope: _Scope) -> Logic:
    if not words:
        return lambda data: []
    items, becomes = _items(words, scope)
    return lambda data: [becomes(item) for item in _listed(items(data))]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _reduce(words: list[Any], scope: _Scope) -> Logic:
    if not words:
        return lambda data: None
    items, step = _items(words, scope)
    start = words[2] if len(words) > 2 else None  # as it is written: JsonLogic does not evaluate it

    def fold(data: Any) -> Any:
        listed = items(data)
        if not isinstance(listed, list):
            return start
        state: dict[str, Any] = {"accumulator": start}
        for item in listed:
            state["current"] = item
            state["accumulator"] = step(state)
        return state["accumulator"]

    return fold


def _all(words: list[Any], scope: _Scope) -> Logic:
    """All of none is false, as JsonLogic has it."""
    if len(words) < 2:
        return lambda data: False
    items, holds = _items(words, scope)

    def decide(data: Any) -> bool:
        listed = _listed(items(data))
        return bool(listed) and all(truthy(holds(item)) for item in listed)

    return decide


def _some(words: list[Any], scope: _Scope) -> Logic:
    if len(words) < 2:
        return lambda data: False
    items, holds = _items(words, scope)
    return lambda data: any(truthy(holds(item)) for item in _listed(items(data)))


def _none(words: list[Any], scope: _Scope) -> Logic:
    if len(words) < 2:
        return lambda data: True
    some = _some(words, scope)
    return lambda data: not some(data)


def _fractional(words: list[Any], scope: _Scope) -> Logic:
    """Weights that are written down are added up once; everything else is looked at each time."""
    parts = [_compile(word, scope) for word in words]
    by_value = bool(words) and not isinstance(words[0], list)
    arms = _written_arms(words[1:] if by_value else words)
    place = scope.bucketing.place
    if arms is None or not words or (by_value and not _gives_text(words[0])):
        return lambda data: _draw(data, [part(data) for part in parts], scope)
    names, bounds = arms
    if not by_value and scope.is_top:
        return _drawn_by_unit(names, bounds, scope)
    value = parts[0] if by_value else lambda data: _unit_value(data, scope)

    def draw(data: Any) -> Any:
        hashed = value(data)
        at = None if hashed is None else place(hashed, bounds[-1])
        return None if at is None else names[bisect_right(bounds, at)]

    return draw


def _drawn_by_unit(names: list[Any], bounds: list[int], scope: _Scope) -> Logic:
    """The usual draw, of a person by the flag."""
    place, total = scope.bucketing.place_of_unit(scope.flag), bounds[-1]

    def draw(data: Any) -> Any:
        unit = data.get("targetingKey")
        at = place(unit, total) if unit and isinstance(unit, str) else None
        return None if at is None else names[bisect_right(bounds, at)]

    return draw


def _gives_text(logic: Any) -> bool:
    """A text for certain: what might be a list could be a variant in the short form."""
    return isinstance(logic, str) or (isinstance(logic, dict) and list(logic) == ["cat"])


def _written_arms(arms: list[Any]) -> tuple[list[Any], list[int]] | None:
    """Names and bounds of arms that no rule inside changes; None when there is one, or when they make no sum."""
    if not all(isinstance(arm, list) and not any(isinstance(part, dict | list) for part in arm) for arm in arms):
        return None
    weights = [_weight(arm) for arm in arms]
    if None in weights or not 0 < sum(weight or 0 for weight in weights) <= MAX_WEIGHT_SUM:
        return None
    return [_drawn(arm[0]) for arm in arms], list(accumulate(weight or 0 for weight in weights))


def _weight(arm: Any) -> int | None:
    """1 where none is said, 0 for a negative one (computed rollouts have them); None for what is no arm."""
    if not isinstance(arm, list) or not 1 <= len(arm) <= 2:
        return None
    if len(arm) == 1:
        return 1
    return max(0, arm[1]) if type(arm[1]) is int else None


def _drawn(name: Any) -> Any:
    return Drawn(name) if isinstance(name, str) else name


def _unit_value(data: Any, scope: _Scope) -> Any:
    """What the short form hashes: the flag's key and the person."""
    unit = data.get("targetingKey")
    if not unit or not isinstance(unit, str):
        return None
    flag = scope.flag if scope.is_top else data.get("$flagd", {}).get("flagKey", "")
    return scope.bucketing.shorthand(flag, unit)


def _draw(data: Any, words: list[Any], scope: _Scope) -> Any:
    if not words:
        return None
    value = words[0]
    if isinstance(value, list):
        value, arms = _unit_value(data, scope), words
    else:
        arms = words[1:]
    weights = [_weight(arm) for arm in arms]
    total = sum(weight or 0 for weight in weights)
    if value is None or None in weights or not 0 < total <= MAX_WEIGHT_SUM:
        return None
    at = scope.bucketing.place(value, total)
    if at is None:
        return None
    return _drawn(arms[bisect_right(list(accumulate(weight or 0 for weight in weights)), at)][0])


_SPECIAL: dict[str, Callable[[list[Any], _Scope], Logic]] = {
    "if": _if,
    "?:": _if,
    "and": _and,
    "or": _or,
    "filter": _filter,
    "map": _map,
    "reduce": _reduce,
    "all": _all,
    "some": _some,
    "none": _none,
    "var": _var,
    "fractional": _fractional,
}
KNOWN_OPERATORS = frozenset(OPERATORS) | frozenset(_SPECIAL)
