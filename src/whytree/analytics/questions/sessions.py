"""How long people stay, where they come in and where they go, as a question. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

from whytree.errors import Invalid
from whytree.stores.pieces.filters import Condition, Selection
from whytree.stores.pieces.stretches import Interval

from .parts import checked_filters, checked_selection, filter_json, filter_words, label, selection_json
from .reading import by_words, checked_by, one_of, optional_json, yes_or_no
from .when import ALL_THERE_IS, TIME, When

_INTERVALS: tuple[Interval, ...] = get_args(Interval)


@dataclass(frozen=True)
class Sessions:
    """The sessions that began in a time; with `event` or `where` those in which somebody did something of the sort.

    Groups are told by the first event of each.
    """

    event: Selection | None = None
    interval: Interval = "day"
    by: tuple[str, ...] = ()
    when: When = ALL_THERE_IS
    #: Beside the period before.
    previous: bool = False
    where: tuple[Condition, ...] = ()
    kind: ClassVar = "sessions"
    fields: ClassVar = {"event", "interval", "by", "previous", *TIME, "where"}

    @property
    def only(self) -> Selection | None:
        """What has to happen in a session; an event of any name where only filters were said."""
        if self.event is not None:
            return self.event
        return Selection(("",), self.where) if self.where else None

    @property
    def sentence(self) -> str:
        said = "sessions"
        if self.event is not None:
            said += f" with “{label(self.event)}”"
        elif self.where:
            said += f" with an event where {' and '.join(filter_words(one) for one in self.where)}"
        return f"{said}: how long, by {self.interval}{by_words(self.by)}"

    @property
    def selections(self) -> tuple[Selection, ...]:
        return (self.event or Selection((), self.where),)

    @property
    def spoken(self) -> tuple[str, ...]:
        return self.by

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Sessions":
        where = checked_filters(raw.get("where", []))
        event = checked_selection(raw["event"], where) if raw.get("event") else None
        found = cls(
            event=event,
            interval=one_of(raw.get("interval", "day"), "interval", _INTERVALS),
            by=checked_by(raw.get("by", "")),
            when=When.of(raw),
            previous=yes_or_no(raw, "previous", usual=False),
            where=() if event else where,
        )
        if found.previous and found.when.is_from_the_beginning:
            raise Invalid("All there is has no period before it. Say which time, as the last 28 days.")
        return found

    @property
    def json(self) -> dict[str, Any]:
        said: dict[str, Any] = {"interval": self.interval} | optional_json(self.by, self.when)
        said |= {"event": selection_json(self.event)} if self.event else {}
        said |= {"previous": True} if self.previous else {}
        return said | ({"where": [filter_json(one) for one in self.where]} if self.where else {})
