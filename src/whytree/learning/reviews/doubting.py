"""What speaks against deciding a review now; `experiments.verdict.doubting` says what that asks of whoever decides all the same."""

from datetime import datetime

from django.utils import timezone

from whytree.experiments.verdict.doubting import of_harm

from ..models import Decision, OutcomeReview
from .results import Result

#: Decisions after which people keep the change.
STAYS = frozenset({Decision.KEEP, Decision.ITERATE})


def doubts(review: OutcomeReview, result: Result, at: datetime, *, keeps: bool) -> list[str]:
    """Broken checks, and a day that is not reached; harm that is seen is a reason to be early, and none to keep it."""
    harmed = [rail.contrast.metric_name for rail in result.guardrails if rail.verdict == "harmed"]
    found = list(result.doubts)
    if at < review.due_at and not harmed:
        due = review.product.there(review.due_at)
        found.append(f"It is due on {due:%-d %b %Y}: until then chance has the larger part in it.")
    return found + (of_harm(harmed) if keeps else [])


def doubts_shown(review: OutcomeReview, result: Result) -> dict[str, list[str]]:
    """For the form: against deciding at all, and against keeping it; and what stood against a decision that was taken."""
    now = timezone.now()
    at_all = doubts(review, result, now, keeps=False)
    keeping = doubts(review, result, now, keeps=True)[len(at_all) :]
    return {"doubts": at_all, "doubts_to_keep": keeping, "doubts_decided": doubts_decided(review, result)}


def doubts_decided(review: OutcomeReview, result: Result) -> list[str]:
    """Those that stood against the decision that was taken."""
    if review.decided_at is None or not review.despite:
        return []
    return doubts(review, result, review.decided_at, keeps=review.decision in STAYS)


def doubts_of(review: OutcomeReview, result: Result) -> list[str]:
    """Of a decided one those that stood against it, else those that stand."""
    if review.is_decided:
        return doubts_decided(review, result)
    return doubts(review, result, timezone.now(), keeps=True)
