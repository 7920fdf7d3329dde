"""Cohorts in a rule: `{"in": ["early_birds", {"var": "person.cohorts"}]}` holds for whoever belongs.

It is plain JsonLogic on a list of keys, so any evaluator can answer it to whom the list is sent. A rule that begins by giving whole
cohorts a variant is told apart from the rest of it, so that forms and commands can name cohorts without any JSON:

    split({"if": [condition("early_birds"), "on", rest...]})  ->  {"early_birds": "on"}, rest
"""

from collections.abc import Mapping
from typing import Any

from .checking import every_part

BELONGS_TO = "person.cohorts"


def condition(key: str) -> dict[str, Any]:
    return {"in": [key, {"var": BELONGS_TO}]}


def cohort_of(logic: Any) -> str | None:
    """The cohort that this condition asks for; None for any other condition."""
    words = logic.get("in") if isinstance(logic, dict) and len(logic) == 1 else None
    if not isinstance(words, list) or len(words) != 2 or not isinstance(words[0], str):
        return None
    return words[0] if words[1] in ({"var": BELONGS_TO}, {"var": [BELONGS_TO]}) else None


def cohorts_in(logic: Any) -> set[str]:
    """Keys of the cohorts that the rule asks for."""
    return {key for part, _ in every_part(logic) if (key := cohort_of(part)) is not None}


def split(logic: Any) -> tuple[dict[str, str], Any]:
    """The cohorts that a rule gives a variant before anything else, in their order, and the rest of it; None for no rest."""
    given: dict[str, str] = {}
    words = logic.get("if") if isinstance(logic, dict) and len(logic) == 1 else None
    if not isinstance(words, list):
        return given, logic
    at = 0
    while at + 1 < len(words) and isinstance(words[at + 1], str):
        key = cohort_of(words[at])
        if key is None or key in given:
            break
        given[key] = words[at + 1]
        at += 2
    if not given:
        return given, logic
    rest = words[at:]
    if not rest or rest == [None]:
        return given, None
    return given, rest[0] if len(rest) == 1 and isinstance(rest[0], dict) else {"if": rest}


def joined(given: Mapping[str, str], rest: Any) -> Any:
    """The rule that gives these cohorts their variants first; what `split` took apart."""
    if not given:
        return rest
    first = [part for key, variant in given.items() for part in (condition(key), variant)]
    inner = rest.get("if") if isinstance(rest, dict) and len(rest) == 1 else None
    more = inner if isinstance(inner, list) else [] if rest is None else [rest]
    return {"if": [*first, *more]}
