"""The tracking plan over REST."""

from datetime import datetime
from typing import Any

from ninja import Router, Schema, Status
from pydantic import Field

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import queries, services
from .document import as_document

router = Router(tags=["Events"])


class PlanIn(Body):
    plan: dict[str, Any] = Field(
        description='{"whytree_plan": 1, "strict": true, "events": {NAME: {status, owner, description, properties}}}'
    )


class ViolationOut(Schema):
    event: str
    kind: str = Field(description="unplanned, not sent, deprecated, unexpected, or property")
    says: str


class PlanOut(Schema):
    """What should be sent, and what is sent otherwise."""

    plan: dict[str, Any]
    sentence: str
    violations: list[ViolationOut]


class PlannedPropertyOut(Schema):
    """`type` empty: any."""

    type: str
    required: bool
    description: str


class PlannedOut(Schema):
    """What was said of an event."""

    status: str
    owner: str
    description: str
    properties: dict[str, PlannedPropertyOut]


class PlannedIn(Body):
    """What to say of an event; what is left out stays."""

    event: str
    status: str | None = Field(None, description="expected, deprecated or unexpected")
    owner: str | None = None
    description: str | None = None
    properties: dict[str, Any] | None = Field(
        None, description="{NAME: {type, required, description}}; null for one that is planned no longer"
    )


class SeenOut(Schema):
    types: list[str]
    volume: int
    first_seen: datetime
    last_seen: datetime


class DescribedPropertyOut(Schema):
    """`seen` is null for one that is planned and never came."""

    name: str
    seen: SeenOut | None
    planned: PlannedPropertyOut | None
    samples: list[str]


class DescribedEventOut(Schema):
    name: str
    planned: PlannedOut | None
    properties: list[DescribedPropertyOut]


class StrictIn(Body):
    strict: bool = Field(description="Whether what stands in no plan breaks it")


class StrictOut(Schema):
    strict: bool


class ChangeOut(Schema):
    event: str = Field(description="Empty for the plan as a whole")
    what: str = Field(description="added, changed or removed")
    details: list[str]


@router.get("/products/{product}/events/plan", response=PlanOut, operation_id="get_plan")
def get_plan(request: ApiRequest, product: str) -> Any:
    """The tracking plan, held against what is sent."""
    found = queries.check_plan(api_product(request, product, Role.VIEWER))
    return {"plan": as_document(found.plan), "sentence": found.sentence, "violations": found.violations}


@router.put("/products/{product}/events/plan", response=list[ChangeOut], operation_id="apply_plan")
def apply_plan(request: ApiRequest, product: str, body: PlanIn) -> Any:
    """Make this the plan; what it does not name is planned no longer."""
    return services.apply_plan(request.actor, api_product(request, product, Role.MEMBER), body.plan)


@router.put("/products/{product}/events/plan/strict", response=StrictOut, operation_id="set_plan_strict")
def set_plan_strict(request: ApiRequest, product: str, body: StrictIn) -> Any:
    """Say whether the plan is the whole of it, so that what it does not name breaks it."""
    return services.set_strict(request.actor, api_product(request, product, Role.MEMBER), strict=body.strict)


@router.post("/products/{product}/events/plan/diff", response=list[ChangeOut], operation_id="diff_plan")
def diff_plan(request: ApiRequest, product: str, body: PlanIn) -> Any:
    """What applying this would change; nothing is stored."""
    return services.diff_plan(api_product(request, product, Role.VIEWER), body.plan)


@router.get("/products/{product}/events/described", response=DescribedEventOut, operation_id="describe_event")
def describe_event(request: ApiRequest, product: str, event: str) -> Any:
    """One event with its properties: what is sent, some values, and what was said of it."""
    return queries.describe_event(api_product(request, product, Role.VIEWER), event)


@router.patch("/products/{product}/events/plan", response=PlannedOut, operation_id="plan_event")
def plan_event(request: ApiRequest, product: str, body: PlannedIn) -> Any:
    """Say what one event is: status, owner, description, properties."""
    said = {name: value for name, value in body.dict().items() if name != "event" and value is not None}
    return services.plan_event(request.actor, api_product(request, product, Role.MEMBER), body.event, said)


@router.delete("/products/{product}/events/plan", response={204: None}, operation_id="unplan_event")
def unplan_event(request: ApiRequest, product: str, event: str) -> Status[None]:
    """Plan an event no longer. What is sent of it still comes in."""
    services.unplan_event(request.actor, api_product(request, product, Role.MEMBER), event)
    return Status(204, None)
