"""Numbers as people read them, at every door. Pure, and quick to import."""

from collections.abc import Iterable


def number(value: float, places: int | None = None) -> str:
    """Two or three digits that matter, thousands set apart, a real minus; in a column, as many behind the point as `places`."""
    size = abs(value)
    if places is not None:
        text = f"{value:,.{places}f}"
    elif size >= 100 or value == int(value):
        text = f"{value:,.0f}"
    elif size >= 1:
        text = f"{value:.1f}"
    else:
        text = f"{value:.2g}"
    return (text if text.strip("-0.") else text.lstrip("-")).replace("-", "−")


def places(values: Iterable[float | None]) -> int | None:
    """How many digits behind the point a column of these has: as many as one needs, and no more than matter to the largest.

    None where all are so small that they have a power of ten: then each stands for itself.
    """
    known = [value for value in values if value is not None]
    largest = max(map(abs, known), default=0)
    if 0 < largest < 0.0001:
        return None
    most = max((len(number(value).partition(".")[2]) for value in known), default=0)
    if largest >= 1:
        return min(most, 0 if largest >= 100 else 1 if largest >= 10 else 2)
    return min(most, len(f"{largest:#.2g}") - 2) if largest else 0


def between(low: float, high: float) -> str:
    """0.64 to 0.80: both ends with the same digits, and neither rounded to nothing."""
    digits = places((low, high))
    if digits is not None and any(end and not round(end, digits) for end in (low, high)):
        digits = len(number(min(low, high, key=abs)).partition(".")[2])
    return f"{number(low, digits)} to {number(high, digits)}"


def percent(share: float) -> str:
    """A share in words: nothing is rounded to none or to all of it."""
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


MOST_STARS = 5


def stars(rating: float, digits: int = 2) -> str:
    """`4★`, `3.5★`; more than five, as an answer to *how likely*, are no stars: `rated 9`."""
    told = f"{rating:.{digits}f}".rstrip("0").rstrip(".")
    return f"{told}★" if 0 < rating <= MOST_STARS else f"rated {told}"
