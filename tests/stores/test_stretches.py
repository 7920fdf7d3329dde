"""Stretches of a calendar whose clocks change."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from whytree.stores.pieces.stretches import Interval, moment_of, next_start, starts

BERLIN = ZoneInfo("Europe/Berlin")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("end", "hours"),
    [
        (utc(2026, 10, 25, 0, 30), [23, 0]),  # half past two in summer: two o'clock is still to come again
        (utc(2026, 10, 25, 1, 0), [23, 0]),
        (utc(2026, 10, 25, 1, 30), [23, 0, 1]),  # half past two in winter
        (utc(2026, 10, 25, 2, 0), [23, 0, 1]),
    ],
)
def test_an_hour_that_comes_twice_is_two_hours(end: datetime, hours: list[int]) -> None:
    start = utc(2026, 10, 24, 23, 10)
    found = starts("hour", start.astimezone(BERLIN), end.astimezone(BERLIN))
    assert [at.hour for at in found if isinstance(at, datetime)] == hours


def test_an_hour_that_never_comes_is_none() -> None:
    found = starts("hour", utc(2027, 3, 28, 0, 5).astimezone(BERLIN), utc(2027, 3, 28, 2, 0).astimezone(BERLIN))
    assert [f"{at.astimezone(BERLIN):%H:%M}" for at in found if isinstance(at, datetime)] == ["01:00", "03:00"]


@pytest.mark.parametrize(
    ("interval", "start", "end", "first_days"),
    [
        ("day", utc(2027, 3, 27, 23), utc(2027, 3, 28, 22), [date(2027, 3, 28)]),  # of 23 hours
        ("day", utc(2026, 10, 24, 22), utc(2026, 10, 25, 23), [date(2026, 10, 25)]),  # of 25
        ("week", utc(2027, 1, 3, 22), utc(2027, 1, 4, 0), [date(2026, 12, 28), date(2027, 1, 4)]),  # week 53, week 1
        ("month", utc(2028, 2, 29, 22), utc(2028, 3, 1), [date(2028, 2, 1), date(2028, 3, 1)]),
        ("month", utc(2027, 1, 31, 12), utc(2027, 3, 31), [date(2027, 1, 1), date(2027, 2, 1), date(2027, 3, 1)]),
    ],
)
def test_days_weeks_and_months_follow_the_calendar(
    interval: Interval, start: datetime, end: datetime, first_days: list[date]
) -> None:
    assert list(starts(interval, start.astimezone(BERLIN), end.astimezone(BERLIN))) == first_days


@pytest.mark.parametrize(("day", "hours"), [(date(2027, 3, 28), 23), (date(2026, 10, 25), 25), (date(2028, 2, 29), 24)])
def test_a_day_is_as_long_as_its_clock_says(day: date, hours: int) -> None:
    begins, ends = (moment_of(one, BERLIN).astimezone(UTC) for one in (day, next_start("day", day)))
    assert (ends - begins).total_seconds() == hours * 3600
