"""How much happens, stretch by stretch of the calendar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from whytree.engines import stats
from whytree.engines.figures import number, places
from whytree.errors import Invalid
from whytree.stores.pieces import stretches as calendar
from whytree.stores.pieces.filters import By, Selection
from whytree.stores.questions import trends as store
from whytree.stores.questions.funnels import MOST_GROUPS
from whytree.workspace.models import Product

from ..measures.resolving import companies_of, ready, ready_by
from ..queries import MOST_POINTS
from ..questions import ACTIVE, LETTERS, Measured, Trends, by_text, events_of, label
from .ground import period, refuse_unseen
from .head import Head, head
from .made import Figures, added_up, by_formula, smoothed


@dataclass(frozen=True)
class Stretch:
    """One stretch from `start` on. `n` counts what the value rests on: people, or events that carried the number.

    The interval is there for occurrences and people. `complete` is false while the stretch lasts, or was cut by the period.
    """

    start: date | datetime
    value: float | None
    low: float | None
    high: float | None
    n: int
    complete: bool

    @property
    def text(self) -> str:
        return "–" if self.value is None else number(self.value)


@dataclass(frozen=True)
class Line:
    """One series, or one group of it; `value` is None for all groups that are not told apart.

    `series` is its place in the question, None for a formula's. `earlier` is a line of the period before, drawn beside.
    """

    name: str
    value: str | None
    stretches: tuple[Stretch, ...]
    series: int | None = 0
    earlier: bool = False

    @property
    def text(self) -> str:
        """What it is called where the field is named."""
        said = "everybody else" if self.value is None else self.value or "not said"
        return f"{said}, before" if self.earlier else said

    @property
    def title(self) -> str:
        return f"{self.name}, the period before" if self.earlier else self.name

    @cached_property
    def places(self) -> int | None:
        """Digits behind the point, the same all along the line."""
        return places(each.value for each in self.stretches)

    @cached_property
    def interval_places(self) -> int | None:
        return places(one for each in self.stretches for one in (each.low, each.high))

    @property
    def whole(self) -> list[Stretch]:
        """The complete stretches that have a value."""
        return [each for each in self.stretches if each.complete and each.value is not None]


@dataclass(frozen=True, kw_only=True)
class TrendsAnswer(Head):
    """`n` people did it, of several series the most."""

    interval: str
    measure: str
    by: str
    lines: tuple[Line, ...]

    @property
    def is_whole(self) -> bool:
        """Whether the whole time is one stretch, and so each line one bar."""
        return self.interval == "whole"

    @property
    def drawn(self) -> list[Line]:
        """Lines that are of this period."""
        return [line for line in self.lines if not line.earlier]

    def name_of(self, line: Line) -> str:
        """What a line is called beside the others: its series, its group, or both."""
        if not self.by:
            return line.title
        several = len({one.series for one in self.lines}) > 1
        return f"{line.name}, {line.text}" if several else line.text

    @property
    def largest_first(self) -> list[Line]:
        """For a picture that cannot hold all of them. Groups of one series stand in this order already."""
        if len({line.series for line in self.lines}) < 2 or not self.by:
            return list(self.lines)
        return sorted(self.lines, key=lambda line: -sum(each.value or 0 for each in line.stretches))


@dataclass(frozen=True)
class _Span:
    """The period, and the first moment or day of each of its stretches. What lasts beyond `now` is not complete: of the period
    before, beyond its end."""

    start: datetime
    end: datetime
    starts: tuple[date | datetime, ...]
    zone: ZoneInfo
    now: datetime


def answer_trends(product: Product, question: Trends) -> TrendsAnswer:
    """Raises `Invalid` for a name that was never seen, and for more stretches than anybody could read."""
    refuse_unseen(product, question)
    if question.previous and question.when.is_from_the_beginning:
        raise Invalid("All there is has no period before it. Say which time, as the last 28 days.")
    start, end = period(product, question.when, *question.series)
    span = _span(product, question, start, end)
    series, by = ready(product, question.series), ready_by(product, question.by, events_of(question))
    counted = _at_once(product, question, series, by, span)
    groups = counted.groups if counted else _groups(product, question, series, by, span)
    figures = counted.figures if counted else _all_figures(product, question, series, by, groups, span)
    lines = _all_lines(question, figures, by, groups, span)
    if question.previous:
        before = replace(_span(product, question, start - (end - start), start), now=start)
        earlier = _all_lines(question, _all_figures(product, question, series, by, groups, before), by, groups, before)
        lines += [_beside(line, span) for line in earlier]
    n = counted.everybody if counted else None
    if n is None:
        n = max(store.people(product.pk, _asked(question, one, span)) for one in series)
    return TrendsAnswer(
        **head(product, question, _sentence(question, lines), n, start, end),
        interval=question.interval,
        measure=question.measure.text,
        by=by_text(question.by),
        lines=tuple(lines),
    )


def _span(product: Product, question: Trends, start: datetime, end: datetime) -> _Span:
    zone = ZoneInfo(product.timezone)
    if question.interval == "whole":
        return _Span(start, end, (start.astimezone(zone).date(),), zone, timezone.now())
    starts = calendar.starts(question.interval, start.astimezone(zone), end.astimezone(zone))
    few = tuple(islice(starts, MOST_POINTS + 1))
    if len(few) > MOST_POINTS:
        raise Invalid(
            f"That is more than {MOST_POINTS:,} points. Take a longer interval than {question.interval}, or fewer days."
        )
    return _Span(start, end, few, zone, timezone.now())


def _asked(question: Trends, one: Selection, span: _Span) -> store.Asked:
    return store.Asked(one, span.start, span.end, question.interval, str(span.zone))


Found = dict[str | None, dict[date | datetime, Figures]]


@dataclass(frozen=True)
class _Counted:
    """What one reading of the events told: the figures, which groups are the largest, and how many people there are."""

    figures: list[Found]
    groups: tuple[str, ...]
    everybody: int | None


def _at_once(
    product: Product, question: Trends, series: Sequence[Selection], by: tuple[By, ...], span: _Span
) -> _Counted | None:
    """One series that is counted; of others the groups and the people are asked for by themselves: None."""
    name = question.measure.name
    if len(series) > 1 or name not in ("total", "people", "companies", "average"):
        return None
    asked = _asked(question, series[0], span)
    unit = companies_of(product) if name == "companies" else None
    if not by:
        counted = store.counts_of_all(product.pk, asked, unit=unit)
        whole: dict[str | None, Sequence[store.Stretch]] = {None: counted.stretches} if counted.stretches else {}
        return _Counted([_of_counts(name, whole)], (), None if unit else counted.everybody)
    found = store.counts_of_largest(product.pk, asked, by, unit=unit)
    return _Counted([_of_counts(name, found)], tuple(value for value in found if value is not None), None)


def _of_counts(name: str, counts: Mapping[str | None, Sequence[store.Stretch]]) -> Found:
    return {
        value: {calendar.key_of(each.start): _counted(name, each) for each in those} for value, those in counts.items()
    }


def _groups(
    product: Product, question: Trends, series: Sequence[Selection], by: tuple[By, ...], span: _Span
) -> tuple[str, ...]:
    """The largest groups of all series; the same ones for each."""
    if not by:
        return ()
    found = [store.largest_groups(product.pk, _asked(question, one, span), by) for one in series]
    return tuple(dict.fromkeys(value for groups in found for value in groups))[:MOST_GROUPS]


def _all_figures(
    product: Product,
    question: Trends,
    series: Sequence[Selection],
    by: tuple[By, ...],
    groups: tuple[str, ...],
    span: _Span,
) -> list[Found]:
    return [
        _figures(product, measure, _asked(question, one, span), by, groups)
        for one, measure in zip(series, question.measures, strict=True)
    ]


def _all_lines(
    question: Trends, figures: Sequence[Found], by: tuple[By, ...], groups: tuple[str, ...], span: _Span
) -> list[Line]:
    order: list[str | None] = [*groups, None] if by else [None]
    if question.formula:
        made = {value: _formula_line(question, figures, value, span) for value in order}
        return [line for value, line in made.items() if line.whole or value is not None or not by]
    lines = []
    for place, found in enumerate(figures):
        shown = [value for value in order if value in found] or [None]
        for value in shown:
            stretches = _filled(question, question.measures[place], found.get(value, {}), span)
            lines.append(Line(label(question.series[place]), value, _made(question, stretches), place))
    return lines


def _formula_line(
    question: Trends, figures: Sequence[Mapping[str | None, Mapping[Any, Figures]]], value: str | None, span: _Span
) -> Line:
    filled = [
        _filled(question, measure, found.get(value, {}), span)
        for measure, found in zip(question.measures, figures, strict=True)
    ]
    assert question.formula is not None  # noqa: S101 - for the type checker
    stretches = []
    for each in zip(*filled, strict=True):
        values = dict(zip(LETTERS, (one.value for one in each), strict=False))
        stretches.append(replace(each[0], value=by_formula(question.formula, values), low=None, high=None))
    return Line(question.formula.text, value, _made(question, tuple(stretches)), None)


def _figures(
    product: Product, measure: Measured, asked: store.Asked, by: tuple[By, ...], groups: tuple[str, ...]
) -> Found:
    """What the store counts, by group and stretch."""
    if measure.name in ACTIVE:
        active = store.active(product.pk, asked, ACTIVE[measure.name], by=by, groups=groups)
        return {
            value: {day: _people_figures(people) for day, people in those.items()} for value, those in active.items()
        }
    if measure.field:
        summed = store.figures(product.pk, asked, measure.field, measure.name, by=by, groups=groups)  # type: ignore[arg-type]
        return {
            value: {calendar.key_of(each.start): (each.value, None, None, each.n) for each in those}
            for value, those in summed.items()
        }
    unit = companies_of(product) if measure.name == "companies" else None
    return _of_counts(measure.name, store.counts(product.pk, asked, by=by, groups=groups, unit=unit))


def _counted(name: str, each: store.Stretch) -> Figures:
    if name in ("people", "companies"):
        return _people_figures(each.people)
    events = stats.clustered_count(each.events, each.squares, each.largest, each.people)
    if name == "average":
        return events.value / each.people, None, None, each.people
    return events.value, events.low, events.high, each.people


def _people_figures(n: int) -> Figures:
    people = stats.count(n)
    return people.value, people.low, people.high, n


def _filled(
    question: Trends, measure: Measured, found: Mapping[date | datetime, Figures], span: _Span
) -> tuple[Stretch, ...]:
    """Every stretch of the period, also those in which nothing happened."""
    # Of everything there is, the first day is taken for whole: the events began with it.
    first = span.start
    if question.when.is_from_the_beginning:
        first = calendar.moment_of(span.start.astimezone(span.zone).date(), span.zone)
    last = span.end if question.when.until else span.now
    none = stats.count(0)
    nothing: Figures = (None, None, None, 0)
    if measure.adds_up or measure.name in ACTIVE:
        nothing = (0.0, None, None, 0) if measure.field else (0.0, none.low, none.high, 0)
    if question.interval == "whole":
        (start,) = span.starts
        return (Stretch(start, *found.get(start, nothing), complete=True),)
    stretches = []
    for at, start in enumerate(span.starts):
        begins = calendar.moment_of(start, span.zone)
        later = span.starts[at + 1] if at + 1 < len(span.starts) else calendar.next_start(question.interval, start)
        value, low, high, n = found.get(start, nothing)
        whole = calendar.moment_of(later, span.zone) <= last and begins >= first
        stretches.append(Stretch(calendar.by_clock(start, span.zone), value, low, high, n, whole))
    return tuple(stretches)


def _made(question: Trends, stretches: tuple[Stretch, ...]) -> tuple[Stretch, ...]:
    """Smoothed or added up, where that was asked for; then without intervals, which such numbers do not have here."""
    if question.cumulative:
        values = added_up([each.value for each in stretches])
    elif question.smooth > 1:
        values = smoothed([each.value for each in stretches], question.smooth)
    else:
        return stretches
    return tuple(replace(each, value=value, low=None, high=None) for each, value in zip(stretches, values, strict=True))


def _beside(line: Line, span: _Span) -> Line:
    """A line of the period before, its stretches set beside this period's, the last beside the last."""
    earlier = line.stretches[-len(span.starts) :]
    starts = span.starts[-len(earlier) :]
    moved = tuple(
        replace(each, start=calendar.by_clock(start, span.zone)) for each, start in zip(earlier, starts, strict=True)
    )
    return replace(line, stretches=moved, earlier=True)


