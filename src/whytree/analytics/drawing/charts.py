"""From a measure or an answer to its pictures."""

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.safestring import SafeString

from whytree.engines import charts
from whytree.engines.charts import Mark, NamedLine, Point
from whytree.engines.charts.sankey import Flow, sankey
from whytree.engines.figures import percent
from whytree.workspace.models import Product
from whytree.workspace.pages.vouched import vouched

from ..answers import (
    Answer,
    FunnelAnswer,
    LifecycleAnswer,
    PathsAnswer,
    RetentionAnswer,
    SessionsAnswer,
    StickinessAnswer,
    TrendsAnswer,
)
from ..answers.head import SOURCE
from ..asking.tables import bars_of
from ..friction.queries import FormFriction
from ..queries import Day, Measure
from .marks import marks_between


def marks_for(product: Product, measure: Measure) -> tuple[Mark, ...]:
    """What the team did in this time."""
    return marks_between(product, measure.from_at, measure.to_at, hourly=measure.each == "hour")


def measure_chart(
    measure: Measure, *, target: float | None = None, baseline: float | None = None, marks: tuple[Mark, ...] = ()
) -> SafeString:
    """The series with its interval. Stretches that are not complete are left to the table: they would look like a fall."""
    points = _points_of(measure)
    label = (
        f"{measure.name} by {measure.each}: {measure.text}, 95 % interval {measure.interval_text}, n = {measure.n:,}"
    )
    svg = charts.series(points, unit=measure.unit, label=label, target=target, baseline=baseline, marks=marks)
    return vouched(svg)


def measure_picture(measure: Measure, form: str, marks: tuple[Mark, ...] = ()) -> bytes | None:
    """The same as a file, `form` svg or png; None where there is nothing to draw."""
    points = _points_of(measure)
    if not any(point.value is not None for point in points):
        return None
    title = f"{measure.name}: {measure.text}" + (f", 95 %: {measure.interval_text}" if measure.interval_text else "")
    ground = f"By {measure.each} · n = {measure.n:,} · {measure.from_at:%Y-%m-%d} to {measure.last_day:%Y-%m-%d}"
    spec = charts.series_spec(points, unit=measure.unit, marks=marks)
    return charts.as_file(spec, form, [title, ground, measure.source])


def _points_of(measure: Measure) -> list[Point]:
    zone = measure.from_at.tzinfo
    return [
        Point(_clocked(day.day, zone), *(day.value, day.low, day.high) if day.complete else (None, None, None), day.n)
        for day in _answered(measure)
    ]


def _answered(measure: Measure) -> Sequence[Day]:
    """Without what is open at the end: a blank where people look first. Weeks and months begin when there was anything."""
    series = measure.series
    last = max((i for i, day in enumerate(series) if day.complete), default=-1)
    first = 0
    if measure.each in ("week", "month"):
        first = next((i for i, day in enumerate(series) if day.complete and day.n), 0)
    return series[first : last + 1]


def measure_spark(measure: Measure) -> SafeString:
    """Nothing where there is no answer: a flat line would look like one."""
    if measure.value is None:
        return SafeString("")
    return vouched(charts.spark(measure.spark))


def trends_chart(product: Product, found: TrendsAnswer, *, marked: bool = True) -> SafeString:
    """The whole stretches of the largest lines. One line of days, weeks or months has its interval as a band."""
    label = f"{found.sentence} {found.asked}"
    if found.is_whole:
        return SafeString("")  # a page draws its bars as a table
    marks = _trend_marks(product, found) if marked else ()
    zone = ZoneInfo(product.timezone)
    points = _band(found, zone)
    if points:
        svg = charts.series(points, unit="", label=label, marks=marks)
    else:
        svg = charts.lines(_trend_lines(found, zone), label=label, marks=marks)
    return vouched(svg)


