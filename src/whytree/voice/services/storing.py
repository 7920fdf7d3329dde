"""Store many drafts at once, each thing once: the one place that writes feedback items."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from whytree.engines.voices.anchoring import Anchors, only_place
from whytree.voice.arriving.authors import known_as
from whytree.voice.arriving.drafts import Draft, Source
from whytree.voice.meaning.forgetting import ask_to_place, forget_places
from whytree.voice.models import NAME_LENGTH, FeedbackItem, Highlight, ImportRun, Reading, Redaction
from whytree.workspace.background.jobs import enqueue
from whytree.workspace.models import Product
from whytree.workspace.records.numbering import next_numbers

CHUNK = 500
"""Rows a statement: SQLite takes 32,766 parameters, and an item has 26."""

ERASED = "erased"
"""In place of an item's content hash: its words were erased and no import changes it any more."""

TELL = "voice.tell"
TELL_AFTER = timedelta(seconds=15)
"""What comes in meanwhile is told with it: loading what tells language and sentiment takes a second."""

_SAID = (
    "text",
    "author_name",
    "rating",
    "language",
    "app_version",
    "url",
    "consent",
    "metadata",
    "content_hash",
    "from_team",
)
"""As a draft says it."""
_CHANGEABLE = (*_SAID, "person_key", "said_at", "said_at_known", "redacted")


@dataclass(frozen=True)
class Plan:
    """What drafts mean for what is stored: new ones, changes by the item's primary key, items that stay as they are."""

    new: list[Draft]
    changed: dict[int, Draft]
    same: list[int]


@dataclass(frozen=True)
class Stored:
    """What became of the drafts; of those that changed nothing only the primary keys. `taken` counts what was redacted."""

    created: list[FeedbackItem]
    updated: list[FeedbackItem]
    unchanged: list[int]
    taken: int = 0


def plan(product: Product, source: Source, drafts: Iterable[Draft]) -> Plan:
    """Tell the new from the known. Within the drafts a thing that comes twice counts once, as it was said last."""
    by_id = {_own(source, draft): draft for draft in drafts}
    found = Plan([], {}, [])
    there = _hashes_there(product, source, list(by_id))
    for own, draft in by_id.items():
        pk, content_hash = there.get(own, (0, ""))
        if not pk:
            found.new.append(draft)
        elif content_hash in (draft.content_hash, ERASED):
            found.same.append(pk)
        else:
            found.changed[pk] = draft
    return found


def erased_id(own_id: str) -> str:
    """What is left of an item's id once the person had it erased: enough to know it again, not to read it."""
    return "erased:" + hashlib.sha256(own_id.encode()).hexdigest()[:40]


OwnId = tuple[str, str]
"""Which thing it is within its source: `submission_id` and `field_id`."""


def _own(source: Source, draft: Draft) -> OwnId:
    return draft.own_id, draft.field_id or source.field_id


def _hashes_there(product: Product, source: Source, wanted: Sequence[OwnId]) -> dict[OwnId, tuple[int, str]]:
    """Own id -> primary key and content hash of the item there is.

    What a person had erased is there too, under what is left of its id, so that no import brings it back.
    """
    there: dict[OwnId, tuple[int, str]] = {}
    asked, own_ids = set(wanted), sorted({own_id for own_id, _ in wanted})
    for at in range(0, len(own_ids), CHUNK):
        known = {each: own_id for own_id in own_ids[at : at + CHUNK] for each in (own_id, erased_id(own_id))}
        items = FeedbackItem.objects.filter(
            product=product, source_type=source.type, source_id=source.id, submission_id__in=list(known)
        )
        for pk, submission_id, field_id, content_hash in items.values_list(
            "pk", "submission_id", "field_id", "content_hash"
        ):
            own = known[submission_id], field_id
            if own in asked:
                there[own] = pk, content_hash
    return there


