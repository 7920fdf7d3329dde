"""What may change boards."""

import secrets
from typing import TypedDict, Unpack

from django.db import transaction
from django.db.models import F, Max

from whytree.errors import Invalid, NotFound
from whytree.workspace.entry.keys import hashed
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.records.numbering import next_number
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..models import Board, BoardCard, SavedQuestion
from ..queries import find_metric
from ..questions.when import TIME, When
from ..saved.queries import find_saved
from ..saved.services import keep_question
from .queries import board_filters, find_board

PREFIX = "BRD"
MOST_CARDS = 40
TITLE_LENGTH = 200
TEXT_LENGTH = 5_000
WHERE_LENGTH = 500
REFRESHES = (0, 60, 300, 900, 3600)


class BoardEdits(TypedDict, total=False):
    title: str
    days: int | None
    since: object
    until: object
    where: str
    refresh_seconds: int


@transaction.atomic
def create_board(
    actor: Actor,
    product: Product,
    *,
    title: str,
    questions: list[str] | None = None,
    metrics: list[str] | None = None,
) -> Board:
    """A new board, with these kept questions and metrics on it."""
    require(actor, product, Role.MEMBER)
    board = Board(
        product=product, number=next_number(product, PREFIX), title=_titled(title), created_by_id=actor.user_id
    )
    board.save()
    record(actor, product, "create_board", board)
    for ref in questions or []:
        add_card(actor, product, board.number, question=ref)
    for key in metrics or []:
        add_card(actor, product, board.number, metric=key)
    return board


@transaction.atomic
def edit_board(actor: Actor, product: Product, number: int, **edits: Unpack[BoardEdits]) -> Board:
    """Its title, and what holds for every question on it. Whatever is said of the time says all of it."""
    require(actor, product, Role.MEMBER)
    board = find_board(product, number)
    before = snapshot(board)
    if "title" in edits:
        board.title = _titled(edits["title"])
    if any(name in edits for name in TIME):
        when = When.of({**{name: edits.get(name) for name in TIME}, "days": edits.get("days") or None})
        board.days, board.since, board.until = when.days, when.since, when.until
    if "where" in edits:
        board.where = edits["where"].strip()
        if len(board.where) > WHERE_LENGTH:
            raise Invalid(
                f"The filters of a board have at most {WHERE_LENGTH} letters. Put longer ones into its questions."
            )
        list(board_filters(board.where))  # refuses what is no filter
    if "refresh_seconds" in edits:
        if edits["refresh_seconds"] not in REFRESHES:
            raise Invalid(f"A board is asked anew every {', '.join(map(str, REFRESHES[1:]))} seconds, or never (0).")
        board.refresh_seconds = edits["refresh_seconds"]
    if snapshot(board) == before:
        return board
    board.save()
    record(actor, product, "edit_board", board, before=before, after=snapshot(board))
    return board


@transaction.atomic
def delete_board(actor: Actor, product: Product, number: int) -> None:
    """Remove a board. Its questions stay."""
    require(actor, product, Role.MEMBER)
    board = find_board(product, number)
    record(actor, product, "delete_board", board, before=snapshot(board), after=None, undoable=False)
    board.delete()


@transaction.atomic
def add_card(
    actor: Actor,
    product: Product,
    number: int,
    *,
    question: str = "",
    metric: str = "",
    text: str = "",
    wide: bool = False,
) -> BoardCard:
    """A kept question, a metric, or words, at the end of the board."""
    require(actor, product, Role.MEMBER)
    board = find_board(product, number)
    if board.cards.count() >= MOST_CARDS:
        raise Invalid(f"A board has {MOST_CARDS} cards at most. Begin another one.")
    if sum(bool(one.strip()) for one in (question, metric, text)) != 1:
        raise Invalid("A card is a kept question (ASK-3), a metric (its key) or words; give one of them.")
    saved = find_saved(product, question.strip()) if question.strip() else None
    counted = find_metric(product, metric.strip()) if metric.strip() else None
    if "\x00" in text:
        raise Invalid("Words are plain text.")
    last = board.cards.aggregate(last=Max("position"))["last"] or 0
    words = text.strip()[:TEXT_LENGTH]
    card = BoardCard(board=board, position=last + 1, wide=wide, saved=saved, metric=counted, text=words)
    card.save()
    record(actor, product, "add_card", card)
    return card


@transaction.atomic
def keep_on_board(actor: Actor, product: Product, number: int, *, question: object, title: str = "") -> SavedQuestion:
    """Keep a question, and put it at the end of a board."""
    saved = keep_question(actor, product, question=question, title=title)
    add_card(actor, product, number, question=saved.ref)
    return saved


@transaction.atomic
def move_card(actor: Actor, product: Product, number: int, pk: int, *, place: int) -> None:
    """Put a card at this place, 1 being the first."""
    require(actor, product, Role.MEMBER)
    card = _find_card(product, number, pk)
    before = snapshot(card)
    others = list(card.board.cards.exclude(pk=card.pk))
    others.insert(max(0, place - 1), card)
    for position, one in enumerate(others, 1):
        BoardCard.objects.filter(pk=one.pk).update(position=position)
    card.refresh_from_db()
    record(actor, product, "move_card", card, before=before, after=snapshot(card), undoable=False)


@transaction.atomic
def edit_card(actor: Actor, product: Product, number: int, pk: int, *, wide: bool) -> None:
    """Over the whole width, or half of it."""
    require(actor, product, Role.MEMBER)
    card = _find_card(product, number, pk)
    before = snapshot(card)
    card.wide = wide
    card.save()
    record(actor, product, "edit_card", card, before=before, after=snapshot(card))


@transaction.atomic
def remove_card(actor: Actor, product: Product, number: int, pk: int) -> None:
    """Take a card off. Its question stays."""
    require(actor, product, Role.MEMBER)
    card = _find_card(product, number, pk)
    BoardCard.objects.filter(board=card.board, position__gt=card.position).update(position=F("position") - 1)
    record(actor, product, "remove_card", card, before=snapshot(card), after=None)
    card.delete()


@transaction.atomic
def share_board(actor: Actor, product: Product, number: int) -> str:
    """A new link that shows the board without signing in; the one before stops. Only its hash is kept."""
    require(actor, product, Role.MAINTAINER)
    board = find_board(product, number)
    token = secrets.token_urlsafe(32)
    board.share_hash = hashed(token)
    board.save(update_fields=["share_hash", "updated_at"])
    record(actor, product, "share_board", board, before={}, after={}, undoable=False)
    return token


@transaction.atomic
def unshare_board(actor: Actor, product: Product, number: int) -> None:
    """The link shows nothing from now on."""
    require(actor, product, Role.MEMBER)
    board = find_board(product, number)
    board.share_hash = ""
    board.save(update_fields=["share_hash", "updated_at"])
    record(actor, product, "unshare_board", board, before={}, after={}, undoable=False)


def _find_card(product: Product, number: int, pk: int) -> BoardCard:
    card = BoardCard.objects.filter(board=find_board(product, number), pk=pk).select_related("board").first()
    if card is None:
        raise NotFound("There is no such card on this board.")
    return card


def _titled(title: str) -> str:
    clean = " ".join(title.split())[:TITLE_LENGTH]
    if not clean or "\x00" in clean:
        raise Invalid("Give the board a title.")
    return clean
