"""Predictions and reviews over REST."""

from datetime import date, datetime
from typing import Any

from ninja import Router, Schema
from pydantic import Field

from whytree.tree.models import Hypothesis
from whytree.tree.pages.parts import find
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import queries, services
from .calibration.api import router as calibration_router
from .debts.api import router as debt_router
from .guards.api import router as guard_router
from .models import OutcomeReview
from .predictions.api import router as prediction_router
from .priors.api import router as prior_router
from .programme.api import router as programme_router
from .reviews.cost import cost_of
from .reviews.doubting import doubts_of
from .reviews.results import Result, as_json
from .reviews.sentences import forecast_text, headline, held_text, measured_text, subline
from .reviews.tagged import Tagged, tagged_since

router = Router(tags=["Learning"])
router.add_router("", prediction_router)
router.add_router("", calibration_router)
router.add_router("", prior_router)
router.add_router("", debt_router)
router.add_router("", guard_router)
router.add_router("", programme_router)


class ReviewOut(Schema):
    """A review; `result` is what it found, as it stood when it was decided, or as it stands now. `holds`: the range as it was said
    holds the measured value; `held`, in words: "just outside" is what the error of the measurement leaves open."""

    ref: str
    hypothesis: str
    solution: str
    metric_key: str
    title: str
    opened_at: datetime
    due_at: datetime
    state: str
    headline: str
    summary: str
    predicted: str
    measured: str
    holds: bool | None
    held: str
    verdict: str
    decision: str
    learning: str
    decided_at: datetime | None
    decided_by: str
    loved: str
    corners: str
    doubts: list[str] = Field(
        [], description="What speaks against deciding now; once decided with `despite`, what did."
    )
    despite: str

    @staticmethod
    def of(review: OutcomeReview, result: Result) -> dict[str, Any]:
        return {
            "ref": review.ref,
            "hypothesis": review.hypothesis.ref,
            "solution": review.hypothesis.solution.ref,
            "metric_key": review.hypothesis.metric_key,
            "title": review.hypothesis.solution.title,
            "opened_at": review.opened_at,
            "due_at": review.product.there(review.due_at),
            "state": "decided" if review.is_decided else result.state,
            "headline": headline(review, result),
            "summary": subline(result),
            "predicted": forecast_text(result.forecast),
            "measured": measured_text(result),
            "holds": result.forecast.holds,
            "held": held_text(result.forecast),
            "verdict": review.verdict,
            "decision": review.decision,
            "learning": review.learning,
            "decided_at": review.product.there(review.decided_at) if review.decided_at else None,
            "decided_by": str(review.decided_by or ""),
            "loved": review.loved,
            "corners": review.corners,
            "doubts": doubts_of(review, result),
            "despite": review.despite,
        }


class CostOut(Schema):
    """One thing the change took, and where that is known from. `value`: the number in `text`, of commits, lines, people or days."""

    what: str
    text: str
    source: str
    value: int | None
    url: str


class QuoteOut(Schema):
    """What somebody said last. `ref`: the voice or talk it is from."""

    text: str
    ref: str
    said_at: datetime
    arm: str


class TaggedOut(Schema):
    """Who spoke for the opportunity since the change opened, each person once, by the arm they had then."""

    opportunity: str
    sentence: str
    people: int
    by_arm: dict[str, int]
    quotes: list[QuoteOut]

    @staticmethod
    def of(found: Tagged) -> dict[str, Any]:
        return {
            "opportunity": found.opportunity.ref,
            "sentence": found.sentence,
            "people": found.people,
            "by_arm": found.by_arm,
            "quotes": found.quotes,
        }


class ReviewDetail(ReviewOut):
    """`shipped`: what else went out and broke since it opened. `cost`: what the change took, as far as it is known.
    `tagged`: what was said for its opportunity since; null where it stands under none."""

    shipped: list[str]
    cost: list[CostOut]
    tagged: TaggedOut | None
    result: dict[str, Any]


class DecisionIn(Body):
    """`loved`: did people love it? `corners`: which were cut, one a line; each becomes a debt where the change stays."""

    verdict: str
    decision: str
    learning: str
    loved: str = ""
    corners: str = ""
    arm: str = Field("", description="The one that is kept, of several.")
    move_flag: bool = Field(True, description="Everybody gets what is kept, or nobody what is taken back.")
    despite: str = Field("", description="Why, where `doubts` speak against it: required then.")


class PostponeIn(Body):
    due_on: date


@router.post("/products/{product}/hypotheses/{ref}/lock", response=ReviewDetail, operation_id="lock_prediction")
def lock_prediction(request: ApiRequest, product: str, ref: str) -> dict[str, Any]:
    """Fix a prediction for good, for a change that ships without a flag of ours; plans its review."""
    found = api_product(request, product, Role.MEMBER)
    review = services.lock_prediction(request.actor, find(found, ref, Hypothesis))
    return _detail(queries.find_review(found, review.ref))


@router.get("/products/{product}/reviews", response=list[ReviewOut], operation_id="list_reviews")
def list_reviews(request: ApiRequest, product: str, decided: bool | None = None) -> list[dict[str, Any]]:
    """All reviews: open ones by their day, then decided ones, newest first."""
    found = api_product(request, product, Role.VIEWER)
    reviews = [] if decided is True else list(queries.open_reviews(found))
    reviews += [] if decided is False else list(queries.decided_reviews(found))
    return [ReviewOut.of(review, queries.result_of(review)) for review in reviews]


@router.get("/products/{product}/reviews/{ref}", response=ReviewDetail, operation_id="get_review")
def get_review(request: ApiRequest, product: str, ref: str) -> dict[str, Any]:
    """Prediction, measurement, guardrails, and whether the draw was fair."""
    return _detail(queries.find_review(api_product(request, product, Role.VIEWER), ref))


@router.post("/products/{product}/reviews/{ref}/fill", response=ReviewDetail, operation_id="fill_review")
def fill_review(request: ApiRequest, product: str, ref: str) -> dict[str, Any]:
    """Compute it now and write it down; happens by itself every hour once it is due."""
    found = api_product(request, product, Role.MEMBER)
    services.fill_review(request.actor, queries.find_review(found, ref))
    return _detail(queries.find_review(found, ref))


@router.post("/products/{product}/reviews/{ref}/decide", response=ReviewDetail, operation_id="decide_review")
def decide_review(request: ApiRequest, product: str, ref: str, said: DecisionIn) -> dict[str, Any]:
    """A verdict, a decision about the solution, and what was learned. Once."""
    found = api_product(request, product, Role.MEMBER)
    services.decide_review(request.actor, queries.find_review(found, ref), **said.dict())
    return _detail(queries.find_review(found, ref))


@router.post("/products/{product}/reviews/{ref}/postpone", response=ReviewDetail, operation_id="postpone_review")
def postpone_review(request: ApiRequest, product: str, ref: str, said: PostponeIn) -> dict[str, Any]:
    """Look again later, while there is too little to see."""
    found = api_product(request, product, Role.MEMBER)
    services.postpone_review(request.actor, queries.find_review(found, ref), due_on=said.due_on)
    return _detail(queries.find_review(found, ref))


def _detail(review: OutcomeReview) -> dict[str, Any]:
    result = queries.result_of(review)
    shipped = queries.shipped_since(review, result).lines()
    tagged = tagged_since(review, result)
    return ReviewOut.of(review, result) | {
        "shipped": shipped,
        "cost": cost_of(review),
        "tagged": TaggedOut.of(tagged) if tagged else None,
        "result": as_json(result),
    }
