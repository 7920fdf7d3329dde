"""What the question pages' forms send, as a question. The fields stay as they were typed, so that a refused one comes back."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.http import QueryDict

from whytree.errors import Invalid

from ..questions import MOST_STEPS, Question, checked_question, filter_json, parse_filter


@dataclass(frozen=True)
class Form(ABC):
    """What every kind of question has: events, filters typed in a row, and a time."""

    events: list[str] = field(default_factory=list)
    where: str = ""
    days: str = ""
    kind: ClassVar[str]
    names: ClassVar[tuple[str, ...]] = ("where", "days")

    @classmethod
    def sent(cls, said: QueryDict) -> Any:
        events = [event.strip() for event in said.getlist("event")[: MOST_STEPS + 1] if event.strip()]
        typed = {name: str(said.get(name, "")).strip() for name in cls.names}
        return cls(events, **{name: text for name, text in typed.items() if text})

    @property
    def fields(self) -> list[str]:
        """The events, and room for one more."""
        return [*self.events, "", ""][: max(len(self.events) + 1, 3)]

    @property
    def question(self) -> Question:
        filters = [filter_json(parse_filter(text)) for text in self.where.split(";") if text.strip()]
        head: dict[str, Any] = {"version": 1, "kind": self.kind, "where": filters, **self.parts}
        return checked_question(head | ({"days": whole(self.days, "Time")} if self.days else {}))

    @property
    @abstractmethod
    def parts(self) -> dict[str, Any]:
        """What only this kind of question has."""


@dataclass(frozen=True)
class FunnelForm(Form):
    within: str = "14d"
    by: str = ""
    at: str = ""
    kind = "funnel"
    names = ("where", "days", "within", "by", "at")

    @property
    def parts(self) -> dict[str, Any]:
        return {"steps": self.events, "within": self.within, "by": self.by}


@dataclass(frozen=True)
class TrendsForm(Form):
    measure: str = "total"
    of: str = ""
    interval: str = "week"
    by: str = ""
    kind = "trends"
    names = ("where", "days", "measure", "of", "interval", "by")

    @property
    def parts(self) -> dict[str, Any]:
        measure = f"{self.measure}:{self.of}" if self.takes_property else self.measure
        return {"series": self.events, "measure": measure, "interval": self.interval, "by": self.by}

    @property
    def takes_property(self) -> bool:
        return self.measure not in ("total", "people", "average")


@dataclass(frozen=True)
class RetentionForm(Form):
    interval: str = "week"
    stretches: str = "8"
    start: str = "first"
    back: str = "on"
    kind = "retention"
    names = ("where", "days", "interval", "stretches", "start", "back")

    @property
    def parts(self) -> dict[str, Any]:
        begin, back = [*self.events, "", ""][:2]
        how = {"first_time": self.start == "first", "or_later": self.back == "later"}
        return {
            "begin": begin,
            "back": back,
            "interval": self.interval,
            "stretches": whole(self.stretches, "How long"),
            **how,
        }


FORMS: Sequence[type[Form]] = (FunnelForm, TrendsForm, RetentionForm)


def whole(text: str, name: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise Invalid(f"{name}: {text[:40]!r} is no whole number.")
    return int(text)
