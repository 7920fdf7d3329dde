"""Guess which column of a stranger's table holds what we want, by its name, then by its content."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from whytree.engines.tables.times import guess_day_first, parse_time

Looks: TypeAlias = Literal["time", "id", "text", "number"]

MOSTLY = 0.8
"""Share of a column's filled cells that must look right: exports have stray cells."""

LONG_TEXT = 20
"""Mean length from which a column without a telling name can be what people wrote."""

_WORD = re.compile(r"[a-z]+|[0-9]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One field we look for: the names others give it, best first, and what its cells look like."""

    names: Sequence[str]
    looks: Looks = "text"
    whole: Sequence[str] = ()
    """Names that only count as a column's whole name: `id` is not found in `session_id`, nor `name` in `package name`."""
    by_content: bool = True
    """Whether content alone may decide. Only times and long texts are ever recognised so."""


def guess_mapping(
    columns: Sequence[str], sample: Sequence[Mapping[str, Any]], wanted: Mapping[str, Wanted]
) -> dict[str, str]:
    """Our field -> their column. A field that nothing fits is absent; no column serves two fields.

    A name that fits exactly wins over one that contains the wanted words, for all fields, before content is asked.
    A column whose cells cannot be what is wanted is never taken, whatever its name.
    """
    found: dict[str, str] = {}
    for exact in (True, False):
        for field, want in wanted.items():
            if field not in found:
                free = [column for column in columns if column not in found.values()]
                _put(found, field, _by_name(free, sample, want, exact=exact))
    for field, want in wanted.items():
        if field not in found and want.by_content:
            free = [column for column in columns if column not in found.values()]
            _put(found, field, _by_content(free, sample, want.looks))
    return found


def _put(found: dict[str, str], field: str, column: str | None) -> None:
    if column is not None:
        found[field] = column


def _words(name: str) -> tuple[str, ...]:
    """`Review Text`, `review_text` and `reviewText` are the same two words."""
    return tuple(_WORD.findall(_HUMP.sub(" ", name).lower()))


def _by_name(columns: Sequence[str], sample: Sequence[Mapping[str, Any]], want: Wanted, *, exact: bool) -> str | None:
    for name in (*want.names, *want.whole) if exact else want.names:
        words = _words(name)
        for column in columns:
            theirs = _words(column)
            fits = "".join(theirs) == "".join(words) if exact else _contains(theirs, words)
            if fits and could_be(cells(sample, column), want.looks):
                return column
    return None


def _contains(theirs: Sequence[str], words: Sequence[str]) -> bool:
    """Whether all words stand in the column's name, next to each other and in order."""
    width = len(words)
    return any(tuple(theirs[at : at + width]) == tuple(words) for at in range(len(theirs) - width + 1))


def cells(sample: Sequence[Mapping[str, Any]], column: str) -> list[Any]:
    """The filled cells of one column of the sample."""
    return [row[column] for row in sample if row.get(column) not in (None, "")]


def could_be(values: Sequence[Any], looks: Looks) -> bool:
    """Whether these cells may be of that kind. An empty column may be anything its name says."""
    if not values:
        return True
    if looks == "time":
        # 03/04/2024 is a time that perhaps only the person can read; it is the column for times all the same.
        day_first = guess_day_first(values) is not False
        fitting = sum(parse_time(value, day_first=day_first) is not None for value in values)
    else:
        fitting = sum(_fits(value, looks) for value in values)
    return fitting >= len(values) * MOSTLY


def _fits(value: Any, looks: Looks) -> bool:
    if looks == "number":
        return _is_number(value)
    if looks == "id":
        return isinstance(value, str | int) and not isinstance(value, bool) and len(str(value)) <= 400
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _by_content(columns: Sequence[str], sample: Sequence[Mapping[str, Any]], looks: Looks) -> str | None:
    if looks == "time":
        return next((column for column in columns if _is_time_column(cells(sample, column))), None)
    if looks == "text":
        lengths = {column: _mean_length(cells(sample, column)) for column in columns}
        longest = max(lengths, key=lambda column: lengths[column], default=None)
        return longest if longest is not None and lengths[longest] >= LONG_TEXT else None
    return None


def _is_time_column(values: Sequence[Any]) -> bool:
    return bool(values) and could_be(values, "time")


def _mean_length(values: Sequence[Any]) -> float:
    """Mean length of cells that are made of words; ids and links are long too."""
    texts = [value for value in values if isinstance(value, str) and " " in value.strip()]
    if len(texts) < len(values) * 0.5 or not texts:
        return 0.0
    return sum(map(len, texts)) / len(texts)
