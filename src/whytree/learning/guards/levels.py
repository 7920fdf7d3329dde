"""What a guard measures its metric by, and one look at it: a share of people, or one sum over another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from whytree.analytics import queries as metrics
from whytree.analytics.definitions import Count, Mean, Ratio, Share, Sum, Unique
from whytree.analytics.measures.levels import is_a_day, level_of
from whytree.analytics.models import Metric
from whytree.engines.stats import NoAnswer
from whytree.engines.stats import guards as engine
from whytree.engines.stats.guards import Look
from whytree.learning.models import Basis

#: Days are whole where a number is told by the day, so who is counted on one came up to a day before.
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Level:
    """A number over a period, and the people behind it."""

    value: float
    n: int


def basis_of(metric: Metric) -> Basis | None:
    """None where no line can be drawn: a percentile has no sequence that bears people who come back."""
    definition = metrics.definition_of(metric)
    if isinstance(definition, Share):
        return Basis.SHARE
    if isinstance(definition, Count | Unique | Sum | Mean | Ratio):
        return Basis.A_DAY if is_a_day(definition) else Basis.RATIO
    return None


def lead_of(metric: Metric) -> timedelta:
    """How long before they are counted people came."""
    definition = metrics.definition_of(metric)
    return timedelta(days=definition.within_days) if isinstance(definition, Share) else A_DAY


def level(metric: Metric, basis: Basis, start: datetime, end: datetime) -> Level | None:
    """What it comes to; None where nobody is counted, or where one person makes the number."""
    if basis == Basis.SHARE:
        measured = metrics.measure(metric, start, end)
        return Level(measured.numerator / measured.n, measured.n) if measured.n else None
    found = level_of(metric, start, end)
    return None if isinstance(found, NoAnswer) else Level(found.value, found.units.n)


def look_at(
    metric: Metric, basis: Basis, start: datetime, end: datetime, *, floor: float, up_is_good: bool, tightest_at: int
) -> tuple[int, Look | NoAnswer]:
    """How many people are counted, and where the number lies."""
    if basis == Basis.SHARE:
        measured = metrics.measure(metric, start, end)
        n, did = measured.n, measured.numerator
        return n, engine.look(did, n, floor=floor, up_is_good=up_is_good, tightest_at=tightest_at)
    found = level_of(metric, start, end)
    if isinstance(found, NoAnswer):
        return 0, found
    looked = engine.look_at_level(found.units, found.doers, floor=floor, up_is_good=up_is_good, tightest_at=tightest_at)
    return found.units.n, looked
