"""Stretches of a product's calendar: hours, days, weeks from Monday, months. A stretch goes by its first day, an hour by its moment."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Literal
from zoneinfo import ZoneInfo

Interval = Literal["hour", "day", "week", "month"]

_BUCKETS: dict[Interval, str] = {
    "hour": "toStartOfHour({at}, {{zone:String}})",
    "day": "toDate32({at}, {{zone:String}})",
    "week": "toMonday({at}, {{zone:String}})",
    "month": "toStartOfMonth({at}, {{zone:String}})",
}


def bucket_sql(interval: Interval, at: str = "timestamp") -> str:
    """The stretch that a moment lies in, as SQL that binds `zone`."""
    return _BUCKETS[interval].format(at=at)


def next_start(interval: Interval, start: Any) -> Any:
    """When the next stretch begins: a day, or for hours a moment."""
    if interval == "hour":
        return (start.astimezone(UTC) + timedelta(hours=1)).astimezone(start.tzinfo)
    if interval == "month":
        return (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    return start + timedelta(days=1 if interval == "day" else 7)


def moment_of(start: date | datetime, zone: ZoneInfo) -> datetime:
    """When a stretch begins, to the moment."""
    return start if isinstance(start, datetime) else datetime.combine(start, time(), zone)


def key_of(start: date | datetime) -> date | datetime:
    """Moments are compared as moments, whatever their zone."""
    return start.astimezone(UTC) if isinstance(start, datetime) else start


def by_clock(start: date | datetime, zone: tzinfo | None) -> date | datetime:
    """A moment as the calendar's clock shows it."""
    return start.astimezone(zone) if isinstance(start, datetime) else start


def starts(interval: Interval, start: datetime, end: datetime) -> Iterator[date | datetime]:
    """The first day, or moment in UTC, of every stretch that `start` <= t < `end` touches; both are in the calendar's zone."""
    if interval == "hour":
        at, until = start.replace(minute=0, second=0, microsecond=0).astimezone(UTC), end.astimezone(UTC)
        while (
            at < until
        ):  # in UTC: in its own zone an hour that comes twice is compared, and counted on, by the clock's face
            yield at
            at += timedelta(hours=1)
        return
    last = (end.astimezone(UTC) - timedelta(microseconds=1)).astimezone(end.tzinfo)
    day = start.date()
    day = (
        day - timedelta(days=day.weekday())
        if interval == "week"
        else day.replace(day=1)
        if interval == "month"
        else day
    )
    while day <= last.date():
        yield day
        day = next_start(interval, day)
