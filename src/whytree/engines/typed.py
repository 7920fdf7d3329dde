"""What people type into a field: days, moments, numbers. A fault is an `Invalid` that says how to write it."""

import math
import re
from datetime import UTC, date, datetime

from whytree.errors import Invalid

_EITHER = re.compile(r"^-?[1-9]\d{0,2},\d{3}$")
"""1,000 is a thousand to one reader and one to another."""


def day_of(text: str) -> date:
    """2026-03-01, as browsers' date fields send it."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid(f"“{text[:30]}” is no day. Write it as 2026-03-01.") from error


def optional_day(text: str) -> date | None:
    return day_of(text) if text.strip() else None


def optional_moment(text: str) -> datetime | None:
    """2026-03-01T09:00 or with a space, in UTC unless it says otherwise; None for nothing."""
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid(f"“{text[:30]}” is no moment. Write it as 2026-03-01 09:00.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def number_of(text: str, refusal: str) -> float:
    """31.2 or 31,2, with a minus of either kind, with or without a percent sign. Raises `Invalid` with `refusal`."""
    typed = text.replace("−", "-").replace("%", "").strip()
    if _EITHER.search(typed):
        raise Invalid(refusal)
    try:
        found = float(typed.replace(",", "."))
    except ValueError as error:
        raise Invalid(refusal) from error
    if not math.isfinite(found):
        raise Invalid(refusal)
    return found


def whole_of(text: str, refusal: str) -> int:
    """Digits, and no more of them than a column holds. Raises `Invalid` with `refusal`."""
    cleaned = text.strip()
    if not (cleaned.isascii() and cleaned.isdigit() and len(cleaned) <= 9):
        raise Invalid(refusal)
    return int(cleaned)