def answer_chart(product: Product, found: Answer, *, marked: bool = True) -> SafeString | None:
    """The picture of any answer; None for a funnel's steps, which a page draws as a table.

    Not `marked`: without what the team did, for those who see nothing else of it.
    """
    if isinstance(found, TrendsAnswer):
        return trends_chart(product, found, marked=marked)
    if isinstance(found, RetentionAnswer):
        return retention_chart(found)
    if isinstance(found, LifecycleAnswer):
        marks = marks_between(product, found.from_at, found.to_at) if marked else ()
        svg = charts.lines(_states(found), label=f"{found.sentence} {found.asked}", marks=marks)
        return vouched(svg)
    if isinstance(found, SessionsAnswer):
        hourly = found.interval == "hour"
        marks = marks_between(product, found.from_at, found.to_at, hourly=hourly) if marked else ()
        svg = charts.lines(_stays(product, found), label=f"{found.sentence} {found.asked}", marks=marks)
        return vouched(svg)
    if isinstance(found, PathsAnswer):
        return vouched(sankey(_flows(found), label=f"{found.sentence} {found.asked}"))
    if isinstance(found, FunnelAnswer) and found.over:
        return funnel_over_chart(product, found, marked=marked)
    return None


def funnel_over_chart(product: Product, found: FunnelAnswer, *, marked: bool = True) -> SafeString:
    """The share that came to the end, by when people began; stretches that are still open are left to the table."""
    label = f"Share that came to the end, by when people began. {found.asked}"
    marks = marks_between(product, found.from_at, found.to_at) if marked else ()
    return vouched(charts.series(_over(found), unit="%", label=label, marks=marks))


def retention_chart(found: RetentionAnswer) -> SafeString:
    """The curve, or that of each group."""
    label = f"{found.sentence} {found.asked}"
    return vouched(charts.lines(_curves(found), label=label, unit="%"))


def sizes_chart(name: str, history: Sequence[tuple[date, int]]) -> SafeString:
    """How many people a cohort had from day to day; nothing while there is only one day."""
    if len(history) < 2:
        return SafeString("")
    named = [NamedLine(name, list(history))]
    return vouched(charts.lines(named, label=f"People in {name}, by day"))


def sizes_picture(name: str, sentence: str, history: Sequence[tuple[date, int]], form: str) -> bytes | None:
    """The same as a file; None while there is only one day."""
    if len(history) < 2:
        return None
    (first, _), (last, people) = history[0], history[-1]
    title = [f"{name}: {people:,} people", f"{sentence} · {first:%Y-%m-%d} to {last:%Y-%m-%d}", SOURCE]
    return charts.as_file(charts.lines_spec([NamedLine(name, list(history))]), form, title)


def form_picture(found: FormFriction, form: str) -> bytes | None:
    """A form's fields as bars of those who filled them in, as a file; None where nobody did."""
    bars = [
        charts.Bar(one.name, one.met.reached, f"{percent(one.left.value)} left here" if one.left else "")
        for one in found.fields
    ]
    if not bars:
        return None
    period = f"n = {found.form.met.people:,} · {found.from_at:%Y-%m-%d} to {found.to_at:%Y-%m-%d}"
    title = [found.sentence, f"{found.form.title}: who filled it in · {period}", SOURCE]
    return charts.as_file(charts.bars_spec(bars), form, title)


def picture_of(product: Product, found: Answer, form: str) -> bytes | None:
    """The picture of an answer as a file; None where there is nothing to draw."""
    if isinstance(found, PathsAnswer):
        return charts.svg_file(sankey(_flows(found), label=found.sentence), form, _title(found))
    spec = _spec(product, found)
    return charts.as_file(spec, form, _title(found)) if spec else None


def _title(found: Answer) -> list[str]:
    ground = f"{found.asked} · n = {found.n:,} · {found.from_at:%Y-%m-%d} to {found.last_day:%Y-%m-%d}"
    return [found.sentence, ground, found.source]


