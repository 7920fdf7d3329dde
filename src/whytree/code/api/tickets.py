"""Tickets, pull requests and how far each tracker was read, over REST."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from ninja import Router, Schema
from pydantic import AwareDatetime, Field

from whytree.engines.links.tickets import TicketRef, parse_ticket, parse_ticket_url
from whytree.errors import Invalid
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rights.roles import Role

from .. import queries
from ..models import Ticket, TrackerReading
from ..trackers import readings, requests, tickets
from ..trackers.readings import ReadSoFar
from ..trackers.requests import RequestFacts
from ..trackers.tickets import CommentFacts, Imported, TicketFacts

router = Router(tags=["Code"])

# More than any clone sends at once; what it has beyond comes in the next request.
MAX_TICKETS = 2000
MAX_COMMENTS = 500  # of one ticket in one request
SHA = "^([0-9a-f]{40}([0-9a-f]{24})?)?$"


class TicketOut(Schema):
    id: int
    key: str
    tracker: str
    url: str
    title: str
    state: str
    body: str
    author: str
    author_is_staff: bool | None
    labels: list[str]
    votes: int
    opened_at: datetime | None
    closed_at: datetime | None
    updated_at: datetime | None
    created_at: datetime


class TicketIn(Schema):
    """A ticket as people name it: #12, ABC-12, acme/sprout#12 or its address."""

    ticket: str
    url: str = ""
    title: str = ""
    state: str = ""
    body: str = ""
    author: str = ""
    opened_at: AwareDatetime | None = None


class CommentIn(Schema):
    """`mark` makes it the same comment when it comes again: its id in the tracker."""

    mark: Annotated[str, Field(min_length=1)]
    text: str
    author: str = ""
    author_is_staff: bool | None = None
    said_at: AwareDatetime | None = None


class TicketRowIn(TicketIn):
    """One row of an export. `comments_only`: it is of no ticket, only of comments on one that is here already."""

    row: int
    author_is_staff: bool | None = None
    labels: list[str] | None = None
    votes: Annotated[int, Field(ge=0, le=2_000_000_000)] | None = None
    closed_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    comments: Annotated[list[CommentIn], Field(max_length=MAX_COMMENTS)] = []
    comments_only: bool = False


class TicketsIn(Schema):
    """`tracker` says whose numbers "#12" are, as github.com/acme/sprout; left out, those of the only repository."""

    tickets: Annotated[list[TicketRowIn], Field(max_length=MAX_TICKETS)]
    tracker: str = ""
    dry_run: bool = False


class PullRequestIn(Schema):
    """A merged pull request: #12, !12 or its address; the commit it became; tickets its tracker says it closes."""

    request: str
    url: str = ""
    title: str = ""
    body: str = ""
    author: str = ""
    branch: str = ""
    merge_sha: Annotated[str, Field(pattern=SHA)] = ""
    squash_sha: Annotated[str, Field(pattern=SHA)] = ""
    merged_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    closes: list[str] = []


class PullRequestsIn(Schema):
    requests: Annotated[list[PullRequestIn], Field(max_length=MAX_TICKETS)]
    tracker: str = ""
    dry_run: bool = False


class TrackerReadingIn(Schema):
    """How far a list was read: `what` is issues, comments or requests."""

    tracker: str
    what: str
    since_at: AwareDatetime | None = None
    page: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    etag: str = ""


class TrackerReadingOut(Schema):
    tracker: str
    what: str
    since_at: datetime | None
    page: int
    etag: str
    read_at: datetime


class RowProblem(Schema):
    row: int
    problem: str


class ImportedOut(Schema):
    """`older`: what is here is newer. `unplaced`: comments on tickets that are not here. `commits`: looked at anew."""

    new: int
    changed: int
    unchanged: int
    older: int = 0
    comments: int = 0
    unplaced: int = 0
    commits: int = 0
    refused: list[RowProblem]

    @staticmethod
    def of(done: Imported, unreadable: Sequence[RowProblem] = ()) -> "ImportedOut":
        refused = [*unreadable, *(RowProblem(row=row, problem=problem) for row, problem in done.refused)]
        return ImportedOut(**{**vars(done), "refused": refused})


@router.get("/products/{product}/tickets", response=list[TicketOut], operation_id="list_tickets")
def list_tickets(request: ApiRequest, product: str, limit: int = 200) -> list[Ticket]:
    """Tickets seen so far, newest first."""
    found = api_product(request, product, Role.VIEWER)
    return list(Ticket.objects.filter(product=found)[: max(1, min(limit, 2000))])


