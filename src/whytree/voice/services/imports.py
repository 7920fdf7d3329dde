"""Import a file of feedback in batches: idempotent, resumable, undoable as a run.

    run = start_import(actor, product, fingerprint=..., source=..., ...)
    take_rows(actor, run, rows=[(2, {...}), ...], errors=[(7, "...")], upto=500)     # as often as needed
    finish_import(actor, run)

Each batch is one transaction, with the offset in it: after a `kill -9` the run says itself where to go on, and a batch
that is sent twice changes nothing. A dry run does all the same checks and stores no item.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from whytree.errors import Conflict, Invalid, NotFound, TooLarge
from whytree.voice.arriving.drafts import Draft, Source, draft, is_empty
from whytree.voice.meaning.forgetting import ask_to_place, forget_places
from whytree.voice.models import ERRORS_KEPT, UNFINISHED, FeedbackItem, ImportRun, RunState, VoiceSettings
from whytree.voice.queries import linked_numbers
from whytree.workspace.background.jobs import enqueue
from whytree.workspace.models import Product
from whytree.workspace.outside import uploaded
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .storing import ask_to_tell, plan, store_drafts

MOST_ROWS = 2_000
"""Rows a batch: a transaction of some tenths of a second, so that others can write in between."""

UNDO = "voice.undo_imports"
UNDO_SECONDS = 5.0
UNDONE_AT_ONCE = 1_000
"""Voices that go in one transaction: some tenths of a second likewise."""

LEFT_OUT = ("team", "machine", "silent")
"""What a reader passes over: words of the team, words of machines, rows without anybody's words."""

Row = tuple[int, dict[str, Any]]
RowFault = tuple[int, str]


@dataclass(frozen=True)
class FileFacts:
    """What identifies an import, so that the same one is recognised after an interruption."""

    fingerprint: str
    file_name: str
    mapping: dict[str, str]
    day_first: bool | None = None
    format_name: str = ""
    upload: str = ""
    reading: dict[str, Any] = field(default_factory=dict)


def start_import(
    actor: Actor, product: Product, *, source: Source, file: FileFacts, dry_run: bool = False
) -> ImportRun:
    """A new run, or the interrupted one of the same file, to go on at its `row_offset`."""
    require(actor, product, Role.MAINTAINER)
    if not source.name.strip():
        raise Invalid("Name the source, as in --source play-reviews: it says where these voices come from.")
    if not file.fingerprint:
        raise Invalid("Give the file's fingerprint, so that an interrupted import can be taken up again.")
    if going_out(product).filter(source_type=source.type, source_id=source.id).exists():
        raise Conflict("An import of this source is being taken back. Begin this one when that is over.")
    unfinished = _unfinished(product, file.fingerprint)
    if unfinished is not None and not dry_run:
        return unfinished
    try:
        with transaction.atomic():
            return _new_run(actor, product, source, file, RunState.DRY_RUN if dry_run else RunState.RUNNING)
    except IntegrityError:  # the same import was started elsewhere in this very moment
        other = _unfinished(product, file.fingerprint)
        if other is None:
            raise
        return other


def _unfinished(product: Product, fingerprint: str) -> ImportRun | None:
    return ImportRun.objects.filter(product=product, fingerprint=fingerprint, state__in=UNFINISHED).first()


def _new_run(actor: Actor, product: Product, source: Source, file: FileFacts, state: RunState) -> ImportRun:
    run = ImportRun.objects.create(
        product=product,
        file_name=file.file_name[:200],
        fingerprint=file.fingerprint,
        source_type=source.type,
        source_id=source.id,
        source_name=source.name,
        mapping=file.mapping,
        day_first=file.day_first,
        format_name=file.format_name[:80],
        upload=file.upload,
        reading=file.reading,
        state=state,
        started_by_id=actor.user_id,
    )
    if state == RunState.RUNNING:
        record(actor, product, "start_import", run, undoable=False)
    return run


def source_of(run: ImportRun) -> Source:
    """Where the run's items come from; the column of the text tells two columns of one row apart."""
    return Source(run.source_type, run.source_id, run.source_name, run.mapping.get("text", ""))


