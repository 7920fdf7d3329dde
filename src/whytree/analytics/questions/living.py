"""How people live with a product, as questions: the states they are in, and how many stretches they did something in. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, get_args

from whytree.errors import Invalid
from whytree.stores.pieces.filters import Selection
from whytree.stores.questions import retention

from .parts import checked_filters, checked_selection, label, selection_json
from .reading import one_of, optional_json
from .when import ALL_THERE_IS, TIME, When

_INTERVALS: tuple[retention.Interval, ...] = get_args(retention.Interval)


@dataclass(frozen=True)
class _Living:
    """One event, by stretches of the calendar."""

    event: Selection
    interval: retention.Interval
    when: When = ALL_THERE_IS
    fields: ClassVar = {"event", "interval", *TIME, "where"}
    usual: ClassVar[retention.Interval]

    @property
    def selections(self) -> tuple[Selection, ...]:
        return (self.event,)

    @property
    def spoken(self) -> tuple[str, ...]:
        return ()

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        return cls(_event(raw), one_of(raw.get("interval", cls.usual), "interval", _INTERVALS), When.of(raw))

    @property
    def json(self) -> dict[str, Any]:
        return {"event": selection_json(self.event), "interval": self.interval} | optional_json((), self.when)


@dataclass(frozen=True)
class Lifecycle(_Living):
    """Who is new, comes back, comes back after a gap, or falls asleep, stretch by stretch of the calendar."""

    kind: ClassVar = "lifecycle"
    usual = "week"

    @property
    def sentence(self) -> str:
        return f"people who did “{label(self.event)}”: new, returning, resurrected and dormant, by {self.interval}"


@dataclass(frozen=True)
class Stickiness(_Living):
    """In how many days, weeks or months of the period people did something."""

    kind: ClassVar = "stickiness"
    usual = "day"

    @property
    def sentence(self) -> str:
        return f"in how many {self.interval}s people did “{label(self.event)}”"


def _event(raw: Mapping[str, Any]) -> Selection:
    if not raw.get("event"):
        raise Invalid("Name the “event” that counts as being there.")
    return checked_selection(raw["event"], checked_filters(raw.get("where", [])))
