"""Send the five lines: by mail to a person, by webhook to the product's channel. Never twice in a week.

A row of `Sending` is claimed before the letter leaves and says afterwards what became of it. A refusal that will pass is
tried again (`ATTEMPTS` times in the week); one that was cut off in the middle may have arrived, and is left at that.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from whytree.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from whytree.workspace.models import Membership, Product, User
from whytree.workspace.outside import mail, outgoing
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require, require_writing
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..models import Alarm, Reader, Sending, SlackHook, new_nonce
from .answer import mark_shown, person_of, reader_of
from .digest import Digest, digest_of, week_of
from .letters import as_atom, as_html, as_slack, as_text

ATTEMPTS = 5
#: So long an alarm stands in the feed, a week's five lines beside it.
ALARMS_STAND = timedelta(days=30)
SERVER_DOWN, PAUSE_SECONDS = "why.mail_server_down", 600
NOTHING = "There is nothing to say this week: no new voice, and nothing waits."
NO_SLACK = "No channel is set. Give its incoming webhook: whytree slack set https://hooks.slack.com/services/…"
STOP_SALT, FEED_SALT = "why.stop", "why.feed"


# Once a week --------------------------------------------------------------------------------------


def send_week(product: Product, user: User | None, now: datetime | None = None) -> Sending | None:
    """This week's letter, if it is due and nobody has sent it; None when there is nothing to do."""
    now = now or timezone.now()
    if not _is_wanted(product, user) or (user and cache.get(SERVER_DOWN)):
        return None
    sending = _claim(product, user, week_of(product, now)[0])
    if sending is None:
        return None
    digest = digest_of(product, user, now)
    if not digest.lines:
        return _settle(sending, Sending.State.NOTHING)
    try:
        if user is None:
            outgoing.post_json(SlackHook.objects.get(product=product).url, as_slack(digest))
        else:
            mail.send(_letter(digest, user))
    except Unavailable as error:
        if isinstance(error, mail.MailServerDown):  # the others need not wait for it one by one
            cache.set(SERVER_DOWN, True, PAUSE_SECONDS)
        return _settle(sending, Sending.State.FAILED, error.message)
    except (Conflict, Invalid, SlackHook.DoesNotExist, ValueError) as error:  # ValueError: no mail can be made of it
        sending.attempts = ATTEMPTS  # another attempt would be refused too
        return _settle(sending, Sending.State.FAILED, str(error))
    if user is not None:
        mark_shown(user, product, digest.voices)
    return _settle(sending, Sending.State.SENT, voices=digest.voices)


def _is_wanted(product: Product, user: User | None) -> bool:
    if user is None:
        return SlackHook.objects.filter(product=product).exists()
    is_member = Membership.objects.filter(product=product, user=user, user__is_active=True).exists()
    off = Reader.objects.filter(product=product, user=user, mail=False).exists()
    return is_member and not off and mail.is_set()


def _claim(product: Product, user: User | None, week: str) -> Sending | None:
    """The right to send: the row is unique, so only one of two workers gets it."""
    try:
        with transaction.atomic():
            return Sending.objects.create(product=product, user=user, week=week)
    except IntegrityError:
        pass
    row = Sending.objects.filter(product=product, user=user, week=week).first()
    if row is None or row.state != Sending.State.FAILED or row.attempts >= ATTEMPTS:
        return None
    again = Sending.objects.filter(pk=row.pk, state=Sending.State.FAILED, attempts=row.attempts)
    if not again.update(state=Sending.State.SENDING, attempts=row.attempts + 1, at=timezone.now()):
        return None
    row.refresh_from_db()
    return row


def _settle(sending: Sending, state: Sending.State, error: str = "", voices: tuple[str, ...] = ()) -> Sending:
    sending.state, sending.error, sending.voices, sending.at = state, error[:500], list(voices), timezone.now()
    sending.save(update_fields=["state", "error", "voices", "attempts", "at"])
    return sending


def _letter(digest: Digest, user: User) -> mail.Mail:
    stop = stop_url(reader_of(user, digest.product))
    return mail.Mail(user.email, digest.subject, as_text(digest, stop), as_html(digest, stop), stop)


# At once, to look at it -----------------------------------------------------------------------------


def send_mine(actor: Actor, product: Product) -> str:
    """This week's lines to oneself, now; the Monday's mail comes all the same. Says where they went."""
    require(actor, product, Role.VIEWER)
    require_writing(actor)
    user = person_of(actor)
    if not mail.is_set():
        raise Conflict(mail.NOT_SET)
    digest = digest_of(product, user)
    if not digest.lines:
        raise Conflict(NOTHING)
    mail.send(_letter(digest, user))
    return user.email


def post_to_slack(actor: Actor, product: Product) -> str:
    """This week's lines to the channel, now. Says whose it is."""
    require(actor, product, Role.MAINTAINER)
    hook = SlackHook.objects.filter(product=product).first()
    if hook is None:
        raise Conflict(NO_SLACK)
    digest = digest_of(product, None)
    if not digest.lines:
        raise Conflict(NOTHING)
    outgoing.post_json(hook.url, as_slack(digest))
    return host_of(hook)


# Wishes -------------------------------------------------------------------------------------------


