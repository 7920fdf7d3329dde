"""What clones tell of events: which lines send each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from whytree.errors import Invalid
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..cleaning import CHUNK, clean, commit_id
from ..models import EventReference, Repository
from ..services import refuse_another

HOWS = frozenset(EventReference.How.values)
MOST_LINE = 10_000_000
NAME_LENGTH = 500


@dataclass(frozen=True)
class PushedEvent:
    """A line of a clone that names an event."""

    event: str
    path: str
    line: int
    how: str
    says: str = ""
    hunk: str | None = None


@dataclass(frozen=True)
class EventReading:
    """Part of what one look found. The first part replaces what an earlier one told of these events; later ones add."""

    rev: str
    events: Sequence[str]
    references: Sequence[PushedEvent] = ()
    is_first: bool = True


def push_event_references(actor: Actor, repository: Repository, root_sha: str, reading: EventReading) -> None:
    """Store where these events are sent from. Those it does not name keep what was told of them."""
    require(actor, repository.product, Role.MEMBER)
    refuse_another(repository, root_sha)
    events = sorted({clean(event)[:NAME_LENGTH] for event in reading.events} - {""})
    rev = commit_id(reading.rev)
    references = [_reference(repository, rev, one, frozenset(events)) for one in reading.references]
    with transaction.atomic():
        if reading.is_first:
            for start in range(0, len(events), CHUNK):
                repository.event_references.filter(event__in=events[start : start + CHUNK]).delete()
        EventReference.objects.bulk_create(references, batch_size=CHUNK, ignore_conflicts=True)
        after = {"events": len(events), "references": len(references)}
        record(actor, repository.product, "push_event_references", repository, after=after, undoable=False)


def _reference(repository: Repository, rev: str, one: PushedEvent, events: frozenset[str]) -> EventReference:
    event = clean(one.event)[:NAME_LENGTH]
    if event not in events:
        raise Invalid(f"{one.event[:80]!r} is not among the events that were looked for. Name it in events.")
    if one.how not in HOWS:
        raise Invalid(f"{one.how[:40]!r} is no way to know a line: say sent or text.")
    if not 1 <= one.line <= MOST_LINE:
        raise Invalid(f"Line {one.line} is none: lines are counted from 1.")
    if not 0 < len(one.path) <= 1000:
        raise Invalid("A line needs the path of its file, of at most 1,000 characters.")
    return EventReference(
        repository=repository,
        event=event,
        path=clean(one.path),
        line=one.line,
        how=one.how,
        says=clean(one.says)[:300],
        hunk=clean(one.hunk)[:4000] if one.hunk is not None and repository.keeps_pieces else None,
        rev=rev,
        at=timezone.now(),
    )


def events_in_code(product: Product, events: Iterable[str]) -> dict[str, list[EventReference]]:
    """For each of these events the lines that send it, then those that only name it."""
    found: dict[str, list[EventReference]] = {event: [] for event in events}
    wanted = sorted(found)
    for start in range(0, len(wanted), CHUNK):
        rows = EventReference.objects.filter(repository__product=product, event__in=wanted[start : start + CHUNK])
        for row in rows.select_related("repository"):
            found[row.event].append(row)
    return found
