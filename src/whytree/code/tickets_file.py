"""Tickets out of a tracker's export: which column is what, and which rows are no tickets."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whytree.engines.tables import (
    MissingReader,
    RowError,
    UnreadableTable,
    Wanted,
    guess_mapping,
    open_table,
    parse_time,
)
from whytree.workspace.client import CommandError

# Names as GitHub (REST and `gh --json`), GitLab, Linear and Jira write them, best first.
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
}
_CLOSED = re.compile(r"\b(?:clos|done|complet|resolv|cancel|merged|won.?t|duplicat|releas|archiv)", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    row: int
    problem: str


def read_tickets(path: Path) -> tuple[dict[str, str], list[dict[str, Any]], list[Problem]]:
    """The columns taken, the tickets by row, and the rows that could not be read."""
    try:
        table = open_table(path)
    except (UnreadableTable, MissingReader) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}. Check the path and its permissions.") from error
    mapping = guess_mapping(table.columns, table.sample, WANTED)
    if "ticket" not in mapping and "url" not in mapping:
        columns = ", ".join(table.columns[:12])
        raise CommandError(
            f"No column of {path.name} holds ticket numbers: it has {columns}. Call one “number” or “key”."
        )
    rows: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for row in table:
        if isinstance(row, RowError):
            problems.append(Problem(row.row_number, row.reason))
        elif not row.values.get("pull_request.url"):  # GitHub lists pull requests among the issues
            rows.append({"row": row.row_number, **_ticket(row.values, mapping)})
    return mapping, rows, problems


def _ticket(values: dict[str, Any], mapping: dict[str, str]) -> dict[str, Any]:
    told = {ours: values.get(theirs) for ours, theirs in mapping.items()}
    text = {name: str(value) if value is not None else "" for name, value in told.items() if name != "opened_at"}
    opened_at = parse_time(told.get("opened_at"))
    return {
        **text,
        "ticket": text.get("ticket", "").removesuffix(".0"),
        "state": _state(text.get("state", "")),
        "opened_at": opened_at.isoformat() if opened_at else None,
    }


def _state(word: str) -> str:
    """Every tracker has its own words; we only need to know whether somebody still waits."""
    if not word.strip():
        return ""
    return "closed" if _CLOSED.search(word) else "open"
