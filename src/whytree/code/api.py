"""Repositories, their commits and lines, and tickets over REST. Commits and lines come from the command line's clone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from ninja import Router, Schema, Status
from pydantic import AwareDatetime, Field

from whytree.engines.links_tickets import TicketRef, parse_ticket, parse_ticket_url
from whytree.errors import Invalid
from whytree.workspace.doors import ApiRequest, api_product
from whytree.workspace.models import Product
from whytree.workspace.roles import Role

from . import event_references, flag_references, form_fields, queries, services, tickets
from .flag_references import FlagReading, PushedExtinction, PushedReference
from .form_fields import PushedField
from .models import Repository, Ticket, ToldReason, TrackerReading
from .services import PushedCommit, PushedFile, Reading
from .tickets import CommentFacts, Imported, ReadSoFar, RequestFacts, TicketFacts

router = Router(tags=["Code"])

# More than any clone sends at once; what it has beyond comes in the next request.
MAX_COMMITS = 2000
MAX_FILES = 500
MAX_TICKETS = 2000
MAX_COMMENTS = 500  # of one ticket in one request
MAX_FLAGS = 5000
MAX_REFERENCES = 2000
MAX_FIELDS = 200
MAX_PLACES = 200
SHA = "^([0-9a-f]{40}([0-9a-f]{24})?)?$"


class RepositoryIn(Schema):
    """A clone: its name, the first commit of its main line, and whose ticket numbers it uses."""

    name: str
    root_sha: str
    tracker: str = ""
    with_code: bool = False


class RepositoryOut(Schema):
    """A repository and how far it was read."""

    id: int
    name: str
    root_sha: str
    tracker: str
    branch: str
    head: str
    with_code: bool
    flags_scanned: list[str]
    left_out: list[str]
    commits: int
    files: int
    created_at: datetime
    synced_at: datetime | None

    @staticmethod
    def of(product: Product, repository: Repository) -> "RepositoryOut":
        counted: Any = queries.list_repositories(product).get(pk=repository.pk)
        return RepositoryOut.counted(counted)

    @staticmethod
    def counted(row: Any) -> "RepositoryOut":
        own = {name: getattr(row, name) for name in RepositoryOut.model_fields if hasattr(row, name)}
        return RepositoryOut(**{**own, "commits": row.commit_count, "files": row.file_count})


class CommitIn(Schema):
    """One commit. `merged_by` is the merge that ended its branch; `unrelated`: it came with another repository's history."""

    sha: str
    authored_at: AwareDatetime
    subject: str = ""
    body: str = ""
    note: str = ""
    author_name: str = ""
    author_email: str = ""
    parents: list[str] = []
    files: list[str] = []
    merged_by: str = ""
    flags_added: list[str] = []
    unrelated: bool = False


class CommitsIn(Schema):
    """Commits, newest first: a merge comes before what it brought."""

    root_sha: str
    commits: Annotated[list[CommitIn], Field(max_length=MAX_COMMITS)]


class PushedOut(Schema):
    new_commits: int
    new_tickets: int


class FileIn(Schema):
    """Spans are [first line, last line, commit]; `nesting` adds up the indentation levels of its lines."""

    path: str
    spans: list[tuple[int, int, str]]
    text: str | None = None
    stamp: str = ""
    nesting: int = 0


class FileOut(Schema):
    """A file whose lines are known, the commit they were read at, and the clone's own stamp of what it told."""

    path: str
    rev: str
    stamp: str
    has_text: bool


class LinesIn(Schema):
    root_sha: str
    rev: str
    files: Annotated[list[FileIn], Field(max_length=MAX_FILES)]
    gone: list[str] = []


class ReadingIn(Schema):
    """How far the clone was read."""

    root_sha: str
    head: str
    branch: str = ""
    tracker: str = ""
    flags_scanned: list[str] = []
    left_out: list[str] = []


class ToldOut(Schema):
    """A reason that somebody told here; as a git note it reads `Why: WORDS`."""

    sha: str
    words: str
    teller: str
    told_at: datetime


class FlagFound(Schema):
    """A key that code asks for, by how many calls; the first places as (path, line)."""

    key: Annotated[str, Field(max_length=200)]
    how: Annotated[str, Field(max_length=40)]
    count: Annotated[int, Field(ge=0)]
    places: Annotated[list[tuple[Annotated[str, Field(max_length=1000)], int]], Field(max_length=20)] = []


