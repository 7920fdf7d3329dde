"""The first reading over REST: how much is explained, links to confirm, drafts of a tree."""

from typing import Annotated

from ninja import Router, Schema
from pydantic import Field

from whytree.tree.services import Proposed
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import questions, shares
from .announced import Entry
from .first_look import FirstLook, first_look
from .first_look import find_repository as repository_named
from .questions import Question
from .reverse_tree import propose
from .shares import Share

router = Router(tags=["Why"])


@router.get("/products/{product}/why/share", response=Share, operation_id="explained_share")
def explained_share(request: ApiRequest, product: str, repository: str) -> Share:
    """How many of a repository's lines lead to a node of the tree, by rule."""
    return shares.explained_share(api_product(request, product, Role.VIEWER), repository)


@router.get("/products/{product}/first-look", response=FirstLook, operation_id="first_look")
def look(request: ApiRequest, product: str, repository: str = "") -> FirstLook:
    """How much of a repository can say whom it was for, how that is known, and a line whose answer is worth seeing."""
    found = api_product(request, product, Role.VIEWER)
    return first_look(repository_named(found, repository))


class LinkAnswerIn(Body):
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
    return questions.questions(repository_named(found, repository), limit=max(1, min(limit, 100)))


@router.post("/products/{product}/links/answer", response=LinkAnsweredOut, operation_id="answer_link")
def answer_link(request: ApiRequest, product: str, body: LinkAnswerIn) -> LinkAnsweredOut:
    """Say that a link is right: it is stated from now on. Or wrong: no rule tries it again."""
    found = api_product(request, product, Role.MEMBER)
    facts = body.dict()
    commit = questions.answer(request.actor, found, facts.pop("sha"), **facts)
    return LinkAnsweredOut(sha=commit.sha, answers=commit.answers)


class ChangeIn(Schema):
    """An entry of a changelog, by the line where it begins."""

    path: Annotated[str, Field(max_length=1000)]
    line: Annotated[int, Field(ge=1)]
    title: Annotated[str, Field(max_length=200)]
    refs: Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=20)] = []


class ProposedIn(Schema):
    """`changes` are what the changelogs of the clone say is new at `head`."""

    repository: Annotated[str, Field(max_length=100)] = ""
    head: Annotated[str, Field(max_length=64)] = ""
    changes: Annotated[list[ChangeIn], Field(max_length=1000)] = []


class ProposedOut(Schema):
    """Drafts that are new, that were there, and that wait for a yes or no now."""

    new: int
    kept: int
    open: int


@router.post("/products/{product}/drafts/propose", response=ProposedOut, operation_id="propose_drafts")
def propose_drafts(request: ApiRequest, product: str, body: ProposedIn) -> Proposed:
    """Infer drafts of a tree from what was merged and asked for. What a person decided before stays as it is."""
    found = api_product(request, product, Role.MEMBER)
    repository = repository_named(found, body.repository)
    # With another head, lines may have moved since.
    changes = [Entry(**one.dict()) for one in body.changes] if body.head == repository.head else []
    return propose(request.actor, repository, changes)
