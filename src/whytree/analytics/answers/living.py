"""How people live with a product: their states stretch by stretch, and in how many stretches they did something."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from django.utils import timezone

from whytree.engines.figures import number, places
from whytree.stores.pieces import stretches
from whytree.stores.questions import lifecycles as store
from whytree.stores.questions import retention as calendar
from whytree.workspace.models import Product

from ..measures.resolving import ready
from ..queries import people
from ..questions import Lifecycle, Stickiness, label
from .ground import Share, period, refuse_unseen, share_of
from .head import Head, head


@dataclass(frozen=True)
class Lived(store.Lived):
    """`complete` is false while the stretch lasts, or was cut by the period."""

    complete: bool

    @property
    def there(self) -> int:
        return self.new + self.returning + self.resurrected


@dataclass(frozen=True, kw_only=True)
class LifecycleAnswer(Head):
    interval: str
    stretches: tuple[Lived, ...]


@dataclass(frozen=True)
class Times:
    """People who did it in exactly so many stretches, and in so many or more."""

    times: int
    people: int
    at_least: int
    share: Share | None

    @property
    def name(self) -> str:
        return str(self.times)

    @property
    def text(self) -> str:
        return f"{self.people:,}"

    @property
    def width(self) -> str:
        return f"{self.share.value:.1f}" if self.share else "0"


@dataclass(frozen=True, kw_only=True)
class StickinessAnswer(Head):
    interval: str
    bars: tuple[Times, ...]

    @cached_property
    def places(self) -> int | None:
        """Digits behind the point, the same for all shares."""
        return places(bar.share.value for bar in self.bars if bar.share)


def asked_of(product: Product, question: Lifecycle | Stickiness) -> store.Asked:
    """As the store asks it."""
    (event,) = ready(product, [question.event])
    start, end = period(product, question.when, question.event)
    zone = ZoneInfo(product.timezone)
    return store.Asked(event, start.astimezone(zone), end, question.interval, str(zone))


def answer_lifecycle(product: Product, question: Lifecycle) -> LifecycleAnswer:
    """Raises `Invalid` for a name that was never seen."""
    refuse_unseen(product, question)
    asked = asked_of(product, question)
    zone, now = ZoneInfo(product.timezone), timezone.now()
    last = calendar.number_of(
        question.interval, (min(now, asked.end) - timedelta(microseconds=1)).astimezone(zone).date()
    )
    found = []
    for one in store.lifecycle(product.pk, asked, last):
        ends = stretches.moment_of(stretches.next_start(question.interval, one.start), zone)
        begun = question.when.is_from_the_beginning or stretches.moment_of(one.start, zone) >= asked.start
        whole = begun and ends <= (asked.end if question.when.until else now)
        found.append(Lived(one.start, one.new, one.returning, one.resurrected, one.dormant, whole))
    whole_ones = [one for one in found if one.complete]
    n = max((one.there for one in found), default=0)
    return LifecycleAnswer(
        **head(product, question, _lived(question, whole_ones), n, asked.start, asked.end),
        interval=question.interval,
        stretches=tuple(found),
    )


def answer_stickiness(product: Product, question: Stickiness) -> StickinessAnswer:
    """Raises `Invalid` for a name that was never seen."""
    refuse_unseen(product, question)
    asked = asked_of(product, question)
    spread = store.stickiness(product.pk, asked)
    n = sum(spread.values())
    bars, left = [], n
    for times in range(1, max(spread, default=0) + 1):
        here = spread.get(times, 0)
        bars.append(Times(times, here, left, share_of(here, n)))
        left -= here
    return StickinessAnswer(
        **head(product, question, _sticks(question, bars, n), n, asked.start, asked.end),
        interval=question.interval,
        bars=tuple(bars),
    )


def _lived(question: Lifecycle, whole: list[Lived]) -> str:
    what = f"“{label(question.event)}”"
    if not whole:
        return f"{what}: no whole {question.interval} yet."
    last = whole[-1]
    if not last.there:
        return f"Nobody did {what} in the last whole {question.interval}."
    share = number(100 * last.returning / last.there)
    said = f"Of {people(last.there)} who did {what} in the last whole {question.interval}, {share} % had done it in the one before"
    return f"{said}; {last.new:,} were new, {last.resurrected:,} came back after a gap, {last.dormant:,} stayed away."


def _sticks(question: Stickiness, bars: list[Times], n: int) -> str:
    what = f"“{label(question.event)}”"
    if not n:
        return f"Nobody did {what} in this time."
    once = next((bar.people for bar in bars if bar.times == 1), 0)
    often = next((bar for bar in bars if bar.times == 3), None)
    said = f"{number(100 * once / n)} % of {people(n)} did {what} in one {question.interval} only"
    return f"{said}; {number(100 * often.at_least / n)} % in three or more." if often else f"{said}."
