"""What may be asked of subscriptions: one's own, and when each is due."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Max, Q, QuerySet

from whytree.errors import NotFound
from whytree.workspace.models import Product
from whytree.workspace.rights.actors import Actor

from ..models import Letter, Subscription

#: A server that was down at the hour sends when it is back, but no later than this.
LATEST = timedelta(hours=12)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def list_subscriptions(actor: Actor, product: Product) -> QuerySet[Subscription]:
    """One's own, and those that go to a webhook, which are everybody's."""
    mine = Q(user=actor.user_id) | ~Q(webhook="")
    return Subscription.objects.filter(mine, product=product).select_related("product", "board", "saved", "user")


def find_subscription(actor: Actor, product: Product, number: int) -> Subscription:
    found = list_subscriptions(actor, product).filter(number=number).first()
    if found is None:
        raise NotFound(f"There is no subscription {number} of yours in {product.name}.")
    return found


def last_letters(some: Iterable[Subscription]) -> dict[int, Letter]:
    """What became of the last one of each, by the subscription's id; those that never sent anything are absent."""
    last = Letter.objects.filter(subscription__in=some).values("subscription").annotate(last=Max("pk")).values("last")
    letters = Letter.objects.filter(pk__in=last)  # a daily one has had hundreds
    return {letter.subscription_id: letter for letter in letters if letter.subscription_id is not None}


def when_words(one: Subscription) -> str:
    """every Monday at 08:00, Europe/Berlin time"""
    day = "day" if one.every == Subscription.Every.DAY else _DAYS[one.weekday]
    return f"every {day} at {one.hour:02}:00, {one.zone} time"


def due_on(one: Subscription, now: datetime) -> date | None:
    """The day whose letter is due now; None where none is. Days are those of the subscription's own zone."""
    zone = ZoneInfo(one.zone)
    day = now.astimezone(zone).date()
    for back in range(2 if one.every == Subscription.Every.DAY else 8):
        on = day - timedelta(days=back)
        if one.every == Subscription.Every.WEEK and on.weekday() != one.weekday:
            continue
        moment = datetime.combine(on, time(one.hour), zone)
        if moment <= now:
            return on if now - moment < LATEST and one.created_at <= moment else None
    return None
