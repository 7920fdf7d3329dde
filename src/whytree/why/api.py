"""Ask why over REST. With a clone at hand the command line sends what it knows of the lines; without one, the last reading answers."""

from typing import Annotated

from ninja import Router, Schema
from pydantic import AwareDatetime, Field

from whytree.code.services import PushedCommit
from whytree.engines.blame import Span
from whytree.errors import Invalid
from whytree.tree.services import Proposed
from whytree.workspace.doors import ApiRequest, api_product
from whytree.workspace.roles import Role

from . import queries, questions, services, shares
from .answer import Why
from .card import Card, card_of, find_subject
from .first_look import FirstLook, find_repository, first_look
from .hops import url_of
from .queries import Ask
from .questions import Question
from .refs import NotAReference, Ref, parse_ref
from .reverse_tree import propose
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


@router.get("/products/{product}/first-look", response=FirstLook, operation_id="first_look")
def look(request: ApiRequest, product: str, repository: str = "") -> FirstLook:
    """How much of a repository can say whom it was for, how that is known, and a line whose answer is worth seeing."""
    found = api_product(request, product, Role.VIEWER)
    return first_look(find_repository(found, repository))


class LinkAnswerIn(Schema):
    """Yes or no to a link that a rule found: `kind` and `key` as the question gave them."""

    sha: Annotated[str, Field(max_length=64)]
    kind: Annotated[str, Field(max_length=10)]
    key: Annotated[str, Field(max_length=200)]
    tracker: Annotated[str, Field(max_length=300)] = ""
    right: bool


class LinkAnsweredOut(Schema):
    sha: str
    answers: list[dict[str, str | bool]]


@router.get("/products/{product}/links", response=list[Question], operation_id="links_to_confirm")
def links_to_confirm(request: ApiRequest, product: str, repository: str = "", limit: int = 10) -> list[Question]:
    """The inferred links worth asking a person about: those that explain many lines and are least sure."""
    found = api_product(request, product, Role.VIEWER)
    return questions.questions(find_repository(found, repository), limit=max(1, min(limit, 100)))


@router.post("/products/{product}/links/answer", response=LinkAnsweredOut, operation_id="answer_link")
def answer_link(request: ApiRequest, product: str, body: LinkAnswerIn) -> LinkAnsweredOut:
    """Say that a link is right: it is stated from now on. Or wrong: no rule tries it again."""
    found = api_product(request, product, Role.MEMBER)
    facts = body.dict()
    commit = questions.answer(request.actor, found, facts.pop("sha"), **facts)
    return LinkAnsweredOut(sha=commit.sha, answers=commit.answers)


class ProposedIn(Schema):
    repository: Annotated[str, Field(max_length=100)] = ""


class ProposedOut(Schema):
    """Drafts that are new, that were there, and that wait for a yes or no now."""

    new: int
    kept: int
    open: int


@router.post("/products/{product}/drafts/propose", response=ProposedOut, operation_id="propose_drafts")
def propose_drafts(request: ApiRequest, product: str, body: ProposedIn) -> Proposed:
    """Infer drafts of a tree from what was merged and asked for. What a person decided before stays as it is."""
    found = api_product(request, product, Role.MEMBER)
    return propose(request.actor, find_repository(found, body.repository))


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
