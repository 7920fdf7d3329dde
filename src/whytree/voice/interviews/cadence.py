"""Weeks with a touchpoint: Torres' weekly habit, counted for the team and never for a person.

A touchpoint is a talk with a user that was held. Weeks begin on Monday, in UTC. A talk with somebody who was forgotten since still counts.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from whytree.voice.models import Interview
from whytree.workspace.models import Product

WEEKS = 12


@dataclass(frozen=True)
class Week:
    """`monday` is its first day."""

    monday: date
    talks: int


@dataclass(frozen=True)
class Cadence:
    """The last twelve weeks, the running one last. `last_at`: when the latest talk was held, ever."""

    weeks: tuple[Week, ...]
    last_at: datetime | None

    @property
    def touched(self) -> int:
        return sum(week.talks > 0 for week in self.weeks)

    @property
    def this_week(self) -> int:
        return self.weeks[-1].talks

    @property
    def in_a_row(self) -> int:
        """Weeks in a row with a talk, up to now; the running week does not break it while it lasts."""
        counted = 0
        for week in reversed(self.weeks if self.this_week else self.weeks[:-1]):
            if not week.talks:
                break
            counted += 1
        return counted

    @property
    def sentence(self) -> str:
        if self.last_at is None:
            return "Nobody has talked to a user yet."
        row = f", {self.in_a_row} in a row" if self.in_a_row > 1 else ""
        return f"A talk with a user in {self.touched} of the last {len(self.weeks)} weeks{row}."


def cadence(product: Product, now: datetime) -> Cadence:
    """How steadily the team talks to its users."""
    today = now.astimezone(UTC).date()
    this_monday = today - timedelta(days=today.weekday())
    mondays = [this_monday - timedelta(weeks=back) for back in range(WEEKS - 1, -1, -1)]
    first = datetime.combine(mondays[0], datetime.min.time(), UTC)
    held = Interview.objects.filter(product=product, held_at__lte=now)
    counted: Counter[date] = Counter()
    for held_at in held.filter(held_at__gte=first).values_list("held_at", flat=True):
        day = held_at.astimezone(UTC).date()
        counted[day - timedelta(days=day.weekday())] += 1
    last_at = held.order_by("-held_at").values_list("held_at", flat=True).first()
    return Cadence(tuple(Week(monday, counted[monday]) for monday in mondays), last_at)
