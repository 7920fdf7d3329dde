"""What several people expect, over REST."""

from dataclasses import asdict
from typing import Any

from ninja import Router, Schema, Status

from whytree.learning import queries as reviews
from whytree.learning.reviews.results import Result
from whytree.tree.models import Hypothesis
from whytree.tree.pages.parts import find
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import queries, services
from .sentences import blind_text, spread_text

router = Router(tags=["Learning"])


class PredictionIn(Body):
    """In the unit of the hypothesis: one time in ten it is less than `low`, one time in ten more than `high`."""

    low: float
    likely: float
    high: float


class ScoreOut(Schema):
    """`inside`: the measured value lies in the range. `held`: in the range widened by the measurement's own error. `direction`:
    right, wrong or unclear. `interval_score` (Gneiting and Raftery 2007, eq. 43) and `crps` are in the unit of the forecast, smaller
    is better; `nothing` is the CRPS of "nothing will change"; `place` is where in the forecast it fell, 0 to 1."""

    inside: bool
    held: bool
    direction: str
    interval_score: float
    crps: float
    nothing: float
    place: float


class SaidOut(Schema):
    """One prediction, by the role it came from. `is_own`: the hypothesis' own forecast."""

    who: str
    discipline: str
    low: float
    likely: float
    high: float
    is_yours: bool
    is_own: bool
    score: ScoreOut | None


class SpreadOut(Schema):
    """Over people: the outermost ends, the most likely values from `least` to `most`, their median; `apart`: two exclude each other."""

    low: float
    high: float
    least: float
    most: float
    median: float
    apart: bool
    text: str


class PredictionsOut(Schema):
    """`said` is empty until you have answered or the hypothesis is locked; `answers` counts in any case."""

    hypothesis: str
    metric_key: str
    unit: str
    is_locked: bool
    answers: int
    may_see: bool
    may_say: bool
    text: str
    said: list[SaidOut]
    spread: SpreadOut | None


PATH = "/products/{product}/hypotheses/{ref}/predictions"


@router.get(PATH, response=PredictionsOut, operation_id="list_predictions")
def list_predictions(request: ApiRequest, product: str, ref: str) -> dict[str, Any]:
    """What several people expect of a hypothesis, by role: blind until you have answered, open once it is locked, scored once measured."""
    found = api_product(request, product, Role.VIEWER)
    return _out(request, find(found, ref, Hypothesis))


@router.post(PATH, response={201: PredictionsOut}, operation_id="predict")
def predict(request: ApiRequest, product: str, ref: str, said: PredictionIn) -> Status[dict[str, Any]]:
    """Say what you expect, before you see what others do. Once others have answered, yours stands."""
    found = api_product(request, product, Role.MEMBER)
    hypothesis = find(found, ref, Hypothesis)
    services.predict(request.actor, hypothesis, low=said.low, likely=said.likely, high=said.high)
    return Status(201, _out(request, hypothesis))


def _out(request: ApiRequest, hypothesis: Hypothesis) -> dict[str, Any]:
    table = queries.table_of(request.actor, hypothesis, _result(hypothesis))
    spread = None
    if table.spread is not None:
        spread = asdict(table.spread) | {"text": spread_text(table)}
    return {
        "hypothesis": hypothesis.ref,
        "metric_key": hypothesis.metric_key,
        "unit": hypothesis.forecast_unit,
        "is_locked": hypothesis.is_locked,
        "answers": table.answers,
        "may_see": table.may_see,
        "may_say": table.may_say,
        "text": spread["text"] if spread else blind_text(table),
        "said": [asdict(one) for one in table.said],
        "spread": spread,
    }


def _result(hypothesis: Hypothesis) -> Result | None:
    review = reviews.review_of(hypothesis) if hypothesis.is_locked else None
    return reviews.result_of(review) if review is not None else None
