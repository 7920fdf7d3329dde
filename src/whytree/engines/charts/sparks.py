"""A picture the size of a word, written by hand."""

from __future__ import annotations

import math
from collections.abc import Iterable

from .drawing import LEAF


def spark(values: Iterable[float]) -> str:
    """A line the size of a word. Nothing below two values: one day is no trend."""
    numbers = [value for value in values if math.isfinite(value)]
    if len(numbers) < 2:
        return ""
    low, high = min(numbers), max(numbers)
    step = 200 / (len(numbers) - 1)
    points = " ".join(f"{i * step:.1f},{_height(value, low, high):.1f}" for i, value in enumerate(numbers))
    return (
        '<svg class="spark" viewBox="0 0 200 34" preserveAspectRatio="none" aria-hidden="true">'
        f'<polyline points="{points}" fill="none" stroke="{LEAF}" stroke-width="1.8" '
        'vector-effect="non-scaling-stroke"/></svg>'
    )


def _height(value: float, low: float, high: float) -> float:
    return 17.0 if high == low else 30 - 26 * (value - low) / (high - low)
