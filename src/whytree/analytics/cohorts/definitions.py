"""What a cohort is, as data: versioned JSON, checked here and nowhere else. Pure.

{"version": 1, "all": [{"did": "paid", "at_least": 2, "days": 28}, {"did_not": "cancelled"}]}
{"version": 1, "any": [{"in_order": ["opened", "paid"], "within": "1d"}, {"last": {"field": "plan", "values": ["pro"]}}]}
{"version": 1, "all": [{"person": {"field": "company", "operator": "is set"}}, {"cohort": "early_birds"}]}
{"version": 1, "list": true}

`did` and the steps of `in_order` are an event, or {"event": ..., "where": [...]} as in a question; `not` turns a part round.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from whytree.errors import Invalid
from whytree.stores.pieces.filters import Condition, Filter, Selection

from ..questions import filter_json, filter_words, label, parse_span, span, span_words
from ..questions.parts import checked_days, checked_filters, checked_selection, fields_of_filters, selection_json

VERSION = 1
MOST_PARTS = 20
MOST_STEPS = 10
DEEPEST = 5
_SHAPE = 'A cohort is {"version": 1, "all": [{"did": "paid", "days": 28}]}, with all or any; or a list.'


@dataclass(frozen=True)
class Did:
    selection: Selection
    at_least: int = 1
    at_most: int | None = None
    days: int | None = None

    @property
    def words(self) -> str:
        what = f"“{label(self.selection)}”"
        if self.at_most == 0:
            return f"did not do {what}{_lately(self.days)}"
        often = "" if self.at_least == 1 and self.at_most is None else f" {_times(self.at_least, self.at_most)}"
        return f"did {what}{often}{_lately(self.days)}"

    @property
    def json(self) -> dict[str, Any]:
        if self.at_most == 0:
            return {"did_not": selection_json(self.selection)} | _optional(days=self.days)
        return {"did": selection_json(self.selection), "at_least": self.at_least} | _optional(
            at_most=self.at_most, days=self.days
        )


@dataclass(frozen=True)
class InOrder:
    steps: tuple[Selection, ...]
    within: timedelta
    days: int | None = None

    @property
    def words(self) -> str:
        steps = ", then ".join(f"“{label(step)}”" for step in self.steps)
        return f"did {steps} within {span_words(self.within)}{_lately(self.days)}"

    @property
    def json(self) -> dict[str, Any]:
        said = {"in_order": [selection_json(step) for step in self.steps], "within": span(self.within)}
        return said | _optional(days=self.days)


@dataclass(frozen=True)
class Last:
    """What the newest event that says so says of a field."""

    filter: Condition

    @property
    def words(self) -> str:
        return f"last had {filter_words(self.filter)}"

    @property
    def json(self) -> dict[str, Any]:
        return {"last": filter_json(self.filter)}


@dataclass(frozen=True)
class Known:
    """What is known of the person now."""

    filter: Filter

    @property
    def words(self) -> str:
        return f"of whom it is known that {filter_words(self.filter)}"

    @property
    def json(self) -> dict[str, Any]:
        return {"person": filter_json(self.filter)}


@dataclass(frozen=True)
class InCohort:
    key: str

    @property
    def words(self) -> str:
        return f"in {self.key}"

    @property
    def json(self) -> dict[str, Any]:
        return {"cohort": self.key}


@dataclass(frozen=True)
class Not:
    part: "Part"

    @property
    def words(self) -> str:
        return f"not ({self.part.words})"

    @property
    def json(self) -> dict[str, Any]:
        return {"not": self.part.json}


@dataclass(frozen=True)
class Together:
    """`every` of its parts holds, or any."""

    every: bool
    parts: tuple["Part", ...]

    @property
    def words(self) -> str:
        word = " and " if self.every else " or "
        said = [f"({one.words})" if isinstance(one, Together) else one.words for one in self.parts]
        return word.join(said)

    @property
    def json(self) -> dict[str, Any]:
        return {"all" if self.every else "any": [one.json for one in self.parts]}


@dataclass(frozen=True)
class List:
    """A list of people that somebody stored."""

    words = "on a list"

    @property
    def json(self) -> dict[str, Any]:
        return {"list": True}


Part = Did | InOrder | Last | Known | InCohort | Not | Together
Definition = Together | List


def checked_definition(raw: object) -> Definition:
    """The cohort that this JSON means; `Invalid` says what to write instead."""
    if not isinstance(raw, Mapping):
        raise Invalid(_SHAPE)
    if raw.get("version") != VERSION:
        raise Invalid(f'This cohort is of version {raw.get("version")!r}; write "version": {VERSION}.')
    rest = {name: value for name, value in raw.items() if name != "version"}
    if rest == {"list": True}:
        return List()
    if set(rest) not in ({"all"}, {"any"}):
        raise Invalid(_SHAPE)
    return _together(rest, DEEPEST)


def as_json(definition: Definition) -> dict[str, Any]:
    """The form that is stored and sent."""
    return {"version": VERSION} | definition.json


def selections_of(part: Part | List) -> list[Selection]:
    """Every selection of events that it reads."""
    match part:
        case Did():
            return [part.selection]
        case InOrder():
            return list(part.steps)
        case Not():
            return selections_of(part.part)
        case Together():
            return [one for inner in part.parts for one in selections_of(inner)]
    return []


def fields_of(part: Part | List) -> list[str]:
    """Every field of an event that it reads."""
    match part:
        case Last():
            return fields_of_filters([part.filter])
        case Not():
            return fields_of(part.part)
        case Together():
            return [one for inner in part.parts for one in fields_of(inner)]
    return [field for one in selections_of(part) for field in fields_of_filters(one.filters)]


def cohorts_of(part: Part | List) -> list[str]:
    """Other cohorts that it names."""
    match part:
        case InCohort():
            return [part.key]
        case Not():
            return cohorts_of(part.part)
        case Together():
            return [one for inner in part.parts for one in cohorts_of(inner)]
    return []


def _together(raw: Mapping[str, Any], depth: int) -> Together:
    if depth == 0:
        raise Invalid(f"A cohort's parts go {DEEPEST} deep at most. Make a cohort of an inner part, and name it.")
    kind, parts = next(iter(raw.items()))
    if not isinstance(parts, list) or not 1 <= len(parts) <= MOST_PARTS:
        raise Invalid(f"“{kind}” is a list of 1 to {MOST_PARTS} parts.")
    return Together(kind == "all", tuple(_part(one, depth) for one in parts))


def _part(raw: object, depth: int) -> Part:
    if not isinstance(raw, Mapping):
        raise Invalid(_SHAPE)
    match set(raw):
        case names if names in ({"all"}, {"any"}):
            return _together(raw, depth - 1)
        case names if "did" in names and names <= {"did", "at_least", "at_most", "days"}:
            return _did(raw)
        case names if "did_not" in names and names <= {"did_not", "days"}:
            return Did(checked_selection(raw["did_not"]), 0, 0, checked_days(raw.get("days")))
        case names if "in_order" in names and names <= {"in_order", "within", "days"}:
            return _in_order(raw)
        case names if names == {"last"}:
            return Last(_one_filter(raw["last"]))
        case names if names == {"person"}:
            known = _one_filter(raw["person"])
            if not isinstance(known, Filter):
                raise Invalid("“person” is one filter, as {“field”: “plan”, “values”: [“pro”]}.")
            return Known(known)
        case names if names == {"cohort"}:
            if not isinstance(raw["cohort"], str) or not raw["cohort"]:
                raise Invalid("“cohort” is the key of another cohort.")
            return InCohort(raw["cohort"][:100])
        case names if names == {"not"}:
            if depth == 1:
                raise Invalid(f"A cohort's parts go {DEEPEST} deep at most.")
            return Not(_part(raw["not"], depth - 1))
    raise Invalid("A part of a cohort is one of did, did_not, in_order, last, person, cohort, not, all, any.")


def _did(raw: Mapping[str, Any]) -> Did:
    least, most = raw.get("at_least", 1), raw.get("at_most")
    if type(least) is not int or not 1 <= least <= 1_000_000:
        raise Invalid("“at_least” is a whole number from 1.")
    if most is not None and (type(most) is not int or not least <= most <= 1_000_000):
        raise Invalid("“at_most” is a whole number, not below “at_least”.")
    return Did(checked_selection(raw["did"]), least, most, checked_days(raw.get("days")))


def _in_order(raw: Mapping[str, Any]) -> InOrder:
    steps = raw["in_order"]
    if not isinstance(steps, list) or not 2 <= len(steps) <= MOST_STEPS:
        raise Invalid(f"“in_order” is a list of 2 to {MOST_STEPS} events.")
    within = parse_span(raw.get("within", "14d"))
    return InOrder(tuple(checked_selection(step) for step in steps), within, checked_days(raw.get("days")))


def _one_filter(raw: object) -> Condition:
    return checked_filters([raw])[0]


def _times(least: int, most: int | None) -> str:
    if most is None:
        return f"{least} times or more"
    return f"{least} to {most} times" if most > least else f"exactly {least} times" if least > 1 else "exactly once"


def _lately(days: int | None) -> str:
    return "" if days is None else f" in the last {days} days" if days > 1 else " in the last day"


def _optional(**values: int | None) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