def _sentence(question: Trends, lines: Sequence[Line]) -> str:
    """The last whole stretch of the first series beside the one before it."""
    line = lines[0]
    whole = line.whole
    what = f"“{line.name}”" + ("" if line.value is None else f" ({line.value or 'not said'})")
    if question.measure.field and not any(each.n for each in line.stretches):
        return f"No number came as “{question.measure.field}” with {what}."
    if not question.formula and not any(each.n for each in line.stretches):
        return f"{what} did not happen in this time."
    if question.interval == "whole":
        return _whole_sentence(question, lines)
    if len(whole) < 2 or whole[-2].value is None or whole[-1].value is None:
        return f"{what}: no two whole {question.interval}s to compare yet."
    last, before = whole[-1], whole[-2]
    added = " up to" if question.cumulative else " in"
    said = f"{last.text}{_unit(question)}{added} the last whole {question.interval}, {_compared(last, before)}"
    return f"{_aggregate(question)}{what}: {said}{_against_before(line, lines)}."


def _whole_sentence(question: Trends, lines: Sequence[Line]) -> str:
    """The largest groups, or each series."""
    told = [line for line in lines if not line.earlier and line.whole]
    if not told:
        return "There is no value in this time."
    if not question.by:
        parts = [
            f"{_aggregate(question)}“{line.name}”: {line.whole[0].text}{_unit(question)}{_against_before(line, lines)}"
            for line in told
        ]
        return f"{'. '.join(parts[:3])}."
    named = [line for line in told if line.value is not None and line.name == told[0].name]
    largest = sorted(named, key=lambda line: -(line.whole[0].value or 0))[:3]
    parts = [f"{line.whole[0].text}{'' if at else _unit(question)} for {line.text}" for at, line in enumerate(largest)]
    return f"{_aggregate(question)}“{told[0].name}”: {', '.join(parts)}."


