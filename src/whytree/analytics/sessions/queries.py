"""What may be asked of sessions. A session ends when its person did nothing for the product's `session_minutes`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from whytree.engines.figures import number, percent
from whytree.engines.stats import Estimate, NoAnswer
from whytree.engines.stats.groups import proportion
from whytree.errors import Invalid
from whytree.events.intake.services import intake_of
from whytree.stores.sessions import Place, SessionSums, session_places, session_sums
from whytree.workspace.models import Product

USUAL_DAYS = 28
MOST_DAYS = 366


@dataclass(frozen=True)
class Sessions:
    """The sessions that began in a period."""

    sums: SessionSums
    places: list[Place]
    bounced: Estimate | None
    idle_minutes: int
    days: int
    from_at: datetime
    to_at: datetime

    @property
    def each(self) -> float:
        """Sessions a person."""
        return self.sums.sessions / self.sums.people if self.sums.people else 0.0

    @property
    def length_text(self) -> str:
        return span_text(self.sums.seconds)

    @property
    def p90_text(self) -> str:
        return span_text(self.sums.p90_seconds)

    @property
    def sentence(self) -> str:
        if not self.sums.sessions:
            return f"Nobody did anything in the last {self.days} days."
        share = percent(self.bounced.value) if self.bounced else "0 %"
        return f"Half of all sessions last {self.length_text} or less; {share} end after one event."


def sessions(product: Product, *, days: int = USUAL_DAYS) -> Sessions:
    """Length, pages, entry, exit and bounce of the sessions that began in the last days."""
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"Ask for 1 to {MOST_DAYS} days.")
    end = timezone.now()
    start = end - timedelta(days=days)
    idle = intake_of(product).session_minutes
    sums = session_sums(product.pk, start, end, idle)
    share = proportion(sums.bounced, sums.sessions)
    bounced = None if isinstance(share, NoAnswer) else share
    return Sessions(sums, session_places(product.pk, start, end, idle), bounced, idle, days, start, end)


def span_text(seconds: float | None) -> str:
    """ "40 s", "3.2 min", "1.4 h"; a dash for nothing."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return f"{number(round(seconds, 1))} s"
    return f"{number(seconds / 60)} min" if seconds < 5_400 else f"{number(seconds / 3_600)} h"
