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
    """How many digits behind the point a column of these has: as many as the one that needs most.

    None where one is so small that it has a power of ten: then each stands for itself.
    """
    texts = [number(value) for value in values if value is not None]
    if any("e" in text for text in texts):
        return None
    return max((len(text.partition(".")[2]) for text in texts), default=0)


def between(low: float, high: float) -> str:
    """0.64 to 0.80: both ends with the same digits."""
    digits = places((low, high))
    return f"{number(low, digits)} to {number(high, digits)}"


def percent(share: float) -> str:
    """A share in words: nothing is rounded to none or to all of it."""
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"
