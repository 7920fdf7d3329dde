"""What the question pages' forms send, as a question. The fields stay as they were typed, so that a refused one comes back."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from django.http import QueryDict

from whytree.engines.typed import whole_of
from whytree.errors import Invalid

from ..answers import Part, checked_part
from ..questions import (
    ACTIVE,
    MOST_SERIES,
    MOST_STEPS,
    Question,
    checked_question,
    filter_json,
    parse_event,
    parse_filter,
    parse_series,
    parse_step,
)
from ..questions.when import TIME

#: What a page's address says of a part of the answer.
PART = ("step", "to", "did", "series", "start", "after", "group", "place", "then")
#: Series of trends, or steps; one more is refused in words.
MOST_EVENTS = max(MOST_SERIES, MOST_STEPS)
#: Days back that pages offer.
PERIODS = (7, 28, 90, 365)
#: What is asked about where nothing was said.
USUAL_DAYS = 28
#: In place of a number of days.
DATES = "dates"


@dataclass(frozen=True)
class Form(ABC):
    """What every kind of question has: events, filters typed in a row, groups, and a time."""

    events: list[str] = field(default_factory=list)
    where: str = ""
    #: How many days back, or `DATES`: from one day to another.
    days: str = ""
    since: str = ""
    until: str = ""
    by: str = ""
    #: A question that no field can say, as JSON; it holds instead of them.
    asked: str = ""
    kind: ClassVar[str]
    names: ClassVar[tuple[str, ...]] = ("where", *TIME, "by")

    @classmethod
    def sent(cls, said: QueryDict) -> Any:
        events = [event.strip() for event in said.getlist("event")[: MOST_EVENTS + 1] if event.strip()]
        typed = {name: str(said.get(name, "")).strip() for name in cls.names}
        asked = str(said.get("question", ""))[:20_000]
        return cls(events, asked=asked, **{name: text for name, text in typed.items() if text})

    @property
    def is_asked(self) -> bool:
        return bool(self.events or self.asked)

    @property
    def fields(self) -> list[str]:
        """The events, and room for one more."""
        return [*self.events, "", ""][: max(len(self.events) + 1, 3)]

    @property
    def question(self) -> Question:
        if self.asked:
            return checked_question(_json(self.asked))
        filters = [filter_json(parse_filter(text)) for text in self.where.split(";") if text.strip()]
        by = [one.strip() for one in self.by.split(",") if one.strip()]
        head: dict[str, Any] = {"version": 1, "kind": self.kind, "where": filters, **self.parts}
        head |= {"by": by} if "by" in self.names else {}
        return checked_question(head | self.when)

    @property
    def when(self) -> dict[str, Any]:
        if self.days == DATES:
            return {"since": self.since, "until": self.until}
        return {"days": whole(self.days, "Time")} if self.days else {}

    @property
    def other_days(self) -> str:
        """A number of days that the page does not offer, so that asking again keeps it."""
        return self.days if self.days not in ("", DATES, *map(str, PERIODS)) else ""

    @property
    @abstractmethod
    def parts(self) -> dict[str, Any]:
        """What only this kind of question has."""


@dataclass(frozen=True)
class FunnelForm(Form):
    within: str = "14d"
    order: str = "ordered"
    hold: str = ""
    without: str = ""
    entry: str = ""
    at: str = ""
    over: str = ""
    view: str = ""
    kind = "funnel"
    names = ("where", *TIME, "by", "within", "order", "hold", "without", "entry", "at", "over", "view")

    @property
    def parts(self) -> dict[str, Any]:
        return {
            "steps": [parse_step(event) for event in self.events],
            "within": self.within,
            "order": self.order,
            "hold": self.hold,
            "without": [parse_event(one) for one in self.without.split(",") if one.strip()],
            "first_time": self.entry == "first",
            "by_any_step": bool(self.by) and self.at == "any",
            "over": (self.over or "week") if self.view == "over" else "",
            "times": self.view == "time",
        }

    @property
    def has_more(self) -> bool:
        """Whether the fields that most people leave alone say something."""
        return bool(self.hold or self.without or self.entry or self.at or self.order != "ordered")


@dataclass(frozen=True)
class TrendsForm(Form):
    measure: str = "total"
    of: str = ""
    interval: str = "week"
    formula: str = ""
    previous: str = ""
    smooth: str = ""
    made: str = ""
    kind = "trends"
    names = ("where", *TIME, "by", "measure", "of", "interval", "formula", "previous", "smooth", "made")

    @classmethod
    def sent(cls, said: QueryDict) -> Any:
        """Rolling people are counted for each day, so that is what they are asked by."""
        found = super().sent(said)
        return replace(found, interval="day") if found.measure in ACTIVE else found

    @property
    def parts(self) -> dict[str, Any]:
        measure = f"{self.measure}:{self.of}" if self.takes_property else self.measure
        series = [parse_series(event) for event in self.events]
        said: dict[str, Any] = {"series": series, "measure": measure, "interval": self.interval}
        return said | {
            "formula": self.formula,
            "previous": self.previous == "1",
            "smooth": whole(self.smooth, "Mean of") if self.smooth else 1,
            "cumulative": self.made == "sum",
        }

    @property
    def takes_property(self) -> bool:
        return self.measure not in ("total", "people", "companies", "average", *ACTIVE)

    @property
    def has_more(self) -> bool:
        return bool(self.formula or self.previous or self.smooth or self.made)


@dataclass(frozen=True)
class RetentionForm(Form):
    interval: str = "week"
    stretches: str = "8"
    back: str = "on"
    clock: str = "calendar"
    brackets: str = ""
    kind = "retention"
    names = ("where", *TIME, "by", "interval", "stretches", "entry", "back", "clock", "brackets")
    entry: str = "first"

    @property
    def parts(self) -> dict[str, Any]:
        begin, back = [parse_event(event) for event in [*self.events, "", ""][:2]]
        said: dict[str, Any] = {
            "begin": begin,
            "back": back,
            "interval": self.interval,
            "first_time": self.entry == "first",
            "how": self.back,
            "clock": self.clock,
        }
        if self.brackets:
            return said | {"brackets": _brackets(self.brackets)}
        return said | {"stretches": whole(self.stretches, "How long")}

    @property
    def has_more(self) -> bool:
        return bool(self.brackets or self.clock != "calendar")


@dataclass(frozen=True)
class LifecycleForm(Form):
    interval: str = "week"
    kind = "lifecycle"
    names = ("where", *TIME, "interval")

    @property
    def parts(self) -> dict[str, Any]:
        return {"event": parse_event(next(iter(self.events), "")), "interval": self.interval}


@dataclass(frozen=True)
class StickinessForm(LifecycleForm):
    interval: str = "day"
    kind = "stickiness"


@dataclass(frozen=True)
class PathsForm(Form):
    begin: str = ""
    finish: str = ""
    hide: str = ""
    depth: str = "5"
    pause: str = "30m"
    top: str = "50"
    go: str = ""
    kind = "paths"
    names = ("where", *TIME, "begin", "finish", "hide", "depth", "pause", "top", "go")

    @property
    def is_asked(self) -> bool:
        return bool(self.begin or self.finish or self.go or self.asked)

    @property
    def parts(self) -> dict[str, Any]:
        return {
            "from": parse_event(self.begin),
            "to": parse_event(self.finish),
            "hide": [one.strip() for one in self.hide.split(",") if one.strip()],
            "depth": whole(self.depth, "Steps"),
            "pause": self.pause,
            "top": whole(self.top, "Ways"),
        }


@dataclass(frozen=True)
class SessionsForm(Form):
    interval: str = "day"
    previous: str = ""
    kind = "sessions"
    names = ("where", *TIME, "by", "interval", "previous")

    @classmethod
    def sent(cls, said: QueryDict) -> Any:
        """There are sessions of anything, so the page asks of the last weeks before anything was typed."""
        found = super().sent(said)
        typed = any(name in said for name in ("event", "question", *cls.names))
        return found if typed else replace(found, days=str(USUAL_DAYS))

    @property
    def is_asked(self) -> bool:
        return True

    @property
    def parts(self) -> dict[str, Any]:
        event = {"event": parse_event(self.events[0])} if self.events else {}
        return event | {"interval": self.interval, "previous": self.previous == "1"}


FORMS: Sequence[type[Form]] = (
    *(FunnelForm, TrendsForm, RetentionForm, LifecycleForm, StickinessForm, PathsForm),
    SessionsForm,
)


def part_of(said: QueryDict) -> Part | None:
    """The part of the answer that was clicked."""
    raw = {name: said[name] for name in PART if said.get(name)}
    return checked_part(raw) if raw else None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid("The question in this address could not be read. Ask it again.") from error


def whole(text: str, name: str) -> int:
    return whole_of(text, f"{name}: {text[:40]!r} is no whole number.")


def _brackets(text: str) -> list[list[int]]:
    """1-3, 4-7, 14: as one types them."""
    found = []
    for part in text.split(","):
        one, _, two = part.strip().partition("-")
        found.append([whole(one.strip(), "Brackets"), whole((two or one).strip(), "Brackets")])
    return found
