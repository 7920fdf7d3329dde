"""The tracking plan over REST."""

from typing import Any

from ninja import Router, Schema
from pydantic import Field

from whytree.workspace.doors import ApiRequest, api_product
from whytree.workspace.roles import Role

from . import queries, services
from .document import as_document

router = Router(tags=["Events"])


class PlanIn(Schema):
    plan: dict[str, Any] = Field(
        description='{"whytree_plan": 1, "events": {NAME: {status, owner, description, properties}}}'
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


class ChangeOut(Schema):
    event: str
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


@router.post("/products/{product}/events/plan/diff", response=list[ChangeOut], operation_id="diff_plan")
def diff_plan(request: ApiRequest, product: str, body: PlanIn) -> Any:
    """What applying this would change; nothing is stored."""
    return services.diff_plan(api_product(request, product, Role.VIEWER), body.plan)
