"""Which lines send events, over REST."""

from typing import Annotated

from ninja import Router, Schema, Status
from pydantic import Field

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rights.roles import Role

from .. import queries
from ..references import event_references

router = Router(tags=["Code"])

# More than any clone sends at once; what it has beyond comes in the next request.
MAX_EVENTS = 5000
MAX_REFERENCES = 2000


class EventReferenceIn(Schema):
    """A line that names an event; `how` is sent or text."""

    event: str
    path: str
    line: int
    how: str
    says: str = ""
    hunk: str | None = None


class EventReadingIn(Schema):
    """Part of what one look found; the first part replaces what was told of these events before."""

    root_sha: str
    rev: str
    events: Annotated[list[str], Field(max_length=MAX_EVENTS)]
    references: Annotated[list[EventReferenceIn], Field(max_length=MAX_REFERENCES)] = []
    is_first: bool = True


class EventReferenceOut(Schema):
    """Where an event stands in code, as of a commit."""

    event: str
    repository: str
    path: str
    line: int
    how: str
    says: str
    rev: str


@router.post(
    "/products/{product}/repositories/{pk}/event-references",
    response={204: None},
    operation_id="push_event_references",
)
def push_event_references(request: ApiRequest, product: str, pk: int, body: EventReadingIn) -> Status[None]:
    """Store where events are sent from in a repository's code."""
    repository = queries.find_repository(api_product(request, product, Role.MEMBER), pk)
    reading = event_references.EventReading(
        rev=body.rev,
        events=body.events,
        references=[event_references.PushedEvent(**one.dict()) for one in body.references],
        is_first=body.is_first,
    )
    event_references.push_event_references(request.actor, repository, body.root_sha, reading)
    return Status(204, None)


@router.get("/products/{product}/events/code", response=list[EventReferenceOut], operation_id="list_event_references")
def list_event_references(request: ApiRequest, product: str, event: str) -> list[EventReferenceOut]:
    """The lines that send an event, as the clones that were read tell; places that only name it come last."""
    found = api_product(request, product, Role.VIEWER)
    places = event_references.events_in_code(found, [event])[event]
    return [
        EventReferenceOut(
            event=one.event,
            repository=one.repository.name,
            path=one.path,
            line=one.line,
            how=one.how,
            says=one.says,
            rev=one.rev,
        )
        for one in places
    ]
