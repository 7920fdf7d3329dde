"""Reviews fill themselves."""

from typing import Any

from django.utils import timezone

from whytree.workspace.actors import Actor
from whytree.workspace.jobs import handler

from .constants import LOOK_EVERY
from .models import OutcomeReview
from .services import fill_review


@handler("learning.fill_reviews", every=LOOK_EVERY)
def fill_reviews(payload: dict[str, Any]) -> None:
    """Look at every review that is due and not decided."""
    due = OutcomeReview.objects.filter(decided_at=None, due_at__lte=timezone.now())
    for review in due.select_related("product"):
        fill_review(Actor.system(), review)
