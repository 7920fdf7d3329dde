"""What strangers may do on a board: hand in a post or a comment, and say that they want something, too.

A vote counts for a person, so one has to be known: by a link that your server asked for (`invite_to_board`), or by a button in a
mail that was sent to their address. Until that button is pressed nothing of the address is stored. What they write is stored as a voice
and stands on the board once somebody of the team has read it.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from whytree.errors import Conflict, Invalid, NotFound
from whytree.people.models import Person
from whytree.voice.arriving.authors import known_as
from whytree.voice.arriving.drafts import Source, draft
from whytree.voice.models import Consent, FeedbackItem, VoiceSettings
from whytree.voice.services import main_of, merge, part
from whytree.voice.services.storing import store_drafts
from whytree.workspace.entry.pace import keep_pace
from whytree.workspace.entry.signed import SignedLink
from whytree.workspace.models import Product
from whytree.workspace.outside.mail import Mail, is_address, is_set, send
from whytree.workspace.rights.actors import Actor

from .models import Board, Entry, EntryKind, EntryState
from .queries import has_voted, waiting_count
from .services import VISIT

TITLE, WORDS, NAME = 140, 10_000, 60
PER_HOUR = {"post": 6, "comment": 20, "vote": 120, "mail": 12}
MAILS_TO_ONE, A_DAY = 4, 86_400
MOST_WAITING = 500
"""Unread; a board that nobody reads takes nothing new."""
LINK_LASTS = timedelta(days=3)
VISIT_LASTS = timedelta(days=30)
VOTE = "I want this, too"
"""What the button says that they pressed. The post's words are its author's, and go with them."""
CONFIRM = "voice.board.confirm"
_STOP = SignedLink("voice.board.stop", "mail")


@dataclass(frozen=True)
class HandedIn:
    """What somebody wrote; `nonce` tells their form from any other, so that it lands once. `person` where they are known."""

    nonce: str
    text: str
    title: str = ""
    name: str = ""
    person: str = ""


def pace(door: str, address: str) -> None:
    """One address may do so much an hour."""
    keep_pace(f"board-{door}", address, most=PER_HOUR[door], seconds=3_600)


def hand_in_post(board: Board, said: HandedIn) -> Entry:
    """A post that waits for a reader of the team."""
    title = " ".join(said.title.replace("\0", " ").split())
    if not title or len(title) > TITLE:
        raise Invalid(f"Say in one line what you need, in 1 to {TITLE} characters.", details={"field": "title"})
    return _hand_in(board, said, title, EntryKind.POST, None)


def hand_in_comment(board: Board, post: Entry, said: HandedIn) -> Entry:
    if not said.text.strip():
        raise Invalid("There is nothing in it yet. Write what you want to say.", details={"field": "text"})
    return _hand_in(board, said, "", EntryKind.COMMENT, post)


def _hand_in(board: Board, said: HandedIn, title: str, kind: EntryKind, post: Entry | None) -> Entry:
    if len(said.text) > WORDS:
        raise Invalid(f"That are {len(said.text):,} characters; {WORDS:,} is the most.", details={"field": "text"})
    if len(said.name) > NAME:
        raise Invalid(f"A name has {NAME} characters at most.", details={"field": "name"})
    if waiting_count(board.product) >= MOST_WAITING:
        raise Conflict("So much waits for a reader here that nothing new is taken today. Come back in some days.")
    beside: dict[str, Any] = {"on": post.item.ref} if post is not None else {}
    item = _stored(
        board.product,
        submission_id=f"{kind} {said.nonce}",
        title=title,
        text=said.text,
        author_name=" ".join(said.name.split()),
        person=said.person,
        consent=Consent.QUOTABLE,
        metadata=beside,
    )
    entry, _ = Entry.objects.get_or_create(item=item, defaults={"kind": kind, "post": post})
    return entry


def _stored(product: Product, **fields: Any) -> FeedbackItem:
    checked = draft({name: value for name, value in fields.items() if value}, now=timezone.now())
    checked = checked.without_personal(VoiceSettings.of(product).redact)
    with transaction.atomic():
        there = FeedbackItem.objects.filter(product=product, source_type="board", submission_id=checked.submission_id)
        first = there.select_related("product").first()
        if first is not None:  # as it was said first: a form that is sent twice changes nothing
            return first
        stored = store_drafts(product, Source("board", "", "board"), [checked])
    if not stored.created:  # erased: what somebody took back is not said again for them
        raise Conflict("This was handed in before.")
    return stored.created[0]


def cast_vote(post: Entry, person: str, *, email: str = "") -> str:
    """This person wants it, too; the key they are known by. Voting twice is voting once.

    Their voice is merged into the post's, so that they count for what it speaks for and hear what becomes of it.
    """
    product = post.item.product
    key = _known(product, person, email)
    if not key:
        raise Invalid("Nobody can be told by that. Use an address of your own.")
    if has_voted(post, key):
        return key
    own = hashlib.sha256(f"{post.pk} {key}".encode()).hexdigest()[:40]
    with transaction.atomic():
        item = _stored(
            product,
            submission_id=f"vote {own}",
            text=VOTE,
            person=person or email,
            author_email=email,
            metadata={"vote_for": post.item.ref},
        )
        Entry.objects.get_or_create(
            item=item, defaults={"kind": EntryKind.VOTE, "post": post, "state": EntryState.PUBLIC}
        )
        FeedbackItem.objects.filter(pk=item.pk).update(handled_at=timezone.now())
        _join(item, post.item)
    return key


def _join(item: FeedbackItem, main: FeedbackItem) -> None:
    try:
        with transaction.atomic():
            merge(Actor.system("The board"), item, main_of(main))
    except Conflict:  # so many are merged already that one more says nothing new; the vote counts
        return


def _known(product: Product, person: str, email: str) -> str:
    given = draft(
        {"text": "-", "person": person or email, **({"author_email": email} if email else {})}, now=timezone.now()
    )
    return known_as(product, [given]).get(given.person, "")


def take_vote_back(post: Entry, key: str) -> bool:
    """Their voice goes with it; whether there was one. A post's author wants what they asked for."""
    votes = Entry.objects.filter(post=post, kind=EntryKind.VOTE, item__person_key=key) if key else Entry.objects.none()
    with transaction.atomic():
        for vote in votes.select_related("item__product"):
            part(Actor.system("The board"), vote.item)
            vote.item.delete()
            return True
    return False


