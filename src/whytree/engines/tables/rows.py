"""What every reader gives back: rows, and rows that could not be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, TypeAlias

MAX_CELL = 1_000_000
"""Characters in one cell. A long transcript has 100,000; a cell beyond this is a broken quote or an attack."""

MAX_ROW = 4_000_000
"""Characters in one row, and so the most that a reader ever holds of a text file."""

MAX_COLUMNS = 2_000

BEYOND_HEADER = "(beyond the header)"
"""Where a ragged table's row keeps, as a list, the cells that no column is named for."""

MAX_DEPTH = 8
"""Nested objects are flattened to dotted columns down to this depth; what lies deeper stays one value."""


class UnreadableTable(ValueError):
    """The file as a whole cannot be read; the message says what to do."""


class MissingReader(UnreadableTable):
    """The file is fine, but the optional package that reads its format is not installed."""


class Row(NamedTuple):
    """One row. `row_number` is what a spreadsheet shows (the header is row 1); in JSON lines it is the line."""

    row_number: int
    values: dict[str, Any]


class RowError(NamedTuple):
    """One row that was left out, and why, in words for the person who owns the file."""

    row_number: int
    reason: str


def listed(columns: Sequence[str]) -> str:
    """A table's columns in a sentence: the first forty."""
    return ", ".join(f"“{name}”" for name in columns[:40]) + (" …" if len(columns) > 40 else "")


def plain(value: Any) -> Any:
    """A cell as JSON can carry it: spreadsheets and Parquet hold dates, decimals and more."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str | int | float | bool | list | dict) or value is None:
        return value
    return str(value)


Rows: TypeAlias = Iterator[Row | RowError]

_UNDECODED = re.compile("[\ud800-\udfff]")


def fault_in_text(text: str) -> str | None:
    """Why this text cannot be stored, or None. Half a character or a NUL would fail later, far from its row."""
    if text.isascii():
        return "it contains a NUL character" if "\0" in text else None
    if "\0" in text:
        return "it contains a NUL character"
    if _UNDECODED.search(text):
        return "it contains bytes that do not belong to the file's encoding; save the file as UTF-8"
    return None


def fault_in_values(values: dict[str, Any]) -> str | None:
    """The first reason why one of the cells cannot be taken, or None."""
    for name, value in values.items():
        if not isinstance(value, str):
            continue
        if len(value) > MAX_CELL:
            return f"the cell in column “{name}” has {len(value):,} characters; the limit is {MAX_CELL:,}"
        fault = fault_in_text(value)
        if fault is not None:
            return fault
    return None


def checked(row_number: int, values: dict[str, Any]) -> Row | RowError:
    """The row, or the error that says which cell makes it unusable."""
    fault = fault_in_values(values)
    return Row(row_number, values) if fault is None else RowError(row_number, fault)


def name_columns(header: Sequence[Any]) -> list[str]:
    """Column names that are unique and not empty: Jira repeats `Labels`, a spreadsheet leaves headers blank."""
    if len(header) > MAX_COLUMNS:
        raise UnreadableTable(f"The first row has {len(header):,} cells; the limit is {MAX_COLUMNS:,} columns.")
    names: list[str] = []
    taken: set[str] = set()
    for position, cell in enumerate(header, start=1):
        wanted = str(cell).strip() if cell is not None else ""
        name = unique_name(wanted or f"column {position}", taken)
        taken.add(name)
        names.append(name)
    return names


def unique_name(wanted: str, taken: set[str]) -> str:
    """`wanted`, or `wanted (2)`, `wanted (3)` ... when it is taken."""
    name, copy = wanted, 1
    while name in taken:
        copy += 1
        name = f"{wanted} ({copy})"
    return name


def flatten(values: dict[str, Any], *, depth: int = MAX_DEPTH) -> dict[str, Any]:
    """Nested objects as dotted columns: `{"user": {"id": 1}}` becomes `{"user.id": 1}`. Lists stay lists."""
    if depth <= 1 or not any(isinstance(value, dict) for value in values.values()):
        return values
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict) and value:
            inner = flatten(value, depth=depth - 1)
            flat.update({f"{name}.{key}": leaf for key, leaf in inner.items()})
        else:
            flat[name] = value
    return flat
