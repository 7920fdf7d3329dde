"""What may be asked of metrics: their value with its interval, n, period and source, and the days behind it.

Values are in the metric's own unit: a conversion is 31.2, of unit "%", and differences of it are percentage points.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TypedDict
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db.models import QuerySet
from django.utils import timezone

from whytree.engines import stats
from whytree.engines.figures import number
from whytree.engines.stats import Estimate, NoAnswer
from whytree.errors import Invalid, NotFound
from whytree.events.queries import event_names
from whytree.stores import metrics as store
from whytree.stores.metrics import Converted, Counted
from whytree.stores.sql import INTERNAL_EVENTS
from whytree.workspace.models import Product

from .definitions import Conversion, Count, Definition, checked_definition, events_of
from .models import Metric

#: Four of each weekday.
USUAL_DAYS = 28
MAX_DAYS = 366
#: Live enough for a page, and a page of twenty metrics asks the store once.
FRESH_SECONDS = 20


class _Numbers(TypedDict):
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Day:
    """One day of the product's calendar. `complete` is false while the day, or somebody's window in it, is open."""

    day: date
    value: float | None
    low: float | None
    high: float | None
    n: int
    numerator: int
    open: int
    complete: bool


@dataclass(frozen=True)
class Measure:
    """A metric's value in a period (`from_at` <= t < `to_at`), with everything one needs to believe it.

    `n` counts people: those who entered and whose window has closed, or those who did it. `open` are people still under
    way, who are in neither. Without a value, `reason` says why.
    """

    key: str
    name: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    numerator: int
    open: int
    method: str
    reason: str
    from_at: datetime
    to_at: datetime
    as_of: datetime
    #: The period does not reach to now: it ends with the last day on which the events were seen.
    is_past: bool
    source: str
    series: tuple[Day, ...]

    @property
    def text(self) -> str:
        return amount(self.value, self.unit) if self.value is not None else "no answer"

    @property
    def interval_text(self) -> str:
        if self.low is None or self.high is None:
            return ""
        return f"{number(self.low)} to {number(self.high)}"

    @property
    def last_day(self) -> date:
        return (self.to_at - timedelta(microseconds=1)).date()

    @property
    def spark(self) -> list[float]:
        """The complete days that have a value."""
        return [day.value for day in self.series if day.value is not None and day.complete]


def amount(value: float, unit: str) -> str:
    """31.2 % or 1,234 people."""
    return f"{number(value)} {unit}".rstrip()


def people(n: int) -> str:
    """1 person, 1,204 people"""
    return f"{n:,} {'person' if n == 1 else 'people'}"


def difference_unit(unit: str) -> str:
    """What a change of this metric is counted in: percentages differ by points."""
    return "pp" if unit == "%" else unit


def find_metric(product: Product, key: str) -> Metric:
    metric = Metric.objects.filter(product=product, key=key).first()
    if metric is None:
        raise NotFound(f"There is no metric {key!r} in {product.name}. `whytree metric list` shows those there are.")
    return metric


def list_metrics(product: Product) -> QuerySet[Metric]:
    return Metric.objects.filter(product=product)


def metrics_by_key(product: Product, keys: Sequence[str]) -> dict[str, Metric]:
    return {metric.key: metric for metric in Metric.objects.filter(product=product, key__in=set(keys))}


def known_events(product: Product) -> list[str]:
    """What this product's people do, the most frequent first; not what we write about ourselves."""
    return [name for name in event_names(product) if name not in INTERNAL_EVENTS]


def definition_of(metric: Metric) -> Definition:
    return checked_definition(metric.definition)


def measure(
    metric: Metric, start: datetime | None = None, end: datetime | None = None, *, days: int = USUAL_DAYS
) -> Measure:
    """The metric in a period; without one, in the last `days` days.

    For a conversion the usual period begins a window earlier, so that `days` days of people have had their time. Where
    nothing happened in the usual period but something did before (an import of old events), it ends with that day.
    """
    if start is not None or end is not None:
        return _in_period(metric, *_chosen(metric, start, end, days))
    if not 1 <= days <= MAX_DAYS:
        raise Invalid(f"Ask for 1 to {MAX_DAYS} days.")
    usual = _in_period(metric, *_usual(metric, timezone.now(), days))
    if usual.n or usual.open:
        return usual
    last = store.last_seen(metric.product_id, events_of(definition_of(metric))[0])
    if last is None or last >= usual.from_at:
        return usual
    return replace(_in_period(metric, *_usual(metric, last, days)), is_past=True)


def _usual(metric: Metric, last: datetime, days: int) -> tuple[datetime, datetime]:
    definition = definition_of(metric)
    lead = definition.within_days if isinstance(definition, Conversion) else 0
    zone = ZoneInfo(metric.product.timezone)
    end = last.astimezone(zone).date() + timedelta(days=1)
    return _midnight(end - timedelta(days=days + lead), zone), _midnight(end, zone)


