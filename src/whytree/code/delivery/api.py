"""Incidents and delivery metrics over REST. Deployments, with whom each was for: `why.delivery`."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Router, Schema
from pydantic import AwareDatetime, Field

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from ..models import Incident
from . import queries, sentences, services
from .queries import Delivery, Tied
from .services import IncidentFacts

router = Router(tags=["Code"])

Word = Annotated[str, Field(max_length=2000)]


class IncidentIn(Body):
    """An incident; `status` is TODO, IN_PROGRESS or DONE. `caused_by`: a deployment's id, version or commit, or none."""

    key: Word
    title: Word
    began_at: AwareDatetime
    resolved_at: AwareDatetime | None = None
    status: Word = ""
    url: Word = ""
    caused_by: Word = ""


class CloseIn(Body):
    resolved_at: AwareDatetime | None = None


class IncidentOut(Schema):
    """An incident, the deployment that did it as far as is known, and by which rule."""

    key: str
    title: str
    status: str
    url: str
    began_at: datetime
    resolved_at: datetime | None
    deployment: str
    rule: str

    @staticmethod
    def of(one: Tied) -> dict[str, Any]:
        same = ("key", "title", "status", "url", "began_at", "resolved_at")
        return {name: getattr(one.incident, name) for name in same} | {
            "deployment": one.deployment.label if one.deployment else "",
            "rule": one.rule,
        }


class MeasureOut(Schema):
    """One metric: `low` to `high` is the middle half of durations, the 95 % interval of a share. Without data `value` is null
    and `says` tells why."""

    key: str
    title: str
    value: float | None
    unit: str
    low: float | None
    high: float | None
    n: int
    says: str


class DeliveryOut(Schema):
    """DORA's five metrics of what went out to production in this time."""

    start: datetime
    end: datetime
    measures: list[MeasureOut]

    @staticmethod
    def of(found: Delivery) -> dict[str, Any]:
        same = ("key", "value", "unit", "low", "high", "n")
        measures = [
            {name: getattr(one, name) for name in same}
            | {"title": sentences.title(one), "says": f"{sentences.figure(one)} ({sentences.beside(one)})"}
            for one in found.measures
        ]
        return {"start": found.start, "end": found.end, "measures": measures}


@router.get("/products/{product}/delivery", response=DeliveryOut, operation_id="measure_delivery")
def measure_delivery(request: ApiRequest, product: str, days: int = queries.USUAL_DAYS) -> dict[str, Any]:
    """DORA's five metrics of production, each with its n; without data a reason instead of a value. Never of a person."""
    found = api_product(request, product, Role.VIEWER)
    return DeliveryOut.of(queries.measure_delivery(found, days=days))


@router.get("/products/{product}/incidents", response=list[IncidentOut], operation_id="list_incidents")
def list_incidents(request: ApiRequest, product: str, limit: int = 200) -> list[dict[str, Any]]:
    """Incidents, the newest first, and which deployment did each."""
    found = api_product(request, product, Role.VIEWER)
    rows = Incident.objects.filter(product=found)[: max(1, min(limit, 2000))]
    return [IncidentOut.of(one) for one in queries.tied(rows)]


@router.post("/products/{product}/incidents", response=IncidentOut, operation_id="add_incident")
def add_incident(request: ApiRequest, product: str, body: IncidentIn) -> dict[str, Any]:
    """Tell of an incident; the same key again changes only what is told differently."""
    found = api_product(request, product, Role.MEMBER)
    return _out(services.add_incident(request.actor, found, IncidentFacts(**body.dict())))


@router.post("/products/{product}/incidents/{path:key}/close", response=IncidentOut, operation_id="close_incident")
def close_incident(request: ApiRequest, product: str, key: str, body: CloseIn) -> dict[str, Any]:
    """It is over, now or at a time that is said."""
    incident = queries.find_incident(api_product(request, product, Role.MEMBER), key)
    return _out(services.close_incident(request.actor, incident, resolved_at=body.resolved_at))


def _out(incident: Incident) -> dict[str, Any]:
    return IncidentOut.of(queries.tied(Incident.objects.filter(pk=incident.pk))[0])
