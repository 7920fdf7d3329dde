"""CSV and TSV as they are found: any delimiter, broken quotes, rows that are too long or too short.

The `csv` module splits the cells. Around it stands a feeder that remembers the lines of the row being read, so that
a quote that never closes costs its own row: the lines after it are read once more. That stays linear: a line that
opens a quote closes the one left open by an earlier line, so no line is read more than twice.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence

from whytree.engines.tables.rows import (
    BEYOND_HEADER,
    MAX_CELL,
    MAX_ROW,
    Row,
    RowError,
    Rows,
    UnreadableTable,
    checked,
    name_columns,
)

DELIMITERS = (",", ";", "\t", "|")
SNIFFED_ROWS = 100

MAX_LINES = 20_000
"""Lines of the file that one row may span; a quoted mail thread has hundreds."""

_SEP_LINE = re.compile(r"^sep=(.)\r?\n?$", re.IGNORECASE)


class LineTooLong(Exception):
    """One line passed `MAX_ROW`; what is left of it has been skipped."""


class RowTooLong(Exception):
    """An open quote ran on over more than `MAX_ROW` characters or `MAX_LINES` lines."""


class LineFeeder:
    """Feeds physical lines to `csv.reader`, bounded, and can take back all but the first line of a row."""

    def __init__(self, text: io.TextIOBase) -> None:
        self.text = text
        self.line_number = 0
        self.again: deque[str] = deque()
        self.taken: list[str] = []
        self.size = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.again.popleft() if self.again else self._read_line()
        self.line_number += 1
        self.taken.append(line)
        self.size += len(line)
        if self.size > MAX_ROW or len(self.taken) > MAX_LINES:
            raise RowTooLong
        return line

    def _read_line(self) -> str:
        line = self.text.readline(MAX_ROW)
        if not line:
            raise StopIteration
        if len(line) == MAX_ROW and line[-1] not in "\r\n":
            self._skip_line()
            self.line_number += 1
            raise LineTooLong
        return line

    def _skip_line(self) -> None:
        while (rest := self.text.readline(MAX_ROW)) and rest[-1] not in "\r\n":
            pass

    def next_row(self) -> None:
        """The lines so far are settled; what comes belongs to the next row."""
        self.taken.clear()
        self.size = 0

    def retreat(self) -> None:
        """Give up only the first line of this row; the others will be fed again."""
        others = self.taken[1:]
        self.line_number -= len(others)
        self.again.extendleft(reversed(others))
        self.next_row()


def sniff_delimiter(sample: str, *, default: str = ",") -> str:
    """The delimiter that cuts the most rows of the sample into the same number of cells, more than one."""
    if (declared := _SEP_LINE.match(sample.partition("\n")[0])) is not None:
        return declared[1]
    best, best_score = default, (0.0, 0)
    for delimiter in sorted(DELIMITERS, key=lambda candidate: candidate != default):
        score = _agreement(sample, delimiter)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _agreement(sample: str, delimiter: str) -> tuple[float, int]:
    """Share of rows as wide as the first, and that width. (0, 0) when the first row stays whole."""
    widths: list[int] = []
    try:
        for cells in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            if cells:
                widths.append(len(cells))
            if len(widths) >= SNIFFED_ROWS:
                break
    except csv.Error:
        pass
    if not widths or widths[0] < 2:
        return (0.0, 0)
    # The sample is cut off somewhere: its last row says nothing.
    whole = widths[:-1] if len(widths) > 2 else widths
    return (round(Counter(whole)[widths[0]] / len(whole), 1), widths[0])


class DelimitedRows:
    """The rows of one pass over the text. `columns` is known once the object exists.

    `ragged`: a row may lack its last cell, and may have more cells than the header, which it keeps in `BEYOND_HEADER`.
    """

    def __init__(self, text: io.TextIOBase, delimiter: str, *, ragged: bool = False) -> None:
        self.feeder = LineFeeder(text)
        self.delimiter = delimiter
        self.ragged = ragged
        self.row_number = 0
        csv.field_size_limit(max(csv.field_size_limit(), MAX_ROW))
        self.columns = name_columns(self._header())

    def __iter__(self) -> Rows:
        while True:
            row = self._next_row()
            if row is None:
                return
            yield row

    def _header(self) -> list[str]:
        if (first := self.feeder.text.readline(MAX_ROW)) and _SEP_LINE.match(first) is None:
            self.feeder.again.append(first)
        try:
            for cells in self._reader():
                self.feeder.next_row()
                if any(cell.strip() for cell in cells):
                    self.row_number = 1
                    return cells
        except (csv.Error, RowTooLong, LineTooLong) as error:
            raise UnreadableTable("The first row is no list of column names: its quotes do not close.") from error
        raise UnreadableTable("The file is empty. It needs a first row with the column names.")

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self.feeder, delimiter=self.delimiter, strict=True)

    def _next_row(self) -> Row | RowError | None:
        """The next row that is not blank; None at the end."""
        while True:
            self.feeder.next_row()
            line = self.feeder.line_number + 1
            try:
                cells = next(self._reader(), None)
            except LineTooLong:
                self.row_number += 1
                return RowError(self.row_number, f"line {line} is longer than {MAX_ROW:,} characters")
            except (RowTooLong, csv.Error) as error:
                return self._broken(line, error)
            if cells is None:
                return None
            if cells:
                self.row_number += 1
                return self._row(cells, line)

    def _broken(self, line: int, error: Exception) -> RowError:
        self.row_number += 1
        if isinstance(error, RowTooLong) or "unexpected end" in str(error):
            reason = f"the quote opened in line {line} never closes"
        else:
            reason = f"a quote in line {line} ends in the middle of a cell"
        self.feeder.retreat()
        return RowError(self.row_number, reason)

    def _row(self, cells: Sequence[str], line: int) -> Row | RowError:
        width = len(self.columns)
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]  # a trailing delimiter is no cell
        if self.ragged and width > 1 and len(cells) == width - 1:
            return checked(self.row_number, dict(zip(self.columns, cells, strict=False)))
        if self.ragged and len(cells) > width and all(len(cell) <= MAX_CELL for cell in cells[width:]):
            row = checked(self.row_number, dict(zip(self.columns, cells, strict=False)))
            if isinstance(row, Row):
                row.values[BEYOND_HEADER] = list(cells[width:])
            return row
        if len(cells) != width:
            return RowError(self.row_number, f"it has {len(cells)} cells and the header has {width} (line {line})")
        return checked(self.row_number, dict(zip(self.columns, cells, strict=True)))
