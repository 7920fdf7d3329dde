"""What the team may do with its board: run it, read what waits, say where a post stands."""

from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from whytree.engines.texts.words import cut
from whytree.errors import Conflict, Invalid
from whytree.people.identity import means_nobody
from whytree.people.services import ensure_person
from whytree.voice.models import NAME_LENGTH
from whytree.workspace.models import Product
from whytree.workspace.outside import outgoing, webhooks
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .models import INTRO, Board, Entry, EntryKind, EntryState, Progress
from .news import note_progress, note_published

VISIT = "voice.board.visit"
"""Salt of the links that say who somebody is; made by a server key or a member, never by a page."""


@dataclass(frozen=True)
class Run:
    """How a board is run; None leaves as it is."""

    is_open: bool | None = None
    intro: str | None = None
    indexable: bool | None = None
    webhook: str | None = None


def run_board(actor: Actor, product: Product, run: Run) -> tuple[Board, str]:
    """Open, close or describe it; the webhook's secret where that is new, to be shown once."""
    require(actor, product, Role.MAINTAINER)
    with transaction.atomic():
        board = Board.objects.select_for_update().filter(product=product).first() or Board(product=product)
        before = _shown(board)
        shown_once = _change(board, run)
        board.save()
        if before != _shown(board):
            record(actor, product, "run_board", board, before=before, after=_shown(board), undoable=False)
    return board, shown_once


def _change(board: Board, run: Run) -> str:
    if run.is_open is not None:
        board.is_open = run.is_open
    if run.indexable is not None:
        board.indexable = run.indexable
    if run.intro is not None:
        intro = run.intro.replace("\0", "").strip()
        if len(intro) > INTRO:
            raise Invalid(f"The introduction has {len(intro):,} characters; {INTRO:,} is the most.")
        board.intro = intro
    if run.webhook is None or run.webhook.strip() == board.webhook:
        return ""
    board.webhook = outgoing.check_url(run.webhook.strip(), outgoing.OWN_SYSTEM) if run.webhook.strip() else ""
    board.secret = webhooks.new_secret() if board.webhook else ""
    return board.secret


def _shown(board: Board) -> dict[str, object]:
    """Without the secret: the activity list is read by all."""
    return {"open": board.is_open, "intro": board.intro, "indexable": board.indexable, "webhook": board.webhook}


def publish(actor: Actor, entry: Entry) -> Entry:
    """Somebody read it, and it may stand on the board."""
    return _move(actor, entry, EntryState.PUBLIC, "publish_on_board")


def refuse(actor: Actor, entry: Entry) -> Entry:
    """It stays a voice of its own, and stands on no board."""
    return _move(actor, entry, EntryState.REFUSED, "refuse_on_board")


def _move(actor: Actor, entry: Entry, state: EntryState, verb: str) -> Entry:
    require(actor, entry.item.product, Role.MEMBER)
    with transaction.atomic():
        entry = Entry.objects.select_for_update(of=("self",)).select_related("item__product").get(pk=entry.pk)
        if entry.state == state:
            return entry
        if state == EntryState.PUBLIC and entry.item.content_hash == "erased":
            raise Conflict("Whoever wrote it was forgotten. There is nothing left to show.")
        before = snapshot(entry)
        entry.state = state
        entry.save(update_fields=["state"])
        record(actor, entry.item.product, verb, entry, before=before, after=snapshot(entry))
        if state == EntryState.PUBLIC and entry.kind == EntryKind.POST and not entry.news.exists():
            note_published(entry)
    return entry


def set_progress(actor: Actor, entry: Entry, progress: str) -> Entry:
    """What the team says of a post; those who want it hear of it."""
    require(actor, entry.item.product, Role.MEMBER)
    if progress not in Progress.values:
        raise Invalid(f"“{cut(progress, 20)}” is no status of a post; there are {', '.join(Progress.values)}.")
    with transaction.atomic():
        entry = Entry.objects.select_for_update(of=("self",)).select_related("item__product").get(pk=entry.pk)
        if entry.kind != EntryKind.POST or entry.state != EntryState.PUBLIC:
            raise Conflict("Only a post that stands on the board has a status. Put it on the board first.")
        if entry.progress == progress:
            return entry
        before = snapshot(entry)
        entry.progress = progress
        entry.save(update_fields=["progress"])
        record(actor, entry.item.product, "set_progress", entry, before=before, after=snapshot(entry), undoable=False)
        note_progress(entry)
    return entry


def invite_to_board(actor: Actor, product: Product, person: str) -> str:
    """A link that says who somebody is, so that their votes are theirs without a mail. For whom your server knows to be signed in."""
    require(actor, product, Role.MEMBER)
    if not person.strip() or len(person) > NAME_LENGTH or not person.isprintable() or means_nobody(person):
        raise Invalid("Say whose link it is: the id under which their events come in.")
    token = signing.dumps([product.pk, ensure_person(product, person.strip()).pk], salt=VISIT)
    return f"{settings.WHYTREE.base_url}{reverse('public_board', args=[product.slug])}?as={token}"
