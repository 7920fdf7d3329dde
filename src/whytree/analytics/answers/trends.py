"""How much happens, stretch by stretch of the calendar."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from whytree.engines import stats
from whytree.engines.figures import number
from whytree.errors import Invalid
from whytree.stores import trends as store
from whytree.stores.filters import Selection
from whytree.workspace.models import Product

from ..questions import Trends, as_json, label
from .ground import SOURCE, period, refuse_unseen

MOST_POINTS = 1_500
#: Aggregates of a number of which a stretch without any event says nothing, while a sum says 0.
_ADDS_UP = ("total", "people", "sum")


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
    """One series, or one group of it; `value` is None for all groups that are not told apart."""

    name: str
    value: str | None
    stretches: tuple[Stretch, ...]

    @property
    def text(self) -> str:
        """What it is called where the field is named."""
        return "everybody else" if self.value is None else self.value or "not said"

    @property
    def whole(self) -> list[Stretch]:
        """The complete stretches that have a value."""
        return [each for each in self.stretches if each.complete and each.value is not None]


@dataclass(frozen=True)
class TrendsAnswer:
    """`from_at` <= t < `to_at`; `n` people did it, of several series the most. `sentence` says what the figures say."""

    question: dict[str, object]
    asked: str
    sentence: str
    n: int
    from_at: datetime
    to_at: datetime
    as_of: datetime
    interval: str
    measure: str
    by: str
    lines: tuple[Line, ...]
    source: str = SOURCE

    @property
    def last_day(self) -> datetime:
        return self.to_at - timedelta(microseconds=1)


def answer_trends(product: Product, question: Trends) -> TrendsAnswer:
    """Raises `Invalid` for a name that was never seen, and for more stretches than anybody could read."""
    refuse_unseen(product, question)
    start, end = period(product, question.days, *question.series)
    zone = ZoneInfo(product.timezone)
    starts = _starts(question.interval, start.astimezone(zone), end.astimezone(zone))
    now = timezone.now()
    lines = [
        line
        for one in question.series
        for line in _lines(product, question, one, _asked(question, one, start, end, zone), starts, now)
    ]
    return TrendsAnswer(
        question=as_json(question),
        asked=question.sentence,
        sentence=_sentence(question, lines),
        n=max(store.people(product.pk, _asked(question, one, start, end, zone)) for one in question.series),
        from_at=start,
        to_at=end,
        as_of=now,
        interval=question.interval,
        measure=question.measure.text,
        by=question.by,
        lines=tuple(lines),
    )


def _asked(question: Trends, one: Selection, start: datetime, end: datetime, zone: ZoneInfo) -> store.Asked:
    return store.Asked(one, start, end, question.interval, str(zone))


def _lines(
    product: Product,
    question: Trends,
    selection: Selection,
    asked: store.Asked,
    starts: Sequence[date | datetime],
    now: datetime,
) -> list[Line]:
    groups = store.largest_groups(product.pk, asked, question.by) if question.by else ()
    measure = question.measure
    found: dict[str | None, dict[date | datetime, tuple[float, float | None, float | None, int]]]
    if measure.field:
        figures = store.figures(product.pk, asked, measure.field, measure.name, by=question.by, groups=groups)  # type: ignore[arg-type]
        found = {
            value: {_key(each.start): (each.value, None, None, each.n) for each in those}
            for value, those in figures.items()
        }
    else:
        counts = store.counts(product.pk, asked, by=question.by, groups=groups)
        found = {
            value: {_key(each.start): _counted(measure.name, each) for each in those} for value, those in counts.items()
        }
    order = [value for value in (*groups, None) if value in found] or [None]
    name = label(selection)
    return [Line(name, value, _filled(question, asked, found.get(value, {}), starts, now)) for value in order]


def _counted(name: str, each: store.Stretch) -> tuple[float, float | None, float | None, int]:
    if name == "people":
        people = stats.count(each.people)
        return people.value, people.low, people.high, each.people
    events = stats.clustered_count(each.events, each.squares, each.largest, each.people)
    if name == "average":
        return events.value / each.people, None, None, each.people
    return events.value, events.low, events.high, each.people


def _filled(
    question: Trends,
    asked: store.Asked,
    found: dict[date | datetime, tuple[float, float | None, float | None, int]],
    starts: Sequence[date | datetime],
    now: datetime,
) -> tuple[Stretch, ...]:
    """Every stretch of the period, also those in which nothing happened."""
    zone = ZoneInfo(asked.zone)
    # Of everything there is, the first day is taken for whole: the events began with it.
    first = asked.start if question.days is not None else _moment(asked.start.astimezone(zone).date(), zone)
    stretches = []
    for at, start in enumerate(starts):
        begins = _moment(start, zone)
        ends = _moment(starts[at + 1], zone) if at + 1 < len(starts) else _moment(_next(question.interval, start), zone)
        nothing: tuple[float | None, float | None, float | None, int] = (None, None, None, 0)
        if question.measure.name in _ADDS_UP:
            none = stats.count(0)
            nothing = (0.0, None, None, 0) if question.measure.field else (0.0, none.low, none.high, 0)
        value, low, high, n = found.get(start, nothing)
        whole = ends <= now and begins >= first
        stretches.append(Stretch(start, value, low, high, n, whole))
    return tuple(stretches)


def _starts(interval: store.Interval, start: datetime, end: datetime) -> list[date | datetime]:
    """The first moment or day of every stretch that the period touches."""
    first: date | datetime
    if interval == "hour":
        first = start.replace(minute=0, second=0, microsecond=0)
    elif interval == "day":
        first = start.date()
    elif interval == "week":
        first = start.date() - timedelta(days=start.weekday())
    else:
        first = start.date().replace(day=1)
    last = (end - timedelta(microseconds=1)) if interval == "hour" else (end - timedelta(microseconds=1)).date()
    found: list[date | datetime] = []
    at = first
    while at <= last:  # both are dates, or both are moments
        found.append(_key(at))
        if len(found) > MOST_POINTS:
            raise Invalid(
                f"That is more than {MOST_POINTS:,} points. Take a longer interval than {interval}, or fewer days."
            )
        at = _next(interval, at)
    return found


def _next(interval: store.Interval, start: date | datetime) -> date | datetime:
    if interval == "hour":
        assert isinstance(start, datetime)  # noqa: S101 - for the type checker: hours begin with moments
        return (start.astimezone(UTC) + timedelta(hours=1)).astimezone(start.tzinfo)
    if interval == "month":
        return (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    return start + timedelta(days=1 if interval == "day" else 7)


def _key(start: date | datetime) -> date | datetime:
    """Moments are compared as moments, whatever their zone."""
    return start.astimezone(UTC) if isinstance(start, datetime) else start


def _moment(start: date | datetime, zone: ZoneInfo) -> datetime:
    return start if isinstance(start, datetime) else datetime.combine(start, time(), zone)


def _sentence(question: Trends, lines: Sequence[Line]) -> str:
    """The last whole stretch of the first series beside the one before it."""
    line = lines[0]
    whole = line.whole
    what = f"“{line.name}”" + ("" if line.value is None else f" ({line.value or 'not said'})")
    if question.measure.field and not any(each.n for each in line.stretches):
        return f"No number came as “{question.measure.field}” with {what}."
    if not any(each.n for each in line.stretches):
        return f"{what} did not happen in this time."
    if len(whole) < 2 or whole[-2].value is None or whole[-1].value is None:
        return f"{what}: no two whole {question.interval}s to compare yet."
    last, before = whole[-1], whole[-2]
    return f"{what}: {last.text}{_unit(question)} in the last whole {question.interval}, {_compared(last, before)}."


def _unit(question: Trends) -> str:
    return " people" if question.measure.name == "people" else ""


def _compared(last: Stretch, before: Stretch) -> str:
    """Within chance where the two intervals meet; without intervals only the two numbers."""
    said = f"{before.text} the one before"
    if last.low is None or last.high is None or before.low is None or before.high is None:
        return f"after {said}"
    if last.low <= before.high and before.low <= last.high:
        return f"after {said}: within chance"
    return f"{'up' if last.low > before.high else 'down'} from {said}"
