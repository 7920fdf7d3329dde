"""A file of feedback, whoever wrote it: a system we know, or a table whose columns are guessed. Imports no Django.

file = open_feedback(path, Asked(source="Support"))
print(file.recognised or file.mapping)
for batch in batches(file, after=0):          # rows as the API takes them
    client.post(f"{path}/rows", batch)
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from whytree.engines.tables import (
    RowError,
    Table,
    UnreadableTable,
    guess_day_first,
    guess_mapping,
    is_slashed,
    open_table,
)
from whytree.engines.tables.rows import listed, plain
from whytree.engines.voices import Export, Recognised, Voice, open_export

from .columns import WANTED

BATCH_ROWS = 1_000
BATCH_CHARACTERS = 1_500_000
"""A batch ends at whichever comes first; the server takes 2,000 rows and some megabytes at once."""

LOOKED_AT = 50
"""Voices of which it is seen how a file writes days; where they may be months, all of them are asked."""

MOST_OF_A_ROW = 900
"""Voices of one row that travel together: a conversation of more parts than that is a machine's."""


@dataclass(frozen=True)
class Asked:
    """How a person wants a file read; what is left out is recognised or guessed.

    `columns` maps our fields to the file's columns, "-" for none: naming any of them reads the file as a plain table.
    `name` is what its owner calls the file, where it has another one here; `mapping` the kept mapping that it is read by.
    """

    columns: dict[str, str] = field(default_factory=dict)
    source: str = ""
    kind: str = ""
    consent: str = ""
    name: str = ""
    day_first: bool | None = None
    format: str = ""
    channels: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    keep_team: bool = False
    mapping: str = ""

    def by(self, kept: "Kept") -> "Asked":
        """Read by a kept mapping, and nothing guessed beside it."""
        return replace(self, columns=whole(kept.columns), mapping=kept.name)

    def as_json(self) -> dict[str, Any]:
        return {
            **{
                name: getattr(self, name)
                for name in ("columns", "source", "kind", "consent", "name", "day_first", "format", "mapping")
            },
            "channels": list(self.channels),
            "team": list(self.team),
            "keep_team": self.keep_team,
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Asked":
        return cls(**{**told, "channels": tuple(told["channels"]), "team": tuple(told["team"])})


@dataclass(frozen=True)
class Kept:
    """A mapping kept under a name, for a table with exactly the columns `header`."""

    name: str
    columns: dict[str, str]
    header: frozenset[str]


def whole(columns: Mapping[str, str]) -> dict[str, str]:
    """Every field of ours, with "-" where no column holds it, so that nothing is guessed."""
    return {name: columns.get(name) or "-" for name in WANTED}


def kept_for(header: Collection[str], kept: Iterable[Kept]) -> Kept | None:
    """The first that was made for a table with exactly these columns, in whatever order."""
    return next((one for one in kept if one.header == frozenset(header)), None)


def open_by_kept(path: Path, asked: Asked, kept: Collection[Kept]) -> "FeedbackFile":
    """The file, read by the kept mapping of its header where nobody said how, and nobody we know wrote it.

    A table whose columns say nothing to us is no mistake where a mapping was kept for it.
    """
    try:
        file = open_feedback(path, asked)
    except UnreadableTable:
        if any(asked.columns.values()) or not kept:
            raise
        found = kept_for(open_table(path, format=asked.format or None).columns, kept)
        if found is None:
            raise
        return open_feedback(path, asked.by(found))
    if file.table is None or any(asked.columns.values()):
        return file
    found = kept_for(file.table.columns, kept)
    return file if found is None else open_feedback(path, asked.by(found))


class FeedbackFile:
    """A file that can be imported. Iterate over it for its voices; `left_out` then counts what is no voice of a user."""

    def __init__(self, path: Path, asked: Asked) -> None:
        self.path = path
        self.asked = asked
        self._export = (
            None
            if any(asked.columns.values())
            else open_export(path, channels=asked.channels, format=asked.format or None)
        )
        self._table: Table | None = None
        self.mapping: dict[str, str] = {}
        self.day_first = asked.day_first
        if self._export is None:
            self._table = open_table(path, format=asked.format or None)
            self.mapping = chosen_mapping(self._table, asked.columns)
        else:
            self._export.team = frozenset(one.lower().lstrip("@") for one in asked.team)
            self._export.keep_team = asked.keep_team
        first = list(islice(self._times(), LOOKED_AT))
        self._has_slashed = any(map(is_slashed, first))
        if asked.day_first is None and self._has_slashed:
            self.day_first = guess_day_first(chain(first, islice(self._times(), LOOKED_AT, None)))

    def _times(self) -> Iterator[Any]:
        return (one.values.get("said_at") for one in self if not isinstance(one, RowError))

    @property
    def may_be_either(self) -> bool:
        """Whether its days may be months, and nothing in the file tells."""
        return self._has_slashed and self.day_first is None

    @property
    def recognised(self) -> Recognised | None:
        return self._export.recognised if self._export else None

    @property
    def table(self) -> Table | None:
        """The table whose columns were guessed; None where the system is known."""
        return self._table

    @property
    def progress(self) -> float:
        return self._export.progress if self._export else self._table.progress if self._table else 0.0

    @property
    def left_out(self) -> Counter[str]:
        return self._export.left_out if self._export else Counter()

    @property
    def source(self) -> str:
        if self.asked.source or self.recognised:
            return self.asked.source or (self.recognised.source if self.recognised else "")
        name = Path(self.asked.name).name or self.path.name
        return name.split(".")[0] or name

    @property
    def source_id(self) -> str:
        """Stays the same from export to export of one system, so that each thing lands once."""
        return self.asked.source or (self.recognised.slug if self.recognised else self.source)

    @property
    def kind(self) -> str:
        return self.asked.kind or (self.recognised.source_type if self.recognised else "file")

    def __iter__(self) -> Iterator[Voice | RowError]:
        return iter(self._export) if self._export else self._guessed()

    def _guessed(self) -> Iterator[Voice | RowError]:
        for row in self._table or ():
            yield row if isinstance(row, RowError) else Voice(row.row_number, _values(row.values, self.mapping))

    def facts(self, name: str = "") -> dict[str, Any]:
        """What the server asks for when an import begins."""
        return {
            "fingerprint": self._fingerprint(),
            "file_name": name or self.path.name,
            "source_type": self.kind,
            "source_id": self.source_id,
            "source_name": self.source,
            "mapping": self.mapping,
            "day_first": self.day_first,
            "format_name": self.recognised.name if self.recognised else "",
        }

    def _fingerprint(self) -> str:
        """The file's content and how it is read: another mapping of the same file is another import."""
        with self.path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256")
        how: list[Any] = [self.mapping, self.source, self.kind, self.asked.consent or "internal", self.day_first]
        if self.recognised:
            how += [self.recognised.name, list(self.asked.channels), sorted(self.asked.team), self.asked.keep_team]
        digest.update(json.dumps(how, sort_keys=True).encode())
        return digest.hexdigest()


def open_feedback(path: Path, asked: Asked | None = None) -> FeedbackFile:
    """Raises `UnreadableTable`, a ValueError with a sentence, when nothing in it can be used."""
    return FeedbackFile(path, asked or Asked())


def chosen_mapping(table: Table, chosen: dict[str, str]) -> dict[str, str]:
    """Our field -> their column: what the person said, then what can be guessed."""
    stated = {name: column for name, column in chosen.items() if column and column != "-"}
    for column in stated.values():
        if column not in table.columns:
            raise UnreadableTable(f"There is no column “{column}”. The columns are {listed(table.columns)}.")
    open_fields = {name: wanted for name, wanted in WANTED.items() if not chosen.get(name)}
    free = [column for column in table.columns if column not in stated.values()]
    mapping = stated | guess_mapping(free, table.sample, open_fields)
    if "text" not in mapping:
        raise UnreadableTable(
            "Which column holds what people said? Call it “text”, or name it (--text COLUMN). "
            f"The columns are {listed(table.columns)}."
        )
    return {name: mapping[name] for name in WANTED if name in mapping}


def _values(row: dict[str, Any], mapping: dict[str, str]) -> dict[str, Any]:
    values = {name: plain(row.get(column)) for name, column in mapping.items()}
    taken = set(mapping.values())
    others = {column: plain(value) for column, value in row.items() if column not in taken and value not in (None, "")}
    return {**{name: value for name, value in values.items() if value not in (None, "")}, "metadata": others}


@dataclass(frozen=True)
class Batch:
    """Rows that travel together; `upto` is the number of the last one. No row is cut in two."""

    rows: list[tuple[int, dict[str, Any]]]
    errors: list[tuple[int, str]]
    upto: int
    left_out: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        errors = [{"row": row, "reason": reason} for row, reason in self.errors]
        return {"rows": self.rows, "errors": errors, "upto": self.upto, "left_out": self.left_out}


def batches(file: FeedbackFile, *, after: int = 0, consent: str = "") -> Iterator[Batch]:
    """All rows after this one, in batches that end where a row ends. `left_out` counts what was passed over since the last."""
    rows: list[tuple[int, dict[str, Any]]] = []
    errors: list[tuple[int, str]] = []
    size = last = 0
    before: Counter[str] = Counter()
    consented = {"consent": consent} if consent else {}

    def batch() -> Batch:
        nonlocal before
        passed, before = file.left_out - before, Counter(file.left_out)
        return Batch(rows, errors, last, dict(passed))

    for one in file:
        number = one.row_number
        if number <= after:
            before = Counter(file.left_out)
            continue
        if number != last and (len(rows) + len(errors) >= BATCH_ROWS or size >= BATCH_CHARACTERS):
            yield batch()
            rows, errors, size = [], [], 0
        last = number
        if isinstance(one, RowError):
            errors.append((number, one.reason))
        elif len(rows) < BATCH_ROWS + MOST_OF_A_ROW:
            rows.append((number, {**one.values, **consented}))
            size += sum(len(part) for part in one.values.values() if isinstance(part, str))
        else:
            errors.append((number, "the row holds more voices than a row can; the rest is left out"))
    if not last and file.left_out:  # nobody's words but the team's, as in an issue tracker: no row is left to name
        last = after + 1
    if rows or errors or file.left_out - before:
        yield batch()


__all__ = [
    "Asked",
    "Batch",
    "Export",
    "FeedbackFile",
    "Kept",
    "batches",
    "chosen_mapping",
    "kept_for",
    "open_by_kept",
    "open_feedback",
    "whole",
]
