"""Bringing in events from files, row by row and each once.

The command line reads the file and says which column is what; rows come here in batches. A row is known by what it
says (or by its own message id), so the same file again brings nothing, and one that broke off can simply go on.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from whytree.errors import Conflict, Invalid, NotFound
from whytree.people.identity import GROUP
from whytree.people.services import retract_links
from whytree.stores.usage.catalogue import recount
from whytree.stores.writing.capture import delete_import, ids_of_people
from whytree.workspace.background.jobs import enqueue
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..durable.commit import commit
from ..models import ERRORS_KEPT, EventImport
from ..services import Accepted, accept, accept_links
from ..shaping.context import MAX_TEXT, Columns
from ..shaping.normalise import Door, event, id_text, link
from ..shaping.properties import Unfit
from ..shaping.rows import IMPORT, Event, Normalised, Rejected
from ..shaping.traits import traits_said
from ..wire.posthog.messages import posthog
from ..wire.segment.messages import as_message, segment

MAX_ROWS = 5_000  # in one batch
UNDO = "events.take_out_import"
#: Of a hundred parts of the work of taking an import back; counting the catalogue anew is the rest.
OF_EVENTS, OF_LINKS = 10, 85
RUN_PROPERTY = "$import"
GOING_OUT = "An import is being taken back, and with it rows that this file may have too. Begin when that is over."

_NUMBER = re.compile(r"-?(\d{1,18}(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")


@dataclass(frozen=True)
class ImportRow:
    """One row of a file, its columns sorted into what they are."""

    row: int
    message_id: str
    person: str
    event: str
    timestamp: datetime
    properties: dict[str, Any]
    columns: dict[str, str]


@dataclass(frozen=True)
class ImportMessage:
    """One row of another tool's export, as a message of a dialect, with the tool's own id of the event."""

    row: int
    dialect: str
    message: dict[str, Any]


Entry = ImportRow | ImportMessage


@dataclass(frozen=True)
class RowProblem:
    row: int
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {"row": self.row, "reason": self.reason}


@dataclass(frozen=True)
class Taken:
    """What became of a batch of rows."""

    created: int
    repeated: int
    problems: list[RowProblem]


def begin_import(
    actor: Actor, product: Product, *, file_name: str, fingerprint: str, mapping: dict[str, str]
) -> EventImport:
    """A run for this file; the one that broke off when there is one."""
    require(actor, product, Role.MAINTAINER)
    if EventImport.objects.filter(product=product, state=EventImport.State.UNDOING).exists():
        raise Conflict(GOING_OUT)  # its rows would count as there already, and be gone soon
    with transaction.atomic():
        run, is_new = EventImport.objects.get_or_create(
            product=product,
            fingerprint=fingerprint,
            state=EventImport.State.RUNNING,
            defaults={"file_name": file_name[:200], "mapping": mapping, "started_by_id": actor.user_id},
        )
        if is_new:
            record(actor, product, "begin_event_import", run, undoable=False)
    return run


def check_rows(actor: Actor, product: Product, rows: Sequence[Entry]) -> Taken:
    """What `import_rows` would do with these rows; nothing is stored."""
    require(actor, product, Role.MAINTAINER)
    items, problems = _normalised(product.pk, 0, rows)
    known = _known(product.pk, [item for _, item in items])
    repeated = sum(item.event.event_id in known for _, item in items)
    return Taken(len(items) - repeated, repeated, problems)


def as_stored(product: Product, rows: Sequence[Entry]) -> list[Event]:
    """These rows as events, as they would be written; without those that are none."""
    return [item.event for _, item in _normalised(product.pk, 0, rows)[0]]


def import_rows(
    actor: Actor,
    product: Product,
    run_id: int,
    rows: Sequence[Entry],
    *,
    broken: Sequence[RowProblem] = (),
    upto: int,
) -> EventImport:
    """Write these rows and remember how far the file was read. `broken` are rows the reader could not read."""
    require(actor, product, Role.MAINTAINER)
    if len(rows) > MAX_ROWS:
        raise Invalid(f"{len(rows):,} rows are too many at once; send {MAX_ROWS:,} at most.")
    run = _running(product, run_id)
    items, problems = _normalised(product.pk, run.pk, rows)
    known = _known(product.pk, [item for _, item in items])
    fresh = [(row, item) for row, item in items if item.event.event_id not in known]
    accepted = _accepted(product.pk, [item for _, item in fresh])
    accept_links([item for _, item in items if item.event.event_id in known])
    problems += [RowProblem(fresh[refusal.index][0], refusal.reason) for refusal in accepted.refused]
    repeated = len(items) - len(fresh) + accepted.repeated
    taken = Taken(len(items) - repeated - len(accepted.refused), repeated, [*broken, *problems])
    return _counted(run, len(rows) + len(broken), taken, upto)


def _accepted(product_id: int, items: list[Normalised]) -> Accepted:
    """Write what the store did not have. What this process remembers all the same was taken back by another one since."""
    accepted = accept(product_id, IMPORT, items)
    known = _known(product_id, [items[place] for place in accepted.again])
    gone = [place for place in sorted(accepted.again) if items[place].event.event_id not in known]
    if not gone:
        return accepted
    commit().forget_ids()
    once_more = accept(product_id, IMPORT, [items[place] for place in gone])
    refused = [replace(one, index=gone[one.index]) for one in once_more.refused]
    repeated = accepted.repeated - len(gone) + once_more.repeated
    return replace(accepted, repeated=repeated, refused=[*accepted.refused, *refused])


def _normalised(
    product_id: int, run: int, rows: Sequence[Entry]
) -> tuple[list[tuple[int, Normalised]], list[RowProblem]]:
    door = Door(product_id, IMPORT, time.time(), run=run)
    items: list[tuple[int, Normalised]] = []
    problems: list[RowProblem] = []
    for row in rows:
        try:
            item = _item(door, row) if isinstance(row, ImportRow) else _told(door, row)
            items.append((row.row, item))
        except Unfit as error:
            problems.append(RowProblem(row.row, str(error)))
    return items, problems


def _item(door: Door, row: ImportRow) -> Normalised:
    item = event(
        door,
        distinct_id=row.person,
        name=row.event,
        properties={**row.properties, RUN_PROPERTY: _mark(door)},
        timestamp=(row.timestamp if row.timestamp.tzinfo else row.timestamp.replace(tzinfo=UTC)).timestamp(),
        message_id=row.message_id,
        where=Columns(**{name: value[:MAX_TEXT] for name, value in row.columns.items() if name in Columns._fields}),
    )
    item.types = _types_of_texts(item)
    return item


def _mark(door: Door) -> str:
    """By which an event is known as an import's; nothing where one is only looked at."""
    return str(door.run or "")


