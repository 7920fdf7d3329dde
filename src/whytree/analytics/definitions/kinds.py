"""The kinds of metric there are, each with its JSON and its sentence. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Literal, get_args

from whytree.errors import Invalid
from whytree.stores.pieces.filters import Selection
from whytree.stores.questions.amounts import Part

from ..questions import label
from .reading import (
    MAX_WITHIN_DAYS,
    days_words,
    event_json,
    part_json,
    part_words,
    read_event,
    read_part,
    read_percentile,
    read_property,
    read_whole,
)

Per = Literal["person", "event"]
TimeUnit = Literal["seconds", "minutes", "hours", "days"]
SECONDS_IN: dict[TimeUnit, int] = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}


@dataclass(frozen=True, kw_only=True)
class _Counted:
    """What every kind says beside its own: whether people are counted, or the companies that they belong to."""

    by_company: bool = False

    @property
    def whom(self) -> str:
        return "companies" if self.by_company else "people"

    @property
    def one(self) -> str:
        return "company" if self.by_company else "person"


@dataclass(frozen=True)
class Count(_Counted):
    """How often an event happened."""

    did: Selection
    kind: ClassVar = "count"
    fields: ClassVar = {"event"}
    usual_unit: ClassVar = ""

    @property
    def sentence(self) -> str:
        return f"how often “{label(self.did)}” happened"

    @property
    def selections(self) -> tuple[Selection, ...]:
        return (self.did,)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Count":
        return cls(read_event(raw, "event"))

    @property
    def json(self) -> dict[str, Any]:
        return {"event": event_json(self.did)}


@dataclass(frozen=True)
class Unique(_Counted):
    """How many people did something at least once."""

    did: Selection
    kind: ClassVar = "unique"
    fields: ClassVar = {"event"}

    @property
    def usual_unit(self) -> str:
        return self.whom

    @property
    def sentence(self) -> str:
        return f"{self.whom} who did “{label(self.did)}”"

    @property
    def selections(self) -> tuple[Selection, ...]:
        return (self.did,)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Unique":
        return cls(read_event(raw, "event"))

    @property
    def json(self) -> dict[str, Any]:
        return {"event": event_json(self.did)}


@dataclass(frozen=True)
class Conversion(_Counted):
    """Of those who did one thing, the share who did another within a window."""

    entry: Selection
    goal: Selection
    within_days: int
    kind: ClassVar = "conversion"
    fields: ClassVar = {"from", "to", "within_days"}
    usual_unit: ClassVar = "%"

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.within_days)

    @property
    def sentence(self) -> str:
        return (
            f"of {self.whom} who did “{label(self.entry)}”, the share who did “{label(self.goal)}” within "
            f"{days_words(self.within_days)}"
        )

    @property
    def selections(self) -> tuple[Selection, ...]:
        return (self.entry, self.goal)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Conversion":
        return cls(
            read_event(raw, "from"), read_event(raw, "to"), read_whole(raw, "within_days", 1, MAX_WITHIN_DAYS, "days")
        )

    @property
    def json(self) -> dict[str, Any]:
        return {"from": event_json(self.entry), "to": event_json(self.goal), "within_days": self.within_days}


@dataclass(frozen=True)
class Sum(_Counted):
    """What a number that comes with an event adds up to. Events without one, or with text in its place, add nothing."""

    did: Selection
    field: str
    kind: ClassVar = "sum"
    fields: ClassVar = {"event", "property"}
    usual_unit: ClassVar = ""

    @property
    def sentence(self) -> str:
        return f"the sum of {self.field} over “{label(self.did)}”"

    @property
    def selections(self) -> tuple[Selection, ...]:
        return (self.did,)

    @property
    def top(self) -> Part:
        return Part(self.did, "sum", self.field)

    @property
    def bottom(self) -> Part:
        """Not divided by: it tells whose numbers were added up."""
        return Part(self.did, "numbers", self.field)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Sum":
        return cls(read_event(raw, "event"), read_property(raw))

    @property
    def json(self) -> dict[str, Any]:
        return {"event": event_json(self.did), "property": self.field}


@dataclass(frozen=True)
class Mean(_Counted):
    """The mean of a number: of each person's sum over the people who have one, or over the events that carry one.

    Without a property it is how often a person who did it at all did it.
    """

    did: Selection
    field: str
    per: Per
    kind: ClassVar = "mean"
    fields: ClassVar = {"event", "property", "per"}
    usual_unit: ClassVar = ""

    @property
    def sentence(self) -> str:
        event = label(self.did)
        if self.per == "event":
            return f"the mean {self.field} of one “{event}”"
        if self.field:
            return f"{self.field} added up for each {self.one} that did “{event}”, on average"
        return f"how often a {self.one} that did “{event}” did it, on average"

    @property
    def selections(self) -> tuple[Selection, ...]:
        return (self.did,)

    @property
    def top(self) -> Part:
        return Part(self.did, "sum", self.field) if self.field else Part(self.did, "total")

    @property
    def bottom(self) -> Part:
        if self.per == "event":
            return Part(self.did, "numbers", self.field)
        return Part(self.did, "carriers", self.field) if self.field else Part(self.did, "people")

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Mean":
        per = raw.get("per", "person")
        if per not in get_args(Per):
            raise Invalid("“per” is person (each person's sum counts once) or event (each event counts once).")
        if per == "event" and "property" not in raw:
            raise Invalid("A mean per event needs a “property”: the number that comes with the event.")
        return cls(read_event(raw, "event"), read_property(raw) if "property" in raw else "", per)

    @property
    def json(self) -> dict[str, Any]:
        named = {"property": self.field} if self.field else {}
        return {"event": event_json(self.did), **named, "per": self.per}


@dataclass(frozen=True)
class Ratio(_Counted):
    """One sum over another, of all people together."""

    top: Part
    bottom: Part
    kind: ClassVar = "ratio"
    fields: ClassVar = {"top", "bottom"}
    usual_unit: ClassVar = ""

    @property
    def sentence(self) -> str:
        return f"{part_words(self.top, self.whom)}, divided by {part_words(self.bottom, self.whom)}"

    @property
    def selections(self) -> tuple[Selection, ...]:
        return (self.top.selection, self.bottom.selection)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Ratio":
        return cls(read_part(raw, "top"), read_part(raw, "bottom"))

    @property
    def json(self) -> dict[str, Any]:
        return {"top": part_json(self.top), "bottom": part_json(self.bottom)}


@dataclass(frozen=True)
class Retention(_Counted):
    """Of people who began for the first time, the share who came back in a stretch of days afterwards.

    Day 0 is the 24 hours from the beginning on; `after_days` 7 with `for_days` 1 is day 7 alone.
    """

    begin: Selection
    back: Selection
    after_days: int
    for_days: int
    kind: ClassVar = "retention"
    fields: ClassVar = {"begin", "back", "after_days", "for_days"}
    usual_unit: ClassVar = "%"

    @property
    def within_days(self) -> int:
        """So long after beginning it is known of everybody."""
        return self.after_days + self.for_days

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.within_days)

    @property
    def lead(self) -> timedelta:
        return timedelta(days=self.after_days)

    @property
    def sentence(self) -> str:
        when = f"on day {self.after_days}"
        if self.for_days > 1:
            when = f"between day {self.after_days} and day {self.within_days - 1}"
        return (
            f"of {self.whom} who did “{label(self.begin)}” for the first time, the share who did “{label(self.back)}” {when} "
            "after it"
        )

    @property
    def selections(self) -> tuple[Selection, ...]:
        return (self.begin, self.back)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Retention":
        after = read_whole(raw, "after_days", 1, MAX_WITHIN_DAYS - 1, "days")
        length = read_whole(raw, "for_days", 1, MAX_WITHIN_DAYS - after, "days") if "for_days" in raw else 1
        return cls(read_event(raw, "begin"), read_event(raw, "back"), after, length)

    @property
    def json(self) -> dict[str, Any]:
        days = {"after_days": self.after_days, "for_days": self.for_days}
        return {"begin": event_json(self.begin), "back": event_json(self.back), **days}


@dataclass(frozen=True)
class TimeTo(_Counted):
    """How long people took from one thing to another: the time within which so many of a hundred of those who got there did."""

    entry: Selection
    goal: Selection
    within_days: int
    percentile: int
    unit: TimeUnit
    kind: ClassVar = "time_to"
    fields: ClassVar = {"from", "to", "within_days", "percentile", "in"}

    @property
    def usual_unit(self) -> str:
        return self.unit

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.within_days)

    @property
    def sentence(self) -> str:
        what = "the median time" if self.percentile == 50 else f"the {self.percentile}th percentile of the time"
        return (
            f"{what} from “{label(self.entry)}” to “{label(self.goal)}”, of {self.whom} who got there within "
            f"{days_words(self.within_days)}"
        )

    @property
    def selections(self) -> tuple[Selection, ...]:
        return (self.entry, self.goal)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "TimeTo":
        unit = raw.get("in", "hours")
        if unit not in SECONDS_IN:
            raise Invalid(f"“in” is the unit that times are said in: {', '.join(SECONDS_IN)}.")
        days = read_whole(raw, "within_days", 1, MAX_WITHIN_DAYS, "days")
        return cls(read_event(raw, "from"), read_event(raw, "to"), days, read_percentile(raw), unit)

    @property
    def json(self) -> dict[str, Any]:
        said = {"from": event_json(self.entry), "to": event_json(self.goal), "within_days": self.within_days}
        return said | {"percentile": self.percentile, "in": self.unit}


@dataclass(frozen=True)
class Quantile(_Counted):
    """The value of a property below which so many of a hundred events lie."""

    did: Selection
    field: str
    percentile: int
    kind: ClassVar = "quantile"
    fields: ClassVar = {"event", "property", "percentile"}
    usual_unit: ClassVar = ""

    @property
    def sentence(self) -> str:
        what = "the median" if self.percentile == 50 else f"the {self.percentile}th percentile"
        return f"{what} of {self.field} over “{label(self.did)}”"

    @property
    def selections(self) -> tuple[Selection, ...]:
        return (self.did,)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Quantile":
        return cls(read_event(raw, "event"), read_property(raw), read_percentile(raw))

    @property
    def json(self) -> dict[str, Any]:
        return {"event": event_json(self.did), "property": self.field, "percentile": self.percentile}


Definition = Count | Unique | Conversion | Sum | Mean | Ratio | Retention | TimeTo | Quantile
#: Those that follow each person from a beginning, for `within_days`.
Following = Conversion | Retention | TimeTo
#: Those that are a share of people, said in percent.
Share = Conversion | Retention
