"""Ask why over REST. With a clone at hand the command line sends what it knows of the lines; without one, the last reading answers."""

from typing import Annotated

from ninja import Router, Schema, Status
from pydantic import AwareDatetime, Field

from whytree.code.queries import find_repository
from whytree.code.services import PushedCommit
from whytree.engines.git.blame import Span
from whytree.engines.git.log import BODY_LIMIT, SUBJECT_LIMIT
from whytree.errors import Invalid
from whytree.workspace import sockets
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role
from whytree.workspace.sockets import Hit

from . import queries, services
from .ahead import improving
from .ahead.answer import Ahead
from .answer import Why
from .answering import reasons
from .answering.hunks import WantedHunks, wanted_hunks
from .coverage import api as coverage_api
from .daily import api as daily_api
from .delivery import api as delivery_api
from .first import api as first_api
from .queries import Ask
from .refs import CommitRef, LineRef, NotAReference, Ref, parse_ref
from .starting import api as starting_api

MOST_SPANS = 5000
MOST_COMMITS = 2000

router = Router(tags=["Why"])
for room in (first_api, coverage_api, starting_api, daily_api, delivery_api):
    router.add_router("", room.router)


class CommitWords(Schema):
    """A commit's own words, from the asker's clone; `merged_by` is a merge that is sent along.

    `stands_on`: where that clone looked at new commits alone, those read before that its branch went on from, unless it
    went on from the main line.
    """

    sha: Annotated[str, Field(max_length=64)]
    authored_at: AwareDatetime
    subject: str = ""
    body: str = ""
    note: str = ""
    author_name: Annotated[str, Field(max_length=200)] = ""
    merged_by: Annotated[str, Field(max_length=64)] = ""
    unrelated: bool = False
    stands_on: Annotated[list[str], Field(max_length=MOST_COMMITS)] = []

    def as_pushed(self) -> PushedCommit:
        """As much of it as a reading would keep: the rules look through every character."""
        words = self.dict()
        cut = {"subject": words["subject"][:SUBJECT_LIMIT].strip()}
        cut |= {name: words[name][:BODY_LIMIT] for name in ("body", "note")}
        return PushedCommit(**words | cut)


class GoneIn(Schema):
    """The commit a file is gone since; it is among the `commits`. `moved_to`: where it went then, `lives_at`: where it
    is today."""

    sha: str
    moved_to: str = ""
    lives_at: str = ""


class PlaceIn(Schema):
    """Lines of a file in the asker's clone, whatever it is called; the whole file without `first` and `last`."""

    path: str
    first: int = 0
    last: int = 0
    symbol: str = ""


class WhyIn(Schema):
    """What is asked: `ref` as typed, or a `place` in a clone; `at` is the revision that was read at.

    `spans` are [first line, last line, commit]; `cut_off` are lines older than a shallow clone reaches; `tracker` says
    whose number "#12" is.
    """

    ref: str
    place: PlaceIn | None = None
    at: str = ""
    gone: GoneIn | None = None
    spans: Annotated[list[tuple[int, int, str]], Field(max_length=MOST_SPANS)] = []
    commits: Annotated[list[CommitWords], Field(max_length=MOST_COMMITS)] = []
    cut_off: Annotated[list[tuple[int, int]], Field(max_length=MOST_SPANS)] = []
    looked_through: list[str] = []
    tracker: str = ""


@router.get("/products/{product}/why", response=Why, operation_id="explain")
def explain(request: ApiRequest, product: str, ref: str) -> Why:
    """The five hops behind a line, commit, flag, ticket or id. Lines answer as of the last reading of their clone."""
    found = api_product(request, product, Role.VIEWER)
    return services.answer_why(request.actor, found, Ask(_ref(ref)))


@router.post("/products/{product}/why", response=Why, operation_id="explain_from_clone")
def explain_from_clone(request: ApiRequest, product: str, body: WhyIn) -> Why:
    """The same, where the asker's clone has said which commits the lines came with. Nothing of it is stored."""
    found = api_product(request, product, Role.VIEWER)
    return services.answer_why(request.actor, found, _asked(_ref_of(body), body))


