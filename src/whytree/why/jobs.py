"""Monday, eight o'clock where the product is; later where the server was down then. Never twice."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from whytree.workspace.background.jobs import enqueue, handler
from whytree.workspace.models import Membership, Product, User
from whytree.workspace.outside import mail

from .daily.alarms import TELL, tell
from .daily.digest import week_of
from .daily.sending import ATTEMPTS, send_week
from .models import Alarm, Reader, Sending, SlackHook

LOOK_EVERY = timedelta(minutes=15)
KEEP = timedelta(days=90)


@handler("why.monday", every=LOOK_EVERY)
def monday(payload: dict[str, Any]) -> None:
    """Ask for the letters that are due this week: one job each, so that none waits for another's trouble."""
    now = timezone.now()
    for product in Product.objects.all():
        week, due_at = week_of(product, now)
        if now < due_at:
            continue
        for user_id in _waiting_people(product, week, due_at) + _waiting_channel(product, week, due_at):
            key = f"{product.pk}:{user_id or 'channel'}:{week}"
            enqueue("why.send_week", {"product": product.pk, "user": user_id, "week": week}, key=key)
    Sending.objects.filter(at__lt=now - KEEP).delete()
    Alarm.objects.filter(at__lt=now - KEEP).delete()


def _waiting_people(product: Product, week: str, due_at: datetime) -> list[int | None]:
    """Members since before it was due, who did not end it and did not get it."""
    if not mail.is_set():
        return []
    members = Membership.objects.filter(product=product, user__is_active=True, created_at__lt=due_at)
    members = members.exclude(user__in=Reader.objects.filter(product=product, mail=False).values("user"))
    return list(
        members.exclude(user__in=_done(product, week).filter(user__isnull=False).values("user")).values_list(
            "user_id", flat=True
        )
    )


def _waiting_channel(product: Product, week: str, due_at: datetime) -> list[int | None]:
    is_set = SlackHook.objects.filter(product=product, created_at__lt=due_at).exists()
    return [None] if is_set and not _done(product, week).filter(user=None).exists() else []


def _done(product: Product, week: str) -> Any:
    """Sendings that need no other attempt."""
    rows = Sending.objects.filter(product=product, week=week)
    return rows.exclude(state=Sending.State.FAILED, attempts__lt=ATTEMPTS)


@handler("why.send_week")
def send_one(payload: dict[str, Any]) -> None:
    """One letter. A job that was left lying until the next week is done by then."""
    product = Product.objects.filter(pk=payload["product"]).first()
    user = User.objects.filter(pk=payload["user"]).first() if payload["user"] else None
    if product is None or (payload["user"] and user is None):
        return
    if week_of(product, timezone.now())[0] == payload["week"]:
        send_week(product, user)


@handler(TELL)
def tell_alarm(payload: dict[str, Any]) -> None:
    """One alarm, by mail and to the channel; gone meanwhile is no trouble."""
    alarm = Alarm.objects.filter(pk=payload["alarm"]).select_related("product", "owner").first()
    if alarm is not None:
        tell(alarm)
