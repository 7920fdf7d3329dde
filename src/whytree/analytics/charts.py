"""From a measure to its pictures."""

from collections.abc import Sequence

from django.utils.safestring import SafeString, mark_safe

from whytree.engines import charts
from whytree.engines.charts import Mark, Point

from .queries import Day, Measure


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
