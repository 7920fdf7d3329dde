"""Alerts over REST."""

from datetime import date, datetime
from typing import Any

from ninja import Router, Schema, Status
from pydantic import Field

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.outside.webhooks import host_of
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from ..models import Alert
from . import queries, services

router = Router(tags=["Alerts"])


class EventOut(Schema):
    bucket: date
    what: str = Field(description="left or recovered")
    value: float | None
    says: str
    at: datetime


class AlertOut(Schema):
    """`bucket` is the last whole stretch that was looked at. The webhook's address and secret are not shown again."""

    number: int
    metric: str | None
    question: str | None
    on: str
    rule: dict[str, Any]
    sentence: str
    state: str
    says: str
    bucket: date | None
    mail: bool
    webhook_host: str
    snoozed_until: datetime | None

    @staticmethod
    def of(alert: Alert) -> dict[str, Any]:
        same = ("number", "on", "rule", "state", "says", "bucket", "mail", "snoozed_until")
        return {name: getattr(alert, name) for name in same} | {
            "metric": alert.metric.key if alert.metric else None,
            "question": alert.saved.ref if alert.saved else None,
            "sentence": queries.rule_of(alert).sentence,
            "webhook_host": host_of(alert.webhook),
        }


class AlertDetail(AlertOut):
    events: list[EventOut]


class AlertMade(AlertOut):
    secret: str = Field(description="Checks the webhook's signature (Standard Webhooks); shown this once.")


class AlertIn(Body):
    rule: dict[str, Any] = Field(
        description='{"version": 1, "kind": "band", "low": 30, "high": 60}, or {"version": 1, "kind": "change", "percent": 30}'
    )
    metric: str = ""
    question: str = Field("", description="A kept trend with one line, as ASK-3.")
    mail: bool = True
    webhook: str = ""


class AlertEdit(Body):
    rule: dict[str, Any] | None = None
    mail: bool | None = None
    webhook: str | None = None


class SnoozeIn(Body):
    hours: int = Field(24, description="0 wakes it.")


@router.get("/products/{product}/alerts", response=list[AlertOut], operation_id="list_alerts")
def list_alerts(request: ApiRequest, product: str) -> Any:
    """Every alert and where it stands."""
    return [AlertOut.of(one) for one in queries.list_alerts(api_product(request, product, Role.VIEWER))]


@router.post("/products/{product}/alerts", response={201: AlertMade}, operation_id="create_alert")
def create_alert(request: ApiRequest, product: str, body: AlertIn) -> Status[dict[str, Any]]:
    """Watch a metric, or a kept trend."""
    made = services.create_alert(request.actor, api_product(request, product, Role.MEMBER), **body.dict())
    return Status(201, AlertOut.of(made) | {"secret": made.secret})


@router.get("/products/{product}/alerts/{number}", response=AlertDetail, operation_id="get_alert")
def get_alert(request: ApiRequest, product: str, number: int) -> Any:
    """One alert, with what it told."""
    found = queries.find_alert(api_product(request, product, Role.VIEWER), number)
    return AlertOut.of(found) | {"events": list(found.events.all()[:100])}


@router.patch("/products/{product}/alerts/{number}", response=AlertMade, operation_id="edit_alert")
def edit_alert(request: ApiRequest, product: str, number: int, body: AlertEdit) -> Any:
    """Change the fields that are named. A new webhook has a new secret."""
    edits: Any = body.dict(exclude_none=True)
    edited = services.edit_alert(request.actor, api_product(request, product, Role.MEMBER), number, **edits)
    return AlertOut.of(edited) | {"secret": edited.secret if "webhook" in edits else ""}


@router.delete("/products/{product}/alerts/{number}", response={204: None}, operation_id="delete_alert")
def delete_alert(request: ApiRequest, product: str, number: int) -> Status[None]:
    services.delete_alert(request.actor, api_product(request, product, Role.MEMBER), number)
    return Status(204, None)


@router.post("/products/{product}/alerts/{number}/snooze", response=AlertOut, operation_id="snooze_alert")
def snooze_alert(request: ApiRequest, product: str, number: int, body: SnoozeIn) -> Any:
    """Nothing is told for so long; what is still outside afterwards is told anew."""
    found = api_product(request, product, Role.MEMBER)
    return AlertOut.of(services.snooze_alert(request.actor, found, number, hours=body.hours))
