"""Repositories, their commits and lines, and tickets over REST. Commits and lines come from the command line's clone."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from ninja import Router, Schema, Status
from pydantic import AwareDatetime, Field

from whytree.engines.links_tickets import parse_ticket
from whytree.errors import Invalid
from whytree.workspace.doors import ApiRequest, api_product
from whytree.workspace.models import Product
from whytree.workspace.roles import Role

from . import flag_references, form_fields, queries, services
from .flag_references import FlagReading, PushedExtinction, PushedReference
from .form_fields import PushedField
from .models import Repository, Ticket
from .services import PushedCommit, PushedFile, Reading, TicketFacts

router = Router(tags=["Code"])

# More than any clone sends at once; what it has beyond comes in the next request.
MAX_COMMITS = 2000
MAX_FILES = 500
MAX_TICKETS = 2000
MAX_FLAGS = 5000
MAX_REFERENCES = 2000
MAX_FIELDS = 200
MAX_PLACES = 200


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
    """One commit; `merged_by` is the merge that brought it to the main line."""

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


class CommitsIn(Schema):
    """Commits, newest first: a merge comes before what it brought."""

    root_sha: str
    commits: Annotated[list[CommitIn], Field(max_length=MAX_COMMITS)]


class PushedOut(Schema):
    new_commits: int
    new_tickets: int


class FileIn(Schema):
    """Spans are [first line, last line, commit]."""

    path: str
    spans: list[tuple[int, int, str]]
    text: str | None = None


class FileOut(Schema):
    """A file whose lines are known, and the commit they were read at."""

    path: str
    rev: str
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


class TicketOut(Schema):
    id: int
    key: str
    tracker: str
    url: str
    title: str
    state: str
    body: str
    author: str
    opened_at: datetime | None
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


class TicketRowIn(TicketIn):
    row: int


class TicketsIn(Schema):
    tickets: Annotated[list[TicketRowIn], Field(max_length=MAX_TICKETS)]
    dry_run: bool = False


class RowProblem(Schema):
    row: int
    problem: str


class ImportedOut(Schema):
    new: int
    changed: int
    unchanged: int
    refused: list[RowProblem]


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
    rows = repository.files.values_list("path", "rev")
    return [FileOut(path=path, rev=rev, has_text=path in with_text) for path, rev in rows]


@router.post("/products/{product}/repositories/{pk}/lines", response={204: None}, operation_id="push_lines")
def push_lines(request: ApiRequest, product: str, pk: int, body: LinesIn) -> Status[None]:
    """Store which commit each line of these files came with."""
    repository = queries.find_repository(api_product(request, product, Role.MEMBER), pk)
    files = [PushedFile(file.path, file.spans, file.text) for file in body.files]
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
            rows.append((ticket.row, _facts(ticket)))
        except Invalid as error:
            unreadable.append(RowProblem(row=ticket.row, problem=error.message))
    done = services.import_tickets(request.actor, found, rows, dry_run=body.dry_run)
    refused = [*unreadable, *(RowProblem(row=row, problem=problem) for row, problem in done.refused)]
    return ImportedOut(new=done.new, changed=done.changed, unchanged=done.unchanged, refused=refused)


def _facts(body: TicketIn) -> TicketFacts:
    ref = parse_ticket(body.url) if body.url else None
    ref = ref or parse_ticket(body.ticket)
    if ref is None:
        raise Invalid(f"{body.ticket[:80]!r} is no ticket. Write it as #12, ABC-12, acme/sprout#12 or its address.")
    if body.url and not ref.url:
        ref = replace(ref, url=body.url)
    return TicketFacts(ref, body.title, body.state, body.body, body.author, body.opened_at)


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
