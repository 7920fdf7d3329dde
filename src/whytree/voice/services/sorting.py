"""The words a team sorts its voices by, and the views it keeps."""

from urllib.parse import parse_qsl, urlencode

from django.db import transaction

from whytree.errors import Conflict, Invalid, NotFound
from whytree.voice.models import SavedView, Status
from whytree.voice.models.triage import NAME
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

MOST_STATUSES = 20
MOST_VIEWS = 100
LONGEST_VIEW = 1000


def add_status(actor: Actor, product: Product, *, name: str, waits: bool = True, tells: bool = False) -> Status:
    """A status of the team's own; with `waits` a voice that stands so still waits for a reader, with `tells` those who said
    it hear of it.
    """
    require(actor, product, Role.MAINTAINER)
    name = " ".join(name.replace("\0", " ").split())
    if not name or len(name) > NAME:
        raise Invalid(f"A status has a name of 1 to {NAME} characters, as “asked back”.")
    statuses = Status.objects.filter(product=product)
    if statuses.filter(name__iexact=name).exists():
        raise Conflict(f"There is a status “{name}” already.")
    if statuses.count() >= MOST_STATUSES:
        raise Conflict(f"{MOST_STATUSES} statuses is the most. Remove one that nobody uses.")
    with transaction.atomic():
        status = Status.objects.create(product=product, name=name, waits=waits, tells=tells, position=statuses.count())
        record(actor, product, "add_status", status)
    return status


def remove_status(actor: Actor, product: Product, name: str) -> None:
    """Voices that stood so have no status then."""
    require(actor, product, Role.MAINTAINER)
    status = Status.objects.filter(product=product, name__iexact=name.strip()).first()
    if status is None:
        raise NotFound(f"There is no status “{name[:NAME]}”.")
    with transaction.atomic():
        before, pk = snapshot(status), status.pk
        status.delete()
        status.pk = pk
        record(actor, product, "remove_status", status, before=before, undoable=False)


def save_view(actor: Actor, product: Product, *, name: str, query: str, shared: bool = False) -> SavedView:
    """Keep a search under a name; the same name again replaces it. `query` is that of the inbox's address."""
    require(actor, product, Role.MEMBER)
    name = " ".join(name.replace("\0", " ").split())
    if not name or len(name) > NAME:
        raise Invalid(f"A view has a name of 1 to {NAME} characters.")
    kept = urlencode([(key, value) for key, value in parse_qsl(query.lstrip("?")) if key not in ("after", "item")])
    if len(kept) > LONGEST_VIEW:
        raise Invalid("This search is too long to keep.")
    if not shared and actor.user_id is None:
        raise Invalid("A key has no views of its own; say that it is for the team.")
    owner_id = None if shared else actor.user_id
    if SavedView.objects.filter(product=product, owner_id=owner_id).exclude(name=name).count() >= MOST_VIEWS:
        raise Conflict(f"{MOST_VIEWS} views is the most. Remove one that nobody uses.")
    with transaction.atomic():
        view = SavedView.objects.filter(product=product, owner_id=owner_id, name=name).first()
        before = snapshot(view) if view else None
        view = view or SavedView(product=product, owner_id=owner_id, name=name)
        view.query = kept
        view.save()
        record(actor, product, "save_view", view, before=before, after=snapshot(view))
    return view


def remove_view(actor: Actor, product: Product, view_id: int) -> None:
    """One's own, or, by a member, one of the team's."""
    require(actor, product, Role.MEMBER)
    view = SavedView.objects.filter(product=product, pk=view_id).first()
    if view is None or view.owner_id not in (None, actor.user_id):
        raise NotFound("There is no such view.")
    with transaction.atomic():
        before, pk = snapshot(view), view.pk
        view.delete()
        view.pk = pk
        record(actor, product, "remove_view", view, before=before)
