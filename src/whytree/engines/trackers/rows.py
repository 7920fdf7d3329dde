"""What a tracker's row says, whichever tracker wrote it: a ticket with its comments, or a merged pull request."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CommentRow:
    """One comment. `mark` tells it from the others under its ticket, however often it comes."""

    mark: str
    author: str
    text: str
    said_at: datetime | None = None
    author_is_staff: bool | None = None


@dataclass(frozen=True, slots=True)
class TicketRow:
    """What a row says of a ticket. None and "" say nothing. `doubts` are sentences on what could not be read."""

    ticket: str
    url: str = ""
    title: str = ""
    state: str = ""
    body: str = ""
    author: str = ""
    author_is_staff: bool | None = None
    labels: tuple[str, ...] | None = None
    votes: int | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    updated_at: datetime | None = None
    comments: tuple[CommentRow, ...] = ()
    comments_only: bool = False
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestRow:
    """What a row says of a merged pull request. `closes` are tickets as people name them, told by the tracker itself."""

    request: str
    url: str = ""
    title: str = ""
    body: str = ""
    author: str = ""
    branch: str = ""
    merge_sha: str = ""
    squash_sha: str = ""
    merged_at: datetime | None = None
    updated_at: datetime | None = None
    closes: tuple[str, ...] = ()


Told = TicketRow | RequestRow


def as_json(told: Told) -> dict[str, Any]:
    """A row as it travels to the server."""
    row = asdict(told)
    row.pop("doubts", None)
    for part in (row, *row.get("comments", ())):
        part |= {name: value.isoformat() for name, value in part.items() if isinstance(value, datetime)}
    return row


def with_staff(told: Told, staff: frozenset[str]) -> Told:
    """The same, where these people (in lower letters) are known to belong to the team."""
    if not staff or isinstance(told, RequestRow):
        return told
    comments = tuple(
        replace(one, author_is_staff=True) if one.author.lower() in staff else one for one in told.comments
    )
    is_staff = True if told.author.lower() in staff else told.author_is_staff
    return replace(told, author_is_staff=is_staff, comments=comments)
