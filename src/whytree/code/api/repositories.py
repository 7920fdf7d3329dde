"""Repositories, their commits, lines and surveys over REST. They come from the command line's clone."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Router, Schema, Status
from pydantic import AwareDatetime, Field

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role

from .. import queries, services
from ..models import Repository, ToldReason
from ..services import PushedCommit, PushedFile, PushedHunks, Reading

router = Router(tags=["Code"])

# More than any clone sends at once; what it has beyond comes in the next request.
MAX_COMMITS = 2000
MAX_FILES = 500
MAX_HUNKS = 200


class RepositoryIn(Schema):
    """A clone: its name, the first commit of its main line, and whose ticket numbers it uses."""

    name: str
    root_sha: str
    tracker: str = ""
    with_code: bool = False
    with_hunks: bool = True


class RepositoryOut(Schema):
    """A repository and how far it was read."""

    id: int
    name: str
    root_sha: str
    tracker: str
    branch: str
    head: str
    with_code: bool
    with_hunks: bool
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


class HunksIn(Schema):
    """Pieces of a file: (first line, text)."""

    path: str
    stamp: Annotated[str, Field(max_length=64)]
    hunks: Annotated[list[tuple[Annotated[int, Field(ge=1)], str]], Field(max_length=MAX_HUNKS)]


class FileHunksIn(Schema):
    root_sha: str
    files: Annotated[list[HunksIn], Field(max_length=MAX_FILES)]


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
    tree: Annotated[str, Field(max_length=1000)] = ""
    owners: Annotated[list[Owner], Field(max_length=1000)] = []


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
        with_hunks=body.with_hunks,
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


@router.post("/products/{product}/repositories/{pk}/hunks", response={204: None}, operation_id="push_hunks")
def push_hunks(request: ApiRequest, product: str, pk: int, body: FileHunksIn) -> Status[None]:
    """Store pieces of files, so that pages can show the lines that lead somewhere."""
    repository = queries.find_repository(api_product(request, product, Role.MEMBER), pk)
    files = [PushedHunks(file.path, file.stamp, file.hunks) for file in body.files]
    services.push_hunks(request.actor, repository, body.root_sha, files)
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
