"""Where a product's answers go."""

import secrets

from django.db import transaction

from whytree.workspace.models import Product
from whytree.workspace.outside import outgoing, webhooks
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .models import ReplyWays


def set_ways(
    actor: Actor, product: Product, *, webhook: str | None = None, feed: bool | None = None
) -> tuple[ReplyWays, str]:
    """The webhook that hears answers ("" takes it off), and a new address of the feed (False closes it); the webhook's
    secret where that is new, to be shown once.
    """
    require(actor, product, Role.MAINTAINER)
    secret = ""
    with transaction.atomic():
        ways = ReplyWays.objects.select_for_update().filter(product=product).first() or ReplyWays(product=product)
        before = _shown(ways)
        if webhook is not None and webhook.strip() != ways.webhook:
            ways.webhook = outgoing.check_url(webhook, outgoing.OWN_SYSTEM) if webhook.strip() else ""
            ways.secret = secret = webhooks.new_secret() if ways.webhook else ""
        is_new_feed = bool(feed)
        if feed is not None:
            ways.feed = secrets.token_urlsafe(24) if feed else ""
        if before != _shown(ways) or is_new_feed:
            ways.save()
            record(actor, product, "set_reply_ways", ways, before=before, after=_shown(ways), undoable=False)
    return ways, secret


def _shown(ways: ReplyWays) -> dict[str, object]:
    """Without what is secret: the activity list is read by all."""
    return {"webhook": ways.webhook, "feed": bool(ways.feed)}
