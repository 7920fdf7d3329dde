"""The public board over REST."""

from datetime import datetime
from typing import Literal

from ninja import Router, Schema, Status

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import queries, services
from .models import Board, Entry
from .services import Run
from .telling import post_url

router = Router(tags=["Voices"])


class BoardIn(Body):
    """What is left out stays as it is. `webhook` "" takes it off."""

    is_open: bool | None = None
    intro: str | None = None
    indexable: bool | None = None
    webhook: str | None = None


class BoardOut(Schema):
    """`secret` of the webhook is shown once, when its address is new."""

    is_open: bool
    intro: str
    indexable: bool
    webhook: str
    waiting: int
    secret: str | None = None

    @staticmethod
    def of(board: Board, secret: str = "") -> "BoardOut":
        own = {name: getattr(board, name) for name in ("is_open", "intro", "indexable", "webhook")}
        return BoardOut(**own, waiting=queries.waiting_count(board.product), secret=secret or None)


class EntryOut(Schema):
    """A post or a comment (then `on` is its post). `votes`: people who want it, its author too; null of a comment."""

    ref: str
    kind: str
    state: str
    status: str
    title: str
    text: str
    author_name: str
    said_at: datetime
    on: str | None
    votes: int | None
    url: str | None

    @staticmethod
    def of(entry: Entry) -> "EntryOut":
        return EntryOut(
            ref=entry.item.ref,
            kind=entry.kind,
            state=entry.state,
            status=entry.progress,
            title=entry.title,
            text=entry.item.text,
            author_name=entry.item.author_name,
            said_at=entry.item.said_at,
            on=entry.post.item.ref if entry.post else None,
            votes=getattr(entry, "votes", None),
            url=post_url(entry) if entry.post is None and entry.state == "public" else None,
        )


class ProgressIn(Body):
    status: str


class VisitorIn(Body):
    person: str


class LinkOut(Schema):
    url: str


@router.get("/products/{product}/board", response=BoardOut, operation_id="get_public_board")
def get_public_board(request: ApiRequest, product: str) -> BoardOut:
    """How the public board is run, and how much waits for a reader."""
    return BoardOut.of(Board.of(api_product(request, product, Role.VIEWER)))


@router.put("/products/{product}/board", response=BoardOut, operation_id="run_public_board")
def run_public_board(request: ApiRequest, product: str, said: BoardIn) -> BoardOut:
    """Open or close it, describe it, and name a webhook."""
    found = api_product(request, product, Role.MAINTAINER)
    board, secret = services.run_board(request.actor, found, Run(**said.dict()))
    return BoardOut.of(board, secret)


@router.get("/products/{product}/board-posts", response=list[EntryOut], operation_id="list_board")
def list_board(
    request: ApiRequest, product: str, state: Literal["waiting", "public"] = "public", page: int = 1
) -> list[EntryOut]:
    """What stands on the board, most wanted first; or what waits for a reader, the oldest first."""
    found = api_product(request, product, Role.VIEWER)
    if state == "waiting":
        return [EntryOut.of(one) for one in queries.waiting(found)]
    return [EntryOut.of(one) for one in queries.page_of(found, queries.Asked(page=page))[0]]


@router.post("/products/{product}/board-posts/{ref}/publish", response=EntryOut, operation_id="publish_on_board")
def publish_on_board(request: ApiRequest, product: str, ref: str) -> EntryOut:
    """Somebody read it: a post or comment stands on the board from now on."""
    entry = queries.find_entry(api_product(request, product, Role.MEMBER), ref)
    return EntryOut.of(services.publish(request.actor, entry))


@router.post("/products/{product}/board-posts/{ref}/refuse", response=EntryOut, operation_id="refuse_on_board")
def refuse_on_board(request: ApiRequest, product: str, ref: str) -> EntryOut:
    """Not on the board, or no longer. It stays a voice."""
    entry = queries.find_entry(api_product(request, product, Role.MEMBER), ref)
    return EntryOut.of(services.refuse(request.actor, entry))


@router.put("/products/{product}/board-posts/{ref}/status", response=EntryOut, operation_id="set_progress")
def set_progress(request: ApiRequest, product: str, ref: str, said: ProgressIn) -> EntryOut:
    """open, planned, building, done or declined; who wants it hears of it by mail, webhook and Atom."""
    entry = queries.find_entry(api_product(request, product, Role.MEMBER), ref)
    return EntryOut.of(services.set_progress(request.actor, entry, said.status))


@router.post("/products/{product}/board-visitors", response={201: LinkOut}, operation_id="invite_to_board")
def invite_to_board(request: ApiRequest, product: str, said: VisitorIn) -> Status[LinkOut]:
    """A link for one person whom your server knows to be signed in: their votes are theirs, without a mail. It lasts 30 days."""
    found = api_product(request, product, Role.MEMBER)
    return Status(201, LinkOut(url=services.invite_to_board(request.actor, found, said.person)))
