"""A few columns of a table as arrays: a million rows in seconds, where row by row they would take minutes to analyse.

    columns = read_columns(open_table("players.csv.gz"), texts=["version"], numbers=["retention_7"])
    columns.numbers["retention_7"].values   # float64; NaN where the cell held no number, and `faults` says which
    columns.texts["version"].codes          # which of `.names`, -1 where the cell was empty

The answer is that of `Table`'s own rows, cell for cell; `blocks` says how it comes so quickly.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast, overload

import numpy as np
from numpy.typing import NDArray

from whytree.engines.tables.alike import are_distinct
from whytree.engines.tables.blocks import QUICK, Block, NeedsCare, careful_blocks
from whytree.engines.tables.opening import Table
from whytree.engines.tables.rows import RowError, UnreadableTable, listed

MAX_CELLS = 200_000_000
"""What one analysis may hold: eight bytes each. A million units of 20 metrics are a tenth of it."""

LARGEST = 1e100
"""A number beyond this is as good as infinite: its square is on the way out of what a float can hold."""

SHOWN = 5
"""Faults of one kind that are named; all are counted."""

EXACT = 1 << 53
"""Whole numbers up to this are floats of the same value."""

MOST_NUMBERED = 64
"""Texts of a column that are taken as the file numbered them."""

MOST_HASHED = 1 << 30
"""Bytes of texts that are asked at once whether they differ."""

Fault = Literal["missing", "text", "infinite"]

_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "nil", "<na>", "#n/a"})
#: How those are mostly spelled.
ABSENT = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "none", "#N/A", "<NA>")
_TRUTH = {"true": 1.0, "t": 1.0, "yes": 1.0, "y": 1.0, "false": 0.0, "f": 0.0, "no": 0.0, "n": 0.0}


@dataclass(frozen=True)
class Faulty:
    """One cell that holds no number: the row's number as `Row` counts it, and what stands there."""

    row_number: int
    text: str


@dataclass
class NumberColumn:
    """Numbers, NaN where there is none; what kinds of cells those are, and the first of each."""

    values: NDArray[np.float64]
    counts: dict[Fault, int] = field(default_factory=dict)
    faults: dict[Fault, list[Faulty]] = field(default_factory=dict)


@dataclass
class TextColumn:
    """Which of `names` each row holds; -1 where the cell was empty."""

    codes: NDArray[np.int64]
    names: Sequence[str]


@dataclass
class Columns:
    """All arrays have one length; `row_numbers` are those a spreadsheet shows."""

    row_numbers: NDArray[np.int64]
    texts: dict[str, TextColumn]
    numbers: dict[str, NumberColumn]
    errors: list[RowError]
    """The first rows that were left out because they could not be read."""
    unreadable: int
    """How many there were."""
    cut_off: bool
    """Whether reading stopped before the end of the file."""

    @property
    def rows(self) -> int:
        return len(self.row_numbers)


def read_columns(table: Table, *, texts: Sequence[str], numbers: Sequence[str]) -> Columns:
    """The named columns of `table`. A column may be asked for as text and as number.

    Raises `UnreadableTable` when a column is not there, or when the table is larger than `MAX_CELLS`.
    """
    for name in (*texts, *numbers):
        if name not in table.columns:
            raise UnreadableTable(f"There is no column “{name}”. The columns are {listed(table.columns)}.")
    quick = QUICK.get(table.format)
    if quick is not None:
        try:
            return _collect(table, texts, numbers, quick(table, [*dict.fromkeys((*texts, *numbers))], texts))
        except NeedsCare:
            pass
    return _collect(table, texts, numbers, careful_blocks(table, iter(table)))


def _collect(table: Table, texts: Sequence[str], numbers: Sequence[str], blocks: Iterable[Block]) -> Columns:
    rows: list[NDArray[np.int64]] = []
    as_text = {name: _TextGatherer() for name in texts}
    as_number = {name: _NumberGatherer() for name in numbers}
    errors: list[RowError] = []
    unreadable = cells = 0
    cut_off = False
    for block in blocks:
        cells += len(block.row_numbers) * (len(texts) + len(numbers))
        if cells > MAX_CELLS:
            raise UnreadableTable(
                f"{table.path.name} is larger than one analysis can hold ({MAX_CELLS:,} cells). "
                "Ask for fewer metrics at once, or draw whole units at random (say, a tenth of the ids)."
            )
        rows.append(block.row_numbers)
        for name, texter in as_text.items():
            texter.add(block.cells[name])
        for name, numberer in as_number.items():
            numberer.add(block.cells[name], block.row_numbers)
        unreadable += len(block.errors)
        errors.extend(block.errors[: max(0, SHOWN - len(errors))])
        cut_off = cut_off or any(error.reason.startswith("reading stopped here") for error in block.errors)
    return Columns(
        np.concatenate(rows) if rows else np.empty(0, dtype=np.int64),
        {name: gatherer.column() for name, gatherer in as_text.items()},
        {name: gatherer.column() for name, gatherer in as_number.items()},
        errors,
        unreadable,
        cut_off,
    )