def _told(door: Door, entry: ImportMessage) -> Normalised:
    """A message as its dialect reads it, marked as this run's. Raises `Unfit` with the dialect's own words."""
    if entry.dialect == "posthog":
        outcome = posthog(entry.message, door)
    else:
        message = as_message(entry.message)
        assert message is not None  # noqa: S101 - the API takes objects only
        outcome = segment(message, door)
    if isinstance(outcome, Rejected):
        raise Unfit(outcome.reason)
    assert isinstance(outcome, Normalised)  # noqa: S101 - only an intake leaves messages out
    if entry.dialect == "segment":
        _tie(outcome, entry.message, door)
    if outcome.known and outcome.traits is None:
        outcome.traits = traits_said(outcome.event)
    letters = dict(outcome.typed())
    outcome.event.properties = {**outcome.event.said, RUN_PROPERTY: _mark(door)}
    outcome.types = "".join(letters.values()) + "s"
    if outcome.exposure is not None:
        outcome.exposure.properties = {**outcome.exposure.said, RUN_PROPERTY: _mark(door)}
    return outcome


def _tie(taken: Normalised, message: dict[str, Any], door: Door) -> None:
    """As the tools count people: a device that two of them share does not make one of them, only an alias does.

    Ids of one `person`, as the tool has numbered them, are one: a user's always, a device's unless it is somebody else's.
    """
    if taken.link is not None and message.get("type") != "alias":
        taken.link = replace(taken.link, trusted=False)
    said, person = taken.event, id_text(message.get("person"))
    found = link(door, said.distinct_id, f"{GROUP}{person}", said.timestamp) if person else None
    if found is not None:
        taken.also = (replace(found, trusted=taken.known),)


