"""A few columns of a table as arrays: a million rows in seconds, where row by row they would take minutes to analyse.

    columns = read_columns(open_table("players.csv.gz"), texts=["version"], numbers=["retention_7"])
    columns.numbers["retention_7"].values   # float64; NaN where the cell held no number, and `faults` says which
    columns.texts["version"].codes          # which of `.names`, -1 where the cell was empty

The answer is that of `Table`'s own rows, cell for cell. Parquet, and CSV of which every line can be read by itself, go
block by block through Arrow; a block with anything unusual in it (a short row, a stray byte) is read with care, and a
file with quotes that span lines is read with care as a whole.
"""

from __future__ import annotations

import importlib
import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from whytree.engines.tables.delimited import DelimitedRows
from whytree.engines.tables.opening import Table
from whytree.engines.tables.rows import MAX_ROW, Row, RowError, UnreadableTable
from whytree.engines.tables.streams import DAMAGED, open_bytes

BLOCK = 8 * 1024 * 1024
"""Bytes of CSV that are read at once."""

CAREFUL_ROWS = 50_000
"""Rows that are collected before they become arrays."""

MAX_CELLS = 200_000_000
"""What one analysis may hold: eight bytes each. A million units of 20 metrics are a tenth of it."""

SHOWN = 5
"""Faults of one kind that are named; all are counted."""

Fault = Literal["missing", "text", "infinite"]

_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "nil", "<na>", "#n/a"})
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
    names: list[str]


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
            raise UnreadableTable(f"There is no column “{name}”. The columns are {_listed(table.columns)}.")
    quick = {"parquet": _parquet_blocks, "csv": _delimited_blocks, "tsv": _delimited_blocks}.get(table.format)
    if quick is not None:
        try:
            return _collect(table, texts, numbers, quick(table, [*dict.fromkeys((*texts, *numbers))]))
        except _NeedsCare:
            pass
    return _collect(table, texts, numbers, _careful_blocks(table, iter(table)))


class _NeedsCare(Exception):
    """The quick way cannot be sure to read this file as `Table` does."""


@dataclass
class _Block:
    """Rows read together: cells by column, as Python values or as Arrow arrays."""

    row_numbers: NDArray[np.int64]
    cells: dict[str, Any]
    errors: list[RowError] = field(default_factory=list)


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f"“{name}”" for name in columns[:40]) + (" …" if len(columns) > 40 else "")


# --- from blocks to columns ------------------------------------------------------------------------------------------


def _collect(table: Table, texts: Sequence[str], numbers: Sequence[str], blocks: Iterable[_Block]) -> Columns:
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
            texter.add(block.cells[name], len(block.row_numbers))
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
        self.seen: dict[str, int] = {}
        self.parts: list[NDArray[np.int64]] = []

    def add(self, cells: Any, length: int) -> None:
        if not isinstance(cells, list):
            cells, codes = _encoded(cells)
            known = np.array([self._code(cell) for cell in cells] or [-1], dtype=np.int64)
            self.parts.append(np.where(codes < 0, -1, known[codes]))
        else:
            self.parts.append(np.fromiter((self._code(cell) for cell in cells), np.int64, length))

    def _code(self, cell: Any) -> int:
        text = "" if cell is None else cell if isinstance(cell, str) else _shown(cell)
        if text.isspace():
            text = ""
        return self.seen.setdefault(text, len(self.seen)) if text else -1

    def column(self) -> TextColumn:
        codes = np.concatenate(self.parts) if self.parts else np.empty(0, dtype=np.int64)
        return TextColumn(codes, list(self.seen))