class DecisionFound(Schema):
    """A decision record, as its file tells it."""

    path: Annotated[str, Field(max_length=1000)]
    title: Annotated[str, Field(max_length=300)]
    status: Annotated[str, Field(max_length=40)] = ""
    date: Annotated[str, Field(max_length=10)] = ""


Owner = tuple[Annotated[str, Field(max_length=300)], list[Annotated[str, Field(max_length=200)]]]


class SurveyIn(Schema):
    """What the files and tags of a clone say."""

    root_sha: str
    version: int = 1
    releases: int = 0
    seconds: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    newest_release: Annotated[str, Field(max_length=250)] = ""
    flags: Annotated[list[FlagFound], Field(max_length=1000)] = []
    decisions: Annotated[list[DecisionFound], Field(max_length=1000)] = []
    owners: Annotated[list[Owner], Field(max_length=1000)] = []


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


@router.get("/products/{product}/repositories", response=list[RepositoryOut], operation_id="list_repositories")
def list_repositories(request: ApiRequest, product: str) -> list[RepositoryOut]:
    """Repositories of the product, and how far each was read."""
    found = api_product(request, product, Role.VIEWER)
    return [RepositoryOut.counted(row) for row in queries.list_repositories(found)]


@router.post("/products/{product}/repositories", response=RepositoryOut, operation_id="register_repository")
def register_repository(request: ApiRequest, product: str, body: RepositoryIn) -> RepositoryOut:
    """Make a clone known; the same first commit again is the same repository."""
    found = api_product(request, product, Role.MAINTAINER)
    made = services.register_repository(
        request.actor,
        found,
        name=body.name,
        root_sha=body.root_sha,
        tracker=body.tracker,
        with_code=body.with_code,
    )
    return RepositoryOut.of(found, made)


@router.post("/products/{product}/repositories/{pk}/commits", response=PushedOut, operation_id="push_commits")
def push_commits(request: ApiRequest, product: str, pk: int, body: CommitsIn) -> PushedOut:
    """Store commits; sending them again changes nothing."""
    repository = queries.find_repository(api_product(request, product, Role.MEMBER), pk)
    commits = [PushedCommit(**commit.dict()) for commit in body.commits]
    commit_count, ticket_count = services.push_commits(request.actor, repository, body.root_sha, commits)
    return PushedOut(new_commits=commit_count, new_tickets=ticket_count)


@router.get("/products/{product}/repositories/{pk}/files", response=list[FileOut], operation_id="list_files")
def list_files(request: ApiRequest, product: str, pk: int) -> list[FileOut]:
    """Files whose lines are known: what the next reading can leave alone."""
    repository = queries.find_repository(api_product(request, product, Role.VIEWER), pk)
    with_text = set(repository.files.filter(text__isnull=False).values_list("path", flat=True))
    rows = repository.files.values_list("path", "rev", "stamp")
    return [FileOut(path=path, rev=rev, stamp=stamp, has_text=path in with_text) for path, rev, stamp in rows]


@router.post("/products/{product}/repositories/{pk}/lines", response={204: None}, operation_id="push_lines")
def push_lines(request: ApiRequest, product: str, pk: int, body: LinesIn) -> Status[None]:
    """Store which commit each line of these files came with."""
    repository = queries.find_repository(api_product(request, product, Role.MEMBER), pk)
    files = [PushedFile(**file.dict()) for file in body.files]
    services.push_lines(request.actor, repository, body.root_sha, body.rev, files, body.gone)
    return Status(204, None)


@router.post("/products/{product}/repositories/{pk}/finish", response=RepositoryOut, operation_id="finish_sync")
def finish_sync(request: ApiRequest, product: str, pk: int, body: ReadingIn) -> RepositoryOut:
    """Note how far the clone was read."""
    found = api_product(request, product, Role.MEMBER)
    facts = body.dict()
    root_sha = facts.pop("root_sha")
    repository = services.finish_sync(request.actor, queries.find_repository(found, pk), root_sha, Reading(**facts))
    return RepositoryOut.of(found, repository)


@router.get("/products/{product}/repositories/{pk}/told", response=list[ToldOut], operation_id="list_told_reasons")
def list_told_reasons(request: ApiRequest, product: str, pk: int) -> list[ToldOut]:
    """What was said here of this repository's commits: what a clone should keep as git notes."""
    repository = queries.find_repository(api_product(request, product, Role.VIEWER), pk)
    rows = ToldReason.objects.filter(commit__repository=repository).select_related("commit")
    return [ToldOut(sha=one.commit.sha, words=one.words, teller=one.teller, told_at=one.told_at) for one in rows]


