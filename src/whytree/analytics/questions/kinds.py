"""The kinds of question there are, each with its JSON and its sentence. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, get_args

from whytree.errors import Invalid
from whytree.stores import retention, trends
from whytree.stores.filters import FLAG, Selection

from .parts import (
    checked_days,
    checked_field,
    checked_filters,
    checked_selection,
    label,
    parse_span,
    selection_json,
    span,
    span_words,
)

VERSION = 1
MOST_STEPS = 20
MOST_SERIES = 25
MOST_STRETCHES = 60
#: Long enough for all but what is sold over months.
USUAL_WINDOW = timedelta(days=14)
_INTERVALS: tuple[trends.Interval, ...] = get_args(trends.Interval)
_STRETCHES: tuple[retention.Interval, ...] = get_args(retention.Interval)
_AGGREGATES: tuple[trends.Aggregate, ...] = get_args(trends.Aggregate)


@dataclass(frozen=True)
class Funnel:
    """How many people do one thing, then the next, and so on, within a window that begins with the first."""

    steps: tuple[Selection, ...]
    within: timedelta = USUAL_WINDOW
    by: str = ""
    days: int | None = None
    kind: ClassVar = "funnel"
    fields: ClassVar = {"steps", "within", "by", "where", "days"}

    @property
    def sentence(self) -> str:
        steps = ", then ".join(f"“{label(step)}”" for step in self.steps)
        return f"people who did {steps} within {span_words(self.within)}{_by_words(self.by)}"

    @property
    def selections(self) -> tuple[Selection, ...]:
        return self.steps

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Funnel":
        where = checked_filters(raw.get("where", []))
        steps = tuple(checked_selection(step, where) for step in _list(raw, "steps", MOST_STEPS))
        window = parse_span(raw["within"]) if "within" in raw else USUAL_WINDOW
        return cls(steps, window, checked_field(raw.get("by", "")), checked_days(raw.get("days")))

    @property
    def json(self) -> dict[str, Any]:
        steps = [selection_json(step) for step in self.steps]
        return {"steps": steps, "within": span(self.within)} | _optional(self.by, self.days)


@dataclass(frozen=True)
class Measured:
    """What is counted of a series: `total`, `people`, `average` (a person), or an aggregate of the property `field`."""

    name: str
    field: str = ""

    @property
    def words(self) -> str:
        said = {"total": "how often", "people": "how many people did", "average": "how often a person did"}
        return f"{self.name} of {self.field} of" if self.field else said[self.name]

    @property
    def text(self) -> str:
        return f"{self.name}:{self.field}" if self.field else self.name


@dataclass(frozen=True)
class Trends:
    """How much happens, stretch by stretch of the calendar."""

    series: tuple[Selection, ...]
    measure: Measured
    interval: trends.Interval = "day"
    by: str = ""
    days: int | None = None
    kind: ClassVar = "trends"
    fields: ClassVar = {"series", "measure", "interval", "by", "where", "days"}

    @property
    def sentence(self) -> str:
        series = ", ".join(f"“{label(one)}”" for one in self.series)
        return f"{self.measure.words} {series}, by {self.interval}{_by_words(self.by)}"

    @property
    def selections(self) -> tuple[Selection, ...]:
        return self.series

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Trends":
        where = checked_filters(raw.get("where", []))
        series = tuple(checked_selection(one, where) for one in _list(raw, "series", MOST_SERIES))
        by = checked_field(raw.get("by", ""))
        if by and len(series) > 1:
            raise Invalid("One series can be told apart by a field; with several, leave out “by”.")
        interval = _one_of(raw.get("interval", "day"), "interval", _INTERVALS)
        return cls(series, _measured(raw.get("measure", "total")), interval, by, checked_days(raw.get("days")))

    @property
    def json(self) -> dict[str, Any]:
        series = [selection_json(one) for one in self.series]
        said = {"series": series, "measure": self.measure.text, "interval": self.interval}
        return said | _optional(self.by, self.days)


@dataclass(frozen=True)
class Retention:
    """Of those who began in one stretch of the calendar, how many came back in each later one."""

    begin: Selection
    back: Selection
    interval: retention.Interval = "week"
    first_time: bool = True
    or_later: bool = False
    stretches: int = 8
    days: int | None = None
    by: ClassVar = ""
    kind: ClassVar = "retention"
    fields: ClassVar = {"begin", "back", "interval", "first_time", "or_later", "stretches", "days", "where"}

    @property
    def sentence(self) -> str:
        first = "for the first time " if self.first_time else ""
        later = f"that {self.interval} or later" if self.or_later else f"{self.interval} by {self.interval}"
        return f"people who did “{label(self.begin)}” {first}and “{label(self.back)}” again, {later}"

    @property
    def selections(self) -> tuple[Selection, ...]:
        return (self.begin, self.back)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Retention":
        where = checked_filters(raw.get("where", []))
        if "begin" not in raw:
            raise Invalid("A retention has a “begin”: the event that people begin with.")
        begin = checked_selection(raw["begin"], where)
        back = checked_selection(raw["back"], where) if raw.get("back") else begin
        stretches = raw.get("stretches", 8)
        if isinstance(stretches, bool) or not isinstance(stretches, int) or not 1 <= stretches <= MOST_STRETCHES:
            raise Invalid(f"“stretches” is a whole number from 1 to {MOST_STRETCHES}.")
        return cls(
            begin,
            back,
            _one_of(raw.get("interval", "week"), "interval", _STRETCHES),
            _yes_or_no(raw, "first_time", usual=True),
            _yes_or_no(raw, "or_later", usual=False),
            stretches,
            checked_days(raw.get("days")),
        )

    @property
    def json(self) -> dict[str, Any]:
        said = {"begin": selection_json(self.begin), "back": selection_json(self.back), "interval": self.interval}
        how = {"first_time": self.first_time, "or_later": self.or_later, "stretches": self.stretches}
        return said | how | _optional("", self.days)


Question = Funnel | Trends | Retention
_KINDS: dict[str, type[Funnel] | type[Trends] | type[Retention]] = {
    kind.kind: kind for kind in (Funnel, Trends, Retention)
}


def checked_question(raw: object) -> Question:
    """The question that this JSON means; `Invalid` says what to write instead."""
    if not isinstance(raw, Mapping):
        raise Invalid('A question is a JSON object, as {"version": 1, "kind": "funnel", "steps": [...]}.')
    if raw.get("version") != VERSION:
        raise Invalid(f'This question is of version {raw.get("version")!r}; write "version": {VERSION}.')
    name = raw.get("kind")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise Invalid(f"There is no kind {str(name)[:40]!r} of question; there are {', '.join(_KINDS)}.")
    unknown = set(raw) - {"version", "kind"} - kind.fields
    if unknown:
        given = ", ".join(sorted(map(str, unknown)))[:200]
        raise Invalid(f"A {kind.kind} has no field {given}; it has {', '.join(sorted(kind.fields))}.")
    return kind.of(raw)


def as_json(question: Question) -> dict[str, Any]:
    """The form that is stored and sent."""
    return {"version": VERSION, "kind": question.kind} | question.json


def events_of(question: Question) -> list[str]:
    """Every event it reads, in its order."""
    return list(dict.fromkeys(event for one in question.selections for event in one.events))


def fields_of(question: Question) -> list[str]:
    """Every field it reads, in its order."""
    used = [one.field for selection in question.selections for one in selection.filters]
    measured = [question.measure.field] if isinstance(question, Trends) and question.measure.field else []
    return list(dict.fromkeys([*used, *measured, *([question.by] if question.by else [])]))


def _list(raw: Mapping[str, Any], name: str, most: int) -> Sequence[Any]:
    value = raw.get(name)
    if not isinstance(value, Sequence) or isinstance(value, str) or not 1 <= len(value) <= most:
        raise Invalid(f"It needs a list of 1 to {most} {name}.")
    return value


def _measured(value: object) -> Measured:
    text = value.strip() if isinstance(value, str) else ""
    if text in ("total", "people", "average"):
        return Measured(text)
    name, _, field = text.partition(":")
    if name in _AGGREGATES and field.strip():
        return Measured(name, checked_field(field))
    raise Invalid(
        f"“measure” cannot be {str(value)[:60]!r}. It is total, people, average, or one of "
        f"{', '.join(_AGGREGATES)} with a property, as sum:price."
    )


def _one_of(value: Any, name: str, allowed: tuple[Any, ...]) -> Any:
    if value not in allowed:
        raise Invalid(f"“{name}” cannot be {str(value)[:40]!r}. It is one of: {', '.join(allowed)}.")
    return value


def _yes_or_no(raw: Mapping[str, Any], name: str, *, usual: bool) -> bool:
    value = raw.get(name, usual)
    if not isinstance(value, bool):
        raise Invalid(f"“{name}” is true or false.")
    return value


def _by_words(by: str) -> str:
    return f", by {by.removeprefix(FLAG)}" if by else ""


def _optional(by: str, days: int | None) -> dict[str, Any]:
    return ({"by": by} if by else {}) | ({"days": days} if days else {})
