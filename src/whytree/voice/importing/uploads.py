"""A file that came over a page or the API: kept in the data folder while it is read, looked at first, then imported in steps.

    run = look_at(actor, product, upload, asked)      # a dry run of all rows, with totals; nothing is stored
    run = begin(actor, product, run)                  # the import itself
    while not run.finished_at:
        run = go_on(actor, run, seconds=5)            # a few seconds of work at a time; after a stop, just go on

Each step ends where a batch was committed. A server that stops in between loses nothing: the run says where to go on.
The file stays open from one step to the next (`workspace.outside.underway`).
"""

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from operator import attrgetter
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from whytree.engines.tables import RowError, UnreadableTable
from whytree.errors import Conflict, Invalid, NotFound
from whytree.voice.arriving.drafts import Draft, Source, draft, is_empty
from whytree.voice.models import ColumnMapping, Consent, ImportRun, RunState, VoiceSettings
from whytree.voice.services import (
    FileFacts,
    find_mapping,
    finish_import,
    go_on_undoing,
    keep_mapping,
    kept_mappings,
    start_import,
    take_rows,
)
from whytree.workspace.models import Product
from whytree.workspace.outside import underway, uploaded
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .files import Asked, Batch, FeedbackFile, Kept, batches, open_by_kept, whole

SHOWN = 5
MOST_WAITING = 10


def look_at(actor: Actor, product: Product, upload: "UploadedFile[Any]", asked: Asked) -> ImportRun:
    """Read the whole file as the import would, and store nothing. What cannot be read at all leaves no trace."""
    require(actor, product, Role.MAINTAINER)
    if asked.consent and asked.consent not in Consent.values:
        raise Invalid(f"Consent is one of {', '.join(Consent.values)}.")
    with uploaded.held(upload, beyond="`whytree import feedback FILE`") as name:
        if asked.mapping:
            if any(asked.columns.values()):
                raise Invalid("Name the column or a mapping, not both.")
            asked = asked.by(_named(product, asked.mapping))
        file = _opened(product, name, asked, kept_mappings(product))
        return _looked_at(actor, product, file, name, upload.name or "")


def look_again(
    actor: Actor, looked_at: ImportRun, columns: dict[str, str] | None = None, *, day_first: bool | None = None
) -> ImportRun:
    """The same file with its columns, or its days and months, read so: another dry run in place of the first."""
    require(actor, looked_at.product, Role.MAINTAINER)
    if looked_at.state != RunState.DRY_RUN:
        raise Conflict("This file is imported already. Take the import back first, and upload the file again.")
    asked = Asked.from_json(looked_at.reading) if looked_at.upload else Asked()
    if columns is not None:
        asked = replace(asked, columns=whole(columns), mapping="")
    if day_first is not None:
        asked = replace(asked, day_first=day_first)
    file = _opened(looked_at.product, looked_at.upload, asked)
    run = _looked_at(actor, looked_at.product, file, looked_at.upload, looked_at.file_name)
    looked_at.delete()
    return run


def keep_as(actor: Actor, looked_at: ImportRun, name: str) -> ColumnMapping:
    """Keep how this file is read for the next one with its columns."""
    asked = Asked.from_json(looked_at.reading) if looked_at.upload else Asked()
    file = _opened(looked_at.product, looked_at.upload, asked)
    if file.table is None:
        raise Conflict(f"This file is known as {looked_at.format_name}; there is nothing to keep.")
    return keep_mapping(actor, looked_at.product, name=name, columns=file.mapping, header=file.table.columns)


def _named(product: Product, name: str) -> Kept:
    found = find_mapping(product, name)
    return Kept(found.name, found.columns, frozenset(found.header))


def _looked_at(actor: Actor, product: Product, file: FeedbackFile, name: str, file_name: str) -> ImportRun:
    facts = _facts(file, name, file_name, file.asked)
    run = start_import(actor, product, source=_source(file), file=facts, dry_run=True)
    for batch in batches(file, consent=file.asked.consent):
        _take(actor, run, batch)
    return finish_import(actor, run)


def begin(actor: Actor, product: Product, looked_at: ImportRun) -> ImportRun:
    """Import what was looked at; the interrupted import of the same file goes on, and begun twice it is one import."""
    require(actor, product, Role.MAINTAINER)
    already = begun_from(looked_at)
    if already is not None:
        return already
    name, asked = looked_at.upload, Asked.from_json(looked_at.reading) if looked_at.upload else Asked()
    file = _opened(product, name, asked)
    run = start_import(actor, product, source=_source(file), file=_facts(file, name, looked_at.file_name, asked))
    if run.upload != name:  # an interrupted one: its file may be gone, this is the same
        uploaded.throw_away(run.upload)
        run.upload, run.reading = name, asked.as_json()
        run.save(update_fields=["upload", "reading"])
    looked_at.upload, looked_at.reading = "", {_TAKEN_OVER: run.pk}
    looked_at.save(update_fields=["upload", "reading"])
    return run


_TAKEN_OVER = "import"
"""Where what was looked at says which import has its file now."""


def begun_from(looked_at: ImportRun) -> ImportRun | None:
    """The import that took over the file which was looked at."""
    if looked_at.state != RunState.DRY_RUN or _TAKEN_OVER not in looked_at.reading:
        return None
    runs = ImportRun.objects.filter(product=looked_at.product, pk=looked_at.reading[_TAKEN_OVER])
    return runs.select_related("product", "started_by").first()


