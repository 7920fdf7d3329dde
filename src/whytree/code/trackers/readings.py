"""How far a tracker was read, so that the next reading goes on there."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from whytree.errors import Invalid
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..cleaning import clean
from ..models import TrackerReading
from .tickets import tracker_named, within_calendars


@dataclass(frozen=True)
class ReadSoFar:
    """How far one list of a tracker was read: all that changed before `since_at`; `page` of a first reading under way."""

    tracker: str
    what: str
    since_at: datetime | None = None
    page: int = 0
    etag: str = ""


def note_tracker_reading(actor: Actor, product: Product, read: ReadSoFar) -> TrackerReading:
    """Remember how far a tracker was read, so that the next reading goes on there."""
    require(actor, product, Role.MAINTAINER)
    if read.what not in TrackerReading.What.values:
        raise Invalid(f"{read.what[:40]!r} is nothing that is read from a tracker: issues, comments or requests.")
    tracker = tracker_named(read.tracker)
    with transaction.atomic():
        row, is_new = TrackerReading.objects.get_or_create(product=product, tracker=tracker, what=read.what)
        before = None if is_new else snapshot(row)
        row.since_at, row.page, row.etag = within_calendars(read.since_at), read.page, clean(read.etag)[:200]
        row.read_at = timezone.now()
        row.save()
        if before is None or before["since_at"] != snapshot(row)["since_at"]:
            record(actor, product, "read_tracker", row, before=before, after=snapshot(row), undoable=False)
    return row
