"""Events over REST: the catalogue, what was put aside, imports. Events themselves come in by the clients' own dialects (`wire`)."""

from datetime import datetime
from typing import Any, Literal

from ninja import Router, Schema
from pydantic import Field

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import queries
from .importing import services as imports
from .importing import uploads
from .importing.services import MAX_ROWS, ImportMessage, ImportRow, RowProblem
from .intake import api as intake
from .models import EventImport
from .plan import api as plan
from .relay import api as relay

router = Router(tags=["Events"])
router.add_router("", intake.router)
router.add_router("", relay.router)
router.add_router("", plan.router)


class PropertyOut(Schema):
    name: str
    types: list[str]
    volume: int
    first_seen: datetime
    last_seen: datetime


class EventOut(Schema):
    """An event of the catalogue."""

    name: str
    volume: int
    people: int
    first_seen: datetime
    last_seen: datetime
    properties: list[PropertyOut]


class CatalogueOut(Schema):
    events: list[EventOut]
    put_aside: int = Field(description="Messages of the last seven days that are no event.")


class PutAsideOut(Schema):
    """Something that was sent and is no event."""

    received_at: datetime
    kind: Literal["rejected", "refused", "merge"]
    reason: str
    event: str
    distinct_id: str
    message_id: str
    source: str
    body: str


class ImportIn(Body):
    file_name: str = Field(max_length=200)
    fingerprint: str = Field(min_length=16, max_length=64, description="SHA-256 of the file and of how it is read.")
    mapping: dict[str, str] = {}


class ImportOut(Schema):
    id: int
    file_name: str
    mapping: dict[str, str]
    state: str
    row_offset: int
    rows: int
    created: int
    repeated: int
    broken: int
    errors: list[dict[str, Any]]
    taken_back: int = Field(description="In the state `undoing`: how far, in percent.")
    started_at: datetime
    finished_at: datetime | None


class RowIn(Schema):
    """One row of a file."""

    row: int
    message_id: str = Field(min_length=1, max_length=400, description="The same for the same row whenever it comes.")
    person: str
    event: str
    timestamp: datetime
    properties: dict[str, Any] = {}
    columns: dict[str, str] = Field({}, description="platform, os, browser, app, version, locale, country, path")


class MessageIn(Schema):
    """One row of another tool's export, as its own client would have sent it."""

    row: int
    dialect: Literal["segment", "posthog"]
    message: dict[str, Any] = Field(description="With the tool's own id of the event as messageId or uuid.")


class ProblemOut(Schema):
    row: int
    reason: str


class RowsIn(Schema):
    run: int | None = Field(None, description="The import these rows belong to; none to only check them.")
    rows: list[RowIn] = Field([], max_length=MAX_ROWS)
    messages: list[MessageIn] = Field([], max_length=MAX_ROWS)
    errors: list[ProblemOut] = Field([], description="Rows that could not be read.")
    upto: int = Field(0, description="The last row of the file in this batch.")


class CheckedOut(Schema):
    """What an import of these rows would do."""

    created: int
    repeated: int
    errors: list[ProblemOut]


@router.get("/products/{product}/events/catalogue", response=CatalogueOut, operation_id="get_event_catalogue")
def get_catalogue(request: ApiRequest, product: str) -> Any:
    """Every event and property with type, volume, first and last seen."""
    found = queries.catalogue(api_product(request, product, Role.VIEWER))
    events = [
        EventOut(
            name=event.name,
            volume=event.volume,
            people=event.people,
            first_seen=event.first_seen,
            last_seen=event.last_seen,
            properties=[
                PropertyOut(
                    name=each.name,
                    types=list(each.types),
                    volume=each.volume,
                    first_seen=each.first_seen,
                    last_seen=each.last_seen,
                )
                for each in found.properties.get(event.name, [])
            ],
        )
        for event in found.events
    ]
    return CatalogueOut(events=events, put_aside=found.put_aside)


@router.get("/products/{product}/events/put-aside", response=list[PutAsideOut], operation_id="list_put_aside")
def list_put_aside(request: ApiRequest, product: str, limit: int = 50) -> Any:
    """What was sent and did not become an event, with the reason, for 90 days."""
    found = api_product(request, product, Role.VIEWER)
    return queries.put_aside(found, max(1, min(limit, 500)))


@router.post("/products/{product}/events/imports", response=ImportOut, operation_id="begin_event_import")
def begin_import(request: ApiRequest, product: str, body: ImportIn) -> EventImport:
    """Begin to import a file, or go on where an import of the same file broke off (`row_offset`)."""
    found = api_product(request, product, Role.MAINTAINER)
    return imports.begin_import(
        request.actor, found, file_name=body.file_name, fingerprint=body.fingerprint, mapping=body.mapping
    )


@router.get("/products/{product}/events/imports", response=list[ImportOut], operation_id="list_event_imports")
def list_imports(request: ApiRequest, product: str) -> list[EventImport]:
    """The latest imports."""
    return imports.list_imports(api_product(request, product, Role.VIEWER))


@router.get("/products/{product}/events/imports/{run}", response=ImportOut, operation_id="get_event_import")
def get_import(request: ApiRequest, product: str, run: int) -> EventImport:
    """One import: how far it is in, or taken back."""
    return uploads.find_run(api_product(request, product, Role.VIEWER), run)


@router.post("/products/{product}/events/import", response=ImportOut | CheckedOut, operation_id="import_events")
def import_events(request: ApiRequest, product: str, body: RowsIn) -> Any:
    """Write rows of a run, each once; without a run they are only checked."""
    found = api_product(request, product, Role.MAINTAINER)
    rows: list[imports.Entry] = [ImportRow(**row.dict()) for row in body.rows]
    rows += [ImportMessage(each.row, each.dialect, each.message) for each in body.messages]
    broken = [RowProblem(problem.row, problem.reason) for problem in body.errors]
    if body.run is None:
        checked = imports.check_rows(request.actor, found, rows)
        problems = [*broken, *checked.problems]
        errors = [ProblemOut(row=problem.row, reason=problem.reason) for problem in problems]
        return CheckedOut(created=checked.created, repeated=checked.repeated, errors=errors)
    return imports.import_rows(request.actor, found, body.run, rows, broken=broken, upto=body.upto)


@router.post("/products/{product}/events/imports/{run}/finish", response=ImportOut, operation_id="finish_event_import")
def finish_import(request: ApiRequest, product: str, run: int) -> EventImport:
    """The file was read to its end."""
    return imports.finish_import(request.actor, api_product(request, product, Role.MAINTAINER), run)


@router.post("/products/{product}/events/imports/{run}/undo", response=ImportOut, operation_id="undo_event_import")
def undo_import(request: ApiRequest, product: str, run: int) -> EventImport:
    """Have every event this import brought taken out: its state is `undoing`, `taken_back` percent of the way, then `undone`."""
    return uploads.undo(request.actor, api_product(request, product, Role.MAINTAINER), run)
