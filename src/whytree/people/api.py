"""People over REST: who they are, what they did, which ids are theirs."""

from datetime import datetime
from typing import Any

from ninja import Router, Schema
from pydantic import Field

from whytree.stores.identity.timeline import Moment
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import queries, services
from .models import Person
from .queries import PersonRef

router = Router(tags=["People"])


class PersonOut(Schema):
    """A known person, in a list."""

    key: str
    name: str
    email: str
    email_proved: bool = Field(description="Whether a server key, the team or the person said so, and no page alone.")
    plan: str
    company: str
    internal: bool
    first_seen_at: datetime
    last_seen_at: datetime


class PeopleOut(Schema):
    people: list[PersonOut]
    total: int
    more: int | None = Field(description="Where the next page starts; null at the end.")


class MomentOut(Schema):
    """One event of a person."""

    timestamp: datetime
    event: str
    distinct_id: str
    platform: str
    path: str
    properties: dict[str, str]
    flags: dict[str, str]
    source: str
    event_id: str

    @staticmethod
    def of(moment: Moment) -> "MomentOut":
        names = ("timestamp", "event", "distinct_id", "platform", "path", "properties", "flags", "source")
        return MomentOut(event_id=str(moment.event_id), **{name: getattr(moment, name) for name in names})


class WholePersonOut(Schema):
    """One person with all their ids."""

    key: str
    label: str
    ids: list[str]
    profile: PersonOut | None
    traits: dict[str, Any]
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    events: int
    does_most: dict[str, int]


class TimelineOut(Schema):
    moments: list[MomentOut]


class IdIn(Body):
    id: str = Field(min_length=1, max_length=400, description="The other id.")


class InternalIn(Body):
    internal: bool


def _profile(person: Person) -> PersonOut:
    names = ("key", "name", "email", "email_proved", "plan", "company", "internal", "first_seen_at", "last_seen_at")
    return PersonOut(**{name: getattr(person, name) for name in names})


def _whole(person: PersonRef) -> WholePersonOut:
    seen = person.seen
    return WholePersonOut(
        key=person.key,
        label=person.label,
        ids=list(person.ids),
        profile=_profile(person.profile) if person.profile else None,
        traits=person.profile.traits if person.profile else {},
        first_seen_at=seen.first_at if seen else None,
        last_seen_at=seen.last_at if seen else None,
        events=seen.events if seen else 0,
        does_most=dict(queries.does_most(person)),
    )


@router.get("/products/{product}/people", response=PeopleOut, operation_id="list_people")
def list_people(request: ApiRequest, product: str, search: str = "", start: int = 0) -> PeopleOut:
    """Known people, last seen first."""
    found = queries.known_people(api_product(request, product, Role.VIEWER), words=search, start=max(start, 0))
    return PeopleOut(people=[_profile(person) for person in found.people], total=found.total, more=found.more)


@router.get("/products/{product}/people/{path:key}/timeline", response=TimelineOut, operation_id="get_timeline")
def get_timeline(
    request: ApiRequest, product: str, key: str, before: datetime | None = None, before_id: int | None = None
) -> TimelineOut:
    """What somebody did, newest first, 100 at once; `before` and `before_id` of the last one go on from there."""
    person = queries.find_person(api_product(request, product, Role.VIEWER), key)
    moments = queries.timeline(person, before=before, before_id=before_id)
    return TimelineOut(moments=[MomentOut.of(moment) for moment in moments])


class ErasureOut(Schema):
    """What is left of a person: a number, and how many events went. `finished_at` null: it goes on by itself."""

    number: int
    events: int
    finished_at: datetime | None


@router.get("/products/{product}/people/{path:key}/everything", response=dict[str, Any], operation_id="export_person")
def export_person(request: ApiRequest, product: str, key: str) -> dict[str, Any]:
    """Everything that is known of a person, as they may ask for it."""
    return services.everything_of(request.actor, api_product(request, product, Role.MAINTAINER), key)


@router.post("/products/{product}/people/{path:key}/separate", response=WholePersonOut, operation_id="separate_person")
def separate(request: ApiRequest, product: str, key: str, body: IdIn) -> WholePersonOut:
    """Take one id away from this person, whatever arrives later; answers who it is then."""
    found = api_product(request, product, Role.MEMBER)
    services.separate(request.actor, found, key, body.id)
    return _whole(queries.find_person(found, body.id))


@router.post("/products/{product}/people/{path:key}/join", response=WholePersonOut, operation_id="join_person")
def join(request: ApiRequest, product: str, key: str, body: IdIn) -> WholePersonOut:
    """Say that another id is this person too; also the way back from separate."""
    found = api_product(request, product, Role.MEMBER)
    services.join(request.actor, found, key, body.id)
    return _whole(queries.find_person(found, key))


@router.patch("/products/{product}/people/{path:key}/internal", response=WholePersonOut, operation_id="set_internal")
def set_internal(request: ApiRequest, product: str, key: str, body: InternalIn) -> WholePersonOut:
    """Say whether somebody belongs to the team."""
    found = api_product(request, product, Role.MEMBER)
    services.set_internal(request.actor, found, key, internal=body.internal)
    return _whole(queries.find_person(found, key))


@router.get("/products/{product}/people/{path:key}", response=WholePersonOut, operation_id="get_person")
def get_person(request: ApiRequest, product: str, key: str) -> WholePersonOut:
    """One person by any of their ids."""
    return _whole(queries.find_person(api_product(request, product, Role.VIEWER), key))


@router.delete("/products/{product}/people/{path:key}", response=ErasureOut, operation_id="erase_person")
def erase_person(request: ApiRequest, product: str, key: str) -> ErasureOut:
    """Forget a person and all their ids, for good: words, profile, events and exposures. There is no way back."""
    done = services.erase(request.actor, api_product(request, product, Role.MAINTAINER), key)
    return ErasureOut(number=done.number, events=done.events, finished_at=done.finished_at)
