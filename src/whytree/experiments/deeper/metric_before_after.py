"""How far a product's metric moved on a day, of which nobody drew who met the change."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import dropwhile
from zoneinfo import ZoneInfo

from whytree.analytics.models import Metric
from whytree.analytics.queries import find_metric, measure
from whytree.errors import Invalid
from whytree.workspace.models import Product

from .before_after import MOST_AFTER, MOST_BEFORE, BeforeAfter, told, unbroken


def before_after(product: Product, key: str, at: date, now: datetime, *, against: str = "") -> BeforeAfter:
    """A metric of this product; `against` is the key of another one that the change did not reach."""
    metric = find_metric(product, key)
    other = find_metric(product, against) if against else None
    if other is not None and other.key == metric.key:
        raise Invalid("A metric is no comparison for itself. Name one that the change did not reach.")
    if other is not None and other.unit != metric.unit:
        raise Invalid(
            f"{metric.key} and {other.key} are counted in different units, so their difference means nothing."
        )
    mine = _days(metric, at, now)
    theirs = _days(other, at, now) if other is not None else {}
    shared = [day for day in mine if other is None or day in theirs]
    return told(
        metric.name,
        other.name if other is not None else "",
        "points" if metric.unit == "%" else metric.unit,
        at,
        unbroken(shared, at),
        mine,
        theirs,
    )


def _days(metric: Metric, at: date, now: datetime) -> dict[date, float]:
    """Whole days with a value, whose people have all had their time."""
    zone = ZoneInfo(metric.product.timezone)
    today = now.astimezone(zone).date()
    if at > today:
        raise Invalid(f"{at} is yet to come. Ask again two weeks after it.")
    first, last = at - timedelta(days=MOST_BEFORE), min(at + timedelta(days=MOST_AFTER), today)
    start, end = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (first, last))
    found = measure(metric, start, end) if start < end else None
    # the days before anything was counted are no zeros: a product that began is no step
    days = list(dropwhile(lambda day: not day.n, found.series if found else ()))
    return {day.day: day.value for day in days if day.value is not None and day.complete}