class _NumberGatherer:
    def __init__(self) -> None:
        self.parts: list[NDArray[np.float64]] = []
        self.counts: dict[Fault, int] = {}
        self.faults: dict[Fault, list[Faulty]] = {}

    def add(self, cells: Any, row_numbers: NDArray[np.int64]) -> None:
        if not isinstance(cells, list):
            values = _cast(cells)
            if values is not None and bool(np.isfinite(values).all()):
                self.parts.append(values)
                return
            distinct, codes = _encoded(cells)
            read = [read_number(cell) for cell in distinct]
            texts = [_shown(cell) for cell in distinct]
        else:
            distinct, codes = cells, np.arange(len(cells))
            read = [read_number(cell) for cell in cells]
            texts = []
        known = np.array([one if isinstance(one, float) else math.nan for one in read] + [math.nan])
        values = known[codes]
        for at in np.flatnonzero(np.isnan(values)).tolist():
            code = int(codes[at])
            fault = cast(Fault, read[code] if code >= 0 else "missing")
            self.counts[fault] = self.counts.get(fault, 0) + 1
            named = self.faults.setdefault(fault, [])
            if len(named) < SHOWN:
                text = "" if code < 0 else texts[code] if texts else _shown(distinct[code])
                named.append(Faulty(int(row_numbers[at]), text[:80]))
        self.parts.append(values)

    def column(self) -> NumberColumn:
        values = np.concatenate(self.parts) if self.parts else np.empty(0)
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
    return number if math.isfinite(number) else "infinite"


def _shown(cell: Any) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell)


# --- with care: row by row -------------------------------------------------------------------------------------------


def _careful_blocks(table: Table, rows: Iterator[Row | RowError]) -> Iterator[_Block]:
    names = table.columns
    numbers: list[int] = []
    cells: dict[str, list[Any]] = {name: [] for name in names}
    errors: list[RowError] = []
    for row in rows:
        if isinstance(row, RowError):
            errors.append(row)
        else:
            numbers.append(row.row_number)
            values = row.values
            for name, column in cells.items():
                column.append(values.get(name))
        if len(numbers) + len(errors) >= CAREFUL_ROWS:
            yield _Block(np.array(numbers, dtype=np.int64), dict(cells), errors)
            numbers, errors, cells = [], [], {name: [] for name in names}
    yield _Block(np.array(numbers, dtype=np.int64), dict(cells), errors)


# --- quickly: CSV of which every line stands for itself --------------------------------------------------------------


def _delimited_blocks(table: Table, wanted: Sequence[str]) -> Iterator[_Block]:
    if table.encoding not in ("utf-8", "utf-8-sig"):
        raise _NeedsCare
    delimiter = re.escape(table.delimiter).encode()
    quoted = re.compile(rb'(?:^|(?<=[\n%b]))"[^"\r\n]*"(?=[\r\n%b]|$)' % (delimiter, delimiter))
    csv = _CsvBlocks(table, wanted)
    content, raw = open_bytes(table.path)
    with raw, content:
        try:
            header = content.readline(MAX_ROW)
            while header.strip() == b"":
                header = content.readline(MAX_ROW)
                if not header:
                    raise _NeedsCare
            header = header.removeprefix(b"\xef\xbb\xbf")
            if header.count(table.delimiter.encode()) + 1 != len(table.columns) or header[:4].lower() == b"sep=":
                raise _NeedsCare
            csv.header = header
            while block := content.read(BLOCK):
                block += content.readline(MAX_ROW)
                _stands_alone(block, quoted)
                yield csv.read(block)
        except DAMAGED:
            yield csv.stopped("reading stopped here: the compressed file is damaged or cut off")


def _stands_alone(block: bytes, quoted: re.Pattern[bytes]) -> None:
    """Refuse a block in which a quote may span lines, a line is endless, or lines end in a way Arrow does not know."""
    if block.count(b"\r") != block.count(b"\r\n"):
        raise _NeedsCare
    quotes = block.count(b'"')
    if quotes and quotes != 2 * sum(1 for _ in quoted.finditer(block)):
        raise _NeedsCare
    if len(block) > BLOCK + MAX_ROW - 2:
        raise _NeedsCare


