"""What may be asked of metrics: their value with its interval, n, period and source, and the days behind it.

Values are in the metric's own unit: a conversion is 31.2, of unit "%", and differences of it are percentage points.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import islice
from typing import get_args
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import timezone

from whytree.engines.figures import between, number, places
from whytree.errors import Invalid, NotFound
from whytree.events.queries import event_names, sent_events
from whytree.stores.events import at_one_moment
from whytree.stores.pieces import stretches
from whytree.stores.pieces.sql import INTERNAL_EVENTS
from whytree.stores.pieces.stretches import Interval
from whytree.stores.questions import metrics as store
from whytree.workspace.background.fresh import at_most
from whytree.workspace.models import Product

from .definitions import Definition, Following, checked_definition, events_of
from .measures.measuring import Found, measured
from .models import Metric
from .questions import refuse_unknown

#: Four of each weekday.
USUAL_DAYS = 28
MAX_DAYS = 366
#: More stretches are no picture any more.
MOST_POINTS = 1_500
#: What a period may be cut into.
INTERVALS: tuple[Interval, ...] = get_args(Interval)
#: Live enough for a page, and a page of twenty metrics asks the store once.
FRESH_SECONDS = 20


@dataclass(frozen=True)
class Day:
    """One day of the product's calendar; or one week or month by its first day, or one hour by its moment.

    `complete` is false while it, or somebody's window in it, is open, or when the period cuts it.
    """

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

    `n` counts people (or companies, as `counted` says): those who entered and whose window has closed, or those who did it.
    `open` are those still under way, who are in neither. Without a value, or without an interval, `reason` says why.
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
    counted: str = "people"
    #: What each of `series` is.
    each: Interval = "day"

    @property
    def text(self) -> str:
        return amount(self.value, self.unit) if self.value is not None else "no answer"

    @property
    def interval_text(self) -> str:
        if self.low is None or self.high is None:
            return ""
        return between(self.low, self.high)

    @cached_property
    def places(self) -> int | None:
        """Digits behind the point, the same all along the series."""
        return places(day.value for day in self.series)

    @cached_property
    def interval_places(self) -> int | None:
        return places(one for day in self.series for one in (day.low, day.high))

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


MOST_OFFERED = 500  # names that a page offers to choose from; any other may be typed
MOST_NEAR = 10_000  # names that a misspelt one is compared with


def known_events(product: Product, most: int | None = None) -> list[str]:
    """What this product's people do, the most frequent first; not what we write about ourselves."""
    names = event_names(product) if most is None else event_names(product, most + len(INTERNAL_EVENTS))
    return [name for name in names if name not in INTERNAL_EVENTS][:most]


def refuse_unsent(product: Product, events: Sequence[str]) -> None:
    """`Invalid` for an event that nobody ever sent, with the nearest that somebody did.

    Asks for these alone: `known_events` looks at every event there is, which takes longer than most questions.
    """
    asked = [name for name in events if name not in INTERNAL_EVENTS]
    unsent = set(events) - sent_events(product, asked)
    if unsent:
        refuse_unknown("event", [name for name in events if name in unsent], known_events(product, MOST_NEAR))


def definition_of(metric: Metric) -> Definition:
    return checked_definition(metric.definition)


def measure(
    metric: Metric,
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    days: int = USUAL_DAYS,
    each: Interval = "day",
) -> Measure:
    """The metric in a period; without one, in the last `days` days. `each` says what the period is cut into.

    For a conversion the usual period begins a window earlier, so that `days` days of people have had their time. Where
    nothing happened in the usual period but something did before (an import of old events), it ends with that day.
    """
    if start is not None or end is not None:
        return _in_period(metric, *_chosen(metric, start, end, days), each)
    if not 1 <= days <= MAX_DAYS:
        raise Invalid(f"Ask for 1 to {MAX_DAYS} days.")
    usual = _in_period(metric, *_usual(metric, timezone.now(), days), each)
    if usual.n or usual.open:
        return usual
    last = store.last_seen(metric.product_id, events_of(definition_of(metric))[0])
    if last is None or last >= usual.from_at:
        return usual
    return replace(_in_period(metric, *_usual(metric, last, days), each), is_past=True)


def measure_before(metric: Metric, midnight: datetime, *, days: int = USUAL_DAYS) -> Measure:
    """What the usual period showed when it ended with the day before."""
    return _in_period(metric, *_usual(metric, midnight - timedelta(microseconds=1), days), "day")


def _usual(metric: Metric, last: datetime, days: int) -> tuple[datetime, datetime]:
    definition = definition_of(metric)
    lead = definition.within_days if isinstance(definition, Following) else 0
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


def _in_period(metric: Metric, start: datetime, end: datetime, each: Interval) -> Measure:
    facts = [metric.product_id, metric.key, metric.name, metric.unit, metric.definition, str(start), str(end), each]
    key = "measure:" + hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return at_most(key, FRESH_SECONDS, lambda: _measured(metric, start, end, timezone.now(), each))


def _measured(metric: Metric, start: datetime, end: datetime, now: datetime, each: Interval) -> Measure:
    definition = definition_of(metric)
    starts = _starts(start, min(end, now), each)
    with at_one_moment():
        found = measured(metric.product, definition, start, end, now, each)
    whole = found.whole
    return Measure(
        key=metric.key,
        name=metric.name,
        unit=metric.unit,
        value=whole.value,
        low=whole.low,
        high=whole.high,
        n=whole.n,
        numerator=whole.numerator,
        open=whole.open,
        method=whole.method,
        reason=whole.reason,
        from_at=start,
        to_at=end,
        as_of=now,
        is_past=False,
        source=f"{definition.sentence}, from this product's events",
        series=tuple(
            _day(
                stretches.by_clock(at, start.tzinfo),
                found.days.get(at, found.nothing),
                whole=_is_whole(at, start, min(end, now), each),
            )
            for at in starts
        ),
        counted=definition.whom,
        each=each,
    )


def _starts(start: datetime, end: datetime, each: Interval) -> list[date | datetime]:
    """Every stretch from the first to the last, also those without anything, but none that lies ahead."""
    few = list(islice(stretches.starts(each, start, end.astimezone(start.tzinfo)), MOST_POINTS + 1))
    if len(few) > MOST_POINTS:
        raise Invalid(
            f"That is more than {MOST_POINTS:,} points. Take longer stretches than one {each}, or fewer days."
        )
    return few


def _is_whole(at: date | datetime, start: datetime, end: datetime, each: Interval) -> bool:
    """Whether all of a stretch lies between the two."""
    zone = ZoneInfo(str(start.tzinfo))
    ends = stretches.moment_of(stretches.next_start(each, at), zone)
    return stretches.moment_of(at, zone) >= start and ends <= end


def _day(at: date | datetime, found: Found, *, whole: bool) -> Day:
    return Day(
        day=at,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        numerator=found.numerator,
        open=found.open,
        complete=whole and found.open == 0,
    )
