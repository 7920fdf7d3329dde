"""What cannot wait for Monday: a gain that is gone, a guardrail that a rollout harms. Told once, to whom it concerns.

The alarm is a row, written in the transaction in which the harm was seen; it stands in every member's feed. Whose it is gets a
mail, and the product's channel a line, by a job that marks each as it left: a retry sends only what was refused.
"""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from whytree.errors import WhytreeError
from whytree.workspace.background.jobs import enqueue
from whytree.workspace.models import Membership, Product
from whytree.workspace.outside import mail, outgoing
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require, require_writing
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..models import Alarm, Reader, SlackHook
from .answer import person_of, reader_of
from .letters import slack_link, slack_text
from .sending import signed_reader

TELL = "why.tell_alarm"
STOP_SALT = "why.stop_alarms"


def raise_alarm(
    product: Product, owner_id: int | None, key: str, title: str, text: str, path: str, at: datetime
) -> None:
    """Listens to the fact `harm_seen`. The same `key` is the same harm, and is told once."""
    alarm, is_new = Alarm.objects.get_or_create(
        product=product,
        key=key[:200],
        defaults={"owner_id": owner_id, "title": title[:300], "text": text, "path": path, "at": at},
    )
    if is_new:
        enqueue(TELL, {"alarm": alarm.pk}, key=str(alarm.pk))


def tell(alarm: Alarm) -> None:
    """Mail its owner and post to the channel, each once. What will be taken later raises `Unavailable` at the end."""
    refused = [
        error
        for error in (
            _once(alarm, "mailed_at", lambda: _mail(alarm)),
            _once(alarm, "posted_at", lambda: _post(alarm)),
        )
        if error
    ]
    if refused:
        raise refused[0]


def _once(alarm: Alarm, mark: str, send: Callable[[], None]) -> WhytreeError | None:
    if getattr(alarm, mark) is not None:
        return None
    try:
        send()
    except WhytreeError as error:
        return error
    setattr(alarm, mark, timezone.now())
    alarm.save(update_fields=[mark])
    return None


def _mail(alarm: Alarm) -> None:
    """Nobody is written to who ended it, left the product, or has no server to write by: the feed and Today say it then."""
    owner = alarm.owner
    if owner is None or not mail.is_set():
        return
    if not Membership.objects.filter(product=alarm.product, user=owner, user__is_active=True).exists():
        return
    reader = reader_of(owner, alarm.product)
    if not reader.alarms:
        return
    stop = stop_url(reader)
    text = f"{alarm.text}\n\n{alarm.url}\n\nNo more of these mails: {stop}\n"
    mail.send(mail.Mail(owner.email, f"{alarm.product.name}: {alarm.title}", text, stop_url=stop))


def _post(alarm: Alarm) -> None:
    hook = SlackHook.objects.filter(product=alarm.product).first()
    if hook is not None:
        outgoing.post_json(hook.url, as_slack(alarm))


def as_slack(alarm: Alarm) -> dict[str, str]:
    return {"text": f"*{slack_text(alarm.title)}*\n{slack_text(alarm.text)} {slack_link(alarm.url)}"}


# Wishes -------------------------------------------------------------------------------------------


@transaction.atomic
def set_alarms(actor: Actor, product: Product, *, on: bool) -> Reader:
    """Whether harm to one's own changes is mailed at once."""
    require(actor, product, Role.VIEWER)
    require_writing(actor)
    return _set_alarms(actor, reader_of(person_of(actor), product), on=on)


def _set_alarms(actor: Actor, reader: Reader, *, on: bool) -> Reader:
    if reader.alarms != on:
        reader.alarms = on
        reader.save(update_fields=["alarms"])
        record(
            actor, reader.product, "set_alarms", reader, before={"alarms": not on}, after={"alarms": on}, undoable=False
        )
    return reader


def stop_url(reader: Reader) -> str:
    """Ends these mails; works as long as the mail may be kept."""
    return settings.WHYTREE.base_url + reverse(
        "stop_alarms", args=[signing.Signer(salt=STOP_SALT).sign_object(reader.pk)]
    )


def reader_of_stop(token: str) -> Reader:
    return signed_reader(token, STOP_SALT, lambda said: {"pk": int(said)})


def stop_alarms(token: str, *, on: bool = False) -> Reader:
    """Whoever holds the mail may end them (and take that back), signed in or not."""
    reader = reader_of_stop(token)
    with transaction.atomic():
        return _set_alarms(Actor(reader.user_id, f"{reader.user} (link in a mail)", "page"), reader, on=on)
