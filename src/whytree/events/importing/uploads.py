"""A file of events that came over a page: kept while it is read, looked at first, then imported in steps.

    run = look_at(actor, product, upload, Asked())    # a dry run of its first rows; nothing is stored
    run = begin(actor, product, run)                  # the import itself
    while run.state == "running":
        run = go_on(actor, run, seconds=5)            # a few seconds of work at a time; after a stop, just go on

Each step ends where a batch was committed, so a server that stops in between loses nothing. The file stays open from one
step to the next (`workspace.outside.underway`).
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import islice
from operator import itemgetter
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from whytree.engines.tables import UnreadableTable, open_table
from whytree.errors import Conflict, Invalid, NotFound
from whytree.workspace.models import Product
from whytree.workspace.outside import underway, uploaded
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..models import ERRORS_KEPT, EventImport
from . import services as imports
from .files import COLUMNS, Asked, EventFile, open_events
from .reading import NoColumn
from .services import Entry, ImportMessage, ImportRow, RowProblem

SHOWN = 5
#: How long a file is looked at before anybody says yes; all of its rows are checked when they come in.
LOOKED_SECONDS = 4.0
MOST_VALUES = 6
#: Of a table: who and when; what they did may be said for all of it.
FEWEST_COLUMNS = 2


def look_at(actor: Actor, product: Product, upload: "UploadedFile[Any]", asked: Asked) -> EventImport:
    """Read the file as the import would, and store none of it. What cannot be read at all leaves no trace."""
    require(actor, product, Role.MAINTAINER)
    with uploaded.held(upload, beyond="`whytree import events FILE`") as name:
        run = EventImport(
            product=product,
            file_name=(upload.name or "")[:200],
            state=EventImport.State.PREVIEW,
            upload=name,
            started_by_id=actor.user_id,
        )
        return _looked(actor, run, asked)


def look_again(actor: Actor, run: EventImport, asked: Asked) -> EventImport:
    """The same file, read so."""
    require(actor, run.product, Role.MAINTAINER)
    if run.state != EventImport.State.PREVIEW:
        raise Conflict("This file is imported already. Take the import back first, and upload the file again.")
    return _looked(actor, run, asked)


def _looked(actor: Actor, run: EventImport, asked: Asked) -> EventImport:
    """Its first rows counted; none where a column has to be named first."""
    run.rows = run.created = run.repeated = run.broken = run.row_offset = 0
    run.errors, run.mapping, run.reading, run.fingerprint = [], {}, asdict(asked), ""
    try:
        file = _opened(run)
    except NoColumn as error:
        if len(_columns(run)) < FEWEST_COLUMNS:
            raise Invalid(
                "This is no table of events: it needs a column that says who, and one that says when."
            ) from error
        run.save()
        return run
    run.mapping, run.fingerprint = file.shown, file.fingerprint
    until = time.monotonic() + LOOKED_SECONDS
    for batch in file.batches():
        taken = imports.check_rows(actor, run.product, entries_of(batch))
        problems = [*problems_of(batch), *taken.problems]
        run.rows += len(batch.get("rows", ())) + len(batch.get("messages", ())) + len(batch["errors"])
        run.created, run.repeated = run.created + taken.created, run.repeated + taken.repeated
        run.broken += len(problems)
        run.errors = [*run.errors, *(one.as_json() for one in problems)][:ERRORS_KEPT]
        if time.monotonic() > until:
            run.row_offset = batch["upto"]  # that there is more is all it says
            break
    run.save()
    return run


def begin(actor: Actor, product: Product, looked_at: EventImport) -> EventImport:
    """Import what was looked at; the interrupted import of the same file goes on."""
    if looked_at.state != EventImport.State.PREVIEW:
        raise Conflict("This import has begun already.")
    uploaded.path_of(looked_at.upload)
    if not looked_at.fingerprint:
        raise Invalid("Say first which column is what, and press “Read it so”.")
    run = imports.begin_import(
        actor,
        product,
        file_name=looked_at.file_name,
        fingerprint=looked_at.fingerprint,
        mapping=looked_at.mapping,
    )
    if run.upload != looked_at.upload:  # an interrupted one: its file may be gone, this is the same
        uploaded.throw_away(run.upload)
        run.upload, run.reading = looked_at.upload, looked_at.reading
        run.save(update_fields=["upload", "reading"])
    looked_at.delete()
    return run


def go_on(actor: Actor, run: EventImport, *, seconds: float = 5.0) -> EventImport:
    """Work on an import for some seconds, or to its end."""
    require(actor, run.product, Role.MAINTAINER)
    with underway.in_turn(run.upload):
        run.refresh_from_db()
        if run.state == EventImport.State.RUNNING:
            run = _step(actor, run, time.monotonic() + seconds)
    return run


def _step(actor: Actor, run: EventImport, until: float) -> EventImport:
    def opened() -> tuple[EventFile, Iterator[dict[str, Any]]]:
        file = _opened(run)
        return file, file.batches(after=run.row_offset)

    reading = underway.read_on(run.upload, run.row_offset, opened, itemgetter("upto"))
    try:
        for batch in reading.batches:
            run = imports.import_rows(
                actor, run.product, run.pk, entries_of(batch), broken=problems_of(batch), upto=batch["upto"]
            )
            if time.monotonic() > until:
                underway.hold(run.upload, reading, batch["upto"])
                return run
    except BaseException:
        reading.let_go()
        raise
    reading.let_go()
    name, run = run.upload, imports.finish_import(actor, run.product, run.pk)
    uploaded.throw_away(name)
    return run


def progress(run: EventImport) -> float | None:
    """The share of the file that is in, from 0 to 1; None when only another process knows."""
    return underway.progress_of(run.upload)


def undo(actor: Actor, product: Product, number: int) -> EventImport:
    """Have an import taken back, finished or not; the rest of a file that was not read to its end goes at once."""
    run = find_run(product, number)
    with underway.in_turn(run.upload):  # not while a step is writing
        undone = imports.undo_import(actor, product, number)
        uploaded.throw_away(run.upload)
    return undone


def throw_away_for(product: Product, person_key: str = "") -> int:
    """Files that are not in yet, when somebody is forgotten: their events may be in any. How many.

    An import that stopped half-way goes on when its file is sent again.
    """
    held = EventImport.objects.filter(product=product).exclude(upload="")
    names = list(held.values_list("upload", flat=True))
    for name in names:
        uploaded.throw_away(name)
    held.filter(state=EventImport.State.PREVIEW).delete()
    held.update(upload="")
    return len(names)


def forget(actor: Actor, run: EventImport) -> None:
    """Do not import what was looked at."""
    require(actor, run.product, Role.MAINTAINER)
    if run.state != EventImport.State.PREVIEW:
        raise Conflict("This import has begun already. It can be taken back instead.")
    uploaded.throw_away(run.upload)
    run.delete()


def find_run(product: Product, number: int) -> EventImport:
    run = EventImport.objects.filter(product=product, pk=number).select_related("product", "started_by").first()
    if run is None:
        raise NotFound("There is no such import in this product.")
    return run


@dataclass(frozen=True)
class Shown:
    """An event as it would be stored."""

    event: str
    person: str
    at: datetime
    properties: dict[str, str]


@dataclass(frozen=True)
class Preview:
    """How a file is read, and its first events. `missing` is what no column was found for, so that somebody has to say."""

    title: str = ""
    columns: list[str] = field(default_factory=list)
    chosen: dict[str, str] = field(default_factory=dict)
    events: list[Shown] = field(default_factory=list)
    missing: str = ""


def preview(run: EventImport) -> Preview:
    """Raises `NotFound` when the file is gone."""
    asked = Asked(**run.reading)
    try:
        file = _opened(run)
    except NoColumn as error:
        chosen = {name: getattr(asked, name) for name in (*COLUMNS, "event_name")}
        return Preview(columns=_columns(run), chosen=chosen, missing=error.field)
    mapping = file.mapping
    chosen = {name: getattr(mapping, name) for name in (*COLUMNS, "event_name")} if mapping else {}
    return Preview(file.title, file.columns, chosen, list(islice(_first(run, file), SHOWN)))


def _columns(run: EventImport) -> list[str]:
    return list(open_table(uploaded.path_of(run.upload), format=run.reading["format"] or None).columns)


def _first(run: EventImport, file: EventFile) -> Iterator[Shown]:
    for batch in islice(file.batches(), 1):
        for item in imports.as_stored(run.product, entries_of(batch)):
            said = {name: value for name, value in item.said.items() if not name.startswith("$import")}
            at = datetime.fromtimestamp(item.timestamp, UTC)
            yield Shown(item.event, item.distinct_id, at, dict(islice(said.items(), MOST_VALUES)))


def entries_of(batch: dict[str, Any]) -> list[Entry]:
    """A batch of a file as the import takes it."""
    rows: list[Entry] = [
        ImportRow(**{**row, "timestamp": datetime.fromisoformat(row["timestamp"])}) for row in batch.get("rows", ())
    ]
    return rows + [ImportMessage(one["row"], one["dialect"], one["message"]) for one in batch.get("messages", ())]


def problems_of(batch: dict[str, Any]) -> list[RowProblem]:
    """The rows of a batch that could not be read."""
    return [RowProblem(one["row"], one["reason"]) for one in batch["errors"]]


def _opened(run: EventImport) -> EventFile:
    """Raises `NoColumn` where somebody has to say which column is what."""
    path = uploaded.path_of(run.upload)
    try:
        return open_events(path, Asked(**run.reading), uploaded.unpacked_of(run.upload))
    except UnreadableTable as error:
        said = str(error).replace(uploaded.unpacked_of(run.upload).name, "The file").replace(run.upload, "The file")
        raise Invalid(said) from error