def _chosen(metric: Metric, start: datetime | None, end: datetime | None, days: int) -> tuple[datetime, datetime]:
    end = end or timezone.now()
    start = start or end - timedelta(days=days)
    if start >= end:
        raise Invalid("A period begins before it ends. Swap the two times.")
    if end - start > timedelta(days=MAX_DAYS):
        raise Invalid(f"A period has {MAX_DAYS} days at most.")
    zone = ZoneInfo(metric.product.timezone)
    return start.astimezone(zone), end.astimezone(zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _in_period(metric: Metric, start: datetime, end: datetime) -> Measure:
    facts = [metric.product_id, metric.key, metric.name, metric.unit, metric.definition, str(start), str(end)]
    key = "measure:" + hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    now = timezone.now()
    known: Measure | None = cache.get(key)
    if known is None or not timedelta(0) <= now - known.as_of < timedelta(seconds=FRESH_SECONDS):
        known = _measured(metric, start, end, now)
        cache.set(key, known, FRESH_SECONDS)
    return known


def _measured(metric: Metric, start: datetime, end: datetime, now: datetime) -> Measure:
    definition = definition_of(metric)
    if isinstance(definition, Conversion):
        converted = _conversion_days(metric, definition, start, end, now)
        total = Converted(
            *(sum(getattr(day, part) for day in converted.values()) for part in ("entered", "converted", "open"))
        )
        answer, series = _share(total), _days(start, end, now, converted, Converted(0, 0, 0))
        n, numerator, still_open = total.entered, total.converted, total.open
    else:
        counts = store.count_by_day(metric.product_id, definition.event, start, end, zone=str(start.tzinfo))
        counted = store.count(metric.product_id, definition.event, start, end)
        answer, series = _size(definition, counted), _days(start, end, now, counts, Counted(0, 0, 0, 0), definition)
        n, numerator, still_open = counted.people, counted.events, 0
    return Measure(
        **_numbers(answer),
        key=metric.key,
        name=metric.name,
        unit=metric.unit,
        n=n,
        numerator=numerator,
        open=still_open,
        method="" if isinstance(answer, NoAnswer) else answer.method,
        reason=answer.reason if isinstance(answer, NoAnswer) else "",
        from_at=start,
        to_at=end,
        as_of=now,
        is_past=False,
        source=f"{definition.sentence}, from this product's events",
        series=series,
    )


def _conversion_days(
    metric: Metric, definition: Conversion, start: datetime, end: datetime, now: datetime
) -> dict[date, Converted]:
    return store.conversion_by_day(
        metric.product_id,
        definition.entry,
        definition.goal,
        definition.window,
        start,
        end,
        as_of=now,
        zone=str(start.tzinfo),
    )


def _share(counted: Converted) -> Estimate | NoAnswer:
    """In percent, since that is what people say."""
    if counted.entered == 0 and counted.open:
        return NoAnswer(f"{people(counted.open)} started; nobody has had the whole time yet.")
    share = stats.proportion(counted.converted, counted.entered)
    if isinstance(share, NoAnswer):
        return NoAnswer("Nobody has started in this period.")
    return replace(share, value=share.value * 100, low=share.low * 100, high=share.high * 100)


def _size(definition: Definition, counted: Counted) -> Estimate | NoAnswer:
    if counted.people == 0:
        return NoAnswer("It has not happened in this period.")
    if isinstance(definition, Count):
        return stats.clustered_count(counted.events, counted.squares, counted.largest, counted.people)
    return stats.count(counted.people)


def _days(
    start: datetime,
    end: datetime,
    now: datetime,
    counted: dict[date, Counted] | dict[date, Converted],
    nothing: Counted | Converted,
    definition: Definition | None = None,
) -> tuple[Day, ...]:
    """Every day from the first to the last, also those without anything, but none that lies ahead."""
    today = now.astimezone(start.tzinfo).date()
    last = min((end - timedelta(microseconds=1)).date(), today)
    days = (start.date() + timedelta(days=i) for i in range((last - start.date()).days + 1))
    return tuple(_day(day, counted.get(day, nothing), definition, is_over=day < today) for day in days)


def _day(day: date, counted: Counted | Converted, definition: Definition | None, *, is_over: bool) -> Day:
    if isinstance(counted, Converted):
        answer: Estimate | NoAnswer = _share(counted)
        n, numerator, still_open = counted.entered, counted.converted, counted.open
    else:
        # a day without any is an answer too: none
        answer = stats.count(0) if counted.people == 0 or definition is None else _size(definition, counted)
        n, numerator, still_open = counted.people, counted.events, 0
    complete = is_over and still_open == 0
    return Day(**_numbers(answer), day=day, n=n, numerator=numerator, open=still_open, complete=complete)


def _numbers(answer: Estimate | NoAnswer) -> _Numbers:
    if isinstance(answer, NoAnswer):
        return {"value": None, "low": None, "high": None}
    return {"value": answer.value, "low": answer.low, "high": answer.high}
