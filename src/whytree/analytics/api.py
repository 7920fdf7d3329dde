"""Metrics over REST."""

from datetime import UTC, date, datetime
from typing import Any

from ninja import Router, Schema, Status

from whytree.events.queries import property_names
from whytree.stores.pieces.stretches import Interval
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.models import Product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import queries, services, silent
from .alerts import api as alerts
from .applying import api as applying
from .asking import api as asking_api
from .boards import api as boards_api
from .cohorts import api as cohorts_api
from .definitions import warnings
from .friction import api as friction
from .importing import api as importing
from .models import Metric
from .subscriptions import api as subscriptions

router = Router(tags=["Metrics"])
router.add_router("", alerts.router)
router.add_router("", applying.router)
router.add_router("", asking_api.router)
router.add_router("", cohorts_api.router)
router.add_router("", friction.router)
router.add_router("", importing.router)
router.add_router("", boards_api.router)
router.add_router("", subscriptions.router)


class MetricOut(Schema):
    key: str
    name: str
    definition: dict[str, Any]
    sentence: str
    unit: str
    direction: str
    category: str
    role: str
    owner: str
    description: str
    created_at: datetime
    updated_at: datetime

    @staticmethod
    def of(metric: Metric) -> dict[str, Any]:
        names = [name for name in MetricOut.__annotations__ if name != "sentence"]
        return {name: getattr(metric, name) for name in names} | {"sentence": queries.definition_of(metric).sentence}


class MetricSaved(MetricOut):
    """Also what looks like a slip: an event that nobody has sent yet."""

    warnings: list[str]


class MetricIn(Body):
    key: str
    definition: dict[str, Any]
    name: str = ""
    unit: str | None = None
    direction: str = "up"
    category: str = ""
    role: str = ""
    owner: str = ""
    description: str = ""


class MetricEdit(Body):
    name: str | None = None
    definition: dict[str, Any] | None = None
    unit: str | None = None
    direction: str | None = None
    category: str | None = None
    role: str | None = None
    owner: str | None = None
    description: str | None = None


class DayOut(Schema):
    """A day; a week or month by its first day, an hour by its moment."""

    day: datetime | date
    value: float | None
    low: float | None
    high: float | None
    n: int
    numerator: int
    open: int
    complete: bool


class MeasureOut(Schema):
    """`low` and `high` are the 95 % interval; n counts people or companies, as `counted` says; `open` are still under way.

    `to_at` is the first moment that is not counted any more, `last_day` the day before it."""

    key: str
    name: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    numerator: int
    open: int
    method: str
    reason: str
    from_at: datetime
    to_at: datetime
    last_day: date
    as_of: datetime
    is_past: bool
    source: str
    series: list[DayOut]
    counted: str
    each: str


@router.get("/products/{product}/metrics", response=list[MetricOut], operation_id="list_metrics")
def list_metrics(request: ApiRequest, product: str) -> list[dict[str, Any]]:
    """The product's metrics and what each counts."""
    return [MetricOut.of(metric) for metric in queries.list_metrics(api_product(request, product, Role.VIEWER))]


@router.post("/products/{product}/metrics", response={201: MetricSaved}, operation_id="create_metric")
def create_metric(request: ApiRequest, product: str, said: MetricIn) -> Status[dict[str, Any]]:
    """A number that computes itself from events; a later look at the events themselves may warn of a slip."""
    found = api_product(request, product, Role.MEMBER)
    return Status(201, _saved(found, services.create_metric(request.actor, found, **said.dict())))


@router.get("/products/{product}/metrics/{key}", response=MetricOut, operation_id="get_metric")
def get_metric(request: ApiRequest, product: str, key: str) -> dict[str, Any]:
    return MetricOut.of(queries.find_metric(api_product(request, product, Role.VIEWER), key))


@router.patch("/products/{product}/metrics/{key}", response=MetricSaved, operation_id="edit_metric")
def edit_metric(request: ApiRequest, product: str, key: str, said: MetricEdit) -> dict[str, Any]:
    """Change the fields that are named."""
    found = api_product(request, product, Role.MEMBER)
    edits: Any = said.dict(exclude_unset=True, exclude_none=True)
    return _saved(found, services.edit_metric(request.actor, found, key, **edits))


@router.delete("/products/{product}/metrics/{key}", response={204: None}, operation_id="delete_metric")
def delete_metric(request: ApiRequest, product: str, key: str) -> Status[None]:
    """Remove a metric that nothing rests on."""
    services.delete_metric(request.actor, api_product(request, product, Role.MEMBER), key)
    return Status(204, None)


@router.get("/products/{product}/metrics/{key}/measure", response=MeasureOut, operation_id="measure_metric")
def measure_metric(
    request: ApiRequest,
    product: str,
    key: str,
    start: datetime | None = None,
    end: datetime | None = None,
    days: int = queries.USUAL_DAYS,
    each: Interval = "day",
) -> queries.Measure:
    """Its value with interval, n, period and source, and what is behind it by hour, day, week or month (`each`)."""
    metric = queries.find_metric(api_product(request, product, Role.VIEWER), key)
    return queries.measure(metric, _aware(start), _aware(end), days=days, each=each)


class SilenceOut(Schema):
    """An event that nobody sends, or without `event` a metric that there is none of; `refs` are the nodes that rest on it."""

    metric_key: str
    event: str
    last_at: datetime | None
    says: str
    refs: list[str]


@router.get("/products/{product}/metrics-check", response=list[SilenceOut], operation_id="check_metrics")
def check_metrics(request: ApiRequest, product: str) -> Any:
    """Metrics, outcomes and open predictions that name an event nobody sent for a week, or a metric there is none of."""
    return silent.check_metrics(api_product(request, product, Role.VIEWER))


def _aware(moment: datetime | None) -> datetime | None:
    """A time without a zone is taken for UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _saved(product: Product, metric: Metric) -> dict[str, Any]:
    found = warnings(queries.definition_of(metric), queries.known_events(product), property_names(product))
    return MetricOut.of(metric) | {"warnings": found}
