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
from typing import Any, Literal, cast, overload

import numpy as np
from numpy.typing import NDArray

from whytree.engines.tables.delimited import DelimitedRows
from whytree.engines.tables.opening import Table
from whytree.engines.tables.rows import MAX_ROW, Row, RowError, UnreadableTable
from whytree.engines.tables.streams import DAMAGED, open_bytes

BLOCK = 8 * 1024 * 1024
"""Bytes of CSV that are read at once."""

PARQUET_ROWS = 1 << 20
"""Rows of Parquet that are read at once; only the columns asked for."""

CAREFUL_ROWS = 50_000
"""Rows that are collected before they become arrays."""

MAX_CELLS = 200_000_000
"""What one analysis may hold: eight bytes each. A million units of 20 metrics are a tenth of it."""

LARGEST = 1e100
"""A number beyond this is as good as infinite: its square is on the way out of what a float can hold."""

SHOWN = 5
"""Faults of one kind that are named; all are counted."""

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
            raise UnreadableTable(f"There is no column “{name}”. The columns are {_listed(table.columns)}.")
    quick = {"parquet": _parquet_blocks, "csv": _delimited_blocks, "tsv": _delimited_blocks}.get(table.format)
    if quick is not None:
        try:
            return _collect(table, texts, numbers, quick(table, [*dict.fromkeys((*texts, *numbers))], texts))
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
    if len(kinds) != 1 or not all(map(_is_text_or_whole, kinds)):
        return None
    coded = arrow.chunked_array([chunk.cast(arrow.string()) for chunk in chunks]).dictionary_encode().combine_chunks()
    if hasattr(coded, "chunks"):
        coded = coded.chunk(0)
    compute = importlib.import_module("pyarrow.compute")
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    names = coded.dictionary
    if compute.any(compute.or_(compute.equal(names, ""), compute.utf8_is_space(names))).as_py():
        return None  # cells of nothing but space: those are empty, and renumbered
    return TextColumn(codes, _Names(names))


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


def _delimited_blocks(table: Table, wanted: Sequence[str], texts: Sequence[str]) -> Iterator[_Block]:
    if table.encoding not in ("utf-8", "utf-8-sig"):
        raise _NeedsCare
    delimiter = re.escape(table.delimiter).encode()
    quoted = re.compile(rb'(?:^|(?<=[\n%b]))"[^"\r\n]*"(?=[\r\n%b]|$)' % (delimiter, delimiter))
    csv = _CsvBlocks(table, wanted, texts)
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

    def __init__(self, table: Table, wanted: Sequence[str], texts: Sequence[str]) -> None:
        try:
            self.arrow = importlib.import_module("pyarrow")
            self.csv = importlib.import_module("pyarrow.csv")
        except ImportError:
            raise _NeedsCare from None
        self.table = table
        self.wanted = wanted
        self.texts = frozenset(texts)
        self.at = {name: str(position) for position, name in enumerate(table.columns)}
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
        """Numbers as numbers, else as text (a gap, a word, a truth), else not at all (a row too short)."""
        if b"\0" in block:
            return None
        text = self.arrow.string()
        read = self._parsed(block, {name: text if name in self.texts else self.arrow.float64() for name in self.wanted})
        if read is None:
            read = self._parsed(block, dict.fromkeys(self.wanted, text))
        if read is None:
            return None
        numbers = np.arange(self.row + 1, self.row + 1 + read.num_rows, dtype=np.int64)
        self.row += read.num_rows
        return _Block(numbers, {name: read.column(self.at[name]) for name in self.wanted})

    def _parsed(self, block: bytes, kinds: dict[str, Any]) -> Any:
        try:
            return self.csv.read_csv(
                self.arrow.BufferReader(block),
                read_options=self.csv.ReadOptions(column_names=list(self.at.values()), block_size=len(block) + 1),
                parse_options=self.csv.ParseOptions(delimiter=self.table.delimiter),
                convert_options=self.csv.ConvertOptions(
                    include_columns=[self.at[name] for name in kinds],
                    column_types={self.at[name]: kind for name, kind in kinds.items()},
                    null_values=[],
                    strings_can_be_null=False,
                ),
            )
        except self.arrow.ArrowInvalid:
            return None

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


def _parquet_blocks(table: Table, wanted: Sequence[str], _texts: Sequence[str]) -> Iterator[_Block]:
    parquet = importlib.import_module("pyarrow.parquet")
    with ExitStack() as stack:
        file = parquet.ParquetFile(table.seekable(stack))
        row = 0
        batches = file.iter_batches(batch_size=PARQUET_ROWS, columns=list(wanted))
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
    """An Arrow array as float64, NaN for null and for words of absence; None when some cell is no number."""
    arrow = importlib.import_module("pyarrow")
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
