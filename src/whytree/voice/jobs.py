"""What the voices do by themselves."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from whytree.tree.models import Solution
from whytree.workspace.background.jobs import enqueue, handler, stopping
from whytree.workspace.rights.actors import Actor

from .arriving.mailbox import poll
from .importing.uploads import throw_away_old
from .incoming.services import forget_messages
from .models import ImportRun, Loop, RunState
from .services import close_import
from .services.imports import UNDO, go_on_undoing, going_out
from .services.loop import tell_reached
from .services.storing import TELL
from .services.telling import tell_waiting

OPEN_FOR = timedelta(days=7)
"""How long after an import personal data that was taken out can still be put back."""


@handler("voice.close_imports", every=timedelta(hours=6))
def close_imports(payload: dict[str, Any]) -> None:
    """Close imports that nobody closed: what was taken out must not lie about."""
    due = ImportRun.objects.filter(closed_at=None, undone_at=None, finished_at__lt=timezone.now() - OPEN_FOR).exclude(
        state=RunState.DRY_RUN
    )
    for run in due.select_related("product"):
        close_import(Actor.system(), run)


@handler(UNDO, every=timedelta(minutes=10), long=True)
def undo_imports(payload: dict[str, Any]) -> None:
    """What was too much for a request, or was cut off, goes out."""
    for run in going_out():
        while not stopping() and go_on_undoing(run).left:
            pass


@handler("voice.throw_away_uploads", every=timedelta(hours=6))
def throw_away_uploads(payload: dict[str, Any]) -> None:
    """Files that were looked at and never imported."""
    throw_away_old()


@handler("voice.forget_messages", every=timedelta(hours=6))
def forget_webhook_messages(payload: dict[str, Any]) -> None:
    """Messages of the webhook that are too old to be sent again."""
    forget_messages()


@handler(TELL, every=timedelta(hours=6))
def tell(payload: dict[str, Any]) -> None:
    """Language and sentiment of what came in, and of what was there before anything told them."""
    tell_waiting()


@handler("voice.tell_all_reached", every=timedelta(hours=1))
def tell_all_reached(payload: dict[str, Any]) -> None:
    """Ask for each solution whose switch is on, one job each, so that none waits for another's trouble."""
    for pk in Loop.objects.filter(tells=True).values_list("pk", flat=True):
        enqueue("voice.tell_reached", {"solution": pk}, key=str(pk))


@handler("voice.tell_reached", long=True)
def tell_one_reached(payload: dict[str, Any]) -> None:
    """Those who asked for one solution; gone meanwhile is no trouble."""
    solution = Solution.objects.filter(pk=payload["solution"]).select_related("product", "opportunity").first()
    if solution is not None:
        tell_reached(solution)


@handler("voice.poll_mailbox", every=timedelta(minutes=5))
def poll_mailbox(payload: dict[str, Any]) -> None:
    """Mails that people wrote to us."""
    poll()