@router.post("/products/{product}/repositories/{pk}/survey", response={204: None}, operation_id="keep_survey")
def keep_survey(request: ApiRequest, product: str, pk: int, body: SurveyIn) -> Status[None]:
    """Store what the files of the clone say: flags asked for, decision records, owners, releases."""
    repository = queries.find_repository(api_product(request, product, Role.MEMBER), pk)
    facts = body.model_dump(mode="json")
    services.keep_survey(request.actor, repository, facts.pop("root_sha"), facts)
    return Status(204, None)


@router.get("/products/{product}/tickets", response=list[TicketOut], operation_id="list_tickets")
def list_tickets(request: ApiRequest, product: str, limit: int = 200) -> list[Ticket]:
    """Tickets seen so far, newest first."""
    found = api_product(request, product, Role.VIEWER)
    return list(Ticket.objects.filter(product=found)[: max(1, min(limit, 2000))])


@router.post("/products/{product}/tickets", response=TicketOut, operation_id="see_ticket")
def see_ticket(request: ApiRequest, product: str, body: TicketIn) -> Ticket:
    """The ticket, made on first sight; what is told of it is filled in."""
    found = api_product(request, product, Role.MEMBER)
    return services.see_ticket(request.actor, found, _facts(body))


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
    done = tickets.import_pull_requests(request.actor, found, rows, tracker=body.tracker, dry_run=body.dry_run)
    return ImportedOut.of(done, unreadable)


@router.get("/products/{product}/trackers", response=list[TrackerReadingOut], operation_id="list_tracker_readings")
def list_tracker_readings(request: ApiRequest, product: str) -> list[TrackerReading]:
    """How far each tracker was read."""
    return list(queries.list_tracker_readings(api_product(request, product, Role.VIEWER)))


@router.post("/products/{product}/trackers", response=TrackerReadingOut, operation_id="note_tracker_reading")
def note_tracker_reading(request: ApiRequest, product: str, body: TrackerReadingIn) -> TrackerReading:
    """Remember how far a tracker was read, so that the next reading goes on there."""
    found = api_product(request, product, Role.MAINTAINER)
    return tickets.note_tracker_reading(request.actor, found, ReadSoFar(**body.dict()))


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


# Flags in code ----------------------------------------------------------------------------------------


class FlagReferenceIn(Schema):
    """A line that speaks of a flag; `how` is resolved or text."""

    key: str
    path: str
    line: int
    how: str
    says: str = ""
    alias: str = ""
    hunk: str | None = None


class FlagExtinctionIn(Schema):
    """The commit that took a flag's last reference away."""

    key: str
    sha: str
    at: AwareDatetime
    subject: str = ""


class FlagReadingIn(Schema):
    """Part of what one scan found; the first part replaces what was told of these keys before."""

    root_sha: str
    rev: str
    keys: Annotated[list[str], Field(max_length=MAX_FLAGS)]
    references: Annotated[list[FlagReferenceIn], Field(max_length=MAX_REFERENCES)] = []
    extinctions: Annotated[list[FlagExtinctionIn], Field(max_length=MAX_FLAGS)] = []
    left_out: list[str] = []
    is_first: bool = True


@router.post(
    "/products/{product}/repositories/{pk}/flag-references",
    response={204: None},
    operation_id="push_flag_references",
)
def push_flag_references(request: ApiRequest, product: str, pk: int, body: FlagReadingIn) -> Status[None]:
    """Store where flags stand in a repository's code, and when the last reference of others went."""
    repository = queries.find_repository(api_product(request, product, Role.MEMBER), pk)
    reading = FlagReading(
        rev=body.rev,
        keys=body.keys,
        references=[PushedReference(**one.dict()) for one in body.references],
        extinctions=[PushedExtinction(**one.dict()) for one in body.extinctions],
        left_out=body.left_out,
        is_first=body.is_first,
    )
    flag_references.push_flag_references(request.actor, repository, body.root_sha, reading)
    return Status(204, None)


# Events in code ---------------------------------------------------------------------------------------


class EventReferenceIn(Schema):
    """A line that names an event; `how` is sent or text."""

    event: str
    path: str
    line: int
    how: str
    says: str = ""
    hunk: str | None = None


class EventReadingIn(Schema):
    """Part of what one look found; the first part replaces what was told of these events before."""

    root_sha: str
    rev: str
    events: Annotated[list[str], Field(max_length=MAX_FLAGS)]
    references: Annotated[list[EventReferenceIn], Field(max_length=MAX_REFERENCES)] = []
    is_first: bool = True


