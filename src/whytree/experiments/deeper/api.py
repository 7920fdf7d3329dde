"""Deeper questions over REST."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from ninja import Router, Schema

from whytree.experiments.models import Bandit
from whytree.experiments.queries import find_experiment
from whytree.flags.queries import find_flag
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from .bandit import allocate, allocation_of
from .metric_before_after import before_after
from .novelty import novelty_of
from .reaching import reaching_of
from .sharing import bandits, end_bandit, find_bandit, start_bandit

router = Router(tags=["experiments"])


@router.get("/products/{product}/experiments/{ref}/novelty", operation_id="get_experiment_novelty")
def get_experiment_novelty(request: ApiRequest, product: str, ref: str) -> dict[str, Any]:
    """The deciding metric by days since the exposure, of the same people throughout, and whether its effect faded or grew."""
    found = find_experiment(api_product(request, product, Role.VIEWER), ref)
    return asdict(novelty_of(found, timezone.now()))


@router.get("/products/{product}/experiments/{ref}/triggered", operation_id="get_experiment_triggered")
def get_experiment_triggered(request: ApiRequest, product: str, ref: str, event: str) -> dict[str, Any]:
    """The effect among those who did `event` after their exposure, and what that is over everybody; refused where the change
    moves who does it."""
    found = find_experiment(api_product(request, product, Role.VIEWER), ref)
    return asdict(reaching_of(found, event, timezone.now()))


@router.get("/products/{product}/metrics/{key}/before-after", operation_id="get_metric_before_after")
def get_metric_before_after(request: ApiRequest, product: str, key: str, at: date, against: str = "") -> dict[str, Any]:
    """How far a metric moved on a day that nobody drew, alone or beside a metric that the change did not reach. Not randomised."""
    found = api_product(request, product, Role.VIEWER)
    return asdict(before_after(found, key, at, timezone.now(), against=against))


class AllocateIn(Body):
    """`daily`: from now on every day, until it is ended."""

    metric: str
    daily: bool = False


class BanditOut(Schema):
    """A flag whose weights follow the results every day. Not for inference."""

    flag: str
    metric: str
    started_at: datetime
    looked_at: datetime | None
    says: str
    ended_at: datetime | None
    end_reason: str

    @staticmethod
    def of(bandit: Bandit) -> dict[str, Any]:
        same = ("started_at", "looked_at", "says", "ended_at", "end_reason")
        return {name: getattr(bandit, name) for name in same} | {"flag": bandit.flag.key, "metric": bandit.metric_key}


@router.get("/products/{product}/allocations", response=list[BanditOut], operation_id="list_flag_allocations")
def list_flag_allocations(request: ApiRequest, product: str) -> list[dict[str, Any]]:
    """Flags that share their people out by results every day, and what their last look came to."""
    return [BanditOut.of(one) for one in bandits(api_product(request, product, Role.VIEWER))]


@router.get("/products/{product}/flags/{key}/allocation", operation_id="get_flag_allocation")
def get_flag_allocation(request: ApiRequest, product: str, key: str, metric: str) -> dict[str, Any]:
    """What share of people each arm would get by its chance of being best (Thompson). Not for inference."""
    flag = find_flag(api_product(request, product, Role.VIEWER), key)
    return asdict(allocation_of(flag, metric, timezone.now()))


@router.post("/products/{product}/flags/{key}/allocation", operation_id="allocate_flag")
def allocate_flag(request: ApiRequest, product: str, key: str, said: AllocateIn) -> dict[str, Any]:
    """Set the weights so, once or (`daily`) every day from now on; refused while an experiment or a rollout holds them, and daily
    for a flag that tests a hypothesis. Not for inference."""
    found = api_product(request, product, Role.MEMBER)
    if said.daily:
        start_bandit(request.actor, found, key, said.metric)
        return asdict(allocation_of(find_flag(found, key), said.metric, timezone.now()))
    return asdict(allocate(request.actor, find_flag(found, key), said.metric, timezone.now()))


@router.delete("/products/{product}/flags/{key}/allocation", response=BanditOut, operation_id="end_flag_allocation")
def end_flag_allocation(request: ApiRequest, product: str, key: str, reason: str = "") -> dict[str, Any]:
    """Share out no further; the weights stay as they are."""
    found = api_product(request, product, Role.MEMBER)
    return BanditOut.of(end_bandit(request.actor, find_bandit(found, key), reason=reason))
