"""From a measure to its pictures."""

from collections.abc import Sequence
from datetime import date

from django.utils.safestring import SafeString, mark_safe

from whytree.engines import charts
from whytree.engines.charts import Mark, Point
from whytree.workspace.models import Activity, Product

from .answers import TrendsAnswer
from .queries import Day, Measure

#: Acts that may have moved a number, and how they are called on a chart.
MARKED = {"open_flag": "{} opened", "turn_off": "{} off", "decide_review": "{} decided"}
MOST_MARKS = 4


def marks_for(product: Product, measure: Measure) -> tuple[Mark, ...]:
    """What the team did in these days, the latest few, one a day: more could not be read."""
    acts = Activity.objects.filter(product=product, verb__in=MARKED, at__gte=measure.from_at, at__lt=measure.to_at)
    by_day: dict[date, str] = {}
    for act in acts.order_by("-at")[: MOST_MARKS * 5]:
        by_day.setdefault(act.at.astimezone(measure.from_at.tzinfo).date(), MARKED[act.verb].format(act.subject_label))
    return tuple(Mark(day, text) for day, text in sorted(by_day.items())[-MOST_MARKS:])


def measure_chart(
    measure: Measure, *, target: float | None = None, baseline: float | None = None, marks: tuple[Mark, ...] = ()
) -> SafeString:
    """The daily series with its interval. Days that are not complete are left to the table: they would look like a fall."""
    shown = _up_to_complete(measure.series)
    points = [
        Point(day.day, day.value, day.low, day.high, day.n) if day.complete else Point(day.day, None, None, None, day.n)
        for day in shown
    ]
    label = f"{measure.name} by day: {measure.text}, 95 % interval {measure.interval_text}, n = {measure.n:,}"
    svg = charts.series(points, unit=measure.unit, label=label, target=target, baseline=baseline, marks=marks)
    return mark_safe(svg)  # noqa: S308 - our own picture; texts in it are escaped where it is drawn


def _up_to_complete(series: Sequence[Day]) -> Sequence[Day]:
    """Without the open days at the end: they would leave a blank where people look first."""
    last = max((i for i, day in enumerate(series) if day.complete), default=-1)
    return series[: last + 1]


def measure_spark(measure: Measure) -> SafeString:
    """Nothing where there is no answer: a flat line would look like one."""
    if measure.value is None:
        return mark_safe("")
    return mark_safe(charts.spark(measure.spark))  # noqa: S308 - numbers only


def trends_chart(found: TrendsAnswer) -> SafeString:
    """The whole stretches of the largest lines. One line of days, weeks or months has its interval as a band."""
    label = f"{found.sentence} {found.asked}"
    only = found.lines[0] if len(found.lines) == 1 else None
    if only and found.interval != "hour" and any(each.low is not None for each in only.whole):
        points = [Point(each.start, each.value, each.low, each.high, each.n) for each in only.whole]
        svg = charts.series(points, unit="", label=label)
    else:
        several = len({line.name for line in found.lines}) > 1
        named = [
            charts.NamedLine(line.name if several else line.text, [(each.start, each.value) for each in line.whole])
            for line in found.lines
        ]
        svg = charts.lines(named, label=label)
    return mark_safe(svg)  # noqa: S308 - our own picture; texts in it are escaped where it is drawn