@transaction.atomic
def set_slack(actor: Actor, product: Product, url: str) -> SlackHook:
    """Post to this incoming webhook on Mondays; any that takes Slack's {"text": ...} will do."""
    require(actor, product, Role.MAINTAINER)
    checked = outgoing.check_url(url)
    hook, _ = SlackHook.objects.update_or_create(
        product=product, defaults={"url": checked, "by_id": actor.user_id, "created_at": timezone.now()}
    )
    # The address is a secret: the trail tells that it was set and where it leads, not what it is.
    record(actor, product, "set_slack", hook, after={"host": host_of(hook)}, undoable=False)
    return hook


@transaction.atomic
def remove_slack(actor: Actor, product: Product) -> None:
    require(actor, product, Role.MAINTAINER)
    hook = SlackHook.objects.filter(product=product).first()
    if hook is None:
        raise NotFound(NO_SLACK)
    record(actor, product, "remove_slack", hook, before={"host": host_of(hook)}, undoable=False)
    hook.delete()


def host_of(hook: SlackHook) -> str:
    return hook.url.split("/")[2]


@transaction.atomic
def set_mail(actor: Actor, product: Product, *, on: bool) -> Reader:
    """Whether one's own mail comes on Mondays."""
    require(actor, product, Role.VIEWER)
    require_writing(actor)
    return _set_mail(actor, reader_of(person_of(actor), product), on=on)


def _set_mail(actor: Actor, reader: Reader, *, on: bool) -> Reader:
    if reader.mail != on:
        before = {"mail": reader.mail}
        reader.mail = on
        reader.save(update_fields=["mail"])
        record(actor, reader.product, "set_mail", reader, before=before, after={"mail": on}, undoable=False)
    return reader


@transaction.atomic
def forget_email(actor: Actor, product: Product, email: str) -> Reader:
    """Commits under this address are no longer one's own."""
    require(actor, product, Role.VIEWER)
    require_writing(actor)
    reader = reader_of(person_of(actor), product)
    if email not in reader.emails:
        raise NotFound(f"{email[:200]} is not among your addresses.")
    before = {"addresses": len(reader.emails)}
    reader.emails = [one for one in reader.emails if one != email]
    reader.save(update_fields=["emails"])
    record(
        actor, product, "forget_email", reader, before=before, after={"addresses": len(reader.emails)}, undoable=False
    )
    return reader


# Links that need no sign-in ------------------------------------------------------------------------


def stop_url(reader: Reader) -> str:
    """Ends the mail; works as long as the mail may be kept."""
    return settings.WHYTREE.base_url + reverse(
        "stop_mail", args=[signing.Signer(salt=STOP_SALT).sign_object(reader.pk)]
    )


def reader_of_stop(token: str) -> Reader:
    return signed_reader(token, STOP_SALT, lambda said: {"pk": int(said)})


def stop_mail(token: str, *, on: bool = False) -> Reader:
    """Whoever holds the mail may end it (and take that back), signed in or not."""
    reader = reader_of_stop(token)
    with transaction.atomic():
        return _set_mail(Actor(reader.user_id, f"{reader.user} (link in a mail)", "page"), reader, on=on)


def feed_url(reader: Reader) -> str:
    token = signing.Signer(salt=FEED_SALT).sign_object([reader.pk, reader.nonce])
    return settings.WHYTREE.base_url + reverse("digest_feed", args=[token])


@transaction.atomic
def new_feed_url(actor: Actor, product: Product) -> Reader:
    """Another secret address; the old one answers nobody."""
    require(actor, product, Role.VIEWER)
    require_writing(actor)
    reader = reader_of(person_of(actor), product)
    reader.nonce = new_nonce()
    reader.save(update_fields=["nonce"])
    record(actor, product, "new_feed_url", reader, after={}, undoable=False)
    return reader


def feed(token: str) -> bytes:
    """The Atom feed behind a secret address: this week's entry, with the voices that were mailed where they were."""
    reader = signed_reader(token, FEED_SALT, lambda said: {"pk": said[0], "nonce": said[1]})
    user, product = reader.user, reader.product
    if not Membership.objects.filter(user=user, product=product, user__is_active=True).exists():
        raise Forbidden("You are no longer a member of this product, so its feed is closed.")
    now = timezone.now()
    week, due_at = week_of(product, now)
    sent = Sending.objects.filter(user=user, product=product, week=week, state=Sending.State.SENT).first()
    digest = digest_of(product, user, now, voices=sent.voices if sent else ())
    entries = [(digest, sent.at if sent else due_at)] if digest.lines and now >= due_at else []
    alarms = list(Alarm.objects.filter(product=product, at__gte=now - ALARMS_STAND)[:50])
    return as_atom(digest, entries, alarms, feed_url(reader))


def signed_reader(token: str, salt: str, keys: Callable[..., dict[str, object]]) -> Reader:
    try:
        wanted = keys(signing.Signer(salt=salt).unsign_object(token))
    except (signing.BadSignature, ValueError, TypeError, LookupError) as error:
        raise NotFound("This address is not whole. Copy it again, from the mail or from Your mail.") from error
    reader = Reader.objects.filter(**wanted).select_related("user", "product").first()
    if reader is None:
        raise NotFound("This address was replaced by a new one. Look under Your mail.")
    return reader