@transaction.atomic
def take_rows(
    actor: Actor,
    run: ImportRun,
    *,
    rows: Sequence[Row],
    errors: Sequence[RowFault],
    upto: int,
    left_out: Mapping[str, int] | None = None,
) -> ImportRun:
    """Deal with the next rows of the file: `rows` by row number, `errors` for those that could not even be read.

    A row may hold several voices; they come together, each with the row's number. `upto` is the last row number of the
    batch, `left_out` counts what the reader passed over in it. Rows that were dealt with before are passed over.
    """
    require(actor, run.product, Role.MAINTAINER)
    if len(rows) > MOST_ROWS:
        raise TooLarge(f"That are {len(rows):,} rows; send at most {MOST_ROWS:,} at once.")
    run = _locked(run)
    if upto > run.row_offset:
        run.left_out = {
            name: run.left_out.get(name, 0) + max(0, (left_out or {}).get(name, 0))
            for name in LEFT_OUT
            if run.left_out.get(name) or (left_out or {}).get(name)
        }
    rows = [row for row in rows if run.row_offset < row[0] <= upto]
    faults = [fault for fault in errors if run.row_offset < fault[0] <= upto]
    drafts, refused, empty = _checked(rows, run)
    faults += refused
    _count(run, rows=len(rows) + len(faults) - len(refused), empty=empty, broken=len(faults))
    _store(run, drafts)
    run.errors = [*run.errors, *([number, reason] for number, reason in sorted(faults))][:ERRORS_KEPT]
    run.row_offset = max(run.row_offset, upto)
    run.save()
    return run


def _locked(run: ImportRun) -> ImportRun:
    fresh = ImportRun.objects.select_for_update().select_related("product").get(pk=run.pk)
    if fresh.state not in (*UNFINISHED, RunState.DRY_RUN) or fresh.finished_at is not None:
        raise Conflict("This import is finished. Start it again to import the file once more.")
    return fresh


def _checked(rows: Sequence[Row], run: ImportRun) -> tuple[list[Draft], list[RowFault], int]:
    """The rows that can be taken, those that cannot with the reason, and how many hold no word."""
    drafts: list[Draft] = []
    refused: list[RowFault] = []
    empty = 0
    now, kinds = timezone.now(), VoiceSettings.of(run.product).redact
    for number, values in rows:
        if is_empty(values):
            empty += 1
            continue
        try:
            drafts.append(draft(values, now=now, day_first=run.day_first).without_personal(kinds))
        except Invalid as error:
            refused.append((number, error.message))
    return drafts, refused, empty


def _count(run: ImportRun, **counts: int) -> None:
    for name, count in counts.items():
        setattr(run, name, getattr(run, name) + count)


def _store(run: ImportRun, drafts: Sequence[Draft]) -> None:
    if run.state == RunState.DRY_RUN:
        planned = plan(run.product, source_of(run), drafts)
        created, updated = len(planned.new), len(planned.changed)
        taken = sum(len(one.taken) for one in (*planned.new, *planned.changed.values()))
    else:
        stored = store_drafts(run.product, source_of(run), drafts, run=run)
        created, updated, taken = len(stored.created), len(stored.updated), stored.taken
    _count(run, created=created, updated=updated, skipped=len(drafts) - created - updated, redacted=taken)


def finish_import(actor: Actor, run: ImportRun) -> ImportRun:
    """All rows were sent. The file of a page goes, unless it was only looked at."""
    require(actor, run.product, Role.MAINTAINER)
    name, run = run.upload, _finished(actor, run)
    if not run.upload:
        uploaded.throw_away(name)
    return run


@transaction.atomic
def _finished(actor: Actor, run: ImportRun) -> ImportRun:
    run = _locked(run)
    run.finished_at = timezone.now()
    if run.state != RunState.DRY_RUN:
        run.state, run.upload = RunState.COMPLETED, ""
        ask_to_tell()
        ask_to_place(run.product)
        record(actor, run.product, "finish_import", run, after=_totals(run), undoable=False)
    run.save()
    return run


def _totals(run: ImportRun) -> dict[str, Any]:
    """What the activity list keeps: no errors, for those quote what people wrote."""
    return {name: getattr(run, name) for name in ("state", "rows", *_COUNTED)}