def _spec(product: Product, found: Answer) -> dict[str, Any]:
    if isinstance(found, TrendsAnswer) and found.is_whole:
        return charts.bars_spec([charts.Bar(bar.name, bar.value, bar.text) for bar in bars_of(found)], numbered=False)
    if isinstance(found, TrendsAnswer):
        zone, marks = ZoneInfo(product.timezone), _trend_marks(product, found)
        points = _band(found, zone)
        if points:
            return charts.series_spec(points, unit="", marks=marks)
        return charts.lines_spec(_trend_lines(found, zone), marks=marks)
    marks = marks_between(product, found.from_at, found.to_at)
    if isinstance(found, RetentionAnswer):
        return charts.lines_spec(_curves(found), unit="%")
    if isinstance(found, LifecycleAnswer):
        return charts.lines_spec(_states(found), marks=marks)
    if isinstance(found, SessionsAnswer):
        return charts.lines_spec(_stays(product, found), marks=marks)
    if isinstance(found, StickinessAnswer):
        return charts.bars_spec([charts.Bar(str(bar.times), bar.people) for bar in found.bars])
    if isinstance(found, PathsAnswer):
        return {}
    if found.over:
        points = _over(found)
        return charts.series_spec(points, unit="%", marks=marks) if points else {}
    bars = [charts.Bar(step.event, step.people, step.of_first.text if step.of_first else "") for step in found.steps]
    return charts.bars_spec(bars)


def _trend_marks(product: Product, found: TrendsAnswer) -> tuple[Mark, ...]:
    return marks_between(product, found.from_at, found.to_at, hourly=found.interval == "hour")


def _band(found: TrendsAnswer, zone: ZoneInfo) -> list[Point]:
    """The only line with its interval; nothing where there are several, or the line has none."""
    only = found.lines[0] if len(found.lines) == 1 else None
    if only is None or not any(each.low is not None for each in only.whole):
        return []
    return [Point(_clocked(each.start, zone), each.value, each.low, each.high, each.n) for each in only.whole]


def _trend_lines(found: TrendsAnswer, zone: ZoneInfo) -> list[NamedLine]:
    return [
        NamedLine(found.name_of(line), [(_clocked(each.start, zone), each.value) for each in line.whole])
        for line in found.largest_first
    ]


def _over(found: FunnelAnswer) -> list[Point]:
    points = []
    for began in found.over:
        share = began.share
        if began.complete and share is not None:
            points.append(Point(began.start, share.value, share.low, share.high, began.steps[0].people))
    return points


def _curves(found: RetentionAnswer) -> list[NamedLine]:
    def line(name: str, points: Sequence[Any]) -> NamedLine:
        return NamedLine(name, [(point.after, point.share.value if point.share else None) for point in points])

    if found.groups:
        return [line(curve.text, curve.points) for curve in found.groups]
    return [line("came back", found.curve)]


def _states(found: LifecycleAnswer) -> list[NamedLine]:
    """Whole stretches only."""
    whole = [one for one in found.stretches if one.complete]
    return [
        NamedLine(state, [(one.start, getattr(one, state)) for one in whole])
        for state in ("returning", "new", "resurrected", "dormant")
    ]


def _stays(product: Product, found: SessionsAnswer) -> list[NamedLine]:
    """How many began in each whole stretch."""
    zone = ZoneInfo(product.timezone)
    return [
        NamedLine(
            "sessions", [(_clocked(one.start, zone), one.stayed.sessions) for one in found.stretches if one.complete]
        )
    ]


def _flows(found: PathsAnswer) -> list[Flow]:
    """Backwards from an end the columns are turned round, so that time goes from left to right."""
    last = max((edge.at for edge in found.edges), default=0)
    if found.backwards:
        return [Flow(last - edge.at, edge.target, edge.source, edge.ways) for edge in found.edges]
    return [Flow(edge.at, edge.source, edge.target, edge.ways) for edge in found.edges]


def _clocked(start: date | datetime, zone: tzinfo | None) -> date | datetime:
    """A day, or a moment as the product's clock shows it."""
    return start.astimezone(zone).replace(tzinfo=None) if isinstance(start, datetime) else start
