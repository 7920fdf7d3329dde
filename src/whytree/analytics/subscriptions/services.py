"""What may change subscriptions, and the hour at which they leave."""

from datetime import datetime
from typing import TypedDict, Unpack
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from whytree.errors import Conflict, Invalid, NotFound
from whytree.workspace.models import Product
from whytree.workspace.outside import mail, outgoing, webhooks
from whytree.workspace.records.activity import record
from whytree.workspace.records.numbering import next_number
from whytree.workspace.rights.access import require, require_writing
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..boards.queries import find_board
from ..models import Letter, Subscription
from ..saved.queries import find_saved
from .queries import due_on, find_subscription
from .telling import ask_for

PREFIX = "SUB"
STOP_SALT = "analytics.stop"
MOST_EACH = 50


class When(TypedDict, total=False):
    """`weekday` 0 is Monday, and counts for weeks only; `zone` as Europe/Berlin, the product's without one."""

    every: str
    weekday: int
    hour: int
    zone: str


@transaction.atomic
def create_subscription(
    actor: Actor,
    product: Product,
    *,
    board: int | None = None,
    question: str = "",
    webhook: str = "",
    **when: Unpack[When],
) -> Subscription:
    """A board or kept question every day or week: by mail to oneself, or for members to a webhook."""
    require(actor, product, Role.MEMBER if webhook.strip() else Role.VIEWER)
    require_writing(actor)
    if actor.user_id is None:
        raise Invalid("A key has no mail address and reads nothing. Sign in, or use a personal token.")
    if (board is None) == (not question):
        raise Invalid("A subscription is to one thing: a board, or a kept question.")
    if not webhook.strip() and not mail.is_set():
        raise Conflict(mail.NOT_SET)
    if Subscription.objects.filter(product=product, user=actor.user_id).count() >= MOST_EACH:
        raise Invalid(f"You have {MOST_EACH} subscriptions already. End some.")
    made = Subscription(
        product=product,
        number=next_number(product, PREFIX),
        board=find_board(product, board) if board is not None else None,
        saved=find_saved(product, question) if question else None,
        user_id=actor.user_id,
        webhook=outgoing.check_url(webhook) if webhook.strip() else "",
        secret=webhooks.new_secret() if webhook.strip() else "",
        **_checked({"zone": product.timezone, **when}),
    )
    made.save()
    record(actor, product, "create_subscription", made, after=webhooks.trail(made), undoable=False)
    return made


def _checked(when: When) -> When:
    every, weekday, hour, zone = (when.get(name) for name in ("every", "weekday", "hour", "zone"))
    if every not in (None, *Subscription.Every.values):
        raise Invalid("It comes every day or every week.")
    for name, value, most in (("weekday", weekday, 6), ("hour", hour, 23)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most):
            raise Invalid(f"“{name}” is a whole number from 0 to {most}.")
    try:
        ZoneInfo(str(zone))
    except (KeyError, ValueError, OSError) as error:
        raise Invalid(f"There is no time zone {str(zone)[:60]!r}. Write it as Europe/Berlin.") from error
    return when


@transaction.atomic
def switch_subscription(actor: Actor, product: Product, number: int, *, on: bool) -> Subscription:
    """Off keeps it for later."""
    found = _mine(actor, product, number)
    return _switch(actor, found, on=on)


def _switch(actor: Actor, found: Subscription, *, on: bool) -> Subscription:
    if found.is_on != on:
        found.is_on = on
        found.save(update_fields=["is_on"])
        verb = "switch_subscription"
        record(actor, found.product, verb, found, before={"is_on": not on}, after={"is_on": on}, undoable=False)
    return found


@transaction.atomic
def delete_subscription(actor: Actor, product: Product, number: int) -> None:
    found = _mine(actor, product, number)
    record(actor, product, "delete_subscription", found, before=webhooks.trail(found), after=None, undoable=False)
    found.delete()


def _mine(actor: Actor, product: Product, number: int) -> Subscription:
    """One's own; a webhook is any member's to end."""
    require(actor, product, Role.VIEWER)
    require_writing(actor)
    found = find_subscription(actor, product, number)
    if found.user_id != actor.user_id:
        require(actor, product, Role.MEMBER)
    return found


def send_due(now: datetime | None = None) -> int:
    """Ask for the letters that are due; how many."""
    now, asked = now or timezone.now(), 0
    for one in Subscription.objects.filter(is_on=True).select_related("product"):
        day = due_on(one, now)
        way = Letter.Way.WEBHOOK if one.webhook else Letter.Way.MAIL
        if day is not None and not Letter.objects.filter(subscription=one, occasion=day.isoformat()).exists():
            asked += ask_for(Letter(subscription=one, occasion=day.isoformat(), way=way))
    return asked


def stop_url(found: Subscription) -> str:
    """Ends it; works as long as the mail may be kept."""
    token = signing.Signer(salt=STOP_SALT).sign_object(found.pk)
    return settings.WHYTREE.base_url + reverse("stop_answers", args=[token])


def subscription_of_stop(token: str) -> Subscription:
    try:
        pk = int(signing.Signer(salt=STOP_SALT).unsign_object(token))
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise NotFound("This address is not whole. Copy it again from the mail.") from error
    found = Subscription.objects.filter(pk=pk).select_related("product", "board", "saved", "user").first()
    if found is None:
        raise NotFound("It has ended already.")
    return found


@transaction.atomic
def stop_by_link(token: str, *, on: bool = False) -> Subscription:
    """Whoever holds the mail may end it (and take that back), signed in or not."""
    found = subscription_of_stop(token)
    return _switch(Actor(found.user_id, f"{found.user} (link in a mail)", "page"), found, on=on)
