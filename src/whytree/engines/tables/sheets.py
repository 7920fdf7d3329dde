"""XLSX and Parquet: formats that are read by somebody else's library, within our limits."""

from __future__ import annotations

import importlib
import math
import zipfile
from collections.abc import Sequence
from typing import Any, BinaryIO

from whytree.engines.tables.rows import (
    MissingReader,
    Row,
    RowError,
    Rows,
    UnreadableTable,
    checked,
    flatten,
    name_columns,
)

MAX_SHARED_STRINGS = 256 * 1024 * 1024
"""openpyxl holds a workbook's texts in memory; this is the most they may take unpacked."""

MAX_UNPACKED = 4 * 1024 * 1024 * 1024
MAX_EXPANSION = 400
"""How much larger than its ZIP a workbook may be; real ones unpack to about ten times their size."""

PARQUET_BATCH = 2_000


def read_xlsx(content: BinaryIO) -> Rows:
    """The first sheet of a workbook. Row numbers are the sheet's own."""
    _refuse_bomb(content)
    openpyxl = importlib.import_module("openpyxl")
    try:
        workbook = openpyxl.load_workbook(content, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever its XML and ZIP readers do
        raise UnreadableTable("The workbook cannot be opened. Save it again as .xlsx, or as CSV UTF-8.") from error
    try:
        yield from _sheet_rows(workbook.worksheets[0])
    finally:
        workbook.close()


def _refuse_bomb(content: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(content) as archive:
            infos = archive.infolist()
    except zipfile.BadZipFile as error:
        raise UnreadableTable("The workbook is damaged. Save it again as .xlsx, or as CSV UTF-8.") from error
    names = {info.filename: info.file_size for info in infos}
    if "xl/workbook.xml" not in names:
        raise UnreadableTable("This is a ZIP archive and no workbook. Unpack it and import the files in it one by one.")
    packed = sum(info.compress_size for info in infos)
    unpacked = sum(names.values())
    too_large = unpacked > MAX_UNPACKED or (unpacked > 10_000_000 and unpacked > packed * MAX_EXPANSION)
    if too_large or names.get("xl/sharedStrings.xml", 0) > MAX_SHARED_STRINGS:
        raise UnreadableTable("The workbook is too large when unpacked. Save the sheet as CSV UTF-8 and import that.")
    content.seek(0)


def _sheet_rows(sheet: Any) -> Rows:
    if hasattr(sheet, "reset_dimensions"):
        sheet.reset_dimensions()  # some writers state a wrong size, and rows beyond it would be lost in silence
    columns: list[str] | None = None
    rows = enumerate(sheet.iter_rows(values_only=True), start=1) if hasattr(sheet, "iter_rows") else iter(())
    for number, cells in rows:
        if all(cell is None or cell == "" for cell in cells):
            continue
        if columns is None:
            columns = name_columns(_trim(cells))
            yield Row(number, dict.fromkeys(columns))
        else:
            yield _sheet_row(number, columns, cells)
    if columns is None:
        raise UnreadableTable("The first sheet is empty. Put the table on the first sheet, column names on top.")


def _trim(cells: Sequence[Any]) -> Sequence[Any]:
    last = max(position for position, cell in enumerate(cells) if cell not in (None, ""))
    return cells[: last + 1]


def _sheet_row(number: int, columns: list[str], cells: Sequence[Any]) -> Row | RowError:
    if any(cell not in (None, "") for cell in cells[len(columns) :]):
        return RowError(number, f"it has a value right of the last named column “{columns[-1]}”")
    padded = [*cells[: len(columns)], *[None] * (len(columns) - len(cells))]
    return checked(number, dict(zip(columns, padded, strict=True)))


class ParquetRows:
    """A Parquet file, a batch of rows at a time."""

    def __init__(self, content: BinaryIO) -> None:
        try:
            parquet = importlib.import_module("pyarrow.parquet")
        except ImportError as error:
            raise MissingReader(
                "Reading Parquet needs one more package: pip install 'whytree[parquet]'. Or export the table as CSV."
            ) from error
        try:
            self.file = parquet.ParquetFile(content)
        except Exception as error:  # pyarrow's errors share no base with a useful name
            raise UnreadableTable("The Parquet file is damaged. Export it again.") from error
        self.total = int(self.file.metadata.num_rows)
        self.columns = list(flatten(dict.fromkeys(self.file.schema_arrow.names)))

    def __iter__(self) -> Rows:
        number = 0
        try:
            for batch in self.file.iter_batches(batch_size=PARQUET_BATCH):
                for values in batch.to_pylist():
                    number += 1
                    yield checked(number, {name: _plain(value) for name, value in flatten(values).items()})
        except (OSError, ValueError) as error:
            yield RowError(number + 1, f"reading stopped here: the Parquet file is damaged ({error}). Export it again")


def _plain(value: Any) -> Any:
    """A missing number is None and not NaN; bytes are text where they can be."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