@router.get(
    "/products/{product}/repositories/{pk}/hunks/wanted", response=list[WantedHunks], operation_id="list_wanted_hunks"
)
def list_wanted_hunks(request: ApiRequest, product: str, pk: int) -> list[WantedHunks]:
    """Lines that pages would show and that a clone may send: of commits that lead to a node, never half of a file."""
    return wanted_hunks(find_repository(api_product(request, product, Role.VIEWER), pk))


class HitOut(Schema):
    """Something the words found. A higher `rank` comes first; 1.0 is an exact match."""

    kind: str
    label: str
    title: str
    url: str
    rank: float


@router.get("/products/{product}/search", response=list[HitOut], operation_id="search")
def search(request: ApiRequest, product: str, q: str) -> list[Hit]:
    """What the box **Why ...** finds by words, best first: nodes, voices, flags, questions, commits, people."""
    found = api_product(request, product, Role.VIEWER)
    return sockets.search(request.actor, found, q.strip()[:400]) if q.strip() else []


@router.get("/products/{product}/improve", response=Ahead, operation_id="improve")
def improve(request: ApiRequest, product: str, ref: str) -> Ahead:
    """What could be better there: struggles, guards near their margin, open questions, untested assumptions, flags that could go.

    `ref`: a file, lines or a folder as last read, `flag:KEY`, a ticket, an id, or a page of the product (`/signup`).
    """
    return improving.improve(api_product(request, product, Role.VIEWER), None, _place(ref))


@router.post("/products/{product}/improve", response=Ahead, operation_id="improve_from_clone")
def improve_from_clone(request: ApiRequest, product: str, body: WhyIn) -> Ahead:
    """The same, where the asker's clone has said which commits the lines came with. Nothing is stored."""
    found = api_product(request, product, Role.VIEWER)
    place = _ref_of(body) if body.place else _place(body.ref)
    ask = None if isinstance(place, improving.PageRef) else _asked(place, body)
    return improving.improve(found, ask, place)


def _ref_of(body: WhyIn) -> Ref:
    """What is asked about; a file in a clone may be called anything."""
    return LineRef(**body.place.dict()) if body.place else _ref(body.ref)


def _asked(ref: Ref, body: WhyIn) -> Ask:
    return Ask(
        ref,
        at=body.at[:64],
        gone=(body.gone.sha, body.gone.moved_to[:1000], body.gone.lives_at[:1000]) if body.gone else None,
        spans=[Span(first, last, sha) for first, last, sha in body.spans],
        commits=[commit.as_pushed() for commit in body.commits],
        cut_off=[Span(first, last, "") for first, last in body.cut_off],
        looked_through=body.looked_through[:100],
        tracker=body.tracker,
    )


def _place(typed: str) -> "Ref | improving.PageRef":
    try:
        return improving.parse_place(typed)
    except NotAReference as error:
        raise Invalid(str(error)) from error


class TellIn(Body):
    """`reason`: SOL-3 (or another id), a ticket, or a few words."""

    commit: str
    reason: str


@router.post("/products/{product}/why/tell", response=Why, operation_id="tell_why")
def tell_why(request: ApiRequest, product: str, body: TellIn) -> Why:
    """Say what a commit is for; gives its answer as it reads now. The next sync of a clone keeps it as a git note."""
    found = api_product(request, product, Role.MEMBER)
    told = reasons.tell_why(request.actor, found, body.commit, body.reason)
    return queries.explain(found, Ask(CommitRef(told.commit.sha)))


@router.delete("/products/{product}/why/told/{pk}", response={204: None}, operation_id="withdraw_why")
def withdraw_why(request: ApiRequest, product: str, pk: int) -> Status[None]:
    """Take back what was told: one's own word, or as a maintainer anybody's."""
    reasons.withdraw_why(request.actor, api_product(request, product, Role.MEMBER), pk)
    return Status(204, None)


def _ref(typed: str) -> Ref:
    try:
        return parse_ref(typed)
    except NotAReference as error:
        raise Invalid(str(error)) from error
