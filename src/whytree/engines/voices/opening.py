"""`open_export`: whose export a file is, by its header or its shape, and what it says."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from whytree.engines.tables import BEYOND_HEADER, RowError, UnreadableTable, open_table
from whytree.engines.tables.rows import flatten
from whytree.engines.tables.streams import head, open_bytes, sniff_encoding

from . import portals, reviews, support, surveys
from .archives import Archive
from .fider import is_fider, read_fider
from .mail import read_mbox, read_message
from .records import Cells, Facts, Format, Read, Said, Unread
from .slack import SlackExport, is_slack
from .trackers import tracker_format

TABLES: tuple[Format, ...] = (*portals.FORMATS, *support.FORMATS, *reviews.FORMATS, *surveys.FORMATS)

MOST_DOCUMENT = 64 * 1024 * 1024
"""Bytes of one JSON document; longer exports come as one object a line."""

# Where an answer of an API keeps its rows.
_LISTS = (
    "conversations",
    "tickets",
    "reviews",
    "posts",
    "comments",
    "issues",
    "notes",
    "items",
    "results",
    "records",
    "data",
    "feed.entry",
)

Numbered = tuple[int, Said | RowError | None]
"""None: nobody says anything in this row."""


class Voice(NamedTuple):
    """One thing said, in the row it stands in; `values` are the fields of a feedback item."""

    row_number: int
    values: dict[str, Any]


@dataclass(frozen=True)
class Recognised:
    """Whose export it is: a `name` to show, why we think so, and what its source is called."""

    name: str
    why: str
    slug: str
    source: str
    source_type: str


class Export:
    """A file that was recognised. Iterate over it for its voices, as often as needed.

    `left_out` counts, for the pass that runs, what is no voice of a user: "team", "machine", "silent" (rows without
    anybody's words, as pull requests).
    """

    def __init__(self, path: Path, recognised: Recognised, rows: Callable[[], Iterator[Numbered]]) -> None:
        self.path = path
        self.recognised = recognised
        self.team: frozenset[str] = frozenset()
        self.keep_team = False
        self.left_out: Counter[str] = Counter()
        self.progress = 0.0
        self._rows = rows

    def __iter__(self) -> Iterator[Voice | RowError]:
        self.left_out = Counter()
        for number, said in self._rows():
            if said is None:
                self.left_out["silent"] += 1
                continue
            if isinstance(said, RowError):
                yield said
                continue
            speaker = "team" if said.speaker == "user" and self._is_team(said) else said.speaker
            if speaker == "machine" or (speaker == "team" and not self.keep_team):
                self.left_out[speaker] += 1
                continue
            yield Voice(number, as_values(said, from_team=speaker == "team"))
        self.progress = 1.0

    def _is_team(self, said: Said) -> bool:
        """By address, by the domain of the address, or by the name the system calls them."""
        if not self.team:
            return False
        email = said.author_email.lower()
        return bool({email, email.rpartition("@")[2], said.person.lower()} & self.team)


def as_values(said: Said, *, from_team: bool = False) -> dict[str, Any]:
    """A record as it travels: what it says nothing of is left out."""
    values: dict[str, Any] = {
        name: value for name in _TRAVELS if (value := _plain(getattr(said, name))) not in (None, "", {})
    }
    return values | ({"from_team": True} if from_team else {})


_TRAVELS = (
    *("text", "title", "said_at", "author_name", "author_email", "person", "company", "plan", "rating", "language"),
    *("app_version", "url", "submission_id", "field_id", "metadata"),
)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value


def open_export(path: Path | str, *, channels: Collection[str] = (), format: str | None = None) -> Export | None:
    """What the file is, or None for a table that no system we know writes.

    Raises `UnreadableTable` with a sentence when the file as a whole is of no use: damaged, hostile, or no feedback.
    """
    path = Path(path)
    start = head(path, 4096)
    for recognise in (_archive, _mail, _transcript, _document):
        found = recognise(path, start, channels)
        if found is not None:
            return found
    return _table(path, format)


# Archives and mail ------------------------------------------------------------------------------------


def _archive(path: Path, start: bytes, channels: Collection[str]) -> Export | None:
    if not start.startswith(b"PK\x03\x04") and path.suffix.lower() != ".zip":
        return None
    archive = Archive(path)
    with closing(archive):
        names = archive.names
        if "[Content_Types].xml" in names:
            return None  # a spreadsheet
        if is_slack(names):
            SlackExport(archive).chosen(channels)
            found = Recognised(
                "Slack export (ZIP)", "by its files users.json and channels.json", "slack", "Slack", "chat"
            )
        elif is_fider(names):
            found = Recognised(
                "Fider backup (ZIP)", "by its files posts.json and users.json", "fider", "Fider", "portal"
            )
        else:
            shown = ", ".join(names[:8])[:300]
            raise UnreadableTable(
                f"{path.name} is a ZIP of neither Slack nor Fider; it holds {shown or 'nothing'}. Unpack it, and import "
                "the file with the feedback."
            )

    def rows() -> Iterator[Numbered]:
        archive = Archive(path)
        with closing(archive):
            yield from SlackExport(archive).read(channels) if found.slug == "slack" else read_fider(archive)

    return Export(path, found, rows)


_HEADER = re.compile(
    rb"^(?:received|return-path|delivered-to|from|message-id|mime-version|date|subject|dkim-signature|to|x-[a-z-]+|reply-to):[ \t]",
    re.IGNORECASE,
)


def _mail(path: Path, start: bytes, channels: Collection[str]) -> Export | None:
    if re.match(rb"From \S+.{0,200}\d{4}\s*\r?\n", start) or path.suffix.lower() == ".mbox":

        def mbox() -> Iterator[Numbered]:
            content, raw = open_bytes(path)
            with raw, content:
                yield from read_mbox(content)

        return Export(path, Recognised("mail (mbox)", "by its first line, From …", "mail", "mail", "mail"), mbox)
    lines = start.split(b"\n")[:3]
    if path.suffix.lower() != ".eml" and not (
        len(lines) > 1 and all(_HEADER.match(line) or line[:1] in b" \t" for line in lines[:2])
    ):
        return None

    def one() -> Iterator[Numbered]:
        content, raw = open_bytes(path)
        with raw, content:
            yield 1, read_message(content.read(64 * 1024 * 1024))

    return Export(path, Recognised("one mail (.eml)", "by its header lines", "mail", "mail", "mail"), one)


_CUE = re.compile(rb"^\s*1\s*\r?\n\d{2}:\d{2}:\d{2},\d{3} --> ")


def _transcript(path: Path, start: bytes, channels: Collection[str]) -> Export | None:
    if start.lstrip(b"\xef\xbb\xbf").startswith(b"WEBVTT") or _CUE.match(start.lstrip(b"\xef\xbb\xbf")):
        raise UnreadableTable(_IS_TALK.format(name=path.name))
    return None


_IS_TALK = (
    "{name} is the transcript of a talk: an interview, not feedback. Bring it in with: whytree import interview {name}"
)


# JSON documents ---------------------------------------------------------------------------------------


def _document(path: Path, start: bytes, channels: Collection[str]) -> Export | None:
    """One object around the rows, as APIs answer; JSON lines and arrays are tables."""
    if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"{" or _is_lines(start):
        return None
    content, raw = open_bytes(path)
    with raw, content:
        text = content.read(MOST_DOCUMENT + 1)
    if len(text) > MOST_DOCUMENT:
        return None
    try:
        whole = json.loads(text.decode(sniff_encoding(path)))
    except (ValueError, RecursionError):
        return None
    if "segments" in whole and "text" in whole:
        raise UnreadableTable(_IS_TALK.format(name=path.name))
    rows = _rows_in(whole)
    columns = list(dict.fromkeys(name for row in rows[:50] for name in row))
    found = recognise_columns(columns)
    if found is None:
        return None
    facts = Facts(columns, rows[:50])
    return Export(
        path,
        _recognised(found, columns),
        lambda: _read(((place, row) for place, row in enumerate(rows, start=1)), found.reader(facts)),
    )


def _is_lines(start: bytes) -> bool:
    first, newline, rest = start.partition(b"\n")
    if not newline or not rest.lstrip().startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(first), dict)
    except ValueError:
        return False


def _rows_in(whole: dict[str, Any]) -> list[dict[str, Any]]:
    for name in _LISTS:
        inner: Any = whole
        for part in name.split("."):
            inner = inner.get(part) if isinstance(inner, dict) else None
        if isinstance(inner, list) and any(isinstance(one, dict) for one in inner):
            return [flatten(one) for one in inner if isinstance(one, dict)]
    return [flatten(whole)]


# Tables -----------------------------------------------------------------------------------------------


def recognise_columns(columns: Sequence[str]) -> Format | None:
    """The format that writes these columns."""
    names = set(columns)
    for one in TABLES:
        if any(mark <= names for mark in one.marks):
            return one
    return tracker_format(columns) or surveys.google_forms(columns)


def _recognised(found: Format, columns: Sequence[str]) -> Recognised:
    mark = next((mark for mark in found.marks if mark <= set(columns)), frozenset())
    shown = [f"“{name}”" for name in columns if name in mark][:5]
    listed = f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else "".join(shown)
    why = f"by its column{'s' if len(shown) > 1 else ''} {listed}"
    return Recognised(found.name, why, found.slug, found.source, found.source_type)


_RAGGED = frozenset({"linear", "jira"})


def _table(path: Path, format: str | None) -> Export | None:
    table = open_table(path, format=format, ragged=True)
    found = recognise_columns(table.columns)
    if found is None:
        return None
    if found.slug not in _RAGGED:
        table = open_table(path, format=format)
    facts = Facts(table.columns, table.sample)

    def rows() -> Iterator[Numbered]:
        read = found.reader(facts)
        for row in table:
            export.progress = table.progress
            if isinstance(row, RowError):
                yield row.row_number, row
            else:
                yield from _read([(row.row_number, row.values)], read)

    export = Export(path, _recognised(found, table.columns), rows)
    return export


def _read(
    rows: Iterator[tuple[int, Mapping[str, Any]]] | list[tuple[int, Mapping[str, Any]]], read: Read
) -> Iterator[Numbered]:
    for number, values in rows:
        if BEYOND_HEADER in values and "Issue key" not in values:
            yield number, RowError(number, "it has more cells than the header")
            continue
        spoken = False
        try:
            for said in read(Cells(values)):
                spoken = True
                yield number, said
            if not spoken:
                yield number, None
        except Unread as error:
            yield number, RowError(number, str(error))
