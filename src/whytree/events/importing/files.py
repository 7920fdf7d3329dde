"""A file of events, whoever wrote it: another tool's export, or a table whose columns are named or guessed. Imports no Django.

file = open_events(path, Asked())
print(file.title or file.shown)
for batch in file.batches(after=0):      # rows as the API takes them
    client.post(path, batch)
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from whytree.engines.tables import UnreadableTable, open_table

from ..history import SOURCES, Source, open_source, sources
from ..history.common import fingerprint
from ..history.snowplow import SnowplowFile
from ..history.sources import File
from . import reading
from .archives import unpacked
from .reading import Mapping, find_mapping

#: In place of a source's name: read it as anybody's table.
TABLE = "table"
#: What a person may say of the columns of a table.
COLUMNS = ("person", "event", "time", "message_id")


@dataclass(frozen=True)
class Asked:
    """How a person wants a file read; what is left out is recognised or guessed. Naming any column reads it as a table."""

    person: str = ""
    event: str = ""
    time: str = ""
    message_id: str = ""
    event_name: str = ""
    format: str = ""
    source: str = ""

    @property
    def names_columns(self) -> bool:
        return any((self.person, self.event, self.time, self.message_id, self.event_name))


@dataclass(frozen=True)
class EventFile:
    """A file that can be imported: `source` says whose export it is, else `mapping` which column holds what."""

    path: Path
    table: File
    source: Source | None
    mapping: Mapping | None
    #: What an archive was unpacked to; it is there as long as this is.
    whole: IO[bytes] | None = None

    @property
    def title(self) -> str:
        """Whose export it is; empty for a table."""
        return self.source.title if self.source else ""

    @property
    def shown(self) -> dict[str, str]:
        """How it is read, for people."""
        return {"source": self.source.title} if self.source else self.mapping.shown() if self.mapping else {}

    @property
    def columns(self) -> list[str]:
        """What the file calls its columns, in their order."""
        return list(getattr(self.table, "columns", ()))

    @property
    def progress(self) -> float:
        """How much of it was read, from 0 to 1."""
        return self.table.progress

    def close(self) -> None:
        """What an archive was unpacked to goes, where nobody keeps it."""
        if self.whole is not None:
            self.whole.close()

    @property
    def fingerprint(self) -> str:
        """Its content and how it is read."""
        return fingerprint(self.path, f"source {self.source.name}" if self.source is not None else repr(self.mapping))

    def batches(self, *, after: int = 0) -> Iterator[dict[str, Any]]:
        """From behind row `after`: `rows` or `messages`, `errors`, and `upto`, the last row in it."""
        if self.source is not None:
            yield from sources.batches(self.table, self.source, after=after)
            return
        assert self.mapping is not None  # noqa: S101 - for the type checker: a file has one of the two
        assert not isinstance(self.table, SnowplowFile)  # noqa: S101 - for the type checker: that is a source's
        for batch in reading.batches(self.table, self.mapping, after=after):
            yield {"rows": batch.rows, "errors": batch.errors, "upto": batch.upto}


def open_events(path: Path, asked: Asked, keep: Path | None = None) -> EventFile:
    """Raises `UnreadableTable` for what is no such file, `NoColumn` where a column has to be named.

    `keep` is where an archive is unpacked to, once for whoever opens it again.
    """
    if asked.source and asked.source not in (*SOURCES, TABLE):
        raise UnreadableTable(f"“{asked.source[:40]}” is no source. There are {', '.join(SOURCES)} and {TABLE}.")
    kept = keep is not None and keep.is_file()
    whole = None if kept else unpacked(path, keep)
    read = keep if keep is not None and kept else Path(whole.name) if whole else path
    if asked.source != TABLE and not asked.names_columns:
        table, source = open_source(read, asked.format, asked.source)
        if source is not None:
            return EventFile(path, table, source, None, whole)
    table = open_table(read, format=asked.format or None)
    mapping = find_mapping(
        table,
        person=asked.person,
        event=asked.event,
        time=asked.time,
        message_id=asked.message_id,
        event_name=asked.event_name,
    )
    return EventFile(path, table, None, mapping, whole)
