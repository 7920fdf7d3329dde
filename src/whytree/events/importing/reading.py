"""A file's rows as the import takes them: columns sorted out, times read, each row with an id of its own.

Runs on the command line's side, without Django.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from whytree.engines.tables import Row, RowError, Table, guess_day_first, guess_mapping, parse_time
from whytree.engines.tables.rows import listed, plain

from ..history.common import row_id, text
from .columns import COLUMNS, MESSAGE_ID, WANTED

BATCH_ROWS = 1_000
BATCH_CHARACTERS = 1_500_000


class NoColumn(ValueError):
    """A column that is needed cannot be found; the message says how to name it on the command line, `field` what it should hold."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Mapping:
    """Which of the file's columns is what."""

    person: str
    event: str  # a column, or with `event_name` nothing
    time: str
    message_id: str = ""
    event_name: str = ""  # the one event that every row is, when no column says
    day_first: bool | None = None

    @property
    def own(self) -> set[str]:
        """Columns that do not become properties."""
        return {self.person, self.event, self.time, self.message_id} - {""}

    def shown(self) -> dict[str, str]:
        """For people: our field and their column."""
        named = {"person": self.person, "event": self.event, "time": self.time, "message id": self.message_id}
        fixed = {"event": f"always {self.event_name}"} if self.event_name else {}
        return {field: column for field, column in (named | fixed).items() if column}


def find_mapping(table: Table, *, person: str, event: str, time: str, message_id: str, event_name: str) -> Mapping:
    """What the person said, then what can be guessed from names and content. Raises `NoColumn`."""
    stated = {"person": person, "event": event, "time": time, "message_id": message_id}
    for column in stated.values():
        if column and column not in table.columns:
            raise NoColumn(f"There is no column “{column}”. The columns are {listed(table.columns)}.")
    wanted = {field: want for field, want in (WANTED | {"message_id": MESSAGE_ID}).items() if not stated[field]}
    if event_name:
        wanted.pop("event", None)
    free = [column for column in table.columns if column not in stated.values()]
    found = {**guess_mapping(free, table.sample, wanted), **{f: column for f, column in stated.items() if column}}
    for field in WANTED:
        if field not in found and not (field == "event" and event_name):
            hint = " or --event-name NAME, when every row is the same event" if field == "event" else ""
            raise NoColumn(
                f"Which column holds the {field}? Say --{field} COLUMN{hint}. The columns are {listed(table.columns)}.",
                field,
            )
    return Mapping(
        person=found["person"],
        event="" if event_name else found["event"],
        time=found["time"],
        message_id=found.get("message_id", ""),
        event_name=event_name,
        day_first=guess_day_first(row.get(found["time"]) for row in table.sample),
    )


@dataclass
class Batch:
    """Some rows ready to send, and those that cannot be."""

    rows: list[dict[str, Any]]
    errors: list[dict[str, Any]]
    upto: int = 0

    def __bool__(self) -> bool:
        return bool(self.rows or self.errors)


def batches(table: Table, mapping: Mapping, *, after: int = 0) -> Iterator[Batch]:
    """The file in batches, from behind row `after`. All rows are read: equal ones are told apart by their number."""
    sorter = _Sorter(table.columns, mapping)
    batch, characters = Batch([], []), 0
    for row in table:
        sorted_row = sorter.sort(row)
        if row.row_number <= after:
            continue
        batch.upto = row.row_number
        if "reason" in sorted_row:
            batch.errors.append(sorted_row)
        else:
            batch.rows.append(sorted_row)
            characters += sum(len(str(value)) for value in sorted_row["properties"].values())
        if len(batch.rows) + len(batch.errors) >= BATCH_ROWS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = Batch([], []), 0
    if batch:
        yield batch


class _Sorter:
    """Turns one row after the other into what the API takes."""

    def __init__(self, columns: list[str], mapping: Mapping) -> None:
        self._mapping = mapping
        self._own = mapping.own
        self._filling = {
            field: column
            for field, names in COLUMNS.items()
            for column in columns
            if column.lower() in names and column not in mapping.own
        }
        self._seen: Counter[bytes] = Counter()

    def sort(self, row: Row | RowError) -> dict[str, Any]:
        if isinstance(row, RowError):
            return {"row": row.row_number, "reason": row.reason}
        mapping, values = self._mapping, row.values
        person = text(values.get(mapping.person))
        name = mapping.event_name or text(values.get(mapping.event))
        at = parse_time(values.get(mapping.time), day_first=mapping.day_first)
        fault = self._fault(person, name, at, values.get(mapping.time))
        if fault or at is None:
            return {"row": row.row_number, "reason": fault}
        return {
            "row": row.row_number,
            "message_id": self._message_id(values),
            "person": person,
            "event": name,
            "timestamp": at.isoformat(),
            "properties": {
                column: plain(value)
                for column, value in values.items()
                if column not in self._own and value not in (None, "")
            },
            "columns": {field: text(values.get(column)) for field, column in self._filling.items()},
        }

    def _fault(self, person: str, name: str, at: datetime | None, sent: Any) -> str:
        if not person:
            return f"column “{self._mapping.person}” is empty: whose event is it?"
        if not name:
            return f"column “{self._mapping.event}” is empty: an event needs a name"
        if at is None:
            return f"{str(sent)[:60]!r} in column “{self._mapping.time}” is no time that can be read for certain"
        return ""

    def _message_id(self, values: dict[str, Any]) -> str:
        """The row's own id, else one made of what it says."""
        own = text(values.get(self._mapping.message_id)) if self._mapping.message_id else ""
        return own[:400] or row_id(values, self._seen)
