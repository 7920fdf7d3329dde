"""What a rule must not be, as a sentence that says what to do; and what it asks about a person."""

from collections.abc import Iterator, Mapping
from typing import Any

from .compiling import KNOWN_OPERATORS

MAX_DEPTH = 60  # of objects and lists in each other; the deepest rule anybody maintains by hand has a dozen
MAX_PARTS = 20_000


def logic_fault(logic: Any) -> str | None:
    """Why this cannot be a flag's targeting rule; None when it can."""
    if not isinstance(logic, dict) or len(logic) != 1:
        return 'A rule is one operator with its arguments, as {"if": [{"==": [{"var": "plan"}, "pro"]}, "on", null]}.'
    for parts, (part, depth) in enumerate(every_part(logic), start=1):
        if depth > MAX_DEPTH:
            return f"The rule is nested more than {MAX_DEPTH} deep. Name its parts as conditions and refer to them by $ref."
        if parts > MAX_PARTS:
            return f"The rule has more than {MAX_PARTS:,} parts. Put long lists into one list and ask with `in`."
        if isinstance(part, dict) and len(part) == 1:
            operator = next(iter(part))
            if operator == "$ref":
                return f"There is no condition {part['$ref']!r} to refer to. Make it first, or write its rule here."
            if operator not in KNOWN_OPERATORS:
                return f"There is no operator {operator!r}. Known are {', '.join(sorted(KNOWN_OPERATORS))}."
    return None


def every_part(logic: Any) -> Iterator[tuple[Any, int]]:
    """Every part with its depth, without recursion: what is asked about may be deeper than Python goes."""
    waiting: list[tuple[Any, int]] = [(logic, 1)]
    while waiting:
        part, depth = waiting.pop()
        yield part, depth
        children = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        waiting.extend((child, depth + 1) for child in children)


def is_too_deep(logic: Any) -> bool:
    return any(depth > MAX_DEPTH for _, depth in every_part(logic))


def resolve_references(logic: Any, conditions: Mapping[str, Any]) -> Any:
    """The rule with each `{"$ref": name}` replaced by that condition. One that is unknown stays, for `logic_fault` to name."""
    if isinstance(logic, list):
        return [resolve_references(part, conditions) for part in logic]
    if not isinstance(logic, dict):
        return logic
    if len(logic) == 1 and isinstance(name := logic.get("$ref"), str):
        return conditions.get(name, logic)
    return {key: resolve_references(part, conditions) for key, part in logic.items()}


def results_of(logic: Any) -> set[str]:
    """The variants that a rule names as its answer, as far as it says so itself: through `if` and `fractional`."""
    if isinstance(logic, str):
        return {logic}
    if not isinstance(logic, Mapping) or len(logic) != 1:
        return set()
    ((name, said),) = logic.items()
    said = said if isinstance(said, list) else [said]
    if name in ("if", "?:"):
        answers = [*said[1::2], *(said[-1:] if len(said) % 2 else [])]
        return set[str]().union(*map(results_of, answers))
    if name == "fractional":
        shares = [each[0] for each in said if isinstance(each, list) and each]
        return {each for each in shares if isinstance(each, str)}
    return set()


def references_in(logic: Any) -> set[str]:
    """Names of the conditions that the rule refers to."""
    return {
        part["$ref"]
        for part, _ in every_part(logic)
        if isinstance(part, dict) and len(part) == 1 and isinstance(part.get("$ref"), str)
    }


def attributes_of(logic: Any) -> set[str]:
    """Paths that the rule reads by `var`, `missing` and `missing_some`, as far as they are written down."""
    found: set[str] = set()
    for part, _ in every_part(logic):
        if not isinstance(part, dict) or len(part) != 1:
            continue
        operator, words = next(iter(part.items()))
        words = words if isinstance(words, list) else [words]
        if operator == "var" and words and isinstance(words[0], str):
            found.add(words[0])
        elif operator == "missing":
            found |= {word for word in words if isinstance(word, str)}
        elif operator == "missing_some" and len(words) > 1 and isinstance(words[1], list):
            found |= {word for word in words[1] if isinstance(word, str)}
    return found


def reads_the_clock(logic: Any) -> bool:
    """Whether the time may decide: by `$flagd.timestamp`, by the whole context, or by a path that only a rule knows."""
    for part, _ in every_part(logic):
        if isinstance(part, dict) and len(part) == 1 and "var" in part:
            words = part["var"]
            path = words[0] if isinstance(words, list) and words else words
            if not isinstance(path, str) or path in ("", "$flagd") or path.startswith("$flagd.timestamp"):
                return True
    return False


def draws(logic: Any) -> bool:
    """Whether chance has a part in it."""
    return any(isinstance(part, dict) and "fractional" in part and len(part) == 1 for part, _ in every_part(logic))
