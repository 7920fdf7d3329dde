"""What every answer stands on: names that were seen, a period, shares with their doubt."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from whytree.engines import stats
from whytree.engines.figures import between, number
from whytree.engines.stats import NoAnswer
from whytree.errors import Invalid
from whytree.events.queries import property_names, sent_properties
from whytree.stores.pieces.filters import COLUMNS, Selection
from whytree.stores.questions.metrics import seen_between
from whytree.workspace.models import Product

from ..queries import MOST_NEAR, refuse_unsent
from ..questions import Question, When, events_of, fields_of, refuse_unknown
from ..questions.parts import MAX_DAYS, is_property


@dataclass(frozen=True)
class Share:
    """Percent of people, with the 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def text(self) -> str:
        return f"{number(self.value)} %"

    @property
    def interval_text(self) -> str:
        return between(self.low, self.high)


def refuse_unseen(product: Product, question: Question) -> None:
    """`Invalid` for an event or a property that nobody ever sent, with the nearest that somebody did."""
    refuse_unsent(product, events_of(question))
    refuse_unseen_properties(product, fields_of(question))


def refuse_unseen_properties(product: Product, fields: Iterable[str]) -> None:
    """The same for the properties among some fields."""
    wanted = [name for name in fields if is_property(name)]
    unsent = set(wanted) - sent_properties(product, wanted)
    if unsent:
        refuse_unknown("property", sorted(unsent), [*property_names(product, most=MOST_NEAR), *COLUMNS])


def period(product: Product, when: When, *selections: Selection) -> tuple[datetime, datetime]:
    """`start` <= t < `end`: the last so many days up to now, or the days that were named, as far as they are not ahead.

    What was not said is when any of these was first or last seen.
    """
    now = timezone.now()
    if when.days is not None:
        return now - timedelta(days=when.days), now
    zone = ZoneInfo(product.timezone)
    start = _midnight(when.since, zone) if when.since else None
    end = min(_midnight(when.until + timedelta(days=1), zone), now) if when.until else now
    if start is not None and start >= now:
        raise Invalid(f"{when.since} is still ahead. Begin with a day that was.")
    if start is None:
        first, last = seen_between(product.pk, [event for one in selections for event in one.events])
        start = first if first is not None else now - timedelta(days=1)
        if not when.until and last is not None:
            end = last + timedelta(milliseconds=1)
        start = min(start, end - timedelta(days=1)) if start >= end else start
    elif end - start > timedelta(days=MAX_DAYS + 1):
        raise Invalid(f"That is more than {MAX_DAYS:,} days. Take fewer, or all there is.")
    return start, end


def known_until(when: When, end: datetime) -> datetime:
    """Up to when it is known what people did who began in the period: up to now, where it lies in the past."""
    return timezone.now() if when.until else end


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def share_of(part: int, whole: int) -> Share | None:
    """Wilson's interval; None where there is nobody to have a share of."""
    found = stats.proportion(part, whole)
    if isinstance(found, NoAnswer):
        return None
    return Share(found.value * 100, found.low * 100, found.high * 100)
