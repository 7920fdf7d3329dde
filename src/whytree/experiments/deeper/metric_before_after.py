"""How far a product's metric moved on a day, of which nobody drew who met the change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import dropwhile
from zoneinfo import ZoneInfo

from whytree.analytics.definitions import Share, TimeTo
from whytree.analytics.models import Metric
from whytree.analytics.queries import Day, definition_of, find_metric, measure
from whytree.errors import Invalid
from whytree.stores.questions.metrics import active_each_day
from whytree.workspace.models import Product

from .before_after import MOST_AFTER, MOST_BEFORE, BeforeAfter, told, unbroken
from .gaps import silent_from, touching, without_data


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
    span = _span(product, at, now)
    live = active_each_day(product.pk, *span.moments, zone=product.timezone) if span.days else {}
    down = without_data(live, span.days, hardly=True)
    asked = [_Asked(one, _series(one, span), down) for one in (metric, other) if one is not None]
    against = other.name if other is not None else ""
    for one in asked:
        if one.silent_from is not None:
            return BeforeAfter(metric.name, against, "", at, "", _ended(one.metric, one.silent_from))
    mine, theirs = asked[0].values, asked[-1].values if other is not None else {}
    shared = [day for day in mine if other is None or day in theirs]
    unit = "points" if metric.unit == "%" else metric.unit
    return told(metric.name, against, unit, at, unbroken(shared, at), mine, theirs)


@dataclass(frozen=True)
class _Span:
    """The whole days that are looked at, in the product's calendar."""

    days: list[date]
    zone: ZoneInfo

    @property
    def moments(self) -> tuple[datetime, datetime]:
        first, last = self.days[0], self.days[-1] + timedelta(days=1)
        return _midnight(first, self.zone), _midnight(last, self.zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _span(product: Product, at: date, now: datetime) -> _Span:
    zone = ZoneInfo(product.timezone)
    today = now.astimezone(zone).date()
    if at > today:
        raise Invalid(f"{at} is yet to come. Ask again two weeks after it.")
    first, last = at - timedelta(days=MOST_BEFORE), min(at + timedelta(days=MOST_AFTER), today)
    return _Span([first + timedelta(days=one) for one in range((last - first).days)], zone)


def _series(metric: Metric, span: _Span) -> list[Day]:
    """Whole days whose people have all had their time. The days before anything was counted are no zeros: a product that
    began is no step."""
    if not span.days:
        return []
    found = measure(metric, *span.moments)
    return [day for day in dropwhile(lambda day: not day.n, found.series) if day.complete]


@dataclass(frozen=True)
class _Asked:
    """A metric's days, and those on which capture was `down`."""

    metric: Metric
    series: list[Day]
    down: set[date]

    @property
    def values(self) -> dict[date, float]:
        """Its days with a value. Left out are those without data, of the product or of this metric's own event, and those whose
        people had such a day within their time."""
        people = {day.day: day.n for day in self.series}
        gaps = self.down | without_data(people, list(people)) | touching(self.down, people, _reach(self.metric))
        return {day.day: day.value for day in self.series if day.value is not None and day.day not in gaps}

    @property
    def silent_from(self) -> date | None:
        """From when on it has nobody any more, while the product has."""
        people = {day.day: day.n for day in self.series if day.day not in self.down}
        return silent_from(people, list(people))


def _reach(metric: Metric) -> int:
    """How many days after the one on which people are counted what they do counts still."""
    definition = definition_of(metric)
    return definition.within_days if isinstance(definition, Share | TimeTo) else 0


def _ended(metric: Metric, since: date) -> str:
    return (
        f"From {since:%-d %b %Y} on {metric.name} has nobody at all, while other events come in. If what it counts was taken away, "
        "that is the whole answer; if it is not sent any more, nothing is known of these days."
    )
