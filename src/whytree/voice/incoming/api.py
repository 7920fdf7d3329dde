"""The webhook for feedback over REST: where it is, and its secret."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse
from ninja import Router, Schema, Status
from pydantic import Field

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role

from . import services

router = Router(tags=["Voices"])
PATH = "/products/{product}/feedback-webhook"


class WebhookOut(Schema):
    """`taken_at`: when a message was last taken. `made_at` is null while nothing is taken."""

    url: str
    made_at: datetime | None
    taken_at: datetime | None
    secret: str = Field("", description="Signs the messages (Standard Webhooks); shown this once.")

    @staticmethod
    def of(product: Product, secret: str = "") -> "WebhookOut":
        found = services.find_webhook(product)
        made_at, taken_at = (found.made_at, found.taken_at) if found else (None, None)
        return WebhookOut(url=address_of(product), made_at=made_at, taken_at=taken_at, secret=secret)


def address_of(product: Product) -> str:
    return f"{settings.WHYTREE.base_url}{reverse('feedback_webhook', args=[product.slug])}"


@router.get(PATH, response=WebhookOut, operation_id="get_feedback_webhook")
def get_feedback_webhook(request: ApiRequest, product: str) -> WebhookOut:
    """Where other systems post what people say to them."""
    return WebhookOut.of(api_product(request, product, Role.VIEWER))


@router.post(PATH, response={201: WebhookOut}, operation_id="make_webhook_secret")
def make_webhook_secret(request: ApiRequest, product: str) -> Status[WebhookOut]:
    """The first secret, or a new one; the one before holds for another day."""
    found = api_product(request, product, Role.MAINTAINER)
    _, secret = services.make_secret(request.actor, found)
    return Status(201, WebhookOut.of(found, secret))


@router.delete(PATH, response={204: None}, operation_id="close_feedback_webhook")
def close_feedback_webhook(request: ApiRequest, product: str) -> Status[None]:
    """Take no message any more. What came by it stays."""
    services.close_webhook(request.actor, api_product(request, product, Role.MAINTAINER))
    return Status(204, None)
