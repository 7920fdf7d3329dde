"""Trends as a question: series, what is counted of each, and what is made of them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

from whytree.errors import Invalid
from whytree.stores.pieces.filters import Selection
from whytree.stores.pieces.stretches import Interval
from whytree.stores.questions import trends

from .formulas import Formula, parse_formula
from .parts import checked_field, checked_filters, checked_selection, label, selection_json
from .reading import by_words, checked_by, listed, one_of, optional_json, whole_number, yes_or_no
from .when import ALL_THERE_IS, TIME, When

MOST_SERIES = 25
MOST_SMOOTHED = 90
_INTERVALS: tuple[trends.Cut, ...] = (*get_args(Interval), "whole")
_AGGREGATES: tuple[trends.Aggregate, ...] = get_args(trends.Aggregate)
#: Rolling people: who did it in so many days up to each day.
ACTIVE = {"dau": 1, "wau": 7, "mau": 30}
_PLAIN = {
    "total": "how often",
    "people": "how many people did",
    "companies": "how many companies did",
    "average": "how often a person did",
    "dau": "how many people a day did",
    "wau": "how many people in 7 days did",
    "mau": "how many people in 30 days did",
}


@dataclass(frozen=True)
class Measured:
    """What is counted of a series: `total`, `people`, `average` (a person), `wau`, or an aggregate of the property `field`."""

    name: str
    field: str = ""

    @property
    def words(self) -> str:
        return f"{self.name} of {self.field} of" if self.field else _PLAIN[self.name]

    @property
    def text(self) -> str:
        return f"{self.name}:{self.field}" if self.field else self.name

    @property
    def adds_up(self) -> bool:
        """Whether a stretch without any event comes to 0, and stretches may be added up."""
        return self.name in ("total", "people", "companies", "sum")


@dataclass(frozen=True)
class Trends:
    """How much happens, stretch by stretch of the calendar. `measures` has one for each series."""

    series: tuple[Selection, ...]
    measures: tuple[Measured, ...]
    interval: trends.Cut = "day"
    by: tuple[str, ...] = ()
    when: When = ALL_THERE_IS
    formula: Formula | None = None
    #: Beside each line the same line of the period before.
    previous: bool = False
    #: The mean of so many stretches up to each; 1 is each by itself.
    smooth: int = 1
    cumulative: bool = False
    kind: ClassVar = "trends"
    fields: ClassVar = {
        *("series", "measure", "interval", "by", "where", *TIME),
        *("formula", "previous", "smooth", "cumulative"),
    }

    @property
    def measure(self) -> Measured:
        return self.measures[0]

    @property
    def sentence(self) -> str:
        if len(set(self.measures)) == 1:
            series = f"{self.measure.words} " + ", ".join(f"“{label(one)}”" for one in self.series)
        else:
            pairs = zip(self.measures, self.series, strict=True)
            series = ", ".join(f"{measure.words} “{label(one)}”" for measure, one in pairs)
        if self.formula:
            series = f"{self.formula.text}, where " + "; ".join(
                f"{letter} is {measure.words} “{label(one)}”"
                for letter, measure, one in zip(LETTERS, self.measures, self.series, strict=False)
            )
        made = ", added up" if self.cumulative else ""
        made += f", mean of {self.smooth} {self.interval}s" if self.smooth > 1 else ""
        cut = "in the whole time" if self.interval == "whole" else f"by {self.interval}"
        return f"{series}, {cut}{by_words(self.by)}{made}"

    @property
    def selections(self) -> tuple[Selection, ...]:
        return self.series

    @property
    def spoken(self) -> tuple[str, ...]:
        return (*(measure.field for measure in self.measures if measure.field), *self.by)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Trends":
        where = checked_filters(raw.get("where", []))
        usual = checked_measure(raw.get("measure", "total"))
        series, measures = [], []
        for one in listed(raw, "series", MOST_SERIES):
            own = one.get("measure") if isinstance(one, Mapping) else None
            measures.append(checked_measure(own) if own is not None else usual)
            rest = (
                {name: value for name, value in one.items() if name != "measure"} if isinstance(one, Mapping) else one
            )
            series.append(checked_selection(rest, where))
        found = cls(
            series=tuple(series),
            measures=tuple(measures),
            interval=one_of(raw.get("interval", "day"), "interval", _INTERVALS),
            by=checked_by(raw.get("by", "")),
            when=When.of(raw),
            formula=parse_formula(raw["formula"], len(series)) if raw.get("formula") else None,
            previous=yes_or_no(raw, "previous", usual=False),
            smooth=whole_number(raw, "smooth", 1, MOST_SMOOTHED, 1),
            cumulative=yes_or_no(raw, "cumulative", usual=False),
        )
        found.refuse_contradictions()
        return found

    def refuse_contradictions(self) -> None:
        if any(measure.name in ACTIVE for measure in self.measures) and self.interval != "day":
            raise Invalid("dau, wau and mau are counted for each day: write “interval” as day.")
        if self.cumulative and (self.formula or not all(measure.name in ("total", "sum") for measure in self.measures)):
            raise Invalid("Only totals and sums can be added up: the same people would count twice.")
        if self.interval == "whole" and (self.cumulative or self.smooth > 1):
            raise Invalid("The whole time is one stretch: there is nothing to add up or to smooth.")
        if self.cumulative and self.smooth > 1:
            raise Invalid("Added up and smoothed at once says nothing. Take one of the two.")

    @property
    def json(self) -> dict[str, Any]:
        one = len(set(self.measures)) == 1
        series = [
            selection_json(selection) | ({} if one else {"measure": measure.text})
            for selection, measure in zip(self.series, self.measures, strict=True)
        ]
        said: dict[str, Any] = {"series": series, "measure": self.measure.text, "interval": self.interval}
        said |= optional_json(self.by, self.when)
        said |= {"formula": self.formula.text} if self.formula else {}
        said |= {"smooth": self.smooth} if self.smooth > 1 else {}
        return said | {name: True for name in ("previous", "cumulative") if getattr(self, name)}


LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXY")


def checked_measure(value: object) -> Measured:
    """`total`, `people`, or `sum:price`."""
    text = value.strip() if isinstance(value, str) else ""
    if text in _PLAIN:
        return Measured(text)
    name, _, field = text.partition(":")
    if name in _AGGREGATES and field.strip():
        return Measured(name, checked_field(field))
    raise Invalid(
        f"“measure” cannot be {str(value)[:60]!r}. It is {', '.join(_PLAIN)}, or one of "
        f"{', '.join(_AGGREGATES)} with a property, as sum:price."
    )
