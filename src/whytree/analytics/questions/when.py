"""Which time a question is about. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from whytree.errors import Invalid

from .parts import checked_days

#: What the store can hold a moment of, with room for whatever is counted from it.
EARLIEST, LATEST = date(1900, 1, 2), date(2290, 12, 31)


@dataclass(frozen=True)
class When:
    """The last `days` days, or from the day `since` to the day `until`, both in it; without any of them, all there is.

    Days are the product's.
    """

    days: int | None = None
    since: date | None = None
    until: date | None = None

    @property
    def is_from_the_beginning(self) -> bool:
        """Whether the first stretch is whole because the events themselves begin with it."""
        return self.days is None and self.since is None

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "When":
        found = cls(checked_days(raw.get("days")), _day(raw, "since"), _day(raw, "until"))
        if found.days is not None and (found.since or found.until):
            raise Invalid("Say the last “days”, or “since” and “until”; both at once are two times.")
        if found.since and found.until and found.since > found.until:
            raise Invalid("“since” lies after “until”. Swap the two days.")
        return found

    @property
    def json(self) -> dict[str, Any]:
        days = {"since": self.since, "until": self.until}
        said: dict[str, Any] = {"days": self.days} if self.days else {}
        return said | {name: day.isoformat() for name, day in days.items() if day}


ALL_THERE_IS = When()
#: What says it in a question's JSON.
TIME = ("days", "since", "until")


def in_time(raw: Mapping[str, Any], when: When) -> dict[str, Any]:
    """The same question of another time; of its own, where that is all there is."""
    if when == ALL_THERE_IS:
        return dict(raw)
    return {name: value for name, value in raw.items() if name not in TIME} | when.json


def in_last(raw: Mapping[str, Any], days: int | None) -> dict[str, Any]:
    """The same question of the last days; without a number, of its own time."""
    return in_time(raw, When(days or None))


def _day(raw: Mapping[str, Any], name: str) -> date | None:
    value = raw.get(name)
    if value in (None, ""):
        return None
    try:
        found = date.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None:
        raise Invalid(f"“{name}” is a day, as 2026-05-01, not {str(value)[:40]!r}.")
    if not EARLIEST <= found <= LATEST:
        raise Invalid(f"“{name}” lies between {EARLIEST.year} and {LATEST.year}.")
    return found
