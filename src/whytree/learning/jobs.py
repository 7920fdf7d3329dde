"""Reviews fill themselves."""

from typing import Any

from django.utils import timezone

from whytree.workspace.actors import Actor
from whytree.workspace.jobs import enqueue, handler

from .constants import LOOK_EVERY
from .models import OutcomeReview
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
