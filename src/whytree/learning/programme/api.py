"""The programme over REST."""

from dataclasses import asdict
from datetime import date
from typing import Any

from ninja import Router, Schema

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rights.roles import Role

from .queries import programme, sentence

router = Router(tags=["Learning"])


class RateOut(Schema):
    count: int
    of: int
    low: float
    high: float


class MonthOut(Schema):
    month: date
    decided: int


class PastEffectOut(Schema):
    """`shrunk`: what is left once most of the luck is taken out; null below six effects on the metric."""

    ref: str
    title: str
    value: float
    low: float
    high: float
    kept: bool
    shrunk: float | None


class OnMetricOut(Schema):
    """`total` sums what was kept as it was measured; `total_shrunk` after positive-part James-Stein, which multiplied all by `factor`."""

    metric_key: str
    unit: str
    effects: list[PastEffectOut]
    smallest: float
    middle: float
    largest: float
    kept: int
    total: float
    total_shrunk: float | None
    factor: float | None


class ProgrammeOut(Schema):
    """`wins`: changes that moved their metric beyond doubt the way that was wanted, of those measured, with Wilson's interval."""

    text: str
    decided: int
    measured: int
    kept: int
    wins: RateOut | None
    harms: int
    days_to_decision: float | None
    fastest: int | None
    slowest: int | None
    months: list[MonthOut]
    metrics: list[OnMetricOut]


@router.get("/products/{product}/programme", response=ProgrammeOut, operation_id="get_programme")
def get_programme(request: ApiRequest, product: str) -> dict[str, Any]:
    """What all decided changes together came to: win rate, pace, time to a decision, effects by metric, and the total, shrunk."""
    found = programme(api_product(request, product, Role.VIEWER))
    return asdict(found) | {"text": sentence(found)}
