"""Which way people go, as a question. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from whytree.errors import Invalid
from whytree.stores.pieces.filters import Condition, Selection

from .parts import (
    checked_filters,
    checked_selection,
    filter_json,
    filter_words,
    label,
    parse_span,
    selection_json,
    span,
    span_words,
)
from .reading import optional_json, whole_number
from .when import ALL_THERE_IS, TIME, When

DEEPEST = 10
MOST_HIDDEN = 50
MOST_EDGES = 200
#: As sessions do.
USUAL_PAUSE = timedelta(minutes=30)


@dataclass(frozen=True)
class Paths:
    """What people do after one event, before another, between the two, or wherever they begin. Ways are counted, and people."""

    begin: Selection | None = None
    finish: Selection | None = None
    hidden: tuple[str, ...] = ()
    depth: int = 5
    pause: timedelta = USUAL_PAUSE
    top: int = 50
    when: When = ALL_THERE_IS
    where: tuple[Condition, ...] = ()
    kind: ClassVar = "paths"
    fields: ClassVar = {"from", "to", "hide", "depth", "pause", "top", *TIME, "where"}

    @property
    def sentence(self) -> str:
        said = "what people do"
        said += f" after “{label(self.begin)}”" if self.begin else ""
        said += f" before “{label(self.finish)}”" if self.finish and not self.begin else ""
        said += f" up to “{label(self.finish)}”" if self.finish and self.begin else ""
        said += f", {self.depth} steps, without a pause of {span_words(self.pause)}"
        said += f", without {', '.join(f'“{name}”' for name in self.hidden[:5])}" if self.hidden else ""
        return said + (f", only where {' and '.join(filter_words(one) for one in self.where)}" if self.where else "")

    @property
    def selections(self) -> tuple[Selection, ...]:
        ends = tuple(one for one in (self.begin, self.finish) if one is not None)
        return (*ends, *((Selection(self.hidden, self.where),) if self.hidden or self.where else ()))

    @property
    def spoken(self) -> tuple[str, ...]:
        return ()

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Paths":
        hidden = raw.get("hide", [])
        if not isinstance(hidden, list) or len(hidden) > MOST_HIDDEN or not all(isinstance(one, str) for one in hidden):
            raise Invalid(f"“hide” is a list of at most {MOST_HIDDEN} names of events.")
        return cls(
            begin=checked_selection(raw["from"]) if raw.get("from") else None,
            finish=checked_selection(raw["to"]) if raw.get("to") else None,
            hidden=tuple(dict.fromkeys(one for one in hidden if one.strip())),
            depth=whole_number(raw, "depth", 1, DEEPEST, 5),
            pause=parse_span(raw["pause"]) if raw.get("pause") else USUAL_PAUSE,
            top=whole_number(raw, "top", 1, MOST_EDGES, 50),
            when=When.of(raw),
            where=checked_filters(raw.get("where", [])),
        )

    @property
    def json(self) -> dict[str, Any]:
        said: dict[str, Any] = {"depth": self.depth, "pause": span(self.pause), "top": self.top}
        said |= {"from": selection_json(self.begin)} if self.begin else {}
        said |= {"to": selection_json(self.finish)} if self.finish else {}
        said |= {"hide": list(self.hidden)} if self.hidden else {}
        said |= {"where": [filter_json(one) for one in self.where]} if self.where else {}
        return said | optional_json((), self.when)
