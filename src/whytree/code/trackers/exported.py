"""Tickets out of a tracker's export: whose shape it has, what its rows say, and which could not be read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whytree.engines.tables import (
    BEYOND_HEADER,
    MissingReader,
    RowError,
    UnreadableTable,
    Wanted,
    guess_mapping,
    open_table,
    parse_time,
)
from whytree.engines.trackers import (
    BODY_LIMIT,
    TITLE_LIMIT,
    RequestRow,
    Shape,
    TicketRow,
    Told,
    recognise,
    state_of,
    ticket_number,
)
from whytree.workspace.terminal.client import CommandError

# What people call the columns of a table that no tracker wrote, best first.
WANTED = {
    "ticket": Wanted(["issue key", "number", "iid", "issue id", "key", "id", "ticket"], "id", by_content=False),
    "title": Wanted(["title", "summary", "subject"], by_content=False),
    "url": Wanted(["html_url", "web_url", "url", "link"], by_content=False),
    "state": Wanted(["status category", "state", "status"], by_content=False),
    "body": Wanted(["body", "description"], by_content=False),
    "author": Wanted(
        ["user.login", "author.login", "author.username", "reporter", "creator", "author"], by_content=False
    ),
    "opened_at": Wanted(["created_at", "createdAt", "created"], "time", by_content=False),
    "votes": Wanted(["votes", "upvotes"], "number", by_content=False),
}


@dataclass(frozen=True)
class Problem:
    row: int
    problem: str


@dataclass(frozen=True)
class Taken:
    """A row that says something of a ticket or of a merged pull request."""

    row: int
    told: Told


class TicketsFile:
    """An export that was recognised; iterate over it for its rows, one by one however many there are.

    `shape` names the tracker's way of writing; it is empty where columns were guessed (`columns`: ours -> theirs).
    `skipped` counts, while iterating, the rows that are neither tickets nor merged pull requests.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._table = open_table(path, ragged=True)
        except (UnreadableTable, MissingReader) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(
                f"{path} cannot be read: {error.strerror}. Check the path and its permissions."
            ) from error
        known = recognise(self._table.columns)
        self.shape = known.name if known else ""
        self.columns = {} if known else self._guess(path)
        self.skipped = 0
        self._shape = known or Shape("", self._read_guessed)
        self._may_be_wide = self.shape.startswith("Jira")

    @property
    def progress(self) -> float:
        return self._table.progress

    def __iter__(self) -> Iterator[Taken | Problem]:
        self.skipped = 0
        for row in self._table:
            if isinstance(row, RowError):
                yield Problem(row.row_number, row.reason)
            else:
                yield from self._row(row.row_number, row.values)

    def _row(self, number: int, values: Mapping[str, Any]) -> Iterator[Taken | Problem]:
        if BEYOND_HEADER in values and not self._may_be_wide:
            width = len(self._table.columns)
            yield Problem(number, f"it has {width + len(values[BEYOND_HEADER])} cells and the header has {width}")
            return
        told = self._shape.read(values)
        if told is None:
            self.skipped += 1
            return
        if _names_nothing(told):
            yield Problem(number, "it names no ticket: no number, no key, no address")
            return
        yield Taken(number, told)
        if isinstance(told, TicketRow):
            yield from (Problem(number, doubt) for doubt in told.doubts)

    def _guess(self, path: Path) -> dict[str, str]:
        mapping = guess_mapping(self._table.columns, self._table.sample, WANTED)
        if "ticket" not in mapping and "url" not in mapping:
            columns = ", ".join(column[:40] for column in self._table.columns[:12])
            raise CommandError(
                f"No column of {path.name} holds ticket numbers: it has {columns}. Call one “number” or “key”."
            )
        return mapping

    def _read_guessed(self, values: Mapping[str, Any]) -> TicketRow:
        told = {ours: values.get(theirs) for ours, theirs in self.columns.items()}
        text = {name: "" if value is None else str(value) for name, value in told.items()}
        votes = ticket_number(told.get("votes"))
        return TicketRow(
            ticket=ticket_number(told.get("ticket")),
            url=text.get("url", ""),
            title=text.get("title", "").strip()[:TITLE_LIMIT],
            state=state_of(text.get("state", "")),
            body=text.get("body", "")[:BODY_LIMIT],
            author=text.get("author", "").strip()[:200],
            votes=int(votes) if votes.isdecimal() and len(votes) < 10 else None,
            opened_at=parse_time(told.get("opened_at")),
        )


def _names_nothing(told: Told) -> bool:
    return not (told.request.strip("!") if isinstance(told, RequestRow) else told.ticket.strip() or told.url.strip())
