"""`open_table`: find out what a file is, then read it with the reader for that."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from whytree.engines.tables.delimited import DelimitedRows, sniff_delimiter
from whytree.engines.tables.documents import read_json_array, read_json_lines
from whytree.engines.tables.rows import Row, RowError, Rows, UnreadableTable
from whytree.engines.tables.sheets import ParquetRows, read_xlsx
from whytree.engines.tables.streams import DAMAGED, SNIFFED_BYTES, head, open_bytes, open_text, sniff_encoding

FORMATS = ("csv", "tsv", "jsonl", "json", "parquet", "xlsx")

SAMPLE_ROWS = 50

_BY_SUFFIX = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
}
_PICTURES = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"RIFF",
    b"OggS",
    b"ID3",
    b"\x1aE\xdf\xa3",
    b"\0\0\0\x18ftyp",
    b"\0\0\0 ftyp",
)
_COMPRESSED = {".gz", ".gzip", ".zst", ".zstd"}


def open_table(path: Path | str, *, format: str | None = None, ragged: bool = False) -> Table:
    """Look at a file and say how it will be read.

    `format` is one of `FORMATS`; without it the content decides, then the name. Raises `UnreadableTable` (a
    `ValueError` with a sentence) when the file as a whole is unusable. Iterate over the table for its rows, as often
    as needed: each pass opens the file anew. `ragged` takes rows of CSV that are wider than the header, or one cell
    short: some trackers write so.
    """
    return Table(Path(path), format, ragged=ragged)


class Table:
    """A file that has been recognised: `columns`, a `sample` of its first rows, and the rows by iteration."""

    def __init__(self, path: Path, format: str | None, *, ragged: bool = False) -> None:
        if format is not None and format not in FORMATS:
            raise UnreadableTable(f"“{format}” is no format that can be read. Use one of: {', '.join(FORMATS)}.")
        self.path = path
        self.ragged = ragged
        self.format = format or sniff_format(path)
        self.encoding = "" if self.format in ("parquet", "xlsx") else sniff_encoding(path)
        self.delimiter = self._sniff_delimiter() if self.format in ("csv", "tsv") else ""
        self.columns: list[str] = []
        self.progress = 0.0
        """Share of the file that the running pass has read, 0 to 1."""
        if self.format == "parquet":
            with ExitStack() as stack:
                self._rows(stack)  # it names its columns itself; its first rows take long to unpack
        else:
            self.sample  # noqa: B018 - whoever opens a file hears at once what is wrong with it
        if not self.columns:
            raise UnreadableTable(f"{path.name} is empty.")

    @cached_property
    def sample(self) -> list[dict[str, Any]]:
        """The first rows."""
        return self._take_sample()

    def __iter__(self) -> Iterator[Row | RowError]:
        with ExitStack() as stack:
            rows, raw = self._rows(stack)
            size = max(self.path.stat().st_size, 1)
            for count, row in enumerate(self._guarded(rows)):
                if count % 256 == 0:
                    self.progress = min(raw.tell() / size, 1.0)
                yield row
            self.progress = 1.0

    def _take_sample(self) -> list[dict[str, Any]]:
        sample: list[dict[str, Any]] = []
        errors: list[RowError] = []
        for row in self:
            if isinstance(row, RowError):
                errors.append(row)
            else:
                sample.append(row.values)
            if len(sample) >= SAMPLE_ROWS or len(errors) >= SAMPLE_ROWS:
                break
        if not self.columns:
            self.columns = list(dict.fromkeys(name for values in sample for name in values))
        if errors and not sample and self.format in ("json", "jsonl"):
            raise UnreadableTable(
                f"{self.path.name} holds no readable rows. Row {errors[0].row_number}: {errors[0].reason}."
            )
        self.progress = 0.0
        return sample

    def _rows(self, stack: ExitStack) -> tuple[Rows, BinaryIO]:
        """The reader's rows, and the file on disk whose position tells how far it has come."""
        if self.format in ("parquet", "xlsx"):
            return self._binary_rows(stack)
        text, raw = open_text(self.path, self.encoding)
        stack.enter_context(raw)
        stack.enter_context(text)
        return self._text_rows(text), raw

    def _text_rows(self, text: io.TextIOWrapper) -> Rows:
        if self.format == "jsonl":
            return read_json_lines(text)
        if self.format == "json":
            return read_json_array(text)
        try:
            rows = DelimitedRows(text, self.delimiter, ragged=self.ragged)
        except (UnicodeDecodeError, *DAMAGED) as error:
            raise UnreadableTable(f"{self.path.name} is damaged. Export it again.") from error
        self.columns = rows.columns
        return iter(rows)

    def _binary_rows(self, stack: ExitStack) -> tuple[Rows, BinaryIO]:
        content = self.seekable(stack)
        if self.format == "parquet":
            parquet = ParquetRows(content)
            self.columns = parquet.columns
            return iter(parquet), content
        rows = read_xlsx(content)
        self.columns = list(cast(Row, next(rows)).values)
        return rows, content

    def seekable(self, stack: ExitStack) -> BinaryIO:
        """These formats are read from their end: a compressed one is unpacked beside, on disk."""
        content, raw = open_bytes(self.path)
        stack.enter_context(raw)
        if content is raw:
            return raw
        unpacked: IO[bytes] = stack.enter_context(tempfile.TemporaryFile(prefix="whytree-"))  # noqa: SIM115
        with content:
            try:
                shutil.copyfileobj(content, unpacked)
            except DAMAGED as error:
                raise UnreadableTable(f"{self.path.name} is damaged. Export it again.") from error
        unpacked.seek(0)
        return cast(BinaryIO, unpacked)

    def _guarded(self, rows: Rows) -> Rows:
        """What breaks in the middle of the file is told as the last row's error: the rows before it stand."""
        number = 0
        try:
            for row in rows:
                number = row.row_number
                yield row
        except DAMAGED:
            yield RowError(number + 1, "reading stopped here: the compressed file is damaged or cut off")
        except UnicodeDecodeError:
            yield RowError(number + 1, f"reading stopped here: the file is no {self.encoding} from this row on")

    def _sniff_delimiter(self) -> str:
        sample = head(self.path, SNIFFED_BYTES).decode(self.encoding, "replace")
        return sniff_delimiter(sample, default="\t" if self.format == "tsv" else ",")


def sniff_format(path: Path) -> str:
    """The format by content where content is telling, else by the name's ending."""
    start = head(path, 4096)
    if not start:
        raise UnreadableTable(f"{path.name} is empty.")
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"PK\x03\x04"):
        return "xlsx"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableTable(f"{path.name} is an old Excel file. Open it and save it as .xlsx or CSV UTF-8.")
    if start.startswith(b"%PDF"):
        raise UnreadableTable(f"{path.name} is a PDF. Export the table behind it as CSV.")
    if start.startswith(_PICTURES):
        raise UnreadableTable(f"{path.name} is a picture or a recording. Export the table behind it as CSV.")
    named = _BY_SUFFIX.get(_suffix(path))
    if named in ("csv", "tsv"):
        return named
    return _sniff_text_format(start) or named or "csv"


def _suffix(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _sniff_text_format(start: bytes) -> str | None:
    """`[` opens an array and `{` a line of JSON, or an object over several lines, whatever the name says; NULs are UTF-16's
    other halves."""
    visible = start.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")
    if visible[:1] == b"{" and visible.replace(b"\x00", b"")[1:].lstrip(b" \t\r")[:1] == b"\n":
        return "json"
    return {b"[": "json", b"{": "jsonl"}.get(visible[:1])
