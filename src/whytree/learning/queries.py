"""What may be asked of reviews."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from whytree.errors import NotFound
from whytree.tree.models import Hypothesis, Solution
from whytree.workspace.background.fresh import keep, kept
from whytree.workspace.background.once import once_a_page
from whytree.workspace.models import Product

from .constants import FRESH_SECONDS
from .models import PREFIX, OutcomeReview
from .reviews.measuring import measure_review
from .reviews.results import Result, from_json
from .reviews.shipped import Shipped, shipped_between

REF = re.compile(rf"{PREFIX}-([1-9][0-9]{{0,8}})", re.IGNORECASE)


def _reviews(product: Product) -> QuerySet[OutcomeReview]:
    related = ("product", "hypothesis__product", "hypothesis__solution__product", "decided_by")
    return OutcomeReview.objects.filter(product=product).select_related(*related)


def find_review(product: Product, ref: str) -> OutcomeReview:
    """The review people call `ref`, as REV-4."""
    matched = REF.fullmatch(ref.strip())
    review = _reviews(product).filter(number=int(matched[1])).first() if matched else None
    if review is None:
        raise NotFound(
            f"There is no review {ref.strip()[:40]} in {product.name}. `whytree review list` shows those there are."
        )
    return review


def open_reviews(product: Product) -> QuerySet[OutcomeReview]:
    """Those nobody has decided, the most overdue first."""
    return _reviews(product).filter(decided_at=None).order_by("due_at", "pk")


def due_reviews(product: Product, now: datetime | None = None) -> QuerySet[OutcomeReview]:
    """Those that want a verdict now."""
    return open_reviews(product).filter(due_at__lte=now or timezone.now())


def decided_reviews(product: Product) -> QuerySet[OutcomeReview]:
    """Those that were decided, the newest first."""
    return _reviews(product).filter(decided_at__isnull=False).order_by("-decided_at", "-pk")


def turned_since(product: Product, start: datetime) -> QuerySet[OutcomeReview]:
    """Those that were decided since then, or fell due and wait; in the order in which they were due."""
    waits = Q(decided_at=None, due_at__gte=start, due_at__lte=timezone.now())
    return _reviews(product).filter(waits | Q(decided_at__gte=start)).order_by("due_at", "pk")


def measured_reviews(product: Product) -> QuerySet[OutcomeReview]:
    """Those that found a difference, decided or not, by what was written down; the oldest first."""
    found = _reviews(product).filter(filled__state="measured").select_related("hypothesis__solution__opportunity")
    return found.order_by("hypothesis__opened_at", "pk")


def reviews_of(solutions: Iterable[Solution]) -> dict[int, list[OutcomeReview]]:
    """Each solution's reviews: the open one first, then the newest."""
    pks = [solution.pk for solution in solutions]
    reviews = OutcomeReview.objects.filter(hypothesis__solution__in=pks).select_related(
        "product", "hypothesis__product", "hypothesis__solution__product", "decided_by"
    )
    found: dict[int, list[OutcomeReview]] = {}
    for review in sorted(reviews, key=lambda one: (one.is_decided, -one.pk)):
        found.setdefault(review.hypothesis.solution_id, []).append(review)
    return found


@once_a_page
def reviews_of_one(solution: Solution) -> list[OutcomeReview]:
    """One solution's reviews, in the same order."""
    return reviews_of([solution]).get(solution.pk, [])


def review_of(hypothesis: Hypothesis) -> OutcomeReview | None:
    """The prediction's latest review."""
    return _reviews(hypothesis.product).filter(hypothesis=hypothesis).order_by("-pk").first()


def shipped_since(review: OutcomeReview, result: Result) -> Shipped:
    """What else went out and broke from its opening on, until it was decided."""
    return shipped_between(review.product, result.opened_at, review.decided_at or timezone.now())


def result_of(review: OutcomeReview) -> Result:
    """What the review knows: as it stood when it was decided, else as of the day it fell due, else now (by some seconds)."""
    if review.is_decided and review.filled is not None:
        return from_json(review.filled)
    return kept("review", _facts(review), FRESH_SECONDS, lambda: measure_review(review, timezone.now()))


def remember(review: OutcomeReview, result: Result) -> None:
    """Show this result for the next seconds."""
    keep("review", _facts(review), result)


def _facts(review: OutcomeReview) -> list[Any]:
    return [review.pk, review.due_at.isoformat()]


def last_result(review: OutcomeReview) -> Result | None:
    """What was written down last, without asking the event store: for lists."""
    return from_json(review.filled) if review.filled is not None else None


@dataclass(frozen=True)
class TrackRecord:
    """How often the range that should hold eight of ten truths held them, the error of the measurement counted."""

    judged: int
    held: int

    @property
    def text(self) -> str:
        return f"{self.held} of {self.judged} held"


def track_record(product: Product) -> TrackRecord:
    """Over all decided reviews whose prediction could be judged."""
    results = [last_result(review) for review in decided_reviews(product)]
    verdicts = [held for result in results if result is not None and (held := result.forecast.held) is not None]
    return TrackRecord(len(verdicts), sum(verdicts))
