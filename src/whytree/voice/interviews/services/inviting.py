"""Ask people for a talk: by mail with the booking link, or by hand and written down. Everybody can ask to be left alone."""

from collections.abc import Sequence

from django.conf import settings
from django.urls import reverse

from whytree.errors import Conflict, Invalid, NotFound, Unavailable
from whytree.people.models import Person
from whytree.people.queries import people_by_key
from whytree.voice.contacts import log_contact, reach_of, refuse_unproved, set_wish
from whytree.voice.models import Contact, ContactKind, ContactSettings
from whytree.workspace.entry.signed import SignedLink
from whytree.workspace.models import Product
from whytree.workspace.outside.mail import Mail, MailRefused, is_set, send
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

MOST_AT_ONCE = 50
_LINK = SignedLink("voice.contacts")


def invite(
    actor: Actor, product: Product, keys: Sequence[str], *, by_mail: bool, about: str = "", unproved: bool = False
) -> list[Contact]:
    """Ask these people for a talk and write it down: their rest begins. Without mail: that somebody asks them by hand.

    `unproved`: also at addresses that only a page or a mail said.
    All are looked at before the first is asked. Where a mail is refused, those before it were asked, and it says so.
    """
    require(actor, product, Role.MEMBER)
    keys = list(dict.fromkeys(key for key in keys if key))
    if not keys:
        raise Invalid("Choose at least one person.")
    if len(keys) > MOST_AT_ONCE:
        raise Invalid(
            f"That are {len(keys)} people; {MOST_AT_ONCE} is the most at once. A week has room for a handful."
        )
    reach = reach_of(product, keys)
    refused = next((one for one in reach.values() if not one.may), None)
    if refused is not None:
        raise Conflict(f"{refused.key[:60]} {refused.words}. Nobody was asked.")
    people = people_by_key(product, keys)
    if by_mail:
        _refuse_unmailable(product, keys, people, unproved)
    asked: list[Contact] = []
    for key in keys:
        contact = log_contact(actor, product, key, kind=ContactKind.INTERVIEW, subject=about)
        if by_mail:
            _mail(product, contact, people[key].email, len(asked))
        asked.append(contact)
    return asked


def _refuse_unmailable(product: Product, keys: Sequence[str], people: dict[str, Person], unproved: bool) -> None:
    if not is_set():
        raise Conflict("No mail server is set. Ask them yourself, and note them as asked.")
    if not ContactSettings.of(product).booking_url:
        raise Conflict("A mail needs the booking link: where they choose a time. Set it below the list.")
    if not settings.WHYTREE.public_url:
        raise Conflict("A mail needs this server's address, for the link to be left alone: set WHYTREE_PUBLIC_URL.")
    for key in keys:
        if key not in people or not people[key].email:
            raise Conflict(f"Nobody knows {key[:60]}'s e-mail address. Ask them yourself, and note them as asked.")
        refuse_unproved(str(people[key]), proved=people[key].email_proved, allowed=unproved)


def _mail(product: Product, contact: Contact, address: str, before: int) -> None:
    """Written down first: somebody asked twice is worse than somebody not asked."""
    try:
        subject = f"{product.name}: half an hour of your time?"
        send(Mail(address, subject, invitation(product, contact), stop_url=leave_link(contact)))
    except (MailRefused, Unavailable) as error:
        contact.delete()
        told = f" {before} before them were asked." if before else ""
        raise Conflict(f"The mail to {address} was not taken: {error.message}{told}") from error


def invitation(product: Product, contact: Contact) -> str:
    """What they read."""
    settings_of = ContactSettings.of(product)
    words = settings_of.invitation or (
        f"We would like to hear how you use {product.name}: half an hour, no preparation, and nobody will sell you anything."
    )
    booking = f"\n\nChoose a time: {settings_of.booking_url}" if settings_of.booking_url else ""
    return f"{words}{booking}\n\nRather not be asked? One press, and we leave you in peace: {leave_link(contact)}"


def leave_link(contact: Contact) -> str:
    """Whoever has this address can say that they want to be left alone; it names nobody."""
    return f"{settings.WHYTREE.public_url}{reverse('leave_alone', args=[_LINK.token(contact.pk)])}"


def contact_of(token: str) -> Contact:
    found = Contact.objects.filter(pk=int(_LINK.said(token))).select_related("product").first()
    if found is None or found.person_key.startswith("erased:"):
        raise NotFound("This link leads nowhere any more.")
    return found


def leave_alone(token: str) -> Contact:
    """They said so themselves: never ask them for a talk or show them a survey again."""
    contact = contact_of(token)
    set_wish(Actor.system("those who were asked"), contact.product, contact.person_key, may=False)
    return contact
