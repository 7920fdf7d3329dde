"""A table in blocks of rows, cells by column: quickly where that is safe, with care elsewhere.

Parquet, and CSV of which every line can be read by itself, go block by block through Arrow; a block with anything unusual
in it (a short row, a stray byte) is read with care, row by row, and a file with quotes that span lines raises `NeedsCare`.
"""

from __future__ import annotations

import importlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whytree.engines.tables.delimited import DelimitedRows
from whytree.engines.tables.opening import Table
from whytree.engines.tables.rows import MAX_ROW, Row, RowError
from whytree.engines.tables.streams import DAMAGED, open_bytes

BLOCK = 8 * 1024 * 1024
"""Bytes of CSV that are read at once."""

PARQUET_ROWS = 1 << 20
"""Rows of Parquet that are read at once; only the columns asked for."""

CAREFUL_ROWS = 50_000
"""Rows that are collected before they become arrays."""


class NeedsCare(Exception):
    """The quick way cannot be sure to read this file as `Table` does."""


@dataclass
class Block:
    """Rows read together: cells by column, as Python values or as Arrow arrays."""

    row_numbers: NDArray[np.int64]
    cells: dict[str, Any]
    errors: list[RowError] = field(default_factory=list)


# --- with care: row by row -------------------------------------------------------------------------------------------


def careful_blocks(table: Table, rows: Iterator[Row | RowError]) -> Iterator[Block]:
    """The table's own rows, `CAREFUL_ROWS` at a time."""
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
            yield Block(np.array(numbers, dtype=np.int64), dict(cells), errors)
            numbers, errors, cells = [], [], {name: [] for name in names}
    yield Block(np.array(numbers, dtype=np.int64), dict(cells), errors)


# --- quickly: CSV of which every line stands for itself --------------------------------------------------------------


def _delimited_blocks(table: Table, wanted: Sequence[str], texts: Sequence[str]) -> Iterator[Block]:
    if table.encoding not in ("utf-8", "utf-8-sig"):
        raise NeedsCare
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
                    raise NeedsCare
            header = header.removeprefix(b"\xef\xbb\xbf")
            if header.count(table.delimiter.encode()) + 1 != len(table.columns) or header[:4].lower() == b"sep=":
                raise NeedsCare
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
        raise NeedsCare
    quotes = block.count(b'"')
    if quotes and quotes != 2 * sum(1 for _ in quoted.finditer(block)):
        raise NeedsCare
    if len(block) > BLOCK + MAX_ROW - 2:
        raise NeedsCare


class _CsvBlocks:
    """Reads the blocks of one file one after the other, and counts on in rows and lines."""

    def __init__(self, table: Table, wanted: Sequence[str], texts: Sequence[str]) -> None:
        try:
            self.arrow = importlib.import_module("pyarrow")
            self.csv = importlib.import_module("pyarrow.csv")
        except ImportError:
            raise NeedsCare from None
        self.table = table
        self.wanted = wanted
        self.texts = frozenset(texts)
        self.at = {name: str(position) for position, name in enumerate(table.columns)}
        self.header = b""
        self.row = 1
        self.line = 1

    def read(self, block: bytes) -> Block:
        done = self._quickly(block)
        if done is None:
            done = self._carefully(block)
        self.line += block.count(b"\n")
        return done

    def stopped(self, reason: str) -> Block:
        empty: dict[str, Any] = {name: [] for name in self.wanted}
        return Block(np.empty(0, dtype=np.int64), empty, [RowError(self.row + 1, reason)])

    def _quickly(self, block: bytes) -> Block | None:
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
        return Block(numbers, {name: read.column(self.at[name]) for name in self.wanted})

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

    def _carefully(self, block: bytes) -> Block:
        text = io.StringIO((self.header + block).decode("utf-8", "surrogateescape"), newline="")
        rows = DelimitedRows(text, self.table.delimiter)
        rows.row_number, rows.feeder.line_number = self.row, self.line
        done = next(_careful_blocks_of_one(self.table, rows))
        self.row = rows.row_number
        return done


def _careful_blocks_of_one(table: Table, rows: DelimitedRows) -> Iterator[Block]:
    """The block's rows at once, however many."""
    parts = list(careful_blocks(table, iter(rows)))
    yield Block(
        np.concatenate([part.row_numbers for part in parts]),
        {name: [cell for part in parts for cell in part.cells[name]] for name in table.columns},
        [error for part in parts for error in part.errors],
    )


# --- quickly: Parquet ------------------------------------------------------------------------------------------------


def _parquet_blocks(table: Table, wanted: Sequence[str], texts: Sequence[str]) -> Iterator[Block]:
    parquet = importlib.import_module("pyarrow.parquet")
    with ExitStack() as stack:
        content = table.seekable(stack)
        path = getattr(content, "name", None)  # a file that was unpacked beside has none
        source = path if isinstance(path, str | Path) else content  # Arrow reads by itself what it can open
        file = parquet.ParquetFile(source)
        few = _of_few_values(file, texts)
        if few:
            file = parquet.ParquetFile(source, metadata=file.metadata, read_dictionary=few)
        stack.callback(file.close)
        row = 0
        batches = file.iter_batches(batch_size=PARQUET_ROWS, columns=list(wanted))
        while True:
            try:
                batch = next(batches, None)
            except (OSError, ValueError) as error:
                reason = f"reading stopped here: the Parquet file is damaged ({error}). Export it again"
                empty: dict[str, Any] = {name: [] for name in wanted}
                yield Block(np.empty(0, dtype=np.int64), empty, [RowError(row + 1, reason)])
                return
            if batch is None:
                return
            numbers = np.arange(row + 1, row + 1 + batch.num_rows, dtype=np.int64)
            row += batch.num_rows
            yield Block(numbers, {name: batch.column(name) for name in wanted})


def _of_few_values(file: Any, texts: Sequence[str]) -> list[str]:
    """Texts that the file keeps numbered, which need not be numbered again: less than a byte a row says so."""
    size, schema = dict.fromkeys(texts, 0), file.schema
    for group in range(file.metadata.num_row_groups):
        for at in range(file.metadata.num_columns):
            if (name := schema.column(at).path) in size:
                size[name] += file.metadata.row_group(group).column(at).total_uncompressed_size
    return [name for name, stored in size.items() if 0 < stored < file.metadata.num_rows]


QUICK: dict[str, Callable[[Table, Sequence[str], Sequence[str]], Iterator[Block]]] = {
    "parquet": _parquet_blocks,
    "csv": _delimited_blocks,
    "tsv": _delimited_blocks,
}
"""How a format is read quickly: a table, the columns that are wanted, and which of them as text."""
