"""A metric as one sum over another, over people: a number that is no larger for a longer period, so that it may be watched.

A mean or ratio is one already. A count, a sum and a number of people become what one active person does on a day: the same
part over all days on which somebody did anything at all. Shares of people who are followed have their own measure, and a
percentile none that bears being watched.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from whytree.engines.stats import NoAnswer
from whytree.engines.stats.moments import Moments
from whytree.stores.questions import amounts
from whytree.stores.questions.amounts import WHOLE, Part, Period, Sums

from ..definitions import Count, Definition, Mean, Ratio, Sum, Unique
from ..models import Metric
from ..queries import definition_of
from .measuring import NOT_HAPPENED, part_of, ruled_by_one, sums_of, unit_of


def is_a_day(definition: Definition) -> bool:
    """Whether it is told of an active person and a day: what is divided by people grows with the days they are given."""
    if isinstance(definition, Mean | Ratio):
        return definition.bottom.measure in ("people", "carriers")
    return isinstance(definition, Count | Sum | Unique)


@dataclass(frozen=True)
class Level:
    """Over people: what stands above the line and what below, and how many have anything above it."""

    units: Moments
    doers: int

    @property
    def value(self) -> float:
        return float(self.units.mean[0] / self.units.mean[1])


def level_of(metric: Metric, start: datetime, end: datetime) -> Level | NoAnswer:
    """What stands above the line and what below, over people; of whole days of the product's zone.

    No answer where nothing happened, or where one person makes the number.
    """
    definition, period = definition_of(metric), _whole_days(metric, start, end)
    if not isinstance(definition, Count | Unique | Sum | Mean | Ratio):
        raise TypeError(definition)
    if period.start >= period.end:
        return NoAnswer("No day is over yet.")
    if is_a_day(definition):
        part = part_of(metric.product, _top(definition))
        found: Sums | None = amounts.a_day(metric.product_id, part, period, unit=unit_of(metric.product, definition))
    else:
        assert isinstance(definition, Mean | Ratio)  # noqa: S101 - for the type checker: all others are told by the day
        in_all = sums_of(metric.product, definition, Period(period.start, period.end))
        found = in_all.get(WHOLE)
    if found is None or not found.people or not found.bottom:
        return NoAnswer(NOT_HAPPENED)
    units = Moments(
        found.people,
        np.array([found.top_mean, found.bottom_mean]),
        np.array([[found.top_m2, found.together], [found.together, found.bottom_m2]]),
    )
    return ruled_by_one(found) or Level(units, found.doers)


def _top(definition: Count | Unique | Sum | Mean | Ratio) -> Part:
    if isinstance(definition, Count | Unique):
        return Part(definition.did, "people" if isinstance(definition, Unique) else "total")
    return definition.top


def _whole_days(metric: Metric, start: datetime, end: datetime) -> Period:
    """From the first midnight on, to the last."""
    zone = ZoneInfo(metric.product.timezone)
    first, last = start.astimezone(zone), end.astimezone(zone)
    begin = datetime.combine(first.date(), time(), zone)
    if begin < first:
        begin = datetime.combine(first.date() + timedelta(days=1), time(), zone)
    return Period(begin, datetime.combine(last.date(), time(), zone), metric.product.timezone)
