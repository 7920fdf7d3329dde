"""Whom to ask, who was asked, and who wants to be left alone, over REST."""

from datetime import datetime

from django.utils import timezone
from ninja import Query, Router, Schema

from whytree.people.queries import find_person
from whytree.voice.contacts import Asked, Reach, contacts_of, reach_of, set_contact_settings, set_wish
from whytree.voice.models import Contact, ContactSettings
from whytree.voice.services import find_opportunity
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import queries, services
from .planning import calendar_file
from .recruiting import Candidate, Wanted, candidates, opportunities_wanting_a_talk

router = Router(tags=["Voices"])


class ReachOut(Schema):
    """`wish`: what they said, null when nothing; `free_at`: when their rest ends, null when it has."""

    person: str
    may: bool
    state: str
    wish: bool | None
    last_at: datetime | None
    free_at: datetime | None

    @staticmethod
    def of(reach: Reach) -> "ReachOut":
        facts = {name: getattr(reach, name) for name in ("may", "wish", "last_at", "free_at")}
        return ReachOut(person=reach.key, state=reach.words, **facts)


class CandidateOut(ReachOut):
    name: str
    email: str
    email_proved: bool
    company: str
    talks: int

    @staticmethod
    def whole(one: Candidate) -> "CandidateOut":
        facts = {name: getattr(one, name) for name in ("name", "email", "email_proved", "company", "talks")}
        return CandidateOut(**ReachOut.of(one.reach).model_dump(), **facts)


class CandidatesOut(Schema):
    """`group`: who was looked through; `resting` and `alone`: how many of them are left in peace, and why."""

    group: str
    looked_at: int
    resting: int
    alone: int
    candidates: list[CandidateOut]


class InviteIn(Body):
    """`unproved`: also at addresses that only a page or a mail said."""

    people: list[str]
    by_mail: bool = False
    unproved: bool = False
    about: str = ""


class ContactOut(Schema):
    person: str
    kind: str
    subject: str
    at: datetime

    @staticmethod
    def of(contact: Contact | Asked) -> "ContactOut":
        return ContactOut(person=contact.person_key, kind=contact.kind, subject=contact.subject, at=contact.at)


class ContactsOut(ReachOut):
    log: list[ContactOut]


class WishIn(Body):
    person: str
    may: bool | None


class ContactSettingsIn(Body):
    rest_days: int | None = None
    booking_url: str | None = None
    invitation: str | None = None


class ContactSettingsOut(Schema):
    rest_days: int
    booking_url: str
    invitation: str

    @staticmethod
    def of(found: ContactSettings) -> "ContactSettingsOut":
        return ContactSettingsOut(rest_days=found.rest_days, booking_url=found.booking_url, invitation=found.invitation)


class WantedOut(Schema):
    """An opportunity that asks for a new talk, and why."""

    opportunity: str
    title: str
    people: int
    newest_at: datetime | None
    reason: str

    @staticmethod
    def of(one: Wanted) -> "WantedOut":
        facts = {name: getattr(one, name) for name in ("people", "newest_at", "reason")}
        return WantedOut(opportunity=one.opportunity.ref, title=one.opportunity.title, **facts)


class CalendarOut(Schema):
    calendar: str


@router.get("/products/{product}/interview-candidates", response=CandidatesOut, operation_id="recruit")
def recruit(
    request: ApiRequest,
    product: str,
    cohort: str = "",
    flag: Query[list[str]] = [],  # noqa: B006 - never changed
    opportunity: str = "",
    limit: int = 12,
) -> CandidatesOut:
    """Whom to ask for a talk: people of a cohort, who met flags (`key` or `key:variant`), or who have an opportunity's problem."""
    found = api_product(request, product, Role.MEMBER)
    about = find_opportunity(found, opportunity) if opportunity else None
    told = candidates(found, cohort=cohort, flags=flag, opportunity=about, limit=limit)
    facts = {name: getattr(told, name) for name in ("group", "looked_at", "resting", "alone")}
    return CandidatesOut(candidates=[CandidateOut.whole(one) for one in told.candidates], **facts)


@router.get("/products/{product}/interviews-wanted", response=list[WantedOut], operation_id="talks_wanted")
def talks_wanted(request: ApiRequest, product: str) -> list[WantedOut]:
    """Opportunities that rest on old or single voices: each asks for a new talk."""
    return [WantedOut.of(one) for one in opportunities_wanting_a_talk(api_product(request, product, Role.VIEWER))]


@router.post("/products/{product}/interview-invitations", response=list[ContactOut], operation_id="invite")
def invite(request: ApiRequest, product: str, said: InviteIn) -> list[ContactOut]:
    """Ask people for a talk, by mail or by hand; it is written down, and their rest begins."""
    found = api_product(request, product, Role.MEMBER)
    asked = services.invite(
        request.actor, found, said.people, by_mail=said.by_mail, about=said.about, unproved=said.unproved
    )
    return [ContactOut.of(contact) for contact in asked]


@router.get("/products/{product}/contacts", response=ContactsOut, operation_id="get_contacts")
def get_contacts(request: ApiRequest, product: str, person: str) -> ContactsOut:
    """Whether a person may be asked for anything, and what they were asked for."""
    found = api_product(request, product, Role.MEMBER)
    who = find_person(found, person)
    reach = reach_of(found, [who.key])[who.key]
    log = [ContactOut.of(contact) for contact in contacts_of(found, who.ids)]
    return ContactsOut(**ReachOut.of(reach).model_dump(), log=log)


@router.put("/products/{product}/contacts", response=ReachOut, operation_id="set_wish")
def set_contact_wish(request: ApiRequest, product: str, said: WishIn) -> ReachOut:
    """What a person said about being asked: true, false, or null where nobody knows."""
    found = api_product(request, product, Role.MEMBER)
    who = find_person(found, said.person)
    set_wish(request.actor, found, who.key, said.may)
    return ReachOut.of(reach_of(found, [who.key])[who.key])


@router.get("/products/{product}/contact-settings", response=ContactSettingsOut, operation_id="get_contact_settings")
def get_settings(request: ApiRequest, product: str) -> ContactSettingsOut:
    """How people are asked for talks."""
    return ContactSettingsOut.of(ContactSettings.of(api_product(request, product, Role.VIEWER)))


@router.put("/products/{product}/contact-settings", response=ContactSettingsOut, operation_id="set_contact_settings")
def set_settings(request: ApiRequest, product: str, said: ContactSettingsIn) -> ContactSettingsOut:
    """The rest after anything that was asked, where people book, and what they are told."""
    found = api_product(request, product, Role.MAINTAINER)
    fields = {name: value for name, value in said.model_dump(exclude_unset=True).items() if value is not None}
    return ContactSettingsOut.of(set_contact_settings(request.actor, found, **fields))


@router.get("/products/{product}/interviews/{ref}/calendar", response=CalendarOut, operation_id="get_calendar")
def get_calendar(request: ApiRequest, product: str, ref: str) -> CalendarOut:
    """The appointment as the text of a calendar file (iCalendar)."""
    found = queries.find_by_ref(api_product(request, product, Role.VIEWER), ref)
    return CalendarOut(calendar=calendar_file(found, timezone.now()))
