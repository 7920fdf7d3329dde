"""Say something of a voice: a private note to the team, or an official answer to those who said it.

An answer stands with the voice, and goes by mail where that is wanted: to who said it, and to all whose voices were merged with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from whytree.errors import Conflict, Invalid, NotFound, Unavailable
from whytree.people.models import Person
from whytree.people.queries import people_by_key
from whytree.voice.board.news import note_answer
from whytree.voice.contacts import reach_of
from whytree.voice.models import FeedbackItem, Remark, RemarkKind
from whytree.voice.models.notes import WORDS
from whytree.voice.replies.noting import note_reply
from whytree.voice.replies.telling import rather_not, stop_url
from whytree.workspace.entry.pace import keep_pace
from whytree.workspace.outside.mail import Mail, MailRefused, is_set, send
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .merging import group_of

MOST_MAILED = 100
"""Of one press of a button; more is a newsletter, and no server of ours should be taken for one."""

PRESSES, WITHIN = 60, 3_600
"""Answers by mail of one person, in an hour."""


def add_note(actor: Actor, item: FeedbackItem, text: str) -> Remark:
    """For the team alone: no answer, no export of the list and no public page holds it."""
    require(actor, item.product, Role.MEMBER)
    return _keep(actor, item, RemarkKind.NOTE, _words(text))


def answer_voice(
    actor: Actor, item: FeedbackItem, text: str, *, by_mail: bool = False, unproved: bool = False
) -> Remark:
    """What is officially answered. With `by_mail` it goes to those whose address is known; nothing is kept when it cannot.

    `unproved`: also to addresses that only a page or a mail said: whoever holds a public key can say that somebody's is theirs.
    """
    require(actor, item.product, Role.MEMBER)
    words = _words(text)
    if Remark.objects.filter(item=item, kind=RemarkKind.ANSWER, text=words).exists():
        raise Conflict(f"{item.ref} is answered with these very words already.")
    if by_mail:
        keep_pace(
            f"answers-by-mail-{item.product_id}", str(actor.user_id or actor.key_id), most=PRESSES, seconds=WITHIN
        )
    mailed = _mail(item, words, unproved) if by_mail else 0
    remark = _keep(actor, item, RemarkKind.ANSWER, words, mailed)
    if note_answer(item, remark, mailed=bool(mailed)) is None:
        note_reply(item, remark)
    return remark


def remove_remark(actor: Actor, item: FeedbackItem, remark_id: int) -> None:
    """One's own. What went by mail is out of our hands."""
    require(actor, item.product, Role.MEMBER)
    remark = Remark.objects.filter(item=item, pk=remark_id).first()
    if remark is None:
        raise NotFound(f"{item.ref} has no such note.")
    if remark.by_id != actor.user_id or actor.user_id is None:
        raise Conflict("Only whoever wrote it can take it back. Ask them, or add another.")
    with transaction.atomic():
        before, pk = snapshot(remark), remark.pk
        remark.delete()
        remark.pk = pk
        record(actor, item.product, "remove_remark", remark, before=before)


@dataclass(frozen=True)
class Recipient:
    """Somebody an answer can reach, with one voice of theirs. `proved`: a server key, the team or they themselves said where."""

    item: FeedbackItem
    person: Person

    @property
    def email(self) -> str:
        return self.person.email

    @property
    def proved(self) -> bool:
        return self.person.email_proved


def recipients(item: FeedbackItem) -> list[Recipient]:
    """Whom an answer reaches by mail, each once, the voice itself first: whose address is known, and who may be written to."""
    group = sorted(group_of(item), key=lambda one: one.pk != item.pk)
    people = people_by_key(item.product, list({one.person_key for one in group} - {""}))
    people = {key: person for key, person in people.items() if person.email}
    reach = reach_of(item.product, people)
    found: dict[str, Recipient] = {}
    for one in group:
        person = people.get(one.person_key)
        if person is None or one.from_team or reach[one.person_key].wish is False:
            continue
        address = person.email.lower()
        if address not in found or (person.email_proved and not found[address].proved):
            found[address] = Recipient(one, person)
    return list(found.values())


def _words(text: str) -> str:
    words = text.replace("\0", "").replace("\r\n", "\n").strip()
    if not words:
        raise Invalid("There is nothing in it yet. Write what you want to say.")
    if len(words) > WORDS:
        raise Invalid(f"That are {len(words):,} characters; {WORDS:,} is the most.")
    return words


def _mail(item: FeedbackItem, words: str, unproved: bool) -> int:
    """Mail leaves the house before the answer is kept: answered twice is better than never."""
    if not is_set():
        raise Conflict("No mail server is set. Send the answer yourself, and keep it here without mail.")
    known = recipients(item)
    if not known:
        raise Conflict(f"Nobody knows an address of who said {item.ref}. Keep the answer without mail.")
    reached = [one for one in known if one.proved or unproved]
    if not reached:
        raise Conflict(
            f"Only a page or a mail said the address of who said {item.ref}, and nobody proved it. "
            "Allow such addresses, or keep the answer without mail."
        )
    if len(reached) > MOST_MAILED:
        raise Conflict(f"That would be {len(reached):,} mails; {MOST_MAILED} is the most at once.")
    return _send_all(item, reached, words)


def _send_all(item: FeedbackItem, reached: Sequence[Recipient], words: str) -> int:
    """How many took it. The first that is refused says why; where some went before, those are not told of as unsent."""
    sent = 0
    for one in reached:
        # Their own words stay here: whoever holds a public key can say that somebody's address is theirs.
        when, stop = f"You told us on {one.item.said_at.day} {one.item.said_at:%B %Y}.", stop_url(one.person)
        text = f"{words}\n\n{when}\n\n{rather_not(stop)}"
        try:
            send(Mail(one.email, f"{item.product.name}: an answer to what you told us", text, stop_url=stop))
        except (MailRefused, Unavailable) as error:
            if not sent:
                raise Conflict(f"The mail was not taken: {error.message}") from error
            continue
        sent += 1
    return sent


def _keep(actor: Actor, item: FeedbackItem, kind: RemarkKind, words: str, mailed: int = 0) -> Remark:
    with transaction.atomic():
        remark = Remark.objects.create(item=item, kind=kind, text=words, by_id=actor.user_id, mailed=mailed)
        verb = "answer" if kind == RemarkKind.ANSWER else "note"
        record(actor, item.product, verb, remark, after=snapshot(remark), undoable=not mailed)
    return remark
