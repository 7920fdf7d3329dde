"""What is put right once in a while."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from whytree.stores.events import store
from whytree.stores.usage.catalogue import recount, roll_up
from whytree.stores.writing.capture import remove_repetitions
from whytree.stores.writing.marks import read_mark, write_mark
from whytree.workspace.background.jobs import enqueue, handler
from whytree.workspace.models import Product
from whytree.workspace.outside.uploaded import KEPT_FOR

from .importing.services import UNDO, take_out
from .models import EventImport

SWEEP_EVERY = timedelta(minutes=30)  # how long a repetition beyond the window of recent ids may count twice
ROLL_UP_EVERY = timedelta(minutes=1)
SETTLED_AFTER = timedelta(seconds=90)  # longer than any request takes: nothing older is still on its way
SWEEP_ROUNDS = 100  # of 10,000 ids each; what is left waits for the next sweep
SWEPT = "swept"


@handler("events.sweep", every=SWEEP_EVERY)
def sweep(payload: dict[str, Any]) -> None:
    """Take out what was stored twice since the last sweep: sent again after the window, or to another server."""
    events = store()
    began = datetime.now(UTC)
    swept = read_mark(events, SWEPT)
    since = datetime.fromisoformat(swept) - SWEEP_EVERY if swept else datetime.fromtimestamp(0, UTC)
    for _ in range(SWEEP_ROUNDS):
        if not remove_repetitions(since):
            break
    write_mark(events, SWEPT, began.isoformat())


@handler("events.roll_up", every=ROLL_UP_EVERY)
def roll_up_catalogue(payload: dict[str, Any]) -> None:
    """Add up the properties of what came in; what is newer is counted whenever somebody looks."""
    roll_up(datetime.now(UTC) - SETTLED_AFTER)


@handler(UNDO, long=True)
def take_out_import(payload: dict[str, Any]) -> None:
    """What somebody took back, as large as it may be."""
    take_out(payload["run"])


@handler("events.forget_previews", every=timedelta(hours=6))
def forget_previews(payload: dict[str, Any]) -> None:
    """Files that were looked at and never imported; whoever sweeps uploads throws the files away.

    And what was to be taken back and failed, as while the store was away, is asked for again.
    """
    for pk in EventImport.objects.filter(state=EventImport.State.UNDOING).values_list("pk", flat=True):
        enqueue(UNDO, {"run": pk}, key=str(pk))
    EventImport.objects.filter(state=EventImport.State.PREVIEW, started_at__lt=timezone.now() - KEPT_FOR).delete()


@handler("events.recount", every=timedelta(days=1))
def recount_catalogues(payload: dict[str, Any]) -> None:
    """Count every product's properties anew, so that what crashes and removals left askew is right again."""
    for product in Product.objects.values_list("pk", flat=True):
        recount(product)