def _against_before(line: Line, lines: Sequence[Line]) -> str:
    """The same stretch of the period before, where that was asked for."""
    twin = next((one for one in lines if one.earlier and (one.series, one.value) == (line.series, line.value)), None)
    if twin is None:
        return ""
    at = line.stretches.index(line.whole[-1]) - len(line.stretches)
    then = twin.stretches[at] if -at <= len(twin.stretches) else None
    return f"; {then.text} in the period before" if then is not None and then.value is not None else ""


def _aggregate(question: Trends) -> str:
    """What the figure is of, where it is no count: “36 in the last week” would be read as one."""
    if question.formula or len(set(question.measures)) > 1 or not question.measure.field:
        return ""
    words = question.measure.words
    return f"{words[:1].upper()}{words[1:]} "


def _unit(question: Trends) -> str:
    if question.measure.name == "companies" and not question.formula:
        return " companies"
    if question.measure.name == "average" and not question.formula:
        return " a person"
    return " people" if question.measure.name in ("people", *ACTIVE) and not question.formula else ""


def _compared(last: Stretch, before: Stretch) -> str:
    """Within chance where the two intervals meet; without intervals only the two numbers."""
    said = f"{before.text} the one before"
    if last.low is None or last.high is None or before.low is None or before.high is None:
        return f"after {said}"
    if last.low <= before.high and before.low <= last.high:
        return f"after {said}: within chance"
    return f"{'up' if last.low > before.high else 'down'} from {said}"
