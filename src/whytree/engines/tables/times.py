"""Times as exports write them. What could be read in two ways is not read at all."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from email.utils import parsedate_to_datetime
from typing import Any

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)

EPOCH_UNITS = ((1e8, 1e11, 1.0), (1e11, 1e14, 1e3), (1e14, 1e17, 1e6), (1e17, 1e20, 1e9))
"""From, below, units in a second: seconds, milliseconds, micro- and nanoseconds. Below 1e8 (1973) it is a number."""

_FORMATS = (
    "%d/%b/%y %I:%M %p",  # Jira
    "%d/%b/%Y:%H:%M:%S %z",  # web server logs
    "%d %b %Y",
    "%d %b %Y %H:%M",
    "%d %b %Y %H:%M:%S",
    "%d %B %Y",
    "%d %B %Y %H:%M",
    "%d-%b-%Y",
    "%d-%b-%Y %H:%M:%S",
    "%b %d %Y",
    "%b %d %Y %H:%M",
    "%b %d %Y %H:%M:%S",
    "%b %d %Y %I:%M %p",
    "%b %d %Y %I:%M:%S %p",
    "%B %d %Y",
    "%B %d %Y %H:%M",
    "%B %d %Y %I:%M %p",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
)
_NUMBER = re.compile(r"^\d{9,19}(\.\d+)?$")
_SLASHED = re.compile(r"^(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})(?:,?\s+(.+))?$")
_YEAR_FIRST = re.compile(r"^(\d{4})/(\d{1,2})/(\d{1,2})(.*)$")
_ZONE_APART = re.compile(r"\s+([+-]\d{2}:?\d{2})$")
_ZONE_NAME = re.compile(r"\s*\(?(UTC|GMT)\)?$", re.IGNORECASE)
_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")


def parse_time(value: Any, *, day_first: bool | None = None) -> datetime | None:
    """The moment that `value` names, in UTC; None when it names none that can be read with certainty.

    Takes ISO 8601, epoch seconds to nanoseconds (told apart by size), RFC 2822, `10 Jan 2017 14:05`, Jira's
    `12/Mar/24 9:41 AM`, `31.12.2024` and `datetime` objects. A time without a zone is taken as UTC. `03/04/2024` is
    March or April: None, unless `day_first` says which (`guess_day_first` finds out from a whole column).
    """
    if isinstance(value, datetime):
        return _in_range(value)
    if isinstance(value, date):
        return _in_range(datetime.combine(value, time()))
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _from_epoch(float(value))
    return _from_text(value.strip(), day_first) if isinstance(value, str) else None


def is_slashed(value: Any) -> bool:
    """Whether this is written as `03/04/2024`, which may be March or April."""
    return isinstance(value, str) and _SLASHED.match(value.strip()) is not None


def guess_day_first(values: Iterable[Any]) -> bool | None:
    """Whether `a/b/2024` in this column means day a, month b. None when nothing in it tells."""
    for value in values:
        match = _SLASHED.match(value.strip()) if isinstance(value, str) else None
        if match is None:
            continue
        if int(match[1]) > 12:
            return True
        if int(match[2]) > 12:
            return False
    return None


def _in_range(moment: datetime) -> datetime | None:
    try:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return moment if EARLIEST <= moment < LATEST else None


def _from_epoch(number: float) -> datetime | None:
    if not math.isfinite(number):
        return None
    for least, below, unit in EPOCH_UNITS:
        if least <= number < below:
            try:
                return _in_range(datetime.fromtimestamp(number / unit, UTC))
            except (OverflowError, OSError, ValueError):
                return None
    return None


def _from_text(text: str, day_first: bool | None) -> datetime | None:
    if not 6 <= len(text) <= 64:
        return None
    if _NUMBER.match(text):
        return _from_epoch(float(text))
    if not text[0].isalnum() or (text.isdigit() and len(text) != 8):
        return None
    text = _ZONE_APART.sub(r"\1", _ZONE_NAME.sub("Z", text)) if not text[0].isalpha() else text
    moment = _from_iso(text)
    if moment is None:
        moment = _from_slashes(text, day_first) or _from_formats(text) or _from_mail(text)
    return None if moment is None else _in_range(moment)


def _from_iso(text: str) -> datetime | None:
    if (slashed := _YEAR_FIRST.match(text)) is not None:
        text = f"{slashed[1]}-{int(slashed[2]):02}-{int(slashed[3]):02}{slashed[4]}"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _from_slashes(text: str, day_first: bool | None) -> datetime | None:
    match = _SLASHED.match(text.removesuffix("Z"))
    if match is None:
        return None
    first, second = int(match[1]), int(match[2])
    if first > 12 or second > 12:
        day_first = first > 12
    elif first == second:
        day_first = True
    if day_first is None:
        return None
    day, month = (first, second) if day_first else (second, first)
    year = int(match[3]) + (2000 if len(match[3]) == 2 else 0)
    clock = _clock(match[4])
    try:
        return None if clock is None else datetime.combine(date(year, month, day), clock)
    except ValueError:
        return None


def _clock(text: str | None) -> time | None:
    if not text:
        return time()
    for pattern in _CLOCKS:
        try:
            return datetime.strptime(text, pattern).time()
        except ValueError:
            continue
    return None


def _from_formats(text: str) -> datetime | None:
    plain = text.replace(",", "").removesuffix("Z").strip()
    for pattern in _FORMATS:
        try:
            return datetime.strptime(plain, pattern)
        except ValueError:
            continue
    return None


def _from_mail(text: str) -> datetime | None:
    if text[0].isdigit() and "-" in text[:8]:
        return None
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
