"""What is known before one predicts, over REST."""

from dataclasses import asdict
from typing import Any

from ninja import Router, Schema

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rights.roles import Role

from .queries import Asked, known_before, sentences

router = Router(tags=["Learning"])


class EffectOut(Schema):
    """What one change did to the metric: the difference with its 95 % interval."""

    ref: str
    title: str
    value: float
    low: float
    high: float
    n: int


class SimilarOut(Schema):
    """What was learned from a change spoken of in like words (cosine of their weighted words)."""

    ref: str
    title: str
    decision: str
    learning: str
    alike: float


class NextOut(Schema):
    """A hierarchical model over past effects: the mean, the spread between effects, and the range that holds eight of ten next ones."""

    mean: float
    error: float
    between: float
    low: float
    high: float
    n: int


class KnownOut(Schema):
    metric_key: str
    unit: str
    text: list[str]
    effects: list[EffectOut]
    rose: int
    fell: int
    next: NextOut | None
    outside: str
    similar: list[SimilarOut]
    judged: int
    right_way: int


@router.get("/products/{product}/past-effects", response=KnownOut, operation_id="list_past_effects")
def list_past_effects(
    request: ApiRequest,
    product: str,
    metric_key: str,
    unit: str = "pp",
    change: str = "",
    likely: float | None = None,
) -> dict[str, Any]:
    """What earlier changes did to a metric, what was learned from changes like this one, and whether a forecast is outside all of it."""
    found = api_product(request, product, Role.VIEWER)
    known = known_before(found, Asked(metric_key=metric_key[:100], unit=unit, words=change[:2000], likely=likely))
    return asdict(known) | {"text": sentences(known)}
