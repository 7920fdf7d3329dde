"""Reviews fill themselves, and guards look whether what was kept still helps."""

from typing import Any

from django.utils import timezone

from whytree.workspace.background.jobs import enqueue, handler
from whytree.workspace.rights.actors import Actor

from .constants import GUARD_EVERY, LOOK_EVERY
from .guards.services import look
from .models import OutcomeGuard, OutcomeReview
from .services import fill_review


@handler("learning.fill_reviews", every=LOOK_EVERY)
def fill_reviews(payload: dict[str, Any]) -> None:
    """Ask for a look at every review that is due and not decided: one job each, so that none waits for another's trouble."""
    due = OutcomeReview.objects.filter(decided_at=None, due_at__lte=timezone.now())
    for pk in due.values_list("pk", flat=True):
        enqueue("learning.fill_review", {"review": pk}, key=str(pk))


@handler("learning.fill_review")
def fill_one(payload: dict[str, Any]) -> None:
    """Look at one review; gone or decided meanwhile is no trouble."""
    review = OutcomeReview.objects.filter(pk=payload["review"]).select_related("product").first()
    if review is not None:
        fill_review(Actor.system(), review)


@handler("learning.look_at_guards", every=GUARD_EVERY)
def look_at_guards(payload: dict[str, Any]) -> None:
    """Ask for a look at every guard that still watches, one job each."""
    for pk in OutcomeGuard.objects.filter(broken_at=None, ended_at=None).values_list("pk", flat=True):
        enqueue("learning.look_at_guard", {"guard": pk}, key=str(pk))


@handler("learning.look_at_guard")
def look_at_one(payload: dict[str, Any]) -> None:
    """One look; gone meanwhile is no trouble."""
    guard = OutcomeGuard.objects.filter(pk=payload["guard"]).first()
    if guard is not None:
        look(guard)
