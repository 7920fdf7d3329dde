"""Rectangles whose areas are in proportion, as square as they come.

Bruls, Huizing and van Wijk 2000, "Squarified treemaps": the largest first, row by row along the shorter side; a row takes
one more as long as that makes its worst rectangle no longer than it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Left upper corner and size, in the units of the whole."""

    x: float
    y: float
    width: float
    height: float


def squarify(values: Sequence[float], whole: Rectangle) -> list[Rectangle]:
    """One rectangle a value, in their order; a value of 0 or less gets an empty one."""
    placed: dict[int, Rectangle] = {}
    order = sorted((at for at, value in enumerate(values) if value > 0), key=lambda at: -values[at])
    total = sum(values[at] for at in order)
    scale = whole.width * whole.height / total if total else 0.0
    rest, at = whole, 0
    while at < len(order):
        side = min(rest.width, rest.height)
        row = [values[order[at]] * scale]
        while at + len(row) < len(order):
            longer = [*row, values[order[at + len(row)]] * scale]
            if _worst(longer, side) > _worst(row, side):
                break
            row = longer
        cells, rest = _lay(row, rest)
        placed.update(zip(order[at : at + len(row)], cells, strict=True))
        at += len(row)
    empty = Rectangle(whole.x, whole.y, 0, 0)
    return [placed.get(at, empty) for at in range(len(values))]


def _worst(row: Sequence[float], side: float) -> float:
    """The largest ratio of sides in a row, whichever side is the longer (the paper's `worst`)."""
    total = sum(row)
    return max(side * side * max(row) / total**2, total**2 / (side * side * min(row))) if side else float("inf")


def _lay(row: Sequence[float], rest: Rectangle) -> tuple[list[Rectangle], Rectangle]:
    """A row along the shorter side, and what is left beside it."""
    cells = []
    if rest.width >= rest.height:
        width, y = sum(row) / rest.height if rest.height else 0.0, rest.y
        for area in row:
            height = area / width if width else 0.0
            cells.append(Rectangle(rest.x, y, width, height))
            y += height
        return cells, Rectangle(rest.x + width, rest.y, max(rest.width - width, 0), rest.height)
    height, x = sum(row) / rest.width, rest.x
    for area in row:
        width = area / height if height else 0.0
        cells.append(Rectangle(x, rest.y, width, height))
        x += width
    return cells, Rectangle(rest.x, rest.y + height, rest.width, max(rest.height - height, 0))
