"""The last hop: what a solution's prediction came to, as its outcome review knows it."""

from whytree.engines.figures import between
from whytree.errors import Unavailable
from whytree.learning.models import Decision, OutcomeReview, Verdict
from whytree.learning.queries import find_review, last_result, result_of, review_of
from whytree.learning.reviews.results import Figure, Forecast, Guardrail, Result
from whytree.learning.reviews.sentences import forecast_text
from whytree.tree.models import Hypothesis
from whytree.workspace.models import Product

from ..answer import ReviewHop

_RAILS = {"held": "held", "harmed": "harmed", "open": "cannot be told yet"}


def hypothesis_of_review(product: Product, ref: str) -> Hypothesis:
    return find_review(product, ref).hypothesis


def review_hop(hypothesis: Hypothesis) -> ReviewHop | None:
    """The prediction's latest review; without numbers until it has any to stand behind."""
    review = review_of(hypothesis)
    if review is None:
        return None
    result = _result(review)
    contrast = result.contrast if result and result.is_measured else None
    difference = contrast.difference if contrast else None
    return ReviewHop(
        ref=review.ref,
        url=review.url,
        metric=contrast.metric_name if contrast else hypothesis.metric_key,
        unit=contrast.unit if contrast else "",
        verdict=Verdict(review.verdict).label if review.verdict else "",
        decision=Decision(review.decision).label if review.decision else "",
        decided_at=review.product.there(review.decided_at) if review.decided_at else None,
        due_at=review.product.there(review.due_at),
        before=contrast.control.value if contrast and contrast.control else None,
        after=contrast.treatment.value if contrast and contrast.treatment else None,
        difference=difference.value if difference else None,
        low=difference.low if difference else None,
        high=difference.high if difference else None,
        difference_unit=contrast.difference_unit if contrast else "",
        n=difference.n if difference else 0,
        as_wanted=_as_wanted(result.forecast, difference) if result and difference else None,
        prediction=_held(result.forecast) if result and difference else "",
        guardrails=tuple(_rail(one) for one in result.guardrails) if result and difference else (),
        warning=_warning(result, has_difference=difference is not None),
        learning=review.learning,
    )


def _result(review: OutcomeReview) -> Result | None:
    """What was written down last; measured now only where nothing was yet."""
    written = last_result(review)
    if written is not None:
        return written
    try:
        return result_of(review)
    except Unavailable:
        return None  # the rest of the answer stands without the event store


def _as_wanted(forecast: Forecast, difference: Figure) -> bool | None:
    if difference.low <= 0 <= difference.high:
        return None
    return (difference.value > 0) == (forecast.likely >= 0)


def _held(forecast: Forecast) -> str:
    if forecast.holds is None:
        return forecast.reason
    if forecast.holds:
        return "Inside the predicted range."
    measured = forecast.measured
    if measured is None:
        return "Outside the predicted range."
    if forecast.held:
        return f"Just outside the predicted {forecast_text(forecast)}, within the error of the measurement."
    side = "Above" if measured.value > forecast.high else "Below"
    return f"{side} the predicted {between(forecast.low, forecast.high)} {forecast.unit}.".replace(" .", ".")


def _rail(guardrail: Guardrail) -> str:
    return f"{guardrail.contrast.metric_name} {_RAILS[guardrail.verdict]}"


def _warning(result: Result | None, *, has_difference: bool) -> str:
    """Why the numbers must not be believed, or why there are none."""
    if result is None:
        return ""
    if result.trust is not None and result.trust.is_broken:
        return "The draw was not fair: these numbers cannot be trusted."
    return "" if has_difference else result.reason
