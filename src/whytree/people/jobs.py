"""What is brought up to date once in a while."""

from datetime import UTC, datetime, timedelta
from typing import Any

from whytree.stores.events import store
from whytree.stores.writing.marks import read_mark, write_mark
from whytree.workspace.background.jobs import enqueue, handler
from whytree.workspace.background.lifecycle import at_start
from whytree.workspace.models import Product
from whytree.workspace.rights.actors import Actor

from .models import Erasure
from .services import finish, refresh_seen

EVERY = timedelta(minutes=10)
MARK = "seen refreshed"
FINISH = "people.finish_erasures"


@handler("people.refresh_seen", every=EVERY)
def refresh_when_people_were_seen(payload: dict[str, Any]) -> None:
    """Profiles say when somebody was seen last, for the order of the list; events say it first."""
    events = store()
    began = datetime.now(UTC)
    last = read_mark(events, MARK)
    since = datetime.fromisoformat(last) - EVERY if last else datetime.fromtimestamp(0, UTC)
    for product in Product.objects.values_list("pk", flat=True):
        refresh_seen(product, since)
    write_mark(events, MARK, began.isoformat())


@at_start
def finish_what_was_cut_off() -> None:
    """Whoever was being forgotten when the server was killed is still shown: not for another hour."""
    if Erasure.objects.filter(finished_at=None).exists():
        enqueue(FINISH, key="at start")


@handler(FINISH, every=timedelta(hours=1))
def finish_erasures(payload: dict[str, Any]) -> None:
    """Go on with what stopped half-way: somebody who asked to be forgotten does not ask twice."""
    for erasure in Erasure.objects.filter(finished_at=None).select_related("product"):
        finish(Actor.system(), erasure)
