"""What every answer stands on: names that were seen, a period, shares with their doubt."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from whytree.engines import stats
from whytree.engines.figures import number
from whytree.engines.stats import NoAnswer
from whytree.events.queries import property_names, sent_properties
from whytree.stores.filters import COLUMNS, FLAG, Selection
from whytree.stores.metrics import seen_between
from whytree.workspace.models import Product

from ..queries import refuse_unsent
from ..questions import COHORT, COMPANY_TRAIT, PERSON_TRAIT, Question, events_of, fields_of, refuse_unknown

_OTHERWISE_KNOWN = (FLAG, COHORT, PERSON_TRAIT, COMPANY_TRAIT)


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
        return f"{number(self.low)} to {number(self.high)}"


def refuse_unseen(product: Product, question: Question) -> None:
    """`Invalid` for an event or a property that nobody ever sent, with the nearest that somebody did."""
    refuse_unsent(product, events_of(question))
    wanted = [name for name in fields_of(question) if name not in COLUMNS and not name.startswith(_OTHERWISE_KNOWN)]
    if set(wanted) - sent_properties(product, wanted):
        refuse_unknown("property", wanted, property_names(product))


def period(product: Product, days: int | None, *selections: Selection) -> tuple[datetime, datetime]:
    """The last so many days up to now; without a number, from the first to the last time that any of these was seen."""
    now = timezone.now()
    if days is not None:
        return now - timedelta(days=days), now
    first, last = seen_between(product.pk, [event for one in selections for event in one.events])
    if first is None or last is None:
        return now - timedelta(days=1), now
    return first, last + timedelta(milliseconds=1)


def share_of(part: int, whole: int) -> Share | None:
    """Wilson's interval; None where there is nobody to have a share of."""
    found = stats.proportion(part, whole)
    if isinstance(found, NoAnswer):
        return None
    return Share(found.value * 100, found.low * 100, found.high * 100)
