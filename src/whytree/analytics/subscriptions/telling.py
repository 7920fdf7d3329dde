"""Letters about numbers: alerts as they happen, boards and questions on their day. By mail or signed webhook, never twice.

A `Letter` is claimed before it leaves and says afterwards what became of it. A refusal that will pass is tried again by its job,
and after that every ten minutes for twelve hours; one that was cut off in the middle may have arrived, and is left at that.
"""

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from whytree.errors import Conflict, Invalid, Unavailable
from whytree.workspace.background.jobs import enqueue
from whytree.workspace.models import Membership, Product, User
from whytree.workspace.outside import mail, webhooks

from ..models import AlertEvent, Letter
from .queries import LATEST, due_on

SEND = "analytics.send_letter"


def write(*, event: AlertEvent) -> None:
    """Ask for every letter about an event; each leaves by itself, after the transaction."""
    alert = event.alert
    ways = [Letter.Way.MAIL] if alert.mail and mail.is_set() else []
    ways += [Letter.Way.WEBHOOK] if alert.webhook else []
    for way in ways:
        ask_for(Letter(event=event, way=way))


def ask_for(letter: Letter) -> bool:
    """Store it and ask for its job; False when there is one already."""
    try:
        with transaction.atomic():
            letter.save()
    except IntegrityError:
        return False
    enqueue(SEND, {"letter": letter.pk}, key=str(letter.pk))
    return True


def send_letter(pk: int) -> None:
    """Send it, if nobody has. Raises `Unavailable` where it should be tried again."""
    open_ones = Letter.objects.filter(pk=pk, state__in=[Letter.State.WAITING, Letter.State.FAILED])
    if not open_ones.update(state=Letter.State.SENDING, attempts=F("attempts") + 1, at=timezone.now()):
        return
    letter = Letter.objects.select_related(*_RELATED).get(pk=pk)
    try:
        _send(letter)
    except Unavailable as error:
        _settle(letter, Letter.State.FAILED, error.message)
        raise
    except (Conflict, Invalid, ValueError) as error:  # ValueError: no mail can be made of it
        _settle(letter, Letter.State.REFUSED, str(error))
    else:
        _settle(letter, Letter.State.SENT)


def try_again(now: datetime) -> None:
    """Those whose job has given up, as while the mail server was down for an hour: as long as a late one is worth having."""
    for letter in Letter.objects.filter(state=Letter.State.FAILED).select_related("event", "subscription"):
        if _is_worth_sending(letter, now):
            enqueue(SEND, {"letter": letter.pk}, key=str(letter.pk))
        else:
            _settle(letter, Letter.State.REFUSED, f"{letter.error} It was too late then.")


def _is_worth_sending(letter: Letter, now: datetime) -> bool:
    if letter.event is not None:
        return letter.event.at > now - LATEST
    day = due_on(letter.subscription, now) if letter.subscription is not None else None
    return day is not None and day.isoformat() == letter.occasion


_RELATED = (
    *("event__alert__product", "event__alert__created_by", "event__alert__metric", "event__alert__saved"),
    *("subscription__product", "subscription__user", "subscription__board", "subscription__saved"),
)


def _settle(letter: Letter, state: str, error: str = "") -> None:
    letter.state, letter.error, letter.at = state, error[:500], timezone.now()
    letter.save(update_fields=["state", "error", "at"])


def _send(letter: Letter) -> None:
    if letter.event is not None:
        return _send_event(letter, letter.event)
    from .letters import send_answers  # what it sends is made of everything else here

    return send_answers(letter)


def _send_event(letter: Letter, event: AlertEvent) -> None:
    alert = event.alert
    url = f"{settings.WHYTREE.base_url}/p/{alert.product.slug}/alerts/{alert.number}"
    if letter.way == Letter.Way.WEBHOOK:
        data = {
            "product": alert.product.slug,
            "alert": alert.number,
            "metric": alert.metric.key if alert.metric else None,
            "question": alert.saved.ref if alert.saved else None,
            "stretch": event.bucket.isoformat(),
            "value": event.value,
            "says": event.says,
            "url": url,
        }
        message = {"type": f"alert.{event.what}", "timestamp": event.at.isoformat(), "data": data}
        return webhooks.post_signed(alert.webhook, alert.secret, f"msg_alert_{event.pk}", message)
    if alert.created_by is None or not is_member(alert.product, alert.created_by):
        raise Conflict("Whoever asked for it is no member any more.")
    subject = f"{alert.on}: {'outside its band' if event.what == AlertEvent.What.LEFT else 'back inside'}"
    text = f"{event.says}\n\nLook, put it to sleep, or end it: {url}\n"
    return mail.send(mail.Mail(alert.created_by.email, subject, text))


def is_member(product: Product, user: User) -> bool:
    """Still active, and still of the product."""
    return Membership.objects.filter(product=product, user=user, user__is_active=True).exists()
