"""Tell those who said it what became of it: the webhook first, then everybody by mail, one mail a person."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.urls import reverse

from whytree.engines.texts.words import cut
from whytree.errors import NotFound
from whytree.people.models import Person
from whytree.people.queries import people_by_key
from whytree.voice.atom import Item, as_atom
from whytree.voice.contacts import reach_of, set_wish
from whytree.voice.models import Consent, FeedbackItem
from whytree.voice.services.erasing import TOMBSTONE
from whytree.voice.services.merging import group_of
from whytree.workspace.entry.signed import SignedLink
from whytree.workspace.models import Product
from whytree.workspace.outside import webhooks
from whytree.workspace.outside.mail import Mail, MailRefused, is_set, send
from whytree.workspace.outside.outgoing import Refused
from whytree.workspace.rights.actors import Actor

from .models import Reply, ReplyKind, ReplyWays

MOST_NAMED = 1_000
"""Voices that one message of the webhook names."""
IN_FEED = 50
_LINK = SignedLink("voice.replies", "mail")

Voices = list[FeedbackItem]


@dataclass
class _Letter:
    """What one person hears: replies, each with their own voice."""

    person: Person
    news: list[tuple[Reply, FeedbackItem]] = field(default_factory=list)


def tell_waiting(product: Product) -> int:
    """Tell what waits; how many mails went. Raises `Unavailable`: another attempt goes on where this one stopped."""
    waiting = Reply.objects.filter(item__product=product, waits=True).order_by("pk")
    replies = [one for one in waiting.select_related("remark", "item__product", "item__status") if _still_true(one)]
    voices = {one.pk: [voice for voice in group_of(one.item) if not voice.from_team] for one in replies}
    ways = ReplyWays.of(product)
    for one in replies:
        if ways.webhook and not one.told_webhook:
            with suppress(Refused):  # it will not be taken, whenever it is sent; people are still told
                webhooks.post_signed(ways.webhook, ways.secret, f"msg_voice_{one.pk}", message(one, voices[one.pk]))
            one.told_webhook = True
            one.save(update_fields=["told_webhook"])
    sent = _mail_all(product, replies, voices) if is_set() else 0
    Reply.objects.filter(pk__in=[one.pk for one in replies]).update(waits=False)
    return sent


def _still_true(reply: Reply) -> bool:
    """A status that was taken back is no news."""
    now = reply.item.status
    if reply.kind == ReplyKind.STATUS and (now is None or now.name != reply.status):
        reply.delete()
        return False
    return True


def message(reply: Reply, voices: Voices) -> dict[str, Any]:
    """For your own systems: which voices it is about, under the ids they came in with, so that each is answered where it was said."""
    return {
        "type": f"feedback.{reply.kind}",
        "timestamp": reply.at.isoformat(),
        "data": {
            "ref": reply.item.ref,
            "status": reply.status or None,
            "answer": reply.remark.text if reply.remark else None,
            "url": _url(reply.item),
            "voices_total": len(voices),
            "voices": [
                {
                    "ref": one.ref,
                    "person": one.person_key or None,
                    "source_type": one.source_type,
                    "source_id": one.source_id,
                    "submission_id": one.submission_id,
                }
                for one in voices[:MOST_NAMED]
            ],
        },
    }


def _url(item: FeedbackItem) -> str:
    return settings.WHYTREE.base_url + reverse("feedback_item", args=[item.product.slug, item.number])


def _mail_all(product: Product, replies: Sequence[Reply], voices: dict[int, Voices]) -> int:
    """Of statuses; an answer goes by mail where whoever gave it wanted that."""
    sent = 0
    for address, letter in _letters(product, [one for one in replies if one.kind == ReplyKind.STATUS], voices).items():
        stop = stop_url(letter.person)
        try:
            send(Mail(address, f"{product.name}: what became of what you told us", _words(letter, stop), stop_url=stop))
            sent += 1
        except MailRefused:
            pass  # this address takes none; the others do
        for reply, voice in letter.news:
            reply.mailed = [*reply.mailed, voice.pk]
            reply.save(update_fields=["mailed"])
    return sent


def _letters(product: Product, replies: Sequence[Reply], voices: dict[int, Voices]) -> dict[str, _Letter]:
    """By address. Without those who want to be left alone, got it already, or whose address is only what a page said."""
    keys = list({voice.person_key for one in replies for voice in voices[one.pk]} - {""})
    people = {key: person for key, person in people_by_key(product, keys).items() if person.email_proved}
    reach = reach_of(product, people)
    letters: dict[str, _Letter] = {}
    for reply in replies:
        heard: set[str] = set()
        for voice in voices[reply.pk]:
            person = people.get(voice.person_key)
            if person is None or reach[voice.person_key].wish is False or person.email.lower() in heard:
                continue
            heard.add(person.email.lower())
            if voice.pk not in reply.mailed:
                letters.setdefault(person.email.lower(), _Letter(person)).news.append((reply, voice))
    return letters


def _words(letter: _Letter, stop: str) -> str:
    told = [f"{_about(voice)} is now: {reply.status}." for reply, voice in letter.news]
    return "\n\n".join([*told, rather_not(stop)])


def _about(voice: FeedbackItem) -> str:
    when = f"What you told us on {voice.said_at.day} {voice.said_at:%B %Y}"
    if voice.consent == Consent.NONE or voice.text == TOMBSTONE:
        return when
    return f"{when} (“{cut(' '.join(voice.text.split()), 160)}”)"


def rather_not(stop: str) -> str:
    """How a mail to somebody who spoke to us ends."""
    return f"Rather not hear from us? One press, and we leave you in peace: {stop}"


def stop_url(person: Person) -> str:
    """Where this person says that they want to be left alone."""
    return f"{settings.WHYTREE.base_url}{reverse('stop_replies', args=[_LINK.token(person.pk)])}"


def stop(token: str, *, pressed: bool) -> Product:
    """Whoever has this address may say for its person that they want to be left alone; it names nobody."""
    person = Person.objects.filter(pk=int(_LINK.said(token))).select_related("product").first()
    if person is None:
        raise NotFound("This link leads nowhere any more.")
    if pressed:
        same = Person.objects.filter(product=person.product, email__iexact=person.email).exclude(email="")
        for key in {person.key, *same.values_list("key", flat=True)}:
            set_wish(Actor.system("those who were told"), person.product, key, may=False)
    return person.product


def feed_of(token: str) -> bytes:
    """What was told lately, for whoever has the address; words that are not to be quoted are not in it."""
    ways = ReplyWays.objects.filter(feed=token).select_related("product").first() if token else None
    if ways is None:
        raise NotFound("There is no feed at this address any more.")
    replies = Reply.objects.filter(item__product=ways.product, waits=False).select_related("remark", "item__product")
    items = [
        Item(
            id=f"{_url(one.item)}#reply-{one.pk}",
            title=f"{one.status or 'Answered'}: {_short(one.item)}",
            updated=one.at,
            link=_url(one.item),
            content=one.remark.text if one.remark else f"{one.item.ref} is now: {one.status}.",
        )
        for one in replies[:IN_FEED]
    ]
    home = settings.WHYTREE.base_url + reverse("voices", args=[ways.product.slug])
    own = settings.WHYTREE.base_url + reverse("replies_feed", args=[token])
    title = f"{ways.product.name}: what became of voices"
    return as_atom(
        home=home, own=own, title=title, author=ways.product.name, since=ways.product.created_at, items=items
    )


def _short(item: FeedbackItem) -> str:
    return item.ref if item.consent == Consent.NONE else cut(" ".join(item.text.split()), 100)
