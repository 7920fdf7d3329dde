"""Ask why over REST. With a clone at hand the command line sends what it knows of the lines; without one, the last reading answers."""

from typing import Annotated

from ninja import Router, Schema
from pydantic import AwareDatetime, Field

from whytree.code.queries import find_repository
from whytree.code.services import PushedCommit
from whytree.engines.blame import Span
from whytree.errors import Invalid
from whytree.workspace.doors import ApiRequest, api_product
from whytree.workspace.roles import Role

from . import coverage as covered
from . import queries, services, shares
from .answer import Why
from .card import Card, card_of, find_subject
from .coverage import Coverage, Point
from .hops import url_of
from .queries import Ask
from .refs import NotAReference, Ref, parse_ref
from .shares import Share

router = Router(tags=["Why"])

MOST_SPANS = 5000
MOST_COMMITS = 2000


class CommitWords(Schema):
    """A commit's own words, from the asker's clone; `merged_by` is a merge that is sent along."""

    sha: str
    authored_at: AwareDatetime
    subject: str = ""
    body: str = ""
    note: str = ""
    author_name: str = ""
    merged_by: str = ""


class WhyIn(Schema):
    """What is asked. `spans` are [first line, last line, commit]; `tracker` says whose number "#12" is."""

    ref: str
    spans: Annotated[list[tuple[int, int, str]], Field(max_length=MOST_SPANS)] = []
    commits: Annotated[list[CommitWords], Field(max_length=MOST_COMMITS)] = []
    looked_through: list[str] = []
    tracker: str = ""


@router.get("/products/{product}/why", response=Why, operation_id="explain")
def explain(request: ApiRequest, product: str, ref: str) -> Why:
    """The five hops behind a line, commit, flag, ticket or id. Lines answer as of the last reading of their clone."""
    found = api_product(request, product, Role.VIEWER)
    return queries.explain(found, Ask(_ref(ref)))


@router.post("/products/{product}/why", response=Why, operation_id="explain_from_clone")
def explain_from_clone(request: ApiRequest, product: str, body: WhyIn) -> Why:
    """The same, where the asker's clone has said which commits the lines came with. Nothing is stored."""
    found = api_product(request, product, Role.VIEWER)
    ask = Ask(
        _ref(body.ref),
        spans=[Span(first, last, sha) for first, last, sha in body.spans],
        commits=[PushedCommit(**commit.dict()) for commit in body.commits],
        looked_through=body.looked_through[:100],
        tracker=body.tracker,
    )
    return queries.explain(found, ask)


@router.get("/products/{product}/why/share", response=Share, operation_id="explained_share")
def explained_share(request: ApiRequest, product: str, repository: str) -> Share:
    """How many of a repository's lines lead to a node of the tree, by rule."""
    return shares.explained_share(api_product(request, product, Role.VIEWER), repository)


@router.get("/products/{product}/coverage", response=Coverage, operation_id="coverage")
def coverage(request: ApiRequest, product: str, repository: str = "", within: str = "") -> Coverage:
    """For every line the best that stands behind it, of a folder, a file or a whole repository, as it was last read."""
    return covered.coverage(api_product(request, product, Role.VIEWER), repository, within)


@router.post("/products/{product}/repositories/{pk}/coverage", response=Point, operation_id="keep_coverage")
def keep_coverage(request: ApiRequest, product: str, pk: int) -> Point:
    """Write down how much is explained after a reading, so that it can be seen over time. Twice changes nothing."""
    repository = find_repository(api_product(request, product, Role.MEMBER), pk)
    return covered.keep_coverage(request.actor, repository)


def _ref(typed: str) -> Ref:
    try:
        return parse_ref(typed)
    except NotAReference as error:
        raise Invalid(str(error)) from error


class StartIn(Schema):
    """What work starts on: a ticket, OPP-2, SOL-3 or words. `answers`: problem, who, test; what is left out stays open."""

    subject: str
    title: str = ""
    tracker: str = ""
    answers: dict[str, str] = {}


class StartedOut(Schema):
    """The solution that commits of this work are for; `trailer` is the line their messages carry."""

    ref: str
    title: str
    url: str
    created: bool
    ticket: str
    trailer: str
    open_questions: list[str]


@router.get("/products/{product}/start", response=Card, operation_id="start_card")
def start_card(
    request: ApiRequest, product: str, subject: str, title: str = "", tracker: str = "", problem: str = ""
) -> Card:
    """What somebody should see before they start on a ticket, a node or words. Changes nothing."""
    found = api_product(request, product, Role.VIEWER)
    return card_of(found, find_subject(found, subject, title=title, tracker=tracker, problem=problem))


@router.post("/products/{product}/start", response=StartedOut, operation_id="start")
def start(request: ApiRequest, product: str, body: StartIn) -> StartedOut:
    """Start work: the ticket is seen, its solution is there, answers are kept, skipped questions stay open."""
    found = api_product(request, product, Role.MEMBER)
    begin = services.Start(body.subject, body.title, body.tracker, body.answers)
    done = services.start(request.actor, found, begin)
    return StartedOut(
        ref=done.solution.ref,
        title=done.solution.title,
        url=url_of(done.solution),
        created=done.created,
        ticket=done.ticket_key,
        trailer=f"Why: {done.solution.ref}",
        open_questions=list(done.open_questions),
    )