@transaction.atomic
def store_drafts(
    product: Product,
    source: Source,
    drafts: Iterable[Draft],
    *,
    run: ImportRun | None = None,
    reporter_id: int | None = None,
    trusted: bool = True,
) -> Stored:
    """Create what is new and update what has changed; numbers are given in the order of the drafts.

    Not `trusted`: it came in where anybody may send something (`known_as`).
    """
    planned = plan(product, source, drafts)
    keys = known_as(product, [*planned.new, *planned.changed.values()], trusted=trusted)
    created = [_item(product, source, draft, keys, run) for draft in planned.new]
    for item, number in zip(created, next_numbers(product, "FB", len(created)) if created else (), strict=True):
        item.number = number
        item.reporter_id = reporter_id
    FeedbackItem.objects.bulk_create(created, batch_size=CHUNK)
    updated = list(FeedbackItem.objects.filter(pk__in=list(planned.changed)).select_related("product"))
    before = {item.pk: item.text for item in updated}
    for item in updated:
        _change(item, planned.changed[item.pk], keys)
    FeedbackItem.objects.bulk_update(updated, _CHANGEABLE, batch_size=100)
    _find_highlights_again(updated, before)
    Reading.objects.filter(item__in=updated).delete()
    forget_places(product, [item.pk for item in updated if item.text != before[item.pk]], gone=False)
    if run is None and (created or updated):
        ask_to_tell()
        ask_to_place(product)
    if run is not None:
        Redaction.objects.filter(item__in=updated).delete()
        _keep_taken([*zip(created, planned.new, strict=True), *((item, planned.changed[item.pk]) for item in updated)])
    taken = sum(len(draft.taken) for draft in (*planned.new, *planned.changed.values()))
    return Stored(created, updated, planned.same, taken)


def ask_to_tell() -> None:
    """Have language and sentiment told soon; asking again while that is waiting changes nothing. An import asks once, at its end."""
    enqueue(TELL, key="all", run_after=timezone.now() + TELL_AFTER)


def _item(product: Product, source: Source, draft: Draft, keys: dict[str, str], run: ImportRun | None) -> FeedbackItem:
    item = FeedbackItem(
        product=product,
        source_type=source.type,
        source_id=source.id,
        source_name=source.name,
        field_id=draft.field_id or source.field_id,
        submission_id=draft.own_id,
        flags=draft.flags,
        import_run=run,
    )
    _change(item, draft, keys)
    return item


def _change(item: FeedbackItem, draft: Draft, keys: dict[str, str]) -> None:
    """Everything but the variants in force: those belong to the moment when it was first said."""
    for name in _SAID:
        setattr(item, name, getattr(draft, name))
    item.redacted = bool(draft.taken)
    item.person_key = keys.get(draft.person, draft.person)
    # A file that tells no time says nothing of it; at every other door it is said when it comes in.
    item.said_at_known = draft.said_at is not None or item.import_run_id is None
    if draft.said_at is not None or item._state.adding:
        item.said_at = draft.said_at or timezone.now()


def _keep_taken(stored: Sequence[tuple[FeedbackItem, Draft]]) -> None:
    """While the import is open, what was taken out can be put back."""
    Redaction.objects.bulk_create(
        [
            Redaction(
                item=item, place=place[:NAME_LENGTH], kind=one.kind, start=one.start, end=one.end, original=one.original
            )
            for item, draft in stored
            for place, one in draft.taken
        ],
        batch_size=CHUNK,
    )


def _find_highlights_again(items: Sequence[FeedbackItem], before: dict[int, str]) -> None:
    """A text that changed where it came from keeps its highlights where their very words went; others are shown as lost."""
    texts: dict[int | None, tuple[str, str]] = {item.pk: (before[item.pk], item.text) for item in items}
    for highlight in Highlight.objects.filter(item__in=items):
        was, now = texts[highlight.item_id]
        stood = highlight.still_stands(was)
        place = Anchors(was, now).find(highlight.start, highlight.end) if stood else only_place(now, highlight.quote)
        if place is not None and now[place[0] : place[1]] == highlight.quote:
            highlight.start, highlight.end = place
            highlight.save(update_fields=["start", "end"])
