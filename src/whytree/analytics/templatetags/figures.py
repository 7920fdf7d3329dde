"""Numbers as people read them, in templates."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Literal

from django import template

from whytree.engines import figures

register = template.Library()


@register.filter
def stretch(start: date | datetime, each: str) -> str:
    """When a stretch of time begins: "Mon 2 Mar 2026", "March 2026", "Mon 2 Mar 2026, 14:00"."""
    if isinstance(start, datetime):
        return f"{start:%a} {start.day} {start:%b %Y, %H:%M}"
    return f"{start:%B %Y}" if each == "month" else f"{start:%a} {start.day} {start:%b %Y}"


@register.filter
def number(value: float | Literal[""] | None, places: int | None = None) -> str:
    """31.2, 1,234, −0.4; nothing for nothing ("" is what a template makes of a row that is not there).

    In a column with as many digits behind the point as the column has.
    """
    return "" if value is None or value == "" else figures.number(value, places)


@register.filter
def places(rows: Iterable[Any], column: str) -> int | None:
    """How many digits behind the point a column needs: `{% with digits=rows|places:"share.value" %}`, then `|number:digits`."""
    cell = template.Variable(f"row.{column}")
    return figures.places(_resolved(cell, row) for row in rows)


def _resolved(cell: template.Variable, row: Any) -> float | None:
    try:
        found: float | None = cell.resolve({"row": row})
    except template.VariableDoesNotExist:  # a row without that share
        return None
    return found


@register.filter
def between(low: float, high: float) -> str:
    """0.64 to 0.80"""
    return figures.between(low, high)


@register.filter
def percent(share: float | None) -> str:
    """31.2 %; nothing for nothing."""
    return "" if share is None else figures.percent(share)


@register.filter
def split(words: str) -> list[str]:
    """ "day week month" as a list."""
    return words.split()


@register.filter
def signed(value: float | None) -> str:
    """The same with its sign, for differences."""
    if value is None:
        return ""
    return ("+" if value > 0 else "") + figures.number(value)