class _TextGatherer:
    """Numbers each distinct text in the order of its first appearance."""

    def __init__(self) -> None:
        self.parts: list[Any] = []

    def add(self, cells: Any) -> None:
        self.parts.append(cells)

    def column(self) -> TextColumn:
        if self.parts and not any(isinstance(part, list) for part in self.parts):
            quick = _coded_texts(self.parts)
            if quick is not None:
                return quick
        seen: dict[str, int] = {}
        codes = [
            np.fromiter(
                (_code(cell, seen) for cell in (part if isinstance(part, list) else part.to_pylist())), np.int64
            )
            for part in self.parts
        ]
        return TextColumn(np.concatenate(codes) if codes else np.empty(0, dtype=np.int64), list(seen))


def _code(cell: Any, seen: dict[str, int]) -> int:
    text = "" if cell is None else cell if isinstance(cell, str) else _shown(cell)
    return seen.setdefault(text, len(seen)) if text and not text.isspace() else -1


def _coded_texts(parts: list[Any]) -> TextColumn | None:
    """The same by Arrow, for texts and whole numbers that are distinct as they stand; None for anything else."""
    arrow = importlib.import_module("pyarrow")
    chunks = [chunk for part in parts for chunk in (part.chunks if hasattr(part, "chunks") else [part])]
    kinds = {chunk.type for chunk in chunks}
    if len(kinds) == 1 and all(map(arrow.types.is_dictionary, kinds)):
        coded = arrow.chunked_array(chunks).unify_dictionaries()
        if len(coded.chunk(0).dictionary) <= MOST_NUMBERED:
            return _renumbered(coded)
        chunks = [chunk.cast(chunk.type.value_type) for chunk in chunks]
        kinds = {chunk.type for chunk in chunks}
    if len(kinds) != 1 or not all(map(_is_text_or_whole, kinds)):
        return None
    texts = arrow.chunked_array([chunk.cast(arrow.string()) for chunk in chunks])
    if texts.nbytes < MOST_HASHED:
        whole = texts.combine_chunks()
        if are_distinct(whole):
            return TextColumn(np.arange(len(whole), dtype=np.int64), _Names(whole))
    coded = texts.dictionary_encode().combine_chunks()
    if hasattr(coded, "chunks"):
        coded = coded.chunk(0)
    compute = importlib.import_module("pyarrow.compute")
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    names = coded.dictionary
    if compute.any(compute.or_(compute.equal(names, ""), compute.utf8_is_space(names))).as_py():
        return None  # cells of nothing but space: those are empty, and renumbered
    return TextColumn(codes, _Names(names))


def _renumbered(coded: Any) -> TextColumn:
    """Few texts that the file numbered already, in the order of their first appearance and each once."""
    names = coded.chunk(0).dictionary.to_pylist()
    parts = [one.indices.fill_null(-1) if one.null_count else one.indices for one in coded.chunks]
    codes = np.concatenate([one.to_numpy(zero_copy_only=False) for one in parts])
    first = [(int(here.argmax()), at) for at in range(len(names)) if (here := codes == at).any()]
    seen: dict[str, int] = {}
    own = np.full(len(names) + 1, -1, dtype=np.int64)  # the last is for -1, a cell without one
    for _, at in sorted(first):
        own[at] = _code(names[at], seen)
    return TextColumn(own[codes], list(seen))


def _is_text_or_whole(kind: Any) -> bool:
    types = importlib.import_module("pyarrow").types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_integer(kind))


