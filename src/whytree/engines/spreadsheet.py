"""Rows as CSV that a spreadsheet only shows. Pure, and quick to import."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any


def inert(value: Any) -> Any:
    """A spreadsheet must not take somebody's text for a formula; nothing is an empty cell."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r", "\n"):
        return f"'{value}"
    return "" if value is None else value


def as_csv(columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """A line of names, then the rows."""
    out = StringIO()
    table = csv.writer(out)
    table.writerow([inert(name) for name in columns])
    table.writerows([inert(cell) for cell in row] for row in rows)
    return out.getvalue()