def go_on(actor: Actor, run: ImportRun, *, seconds: float | None = 5.0) -> ImportRun:
    """Work on an import for some seconds, or to its end; its file goes with the end. One that is being taken back goes on so.

    Two that work on it at once do each row once. Whoever comes when the other ended it finds it ended.
    """
    require(actor, run.product, Role.MAINTAINER)
    if run.is_going_out:
        return go_on_undoing(run).run
    with underway.in_turn(run.upload):
        now = _as_it_stands(run)
        if now.is_over:
            return now
        try:
            return _step(actor, now, None if seconds is None else time.monotonic() + seconds)
        except (Conflict, NotFound):
            now = _as_it_stands(run)
            if not now.is_over:
                raise
            return now


def _as_it_stands(run: ImportRun) -> ImportRun:
    return ImportRun.objects.select_related("product").get(pk=run.pk)


def _step(actor: Actor, run: ImportRun, until: float | None) -> ImportRun:
    asked = Asked.from_json(run.reading) if run.upload else Asked()

    def opened() -> tuple[FeedbackFile, Iterator[Batch]]:
        file = _opened(run.product, run.upload, asked)
        return file, batches(file, after=run.row_offset, consent=asked.consent)

    reading = underway.read_on(run.upload, run.row_offset, opened, attrgetter("upto"))
    try:
        for batch in reading.batches:
            run = _take(actor, run, batch)
            if until is not None and time.monotonic() > until:
                underway.hold(run.upload, reading, batch.upto)
                return run
    except BaseException:
        reading.let_go()
        raise
    reading.let_go()
    return finish_import(actor, run)


def _take(actor: Actor, run: ImportRun, batch: Batch) -> ImportRun:
    return take_rows(actor, run, rows=batch.rows, errors=batch.errors, upto=batch.upto, left_out=batch.left_out)


def progress(run: ImportRun) -> float | None:
    """The share of the file that is in, from 0 to 1; None when only another process knows."""
    return underway.progress_of(run.upload)


@dataclass(frozen=True)
class Preview:
    """How a file is read: what it was recognised as and why, or which columns hold what; and its first voices."""

    why: str
    mapping: dict[str, str]
    columns: list[str]
    drafts: list[Draft]
    kept: str = ""
    """The name of the kept mapping that it is read by."""

    may_be_either: bool = False
    """Whether its days may be months, and nothing in the file tells."""


def preview(run: ImportRun) -> Preview | None:
    """The first voices as they would be stored; None when the file is gone."""
    if not run.upload or not (uploaded.folder() / run.upload).exists():
        return None
    file = _opened(run.product, run.upload, Asked.from_json(run.reading))
    kinds = VoiceSettings.of(run.product).redact
    drafts = [one.without_personal(kinds) for one in islice(_drafts(file), SHOWN)]
    why = file.recognised.why if file.recognised else ""
    columns = list(file.table.columns) if file.table else []
    return Preview(why, file.mapping, columns, drafts, file.asked.mapping, file.may_be_either)


def _drafts(file: FeedbackFile) -> Iterator[Draft]:
    now = timezone.now()
    for one in file:
        if isinstance(one, RowError) or is_empty(one.values):
            continue
        try:
            yield draft(one.values, now=now, day_first=file.day_first)
        except Invalid:
            continue


def forget(actor: Actor, looked_at: ImportRun) -> None:
    """Do not import what was looked at: its file goes at once."""
    require(actor, looked_at.product, Role.MAINTAINER)
    if looked_at.state != RunState.DRY_RUN:
        raise Conflict("This import has begun already. It can be taken back instead.")
    uploaded.throw_away(looked_at.upload)
    looked_at.upload = ""
    looked_at.save(update_fields=["upload"])


def has_file(run: ImportRun) -> bool:
    """Whether it can go on here, without its file being sent again."""
    return bool(run.upload) and (uploaded.folder() / run.upload).is_file()


def waiting(product: Product) -> list[ImportRun]:
    """The latest files that were looked at and wait for somebody's yes, the newest first."""
    looked_at = ImportRun.objects.filter(product=product, state=RunState.DRY_RUN).exclude(upload="")
    return [run for run in looked_at.select_related("started_by")[:MOST_WAITING] if has_file(run)]


def throw_away_for(product: Product, person_key: str = "") -> int:
    """Files that are not in yet, when somebody is forgotten: their words may be in any. How many.

    An import that stopped half-way goes on when its file is sent again.
    """
    held = ImportRun.objects.filter(product=product).exclude(upload="")
    names = list(held.values_list("upload", flat=True))
    for name in names:
        uploaded.throw_away(name)
    ImportRun.objects.filter(product=product, state=RunState.DRY_RUN, finished_at__isnull=False).delete()
    held.update(upload="")
    return len(names)


def throw_away_old() -> int:
    """Uploads that nobody imported, and what was found in them; how many uploads."""
    oldest = timezone.now() - uploaded.KEPT_FOR
    ImportRun.objects.filter(state=RunState.DRY_RUN, started_at__lt=oldest).delete()
    return uploaded.throw_away_old()


def _opened(product: Product, name: str, asked: Asked, kept: Collection[Kept] = ()) -> FeedbackFile:
    path = uploaded.path_of(name)
    try:
        return open_by_kept(path, asked, kept)
    except UnreadableTable as error:
        # what is said on the command line of its own file and options
        told = str(error).replace(f"with: whytree import interview {name}", "under Voices, Interviews.")
        told = told.replace(name, "The file").replace(" (--text COLUMN)", "")
        raise Invalid(told) from error


def _source(file: FeedbackFile) -> Source:
    return Source(file.kind[:40], file.source_id[:200], file.source[:200])


def _facts(file: FeedbackFile, name: str, file_name: str, asked: Asked) -> FileFacts:
    told: dict[str, Any] = file.facts(file_name)
    return FileFacts(
        told["fingerprint"],
        told["file_name"],
        told["mapping"],
        told["day_first"],
        told["format_name"],
        name,
        asked.as_json(),
    )