def _types_of_texts(item: Normalised) -> str:
    """A CSV file holds nothing but texts: those that are numbers all through are catalogued as numbers."""
    values = item.event.said.values()
    return "".join(
        "n" if letter == "s" and _NUMBER.fullmatch(value) else letter
        for letter, value in zip(item.types, values, strict=True)
    )


def _known(product_id: int, items: Sequence[Normalised]) -> set[int]:
    """Which of these are in the store, from whatever import or door."""
    if not items:
        return set()
    persons = sorted({item.event.person for item in items})
    return ids_of_people(product_id, persons, [item.event.event_id for item in items])


def _counted(run: EventImport, rows: int, taken: Taken, upto: int) -> EventImport:
    room = ERRORS_KEPT - len(run.errors)
    run.errors = [*run.errors, *(problem.as_json() for problem in taken.problems[: max(room, 0)])]
    EventImport.objects.filter(pk=run.pk).update(
        row_offset=upto,
        rows=F("rows") + rows,
        created=F("created") + taken.created,
        repeated=F("repeated") + taken.repeated,
        broken=F("broken") + len(taken.problems),
        errors=run.errors,
    )
    run.refresh_from_db()
    return run


def finish_import(actor: Actor, product: Product, run_id: int) -> EventImport:
    """The file was read to its end."""
    require(actor, product, Role.MAINTAINER)
    with transaction.atomic():
        run = _running(product, run_id)
        before = snapshot(run)
        run.state = EventImport.State.FINISHED
        run.finished_at = timezone.now()
        run.save(update_fields=["state", "finished_at"])
        record(actor, product, "finish_event_import", run, before=before, after=snapshot(run), undoable=False)
    return run


def undo_import(actor: Actor, product: Product, run_id: int) -> EventImport:
    """Have every event this run brought taken out, and what it said of who is who; then the file can be imported again.

    That takes minutes where there are millions, so a job does it: see `take_out`. Asked again, it is asked for again. Half-way
    in, nobody goes on with what was uploaded.
    """
    require(actor, product, Role.MAINTAINER)
    with transaction.atomic():
        run = EventImport.objects.select_for_update().filter(product=product, pk=run_id).first()
        if run is None:
            raise NotFound("There is no such import in this product.")
        if run.state == EventImport.State.UNDONE:
            raise Conflict("This import was taken back already.")
        if run.state != EventImport.State.UNDOING:
            before = snapshot(run)
            run.upload, run.state, run.taken_back = "", EventImport.State.UNDOING, 0
            run.save(update_fields=["state", "upload", "taken_back"])
            record(actor, product, "undo_event_import", run, before=before, after=snapshot(run), undoable=False)
        enqueue(UNDO, {"run": run.pk}, key=str(run.pk))
    return run


def take_out(run_id: int) -> None:
    """Do what `undo_import` was asked for. Broken off, it is begun again."""
    run = EventImport.objects.filter(pk=run_id, state=EventImport.State.UNDOING).first()
    if run is None:
        return
    while delete_import(run.product_id, str(run.pk)):  # again for a batch that was on its way meanwhile
        pass
    _taken_back(run, OF_EVENTS)
    for share in retract_links(run.product_id, run.pk):
        _taken_back(run, OF_EVENTS + share * OF_LINKS)
    commit().forget_ids()
    recount(run.product_id)
    run.state, run.finished_at, run.taken_back = EventImport.State.UNDONE, timezone.now(), 100
    run.save(update_fields=["state", "finished_at", "taken_back"])


def _taken_back(run: EventImport, percent: float) -> None:
    run.taken_back = int(percent)
    run.save(update_fields=["taken_back"])


def _running(product: Product, run_id: int) -> EventImport:
    run = EventImport.objects.filter(product=product, pk=run_id).first()
    if run is None:
        raise NotFound("There is no such import in this product.")
    if run.state == EventImport.State.UNDOING:
        raise Conflict(GOING_OUT)
    if run.state != EventImport.State.RUNNING:
        raise Conflict(f"This import is {run.state}. Begin a new one.")
    return run


def list_imports(product: Product, limit: int = 20) -> list[EventImport]:
    """The latest imports, without what was only looked at."""
    runs = EventImport.objects.filter(product=product).exclude(state=EventImport.State.PREVIEW)
    return list(runs.select_related("started_by")[:limit])