@router.post("/products/{product}/tickets", response=TicketOut, operation_id="see_ticket")
def see_ticket(request: ApiRequest, product: str, body: TicketIn) -> Ticket:
    """The ticket, made on first sight; what is told of it is filled in."""
    found = api_product(request, product, Role.MEMBER)
    return tickets.see_ticket(request.actor, found, _facts(body))


@router.post("/products/{product}/tickets/import", response=ImportedOut, operation_id="import_tickets")
def import_tickets(request: ApiRequest, product: str, body: TicketsIn) -> ImportedOut:
    """Tickets from a tracker's export; sending them again changes only what changed there."""
    found = api_product(request, product, Role.MAINTAINER)
    rows, unreadable = [], []
    for ticket in body.tickets:
        try:
            rows.append((ticket.row, _row_facts(ticket)))
        except Invalid as error:
            unreadable.append(RowProblem(row=ticket.row, problem=error.message))
    done = tickets.import_tickets(request.actor, found, rows, tracker=body.tracker, dry_run=body.dry_run)
    return ImportedOut.of(done, unreadable)


@router.post("/products/{product}/pull-requests/import", response=ImportedOut, operation_id="import_pull_requests")
def import_pull_requests(request: ApiRequest, product: str, body: PullRequestsIn) -> ImportedOut:
    """Merged pull requests: which commit each became, and what it closes. Sending them again changes nothing."""
    found = api_product(request, product, Role.MAINTAINER)
    rows, unreadable = [], []
    for number, one in enumerate(body.requests, start=1):
        try:
            rows.append(_request_facts(one))
        except Invalid as error:
            unreadable.append(RowProblem(row=number, problem=error.message))
    done = requests.import_pull_requests(request.actor, found, rows, tracker=body.tracker, dry_run=body.dry_run)
    return ImportedOut.of(done, unreadable)


@router.get("/products/{product}/trackers", response=list[TrackerReadingOut], operation_id="list_tracker_readings")
def list_tracker_readings(request: ApiRequest, product: str) -> list[TrackerReading]:
    """How far each tracker was read."""
    return list(queries.list_tracker_readings(api_product(request, product, Role.VIEWER)))


@router.post("/products/{product}/trackers", response=TrackerReadingOut, operation_id="note_tracker_reading")
def note_tracker_reading(request: ApiRequest, product: str, body: TrackerReadingIn) -> TrackerReading:
    """Remember how far a tracker was read, so that the next reading goes on there."""
    found = api_product(request, product, Role.MAINTAINER)
    return readings.note_tracker_reading(request.actor, found, ReadSoFar(**body.dict()))


def _facts(body: TicketIn) -> TicketFacts:
    ref = _named(body.ticket, body.url)
    return TicketFacts(ref, body.title, body.state, body.body, body.author, body.opened_at)


def _row_facts(body: TicketRowIn) -> TicketFacts:
    return replace(
        _facts(body),
        author_is_staff=body.author_is_staff,
        labels=body.labels,
        votes=body.votes,
        closed_at=body.closed_at,
        updated_at=body.updated_at,
        comments=[CommentFacts(**comment.dict()) for comment in body.comments],
        comments_only=body.comments_only,
    )


def _request_facts(body: PullRequestIn) -> RequestFacts:
    own = {name: value for name, value in body.dict().items() if name not in {"request", "url", "closes"}}
    closes = [ref for written in body.closes if (ref := parse_ticket(written))]
    return RequestFacts(_request_named(body), closes=closes, **own)


def _request_named(body: PullRequestIn) -> TicketRef:
    """parse_ticket knows no "!12": nobody types it at a prompt."""
    ref = parse_ticket_url(body.url) if body.url else None
    if ref is None and body.request[:1] == "!" and (plain := parse_ticket(body.request[1:])):
        ref = replace(plain, key="!" + plain.key[1:])
    ref = ref or parse_ticket(body.request)
    if ref is None or ref.key[0] not in "#!":
        raise Invalid(f"{body.request[:80]!r} is no pull request. Write it as #12, !12 or its address.")
    return ref if ref.url or not body.url else replace(ref, url=body.url)


def _named(written: str, url: str) -> TicketRef:
    ref = parse_ticket(url) if url else None
    ref = ref or parse_ticket(written)
    if ref is None:
        raise Invalid(f"{written[:80]!r} is no ticket. Write it as #12, ABC-12, acme/sprout#12 or its address.")
    return ref if ref.url or not url else replace(ref, url=url)
