"""Where answers go, over REST."""

from django.conf import settings
from django.urls import reverse
from ninja import Router, Schema
from pydantic import Field

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from .models import ReplyWays
from .services import set_ways

router = Router(tags=["Voices"])
PATH = "/products/{product}/feedback-replies"


class WaysIn(Body):
    """What is left out stays as it is. `webhook` "" takes it off; `feed` true makes a new address, false closes it."""

    webhook: str | None = None
    feed: bool | None = None


class WaysOut(Schema):
    webhook: str
    feed: str = Field(description="The secret address of the Atom feed; empty while there is none.")
    secret: str = Field("", description="Checks the webhook's signature (Standard Webhooks); shown this once.")

    @staticmethod
    def of(ways: ReplyWays, secret: str = "") -> "WaysOut":
        return WaysOut(webhook=ways.webhook, feed=feed_url(ways), secret=secret)


def feed_url(ways: ReplyWays) -> str:
    return settings.WHYTREE.base_url + reverse("replies_feed", args=[ways.feed]) if ways.feed else ""


@router.get(PATH, response=WaysOut, operation_id="get_reply_ways")
def get_reply_ways(request: ApiRequest, product: str) -> WaysOut:
    """Where answers and told statuses go beside the mail."""
    return WaysOut.of(ReplyWays.of(api_product(request, product, Role.MAINTAINER)))


@router.put(PATH, response=WaysOut, operation_id="set_reply_ways")
def set_reply_ways(request: ApiRequest, product: str, said: WaysIn) -> WaysOut:
    """A webhook for your own systems, signed as Standard Webhooks says, and an Atom feed."""
    found = api_product(request, product, Role.MAINTAINER)
    ways, secret = set_ways(request.actor, found, webhook=said.webhook, feed=said.feed)
    return WaysOut.of(ways, secret)