# ---- who somebody is ----------------------------------------------------------------------------------------------


def may_confirm() -> bool:
    """Whether an address can be asked at all."""
    return is_set()


def ask_to_confirm(board: Board, post: Entry, email: str, *, address: str, is_author: bool = False) -> None:
    """Send a button to this address. Nothing of it is stored before it is pressed."""
    email = email.strip()
    if not is_address(email):
        raise Invalid("This is no e-mail address. Write it as ana@example.org.", details={"field": "email"})
    if not may_confirm():
        raise Conflict("This board sends no mail, so an address cannot be confirmed here.")
    pace("mail", address)
    keep_pace("board-mail-to", email.lower(), most=MAILS_TO_ONE, seconds=A_DAY)
    token = signing.dumps([post.pk, email, is_author], salt=CONFIRM, compress=True)
    link = settings.WHYTREE.base_url + reverse("board_confirm", args=[board.product.slug, token])
    name = board.product.name
    # not a word of what was written: anybody may have typed this address
    text = (
        f"Somebody, probably you, typed this address on the board of {name}.\n\n"
        f"Press the button on this page, and it counts as yours, and you hear what becomes of it:\n{link}\n\n"
        "Was it not you? Then do nothing: nothing is kept."
    )
    send(Mail(email, f"{name}: is this you?", text))


def of_confirmation(product: Product, token: str) -> tuple[Entry, str, bool]:
    """Post, address, and whether they wrote it. Looking at it changes nothing."""
    try:
        pk, email, is_author = signing.loads(token, salt=CONFIRM, max_age=LINK_LASTS)
    except (signing.BadSignature, ValueError) as error:
        raise NotFound("This link is not whole, or older than three days. Begin again on the board.") from error
    posts = Entry.objects.filter(item__product=product, kind=EntryKind.POST)
    post = posts.filter(pk=pk).select_related("item__product").first()
    if post is None or post.state == EntryState.REFUSED or not Board.of(post.item.product).is_open:
        raise NotFound("This post is not on the board any more.")
    return post, str(email), bool(is_author)


def confirm(product: Product, token: str) -> tuple[Entry, str]:
    """The address is theirs: the post, or a vote for it. Returns the key they are known by."""
    post, email, is_author = of_confirmation(product, token)
    if not is_author:
        return post, cast_vote(post, "", email=email)
    key = _known(post.item.product, "", email)
    with transaction.atomic():
        item = FeedbackItem.objects.select_for_update().get(pk=post.item_id)
        if not item.person_key and item.content_hash != "erased":
            item.person_key = key
            item.save(update_fields=["person_key"])
    return post, key


def of_invitation(product: Product, token: str) -> str:
    """Whom a link of `invite_to_board` is for."""
    try:
        of, pk = signing.loads(token, salt=VISIT, max_age=VISIT_LASTS)
    except (signing.BadSignature, ValueError) as error:
        raise NotFound("This link is not whole, or too old. Open the board from the product again.") from error
    if of != product.pk:
        raise NotFound("This link is for another board.")
    person = visitor(product, pk)
    if not person:
        raise NotFound("This link is for nobody any more. Open the board from the product again.")
    return person


def visitor(product: Product, pk: Any) -> str:
    """The person behind what a link or a browser keeps: the key of a profile, which goes when they are forgotten. "": nobody."""
    found = Person.objects.filter(product=product, pk=pk) if isinstance(pk, int) else Person.objects.none()
    person = found.select_related("merged_into").first()
    return (person.merged_into or person).key if person is not None else ""


def stop_token(entry: Entry) -> str:
    return _STOP.token(entry.pk)


def stop_mail(token: str) -> Entry:
    """No more mail about this post to them."""
    entry = Entry.objects.filter(pk=int(_STOP.said(token))).select_related("item__product", "post__item").first()
    if entry is None:
        raise NotFound("There is nothing to stop any more.")
    Entry.objects.filter(pk=entry.pk).update(muted=True)
    return entry
