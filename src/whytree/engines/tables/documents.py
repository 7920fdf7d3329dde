"""JSON lines and JSON arrays of objects; also answers of an API that goes page by page, whose rows lie under `results`."""

from __future__ import annotations

import io
import json
from typing import Any

from whytree.engines.tables.rows import (
    MAX_ROW,
    Row,
    RowError,
    Rows,
    UnreadableTable,
    checked,
    flatten,
)

_SPACE = " \t\r\n"
_CHUNK = 64 * 1024


def read_json_lines(text: io.TextIOBase) -> Rows:
    """One object a line; the row's number is the line's number, behind a page its place."""
    number = 0
    while line := text.readline(MAX_ROW):
        number += 1
        if len(line) == MAX_ROW and line[-1] not in "\r\n":
            _skip_line(text)
            yield RowError(number, f"the line is longer than {MAX_ROW:,} characters")
        elif line.strip():
            for row in _parse_line(number, line):
                number = row.row_number
                yield row


def _skip_line(text: io.TextIOBase) -> None:
    while (rest := text.readline(MAX_ROW)) and rest[-1] not in "\r\n":
        pass


def _parse_line(number: int, line: str) -> Rows:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        if isinstance(error, json.JSONDecodeError) and error.pos >= len(line.rstrip()):
            yield RowError(number, "the object does not end in its line. Give one object a line, or a list of objects")
        else:
            yield RowError(number, f"it is no JSON: {_words(error)}")
        return
    for place, one in enumerate(_rows_of(value), number):
        yield _object(place, one)


def _rows_of(value: Any) -> list[Any]:
    """Those of a page; anything else is one row itself."""
    results = value.get("results") if isinstance(value, dict) else None
    if isinstance(results, list) and len(value) > 1 and set(value) <= _PAGE | {"results"}:
        return results
    return [value]


_PAGE = {"next", "previous", "count", "hasMore", "has_next"}


def _object(number: int, value: Any) -> Row | RowError:
    if not isinstance(value, dict):
        return RowError(number, "it is no JSON object; each row has to look like {“column”: value}")
    return checked(number, flatten(value))


def _words(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos + 1}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


class _Window:
    """The part of the text that is being parsed: it grows at the end and is dropped at the front."""

    def __init__(self, text: io.TextIOBase) -> None:
        self.text = text
        self.buffer = ""
        self.at = 0
        self.ended = False

    def grow(self) -> None:
        """Read on: at least as much again as there is, so that a long element is parsed log(n) times, not n."""
        self.buffer = self.buffer[self.at :]
        self.at = 0
        more = self.text.read(max(_CHUNK, len(self.buffer)))
        self.ended = not more
        self.buffer += more

    def peek(self) -> str:
        """The next character that is not white space, or nothing at the end."""
        while True:
            while self.at < len(self.buffer):
                if self.buffer[self.at] not in _SPACE:
                    return self.buffer[self.at]
                self.at += 1
            if self.ended:
                return ""
            self.grow()

    def drain(self) -> None:
        """Nothing that follows can be understood."""
        self.buffer, self.at, self.ended = "", 0, True

    def __len__(self) -> int:
        return len(self.buffer) - self.at


def read_json_array(text: io.TextIOBase) -> Rows:
    """One array of objects, element by element; the row's number is the element's, counted from 1.

    Clients that fetch page by page write one array after the other, or an array of arrays (`gh api --paginate`,
    `--slurp`): both are read as one, and so are objects that go over several lines.
    """
    window = _Window(text)
    if window.peek() not in ("[", "{"):
        raise UnreadableTable("The file is no JSON array. Give a list of objects, or one object a line (JSONL).")
    number = 0
    while window.peek() == "{":
        for row in _whole(window, number + 1):
            number = row.row_number
            yield row
    while window.peek() == "[":
        window.at += 1
        for row in _elements(window, number + 1):
            number = row.row_number
            yield row
    if window.peek():
        yield _torn(number + 1)


def _elements(window: _Window, number: int) -> Rows:
    """The elements of the array that was just opened, counted from `number`, and past its end."""
    first = True
    while (character := window.peek()) != "]":
        if not first:
            if character != ",":
                yield _torn(number)
                window.drain()
                return
            window.at += 1
            window.peek()
        first = False
        try:
            value = _element(window)
        except (ValueError, RecursionError) as error:
            yield RowError(number, f"reading stopped here: {_words(error)}. Repair the file and import it again")
            window.drain()
            return
        for one in value if isinstance(value, list) else [value]:
            yield _object(number, one)
            number += 1
    window.at += 1


def _whole(window: _Window, number: int) -> Rows:
    """The object that stands here by itself, and past its end."""
    try:
        value = _element(window)
    except (ValueError, RecursionError) as error:
        yield RowError(number, f"reading stopped here: {_words(error)}. Repair the file and import it again")
        window.drain()
        return
    for place, one in enumerate(_rows_of(value), number):
        yield _object(place, one)


def _torn(number: int) -> RowError:
    return RowError(number, "reading stopped here: the array is cut off or a comma is missing. Export it again")


def _element(window: _Window) -> Any:
    """The value that starts here. What cannot be parsed yet may only be cut off: read on and try again."""
    decoder = json.JSONDecoder()
    while True:
        try:
            value, window.at = decoder.raw_decode(window.buffer, window.at)
            return value
        except json.JSONDecodeError as error:
            if window.ended:
                raise
            if len(window) > MAX_ROW:
                raise ValueError(f"no element ends within {MAX_ROW:,} characters") from error
            window.grow()