class EventReferenceOut(Schema):
    """Where an event stands in code, as of a commit."""

    event: str
    repository: str
    path: str
    line: int
    how: str
    says: str
    rev: str


@router.post(
    "/products/{product}/repositories/{pk}/event-references",
    response={204: None},
    operation_id="push_event_references",
)
def push_event_references(request: ApiRequest, product: str, pk: int, body: EventReadingIn) -> Status[None]:
    """Store where events are sent from in a repository's code."""
    repository = queries.find_repository(api_product(request, product, Role.MEMBER), pk)
    reading = event_references.EventReading(
        rev=body.rev,
        events=body.events,
        references=[event_references.PushedEvent(**one.dict()) for one in body.references],
        is_first=body.is_first,
    )
    event_references.push_event_references(request.actor, repository, body.root_sha, reading)
    return Status(204, None)


@router.get("/products/{product}/events/code", response=list[EventReferenceOut], operation_id="list_event_references")
def list_event_references(request: ApiRequest, product: str, event: str) -> list[EventReferenceOut]:
    """The lines that send an event, as the clones that were read tell; places that only name it come last."""
    found = api_product(request, product, Role.VIEWER)
    places = event_references.events_in_code(found, [event])[event]
    return [
        EventReferenceOut(
            event=one.event,
            repository=one.repository.name,
            path=one.path,
            line=one.line,
            how=one.how,
            says=one.says,
            rev=one.rev,
        )
        for one in places
    ]


# Form fields ------------------------------------------------------------------------------------------


class SpotModel(Schema):
    """A line of code and what it does with the field."""

    path: str
    line: int
    says: str = ""


class FormFieldIn(Schema):
    """What a clone's code does with a field; the verdict is read, nobody or unsure."""

    field: str
    verdict: str
    says: str = ""
    reads: Annotated[list[SpotModel], Field(max_length=MAX_PLACES)] = []
    hides: Annotated[list[SpotModel], Field(max_length=MAX_PLACES)] = []
    defined: Annotated[list[SpotModel], Field(max_length=MAX_PLACES)] = []
    tests: Annotated[list[SpotModel], Field(max_length=MAX_PLACES)] = []


class FormFieldsIn(Schema):
    root_sha: str
    rev: str
    fields: Annotated[list[FormFieldIn], Field(max_length=MAX_FIELDS)]


class ReadingOut(Schema):
    """What one repository's code does with the field, as of a commit."""

    repository: str
    rev: str
    at: datetime
    verdict: str
    says: str
    reads: list[SpotModel]
    hides: list[SpotModel]
    defined: list[SpotModel]
    tests: list[SpotModel]


class FormFieldOut(Schema):
    """A form field: who fills it in, how long it keeps them (median seconds), and whether code reads it."""

    field: str
    forms: list[str]
    events: list[str]
    people: int
    seconds: float | None
    timed: int
    verdict: str
    says: str
    readings: list[ReadingOut]

    @staticmethod
    def of(found: form_fields.FormField) -> "FormFieldOut":
        return FormFieldOut(
            field=found.name,
            forms=found.forms,
            events=sorted({event for seen in found.seen for event in seen.events}),
            people=found.people,
            seconds=found.seconds,
            timed=found.timed,
            verdict=found.verdict,
            says=found.says,
            readings=[
                ReadingOut(
                    repository=one.repository.name,
                    rev=one.rev,
                    at=one.at,
                    verdict=one.verdict,
                    says=one.says,
                    reads=one.reads,
                    hides=one.hides,
                    defined=one.defined,
                    tests=one.tests,
                )
                for one in found.readings
            ],
        )


@router.get("/products/{product}/form-fields", response=list[FormFieldOut], operation_id="list_form_fields")
def list_form_fields(request: ApiRequest, product: str, days: int = form_fields.USUAL_DAYS) -> list[FormFieldOut]:
    """Form fields that events speak of: how long people take, and whether code reads what they type."""
    found = api_product(request, product, Role.VIEWER)
    return [FormFieldOut.of(one) for one in form_fields.form_fields(found, days=days)]


@router.post("/products/{product}/repositories/{pk}/form-fields", response={204: None}, operation_id="push_form_fields")
def push_form_fields(request: ApiRequest, product: str, pk: int, body: FormFieldsIn) -> Status[None]:
    """Store what a repository's code does with form fields."""
    repository = queries.find_repository(api_product(request, product, Role.MEMBER), pk)
    fields = [PushedField(**one.dict()) for one in body.fields]
    form_fields.push_form_fields(request.actor, repository, body.root_sha, body.rev, fields)
    return Status(204, None)
