"""May we ask this person for something? One answer for talks and surveys: what they wish, and one rest after anything that was asked.

    reach_of(product, ["user-17"])["user-17"].may          # False while they rest, or wish to be left alone
    log_contact(actor, product, "user-17", kind="interview", subject="OPP-2")     # Conflict where they may not be asked

Keys are the people's main ids; what was logged under an id that was joined to another since counts for the person.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from whytree.errors import Conflict, Invalid
from whytree.people.identity import means_nobody
from whytree.people.models import Person
from whytree.voice.arriving.authors import main_keys
from whytree.voice.arriving.drafts import draft
from whytree.voice.models import Contact, ContactSettings, ContactWish, Requester
from whytree.voice.models.contacts import ContactKind
from whytree.voice.surveys.models import SurveyResponse
from whytree.workspace.models import Activity, Product
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

MOST_REST = 365
INVITATION_LENGTH = 4_000


@dataclass(frozen=True)
class Reach:
    """Whether somebody may be asked. `wish`: what they said, None: nothing. `free_at`: when their rest ends, None: it has."""

    key: str
    wish: bool | None = None
    last_at: datetime | None = None
    free_at: datetime | None = None

    @property
    def may(self) -> bool:
        return self.wish is not False and self.free_at is None

    @property
    def words(self) -> str:
        """The state, as pages show it."""
        if self.wish is False:
            return "wants to be left alone"
        if self.free_at is not None:
            return f"rests until {self.free_at:%-d %b %Y}"
        return "agreed to be asked" if self.wish else "was never asked for consent"


def reach_of(product: Product, keys: Iterable[str], *, now: datetime | None = None) -> dict[str, Reach]:
    """For each of these people whether they may be asked now; four queries however many there are."""
    wanted = list(dict.fromkeys(keys))
    now, rest = now or timezone.now(), timedelta(days=ContactSettings.of(product).rest_days)
    ids = _ids_of(product, wanted)
    asked = [one for key in wanted for one in ids[key]]
    last: dict[str, Asked] = {}
    for one in sorted(_asked(product, asked), key=lambda one: one.at):
        last[one.person_key] = one
    wishes = {wish.person_key: wish for wish in ContactWish.objects.filter(product=product, person_key__in=asked)}
    return {key: _reach(key, ids[key], last, wishes, now, rest) for key in wanted}


@dataclass(frozen=True)
class Asked:
    """Something a person was asked for: for a talk, by a survey, or whether a change they had asked for helped (`loop`)."""

    person_key: str
    kind: str
    subject: str
    at: datetime
    by: str = ""

    @property
    def words(self) -> str:
        return "asked whether it helped" if self.kind == "loop" else ContactKind(self.kind).label


def _asked(product: Product, ids: Iterable[str]) -> list[Asked]:
    """Surveys and the way back to those who asked write down by themselves whom they asked."""
    names = list(ids)
    contacts = Contact.objects.filter(product=product, person_key__in=names).select_related("by")
    surveys = SurveyResponse.objects.filter(survey__product=product, person_key__in=names).select_related("survey")
    loops = Requester.objects.filter(product=product, person_key__in=names).select_related("solution")
    return [
        *(Asked(one.person_key, one.kind, one.subject, one.at, str(one.by or "")) for one in contacts),
        *(Asked(one.person_key, ContactKind.SURVEY, one.survey.ref, one.asked_at) for one in surveys if one.asked_at),
        *(Asked(one.person_key, "loop", one.solution.ref, one.asked_at) for one in loops if one.asked_at),
    ]


def _ids_of(product: Product, keys: list[str]) -> dict[str, list[str]]:
    """Each key with the ids that were joined to it: what was said under those counts too."""
    ids = {key: [key] for key in keys}
    joined = Person.objects.filter(product=product, merged_into__key__in=keys)
    for own, main in joined.values_list("key", "merged_into__key"):
        if main is not None:
            ids[main].append(own)
    return ids


def _reach(
    key: str,
    ids: list[str],
    last: dict[str, Asked],
    wishes: dict[str, ContactWish],
    now: datetime,
    rest: timedelta,
) -> Reach:
    contact = max((last[one] for one in ids if one in last), key=lambda one: one.at, default=None)
    # Of several wishes under several ids the refusal counts: leaving in peace somebody who would not mind costs little.
    said = [wishes[one].may for one in ids if one in wishes]
    wish = all(said) if said else None
    if contact is None:
        return Reach(key, wish)
    free_at = contact.at + rest
    return Reach(key, wish, contact.at, free_at if free_at > now else None)


def log_contact(
    actor: Actor, product: Product, key: str, *, kind: str, subject: str = "", at: datetime | None = None
) -> Contact:
    """Write down that this person was asked; their rest begins. Raises `Conflict` where they may not be asked."""
    require(actor, product, Role.MEMBER)
    key = _known(product, key)
    if kind not in ContactKind.values:
        raise Invalid(f"People are asked for one of {', '.join(ContactKind.values)}.")
    with transaction.atomic():
        # Two who ask the same person at the same moment: the second one finds the first one's line.
        Product.objects.select_for_update().get(pk=product.pk)
        reach = reach_of(product, [key])[key]
        if not reach.may:
            raise Conflict(f"{key[:60]} {reach.words}. Ask somebody else.")
        contact = Contact.objects.create(
            product=product,
            person_key=key,
            kind=kind,
            subject=" ".join(subject.replace("\0", "").split())[:200],
            at=at or timezone.now(),
            by_id=actor.user_id,
        )
        record(actor, product, "log_contact", contact)
    return contact


def set_wish(actor: Actor, product: Product, key: str, may: bool | None) -> ContactWish | None:
    """What this person said about being asked; None takes it back: nobody knows."""
    require(actor, product, Role.MEMBER)
    key = _known(product, key)
    with transaction.atomic():
        wish = ContactWish.objects.filter(product=product, person_key=key).first()
        if may is None:
            if wish is not None:
                record(actor, product, "forget_wish", wish, before={}, after=None, undoable=False)
                wish.delete()
            return None
        wish = wish or ContactWish(product=product, person_key=key)
        if wish.pk is None or wish.may != may:
            wish.may, wish.said_at = may, timezone.now()
            wish.save()
            record(actor, product, "set_wish", wish, before={}, after={"may": may}, undoable=False)
    return wish


def _known(product: Product, key: str) -> str:
    key = key.strip()
    if not key or len(key) > 200 or "\0" in key or means_nobody(key):
        raise Invalid("Name the person by their id in your product.")
    return main_keys(product.pk, {key}).get(key, key)


def refuse_unproved(name: str, *, proved: bool, allowed: bool) -> None:
    """Whoever holds a page's public key can say that somebody's address is theirs: a person has to want the mail all the same."""
    if not proved and not allowed:
        raise Conflict(
            f"{name[:60]}: only a page or a mail said that this is their address, and nobody proved it. "
            "Allow such addresses, or write to them yourself. Nothing was sent."
        )


def contacts_of(product: Product, ids: Iterable[str], limit: int = 20) -> list[Asked]:
    """What a person was asked for, the latest first; `ids` are all they go by."""
    return sorted(_asked(product, ids), key=lambda one: one.at, reverse=True)[:limit]


def is_left_alone(product: Product, ids: Iterable[str]) -> bool:
    """Whether this person said under any of their ids that they want to be left alone."""
    return ContactWish.objects.filter(product=product, person_key__in=list(ids), may=False).exists()


def set_contact_settings(
    actor: Actor,
    product: Product,
    *,
    rest_days: int | None = None,
    booking_url: str | None = None,
    invitation: str | None = None,
) -> ContactSettings:
    """How people are asked: the rest after anything, where they book, and what they are told."""
    require(actor, product, Role.MAINTAINER)
    settings = ContactSettings.of(product)
    if rest_days is not None:
        if not 0 <= rest_days <= MOST_REST:
            raise Invalid(f"The rest is 0 to {MOST_REST} days.")
        settings.rest_days = rest_days
    if booking_url is not None:
        settings.booking_url = draft({"text": "-", "url": booking_url}, now=timezone.now()).url
    if invitation is not None:
        settings.invitation = invitation.replace("\0", "").replace("\r\n", "\n").strip()
        if len(settings.invitation) > INVITATION_LENGTH:
            raise Invalid(
                f"The invitation has {len(settings.invitation):,} characters; {INVITATION_LENGTH:,} is the most."
            )
    with transaction.atomic():
        settings.save()
        after = {"rest_days": settings.rest_days, "booking_url": settings.booking_url}
        record(actor, product, "set_contact_settings", settings, before={}, after=after, undoable=False)
    return settings


# Forgetting and giving


def erase_contacts(product: Product, person_key: str) -> None:
    """That somebody was asked stays counted; who it was and what they wished goes."""
    rows = Contact.objects.filter(product=product, person_key=person_key)
    for row in rows:
        _forget(row)
        row.person_key = f"erased:{secrets.token_hex(8)}"
        row.save(update_fields=["person_key"])
    for wish in ContactWish.objects.filter(product=product, person_key=person_key):
        _forget(wish)
        wish.delete()


def _forget(row: Contact | ContactWish) -> None:
    mine = Activity.objects.filter(subject_type=row._meta.label, subject_id=row.pk)
    mine.update(before=None, after=None, undoable=False, subject_label="of an erased person")


def export_contacts(product: Product, person_key: str) -> dict[str, Any]:
    """When this person was asked for what, and what they wished."""
    told: dict[str, Any] = defaultdict(list)
    for one in Contact.objects.filter(product=product, person_key=person_key):
        told["asked"].append({"kind": one.kind, "subject": one.subject, "at": one.at.isoformat()})
    for wish in ContactWish.objects.filter(product=product, person_key=person_key):
        told["wish"].append({"may_be_asked": wish.may, "said_at": wish.said_at.isoformat()})
    return dict(told)
