"""Calibration over REST."""

from dataclasses import asdict
from typing import Any

from ninja import Router, Schema

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rights.roles import Role

from .queries import LEAST_FOR_CURVE, LEAST_PEOPLE, LEAST_RESULTS, calibration, sentence

router = Router(tags=["Learning"])


class ShareOut(Schema):
    """Each result counts once, with the share of its forecasts that held; the 95 % interval (Wilson) stands on the results."""

    value: float
    low: float
    high: float
    results: int
    n: int
    held: int


class GroupOut(Schema):
    """`share` is null where there are too few results, or too few people to stay nameless; `text` says which."""

    name: str
    ref: str
    results: int
    n: int
    share: ShareOut | None
    text: str


class ReachedOut(Schema):
    level: float
    share: ShareOut


class CalibrationOut(Schema):
    """`level` is what ranges are meant to hold. `own`: the hypotheses' own forecasts; `people`: what colleagues had said.
    `right` and `wrong` count directions that could be told; `better_than_nothing` forecasts with a smaller CRPS than "no change"."""

    level: float = 0.8
    text: str
    results: int
    n: int
    all: ShareOut | None
    own: ShareOut | None
    people: ShareOut | None
    curve: list[ReachedOut]
    right: int
    wrong: int
    better_than_nothing: int
    each: list[GroupOut]
    by_metric: list[GroupOut]
    by_topic: list[GroupOut]
    by_evidence: list[GroupOut]
    by_role: list[GroupOut]
    least_results: int = LEAST_RESULTS
    least_for_curve: int = LEAST_FOR_CURVE
    least_people: int = LEAST_PEOPLE


@router.get("/products/{product}/calibration", response=CalibrationOut, operation_id="get_calibration")
def get_calibration(request: ApiRequest, product: str) -> dict[str, Any]:
    """How often predicted ranges held what was measured: over all, by metric, problem, evidence and role. Nobody is named."""
    found = calibration(api_product(request, product, Role.VIEWER))
    return asdict(found) | {"text": sentence(found)}