class _Names(Sequence[str]):
    """Texts that stay in Arrow's memory; a million of them as Python objects would take longer than the analysis."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return list(self)[at]
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        return str(self.array[at].as_py())

    def __iter__(self) -> Iterator[str]:
        return iter(self.array.to_pylist())


class _NumberGatherer:
    def __init__(self) -> None:
        self.parts: list[NDArray[np.float64]] = []
        self.counts: dict[Fault, int] = {}
        self.faults: dict[Fault, list[Faulty]] = {}

    def add(self, cells: Any, row_numbers: NDArray[np.int64]) -> None:
        values = None if isinstance(cells, list) else _cast(cells)
        if values is None:
            values = self._read(cells, row_numbers)
        elif len(values) and not (float(values.min()) >= -LARGEST and float(values.max()) <= LARGEST):  # nor NaN
            for at in np.flatnonzero(np.isnan(values)).tolist():
                self._note("missing", row_numbers, at, "")
            infinite = np.abs(values) > LARGEST
            for at in np.flatnonzero(infinite).tolist():
                self._note("infinite", row_numbers, at, str(values[at]))
            values = np.where(infinite, np.nan, values)
        self.parts.append(values)

    def _read(self, cells: Any, row_numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Cell by cell, each distinct one once."""
        distinct, codes = (cells, np.arange(len(cells))) if isinstance(cells, list) else _encoded(cells)
        read = [read_number(cell) for cell in distinct]
        known = np.array([one if isinstance(one, float) else math.nan for one in read] + [math.nan])
        values = known[codes]
        for at in np.flatnonzero(np.isnan(values)).tolist():
            code = int(codes[at])
            fault = cast(Fault, read[code] if code >= 0 else "missing")
            self._note(fault, row_numbers, at, "" if code < 0 or distinct[code] is None else _shown(distinct[code]))
        return values

    def _note(self, fault: Fault, row_numbers: NDArray[np.int64], at: int, text: str) -> None:
        self.counts[fault] = self.counts.get(fault, 0) + 1
        named = self.faults.setdefault(fault, [])
        if len(named) < SHOWN:
            named.append(Faulty(int(row_numbers[at]), text[:80]))

    def column(self) -> NumberColumn:
        values = self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts) if self.parts else np.empty(0)
        return NumberColumn(values, self.counts, self.faults)


def read_number(cell: Any) -> float | Fault:
    """The number in a cell; true and false are 1 and 0. A number too large to hold is infinite, as `inf` is."""
    if cell is None:
        return "missing"
    if isinstance(cell, str):
        word = cell.strip().lower()
        if word in _MISSING:
            return "missing"
        if word in _TRUTH:
            return _TRUTH[word]
        if "_" in word:
            return "text"
        cell = word
    try:
        number = float(cell)
    except OverflowError:
        return "infinite"
    except (TypeError, ValueError):
        return "text"
    if math.isnan(number):
        return "missing"
    return number if abs(number) <= LARGEST else "infinite"


def _shown(cell: Any) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell)


def _cast(cells: Any) -> NDArray[np.float64] | None:
    """An Arrow array as float64, NaN for null and for words of absence; None when some cell is no number."""
    arrow = importlib.import_module("pyarrow")
    if arrow.types.is_integer(cells.type) and not cells.null_count:
        whole = cells.to_numpy() if hasattr(cells, "chunks") else cells.to_numpy(zero_copy_only=False)
        if len(whole) and whole.min() >= -EXACT and whole.max() <= EXACT:
            return np.asarray(whole, dtype=np.float64)
    try:
        numbers = cells.cast(arrow.float64())
    except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError):
        if not arrow.types.is_string(cells.type):
            return None
        compute = importlib.import_module("pyarrow.compute")
        absent = compute.is_in(cells, value_set=arrow.array(ABSENT))
        try:
            numbers = compute.if_else(absent, arrow.scalar(None, arrow.string()), cells).cast(arrow.float64())
        except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError):
            return None
    return np.asarray(numbers.to_numpy() if hasattr(numbers, "chunks") else numbers.to_numpy(zero_copy_only=False))


def _encoded(cells: Any) -> tuple[list[Any], NDArray[np.int64]]:
    """The distinct values of an Arrow array, and which of them each cell holds (-1 for null)."""
    coded = cells.combine_chunks() if hasattr(cells, "chunks") else cells
    if not hasattr(coded, "dictionary"):
        try:
            coded = coded.dictionary_encode()
        except NotImplementedError:  # lists and nested objects
            return coded.to_pylist(), np.arange(len(coded), dtype=np.int64)
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return coded.dictionary.to_pylist(), codes
