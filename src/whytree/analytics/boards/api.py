"""Boards over REST."""

from datetime import date, datetime
from typing import Any

from ninja import Router, Schema, Status

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from ..models import Board
from ..questions.when import ALL_THERE_IS, When
from . import queries, services

router = Router(tags=["Boards"])


class CardOut(Schema):
    """A kept question or a metric with its sentence as of now, or words. `problem` says why there is no answer."""

    id: int
    question: str | None
    metric: str | None
    text: str
    wide: bool
    sentence: str
    problem: str
    as_of: datetime | None


class BoardOut(Schema):
    number: int
    title: str
    days: int | None
    since: date | None
    until: date | None
    where: str
    refresh_seconds: int
    is_shared: bool
    created_at: datetime

    @staticmethod
    def of(board: Board) -> dict[str, Any]:
        names = ("number", "title", "days", "since", "until", "where", "refresh_seconds", "created_at")
        return {name: getattr(board, name) for name in names} | {"is_shared": bool(board.share_hash)}


class BoardDrawn(BoardOut):
    cards: list[CardOut]


class BoardIn(Body):
    title: str
    questions: list[str] = []
    metrics: list[str] = []


class BoardEdits(Body):
    """What is left out stays. The time is `days`, or from the day `since` to the day `until`.

    `days` 0 is what each question says itself.
    """

    title: str | None = None
    days: int | None = None
    since: str | None = None
    until: str | None = None
    where: str | None = None
    refresh_seconds: int | None = None


class CardIn(Body):
    """A kept question (`ASK-3`), a metric (its key), or words."""

    question: str = ""
    metric: str = ""
    text: str = ""
    wide: bool = False


class CardEdits(Body):
    """What is left out stays. `place` 1 is the first."""

    place: int | None = None
    wide: bool | None = None


class ShareOut(Schema):
    """The link and its path; they are shown once."""

    path: str
    link: str


@router.get("/products/{product}/boards", response=list[BoardOut], operation_id="list_boards")
def list_boards(request: ApiRequest, product: str) -> list[dict[str, Any]]:
    """Every board."""
    return [BoardOut.of(board) for board in queries.list_boards(api_product(request, product, Role.VIEWER))]


@router.post("/products/{product}/boards", response=BoardOut, operation_id="create_board")
def create_board(request: ApiRequest, product: str, said: BoardIn) -> dict[str, Any]:
    """A new board with these kept questions and metrics on it."""
    found = api_product(request, product, Role.MEMBER)
    return BoardOut.of(services.create_board(request.actor, found, **said.dict()))


@router.get("/products/{product}/boards/{number}", response=BoardDrawn, operation_id="get_board")
def get_board(
    request: ApiRequest, product: str, number: int, days: int | None = None, since: str = "", until: str = ""
) -> dict[str, Any]:
    """A board with every card's answer in a sentence; in another time than its own where one is given."""
    when = When.of({"days": days, "since": since, "until": until})
    board = queries.find_board(api_product(request, product, Role.VIEWER), number)
    cards = [
        {
            "id": one.card.pk,
            "question": one.card.saved.ref if one.card.saved else None,
            "metric": one.card.metric.key if one.card.metric else None,
            "text": one.card.text,
            "wide": one.card.wide,
            "sentence": one.sentence,
            "problem": one.problem,
            "as_of": one.found.as_of if one.found else None,
        }
        for one in queries.drawn(board, None if when == ALL_THERE_IS else when)
    ]
    return BoardOut.of(board) | {"cards": cards}


@router.patch("/products/{product}/boards/{number}", response=BoardOut, operation_id="edit_board")
def edit_board(request: ApiRequest, product: str, number: int, said: BoardEdits) -> dict[str, Any]:
    """Its title, and the days and filters that hold for all of it."""
    found = api_product(request, product, Role.MEMBER)
    edits: services.BoardEdits = {}
    if said.title is not None:
        edits["title"] = said.title
    if said.days is not None:
        edits["days"] = said.days
    if said.since is not None:
        edits["since"] = said.since
    if said.until is not None:
        edits["until"] = said.until
    if said.where is not None:
        edits["where"] = said.where
    if said.refresh_seconds is not None:
        edits["refresh_seconds"] = said.refresh_seconds
    return BoardOut.of(services.edit_board(request.actor, found, number, **edits))


@router.delete("/products/{product}/boards/{number}", response={204: None}, operation_id="delete_board")
def delete_board(request: ApiRequest, product: str, number: int) -> Status[None]:
    """Remove a board. Its questions stay."""
    services.delete_board(request.actor, api_product(request, product, Role.MEMBER), number)
    return Status(204, None)


@router.post("/products/{product}/boards/{number}/cards", response=BoardDrawn, operation_id="add_card")
def add_card(request: ApiRequest, product: str, number: int, said: CardIn) -> dict[str, Any]:
    """Put a kept question, a metric or words at the end of a board."""
    found = api_product(request, product, Role.MEMBER)
    services.add_card(request.actor, found, number, **said.dict())
    return get_board(request, product, number)


@router.patch("/products/{product}/boards/{number}/cards/{card}", response=BoardDrawn, operation_id="edit_card")
def edit_card(request: ApiRequest, product: str, number: int, card: int, said: CardEdits) -> dict[str, Any]:
    """Move a card to a place, or give it the whole width or half of it."""
    found = api_product(request, product, Role.MEMBER)
    if said.place is not None:
        services.move_card(request.actor, found, number, card, place=said.place)
    if said.wide is not None:
        services.edit_card(request.actor, found, number, card, wide=said.wide)
    return get_board(request, product, number)


@router.delete("/products/{product}/boards/{number}/cards/{card}", response={204: None}, operation_id="remove_card")
def remove_card(request: ApiRequest, product: str, number: int, card: int) -> Status[None]:
    """Take a card off a board."""
    services.remove_card(request.actor, api_product(request, product, Role.MEMBER), number, card)
    return Status(204, None)


@router.post("/products/{product}/boards/{number}/share", response=ShareOut, operation_id="share_board")
def share_board(request: ApiRequest, product: str, number: int) -> dict[str, str]:
    """A link that shows the board without signing in; the one before stops."""
    token = services.share_board(request.actor, api_product(request, product, Role.MAINTAINER), number)
    path = f"/board/{token}"
    return {"path": path, "link": request.build_absolute_uri(path)}


@router.delete("/products/{product}/boards/{number}/share", response={204: None}, operation_id="unshare_board")
def unshare_board(request: ApiRequest, product: str, number: int) -> Status[None]:
    """The link shows nothing from now on."""
    services.unshare_board(request.actor, api_product(request, product, Role.MEMBER), number)
    return Status(204, None)