class _CsvBlocks:
    """Reads the blocks of one file one after the other, and counts on in rows and lines."""

    def __init__(self, table: Table, wanted: Sequence[str]) -> None:
        try:
            self.arrow = importlib.import_module("pyarrow")
            self.csv = importlib.import_module("pyarrow.csv")
        except ImportError:
            raise _NeedsCare from None
        self.table = table
        self.wanted = wanted
        self.header = b""
        self.row = 1
        self.line = 1

    def read(self, block: bytes) -> _Block:
        done = self._quickly(block)
        if done is None:
            done = self._carefully(block)
        self.line += block.count(b"\n")
        return done

    def stopped(self, reason: str) -> _Block:
        empty: dict[str, Any] = {name: [] for name in self.wanted}
        return _Block(np.empty(0, dtype=np.int64), empty, [RowError(self.row + 1, reason)])

    def _quickly(self, block: bytes) -> _Block | None:
        if b"\0" in block:
            return None
        at = {name: str(position) for position, name in enumerate(self.table.columns)}
        kinds = {at[name]: self.arrow.string() for name in self.wanted}
        try:
            read = self.csv.read_csv(
                self.arrow.BufferReader(block),
                read_options=self.csv.ReadOptions(column_names=list(at.values()), block_size=len(block) + 1),
                parse_options=self.csv.ParseOptions(delimiter=self.table.delimiter),
                convert_options=self.csv.ConvertOptions(
                    include_columns=list(kinds), column_types=kinds, strings_can_be_null=False
                ),
            )
        except self.arrow.ArrowInvalid:
            return None
        numbers = np.arange(self.row + 1, self.row + 1 + read.num_rows, dtype=np.int64)
        self.row += read.num_rows
        return _Block(numbers, {name: read.column(at[name]) for name in self.wanted})

    def _carefully(self, block: bytes) -> _Block:
        text = io.StringIO((self.header + block).decode("utf-8", "surrogateescape"), newline="")
        rows = DelimitedRows(text, self.table.delimiter)
        rows.row_number, rows.feeder.line_number = self.row, self.line
        done = next(_careful_blocks_of_one(self.table, rows))
        self.row = rows.row_number
        return done


def _careful_blocks_of_one(table: Table, rows: DelimitedRows) -> Iterator[_Block]:
    """The block's rows at once, however many."""
    parts = list(_careful_blocks(table, iter(rows)))
    yield _Block(
        np.concatenate([part.row_numbers for part in parts]),
        {name: [cell for part in parts for cell in part.cells[name]] for name in table.columns},
        [error for part in parts for error in part.errors],
    )


# --- quickly: Parquet ------------------------------------------------------------------------------------------------


def _parquet_blocks(table: Table, wanted: Sequence[str]) -> Iterator[_Block]:
    parquet = importlib.import_module("pyarrow.parquet")
    with ExitStack() as stack:
        file = parquet.ParquetFile(table.seekable(stack))
        row = 0
        batches = file.iter_batches(batch_size=1 << 17, columns=list(wanted))
        while True:
            try:
                batch = next(batches, None)
            except (OSError, ValueError) as error:
                reason = f"reading stopped here: the Parquet file is damaged ({error}). Export it again"
                empty: dict[str, Any] = {name: [] for name in wanted}
                yield _Block(np.empty(0, dtype=np.int64), empty, [RowError(row + 1, reason)])
                return
            if batch is None:
                return
            numbers = np.arange(row + 1, row + 1 + batch.num_rows, dtype=np.int64)
            row += batch.num_rows
            yield _Block(numbers, {name: batch.column(name) for name in wanted})


def _cast(cells: Any) -> NDArray[np.float64] | None:
    """An Arrow array as float64, NaN for null; None when some cell is no number."""
    arrow = importlib.import_module("pyarrow")
    try:
        numbers = cells.cast(arrow.float64())
    except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError):
        return None
    return np.asarray(numbers.to_numpy(zero_copy_only=False) if _is_plain(numbers) else numbers.to_numpy())


def _is_plain(cells: Any) -> bool:
    return not hasattr(cells, "chunks")


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