_COUNTED = ("created", "updated", "skipped", "empty", "broken", "redacted")


@dataclass(frozen=True)
class Undone:
    """How many voices of a run went, how many stay, and how many go as soon as somebody goes on."""

    run: ImportRun
    removed: int
    kept: int
    left: int


def undo_import(actor: Actor, run: ImportRun, *, seconds: float = UNDO_SECONDS) -> Undone:
    """Take out again what this run brought in. Half-way, nobody goes on with its file.

    Items that are linked as evidence stay, and those that stand for voices which came in otherwise. What is not out within
    these seconds goes by a job; said again meanwhile, it goes on.
    """
    require(actor, run.product, Role.MAINTAINER)
    name, begun = run.upload, _begin_undoing(actor, run)
    uploaded.throw_away(name)
    return go_on_undoing(begun, seconds=seconds)


@transaction.atomic
def _begin_undoing(actor: Actor, run: ImportRun) -> ImportRun:
    run = _held(run)
    if run.is_going_out:
        return run
    if run.state == RunState.DRY_RUN or run.undone_at is not None:
        raise Conflict("There is nothing to take back: this was a dry run, or it was taken back already.")
    run.state, run.undone_at, run.upload, run.finished_at = RunState.FAILED, timezone.now(), "", None
    run.save()
    record(actor, run.product, "undo_import", run, after={"removed": _going(run).count()}, undoable=False)
    enqueue(UNDO, key="soon", run_after=run.undone_at + timedelta(seconds=UNDO_SECONDS))  # also when we are killed
    return run


def go_on_undoing(run: ImportRun, *, seconds: float = UNDO_SECONDS) -> Undone:
    """Some of what was asked to go, in transactions that others can write between; nothing where another one ended it."""
    until, removed = time.monotonic() + seconds, 0
    while gone := _take_out(run):
        removed += gone
        if time.monotonic() > until:
            break
    run.refresh_from_db()
    left = _going(run).count() if run.is_going_out else 0
    if left:
        enqueue(UNDO, key="soon")
    return Undone(run, removed, FeedbackItem.objects.filter(import_run=run).count() - left, left)


@transaction.atomic
def _take_out(run: ImportRun) -> int:
    """Its next voices; 0 when none is left, which ends it."""
    run = _held(run)
    if not run.is_going_out:
        return 0
    items = list(_going(run).order_by("pk").values_list("pk", flat=True)[:UNDONE_AT_ONCE])
    forget_places(run.product, items)
    _, removed = FeedbackItem.objects.filter(pk__in=items).delete()
    if len(items) < UNDONE_AT_ONCE:
        run.finished_at = timezone.now()
        run.save(update_fields=["finished_at"])
    return removed.get(FeedbackItem._meta.label, 0)


def _held(run: ImportRun) -> ImportRun:
    return ImportRun.objects.select_for_update(of=("self",)).select_related("product").get(pk=run.pk)


def _going(run: ImportRun) -> QuerySet[FeedbackItem]:
    """What goes when the run is taken back."""
    items = FeedbackItem.objects.filter(import_run=run)
    standing_for = FeedbackItem.objects.filter(merged_into__import_run=run).exclude(import_run=run)
    loose = items.exclude(number__in=list(linked_numbers(run.product)))
    return loose.exclude(pk__in=list(standing_for.values_list("merged_into", flat=True)))


def going_out(product: Product | None = None) -> QuerySet[ImportRun]:
    """Imports that are being taken back."""
    runs = ImportRun.objects.filter(undone_at__isnull=False, finished_at=None).select_related("product")
    return runs if product is None else runs.filter(product=product)


def list_runs(product: Product, limit: int = 50) -> list[ImportRun]:
    """The latest imports, the newest first. A file that was only looked at is none."""
    runs = ImportRun.objects.filter(product=product).exclude(state=RunState.DRY_RUN).select_related("started_by")
    return list(runs[:limit])


def find_run(product: Product, run_id: int) -> ImportRun:
    run = ImportRun.objects.select_related("product", "started_by").filter(product=product, pk=run_id).first()
    if run is None:
        raise NotFound("There is no such import in this product.")
    return run
