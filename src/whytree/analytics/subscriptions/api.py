"""Subscriptions over REST."""

from datetime import datetime
from typing import Any

from ninja import Router, Schema, Status
from pydantic import Field

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.outside.webhooks import host_of
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from ..models import Letter, Subscription
from . import queries, services

router = Router(tags=["Subscriptions"])


class LetterOut(Schema):
    state: str = Field(description="waiting, sending, sent, failed (it will be tried again) or refused")
    at: datetime
    error: str


class SubscriptionOut(Schema):
    number: int
    board: int | None
    question: str | None
    title: str
    when: str
    is_on: bool
    webhook_host: str
    created_at: datetime
    last: LetterOut | None = Field(None, description="What became of the last one that was due.")

    @staticmethod
    def of(one: Subscription, last: Letter | None = None) -> dict[str, Any]:
        return {
            "last": last,
            "number": one.number,
            "board": one.board.number if one.board else None,
            "question": one.saved.ref if one.saved else None,
            "title": str(one),
            "when": queries.when_words(one),
            "is_on": one.is_on,
            "webhook_host": host_of(one.webhook),
            "created_at": one.created_at,
        }


class SubscriptionMade(SubscriptionOut):
    secret: str = Field(description="Checks the webhook's signature (Standard Webhooks); shown this once.")


class SubscriptionIn(Body):
    board: int | None = None
    question: str = ""
    every: str = Field("week", description="day or week")
    weekday: int = Field(0, description="0 is Monday.")
    hour: int = 8
    zone: str = Field("", description="As Europe/Berlin; the product's without one.")
    webhook: str = Field("", description="Empty: by mail to yourself.")


class SwitchIn(Body):
    is_on: bool


@router.get("/products/{product}/subscriptions", response=list[SubscriptionOut], operation_id="list_subscriptions")
def list_subscriptions(request: ApiRequest, product: str) -> Any:
    """Your own, and those that go to a webhook."""
    found = api_product(request, product, Role.VIEWER)
    some = list(queries.list_subscriptions(request.actor, found))
    last = queries.last_letters(some)
    return [SubscriptionOut.of(one, last.get(one.pk)) for one in some]


@router.post("/products/{product}/subscriptions", response={201: SubscriptionMade}, operation_id="create_subscription")
def create_subscription(request: ApiRequest, product: str, body: SubscriptionIn) -> Status[dict[str, Any]]:
    """A board or kept question every day or week."""
    said: Any = {name: value for name, value in body.dict().items() if name != "zone" or value}
    made = services.create_subscription(request.actor, api_product(request, product, Role.VIEWER), **said)
    return Status(201, SubscriptionOut.of(made) | {"secret": made.secret})


@router.patch(
    "/products/{product}/subscriptions/{number}", response=SubscriptionOut, operation_id="switch_subscription"
)
def switch_subscription(request: ApiRequest, product: str, number: int, body: SwitchIn) -> Any:
    """On or off."""
    found = api_product(request, product, Role.VIEWER)
    return SubscriptionOut.of(services.switch_subscription(request.actor, found, number, on=body.is_on))


@router.delete("/products/{product}/subscriptions/{number}", response={204: None}, operation_id="delete_subscription")
def delete_subscription(request: ApiRequest, product: str, number: int) -> Status[None]:
    services.delete_subscription(request.actor, api_product(request, product, Role.VIEWER), number)
    return Status(204, None)
