"""Store many drafts at once, each thing once: the one place that writes feedback items."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from whytree.voice.authors import known_as
from whytree.voice.drafts import Draft, Source
from whytree.voice.models import FeedbackItem, Highlight, ImportRun
from whytree.workspace.models import Product
from whytree.workspace.numbering import next_numbers

CHUNK = 500
"""Rows a statement: SQLite takes 32,766 parameters, and an item has 22."""

ERASED = "erased"
"""In place of an item's content hash: its words were erased and no import changes it any more."""

_CHANGEABLE = (
    "text",
    "author_name",
    "person_key",
    "said_at",
    "said_at_known",
    "rating",
    "language",
    "app_version",
    "url",
    "consent",
    "metadata",
    "content_hash",
)


@dataclass
class Stored:
    """What became of the drafts."""

    created: list[FeedbackItem] = field(default_factory=list)
    updated: list[FeedbackItem] = field(default_factory=list)
    unchanged: list[FeedbackItem] = field(default_factory=list)


def plan(
    product: Product, source: Source, drafts: Iterable[Draft]
) -> tuple[list[Draft], list[tuple[FeedbackItem, Draft]], list[FeedbackItem]]:
    """Which drafts are new, which change an item there is, and which items are there already just so.

    Within the drafts a thing that comes twice counts once, as it was said last.
    """
    by_id = {draft.own_id: draft for draft in drafts}
    there = _items_there(product, source, list(by_id))
    new = [draft for own_id, draft in by_id.items() if own_id not in there]
    changed, same = [], []
    for own_id, item in there.items():
        draft = by_id[own_id]
        if item.content_hash in (draft.content_hash, ERASED):
            same.append(item)
        else:
            changed.append((item, draft))
    return new, changed, same


def erased_id(own_id: str) -> str:
    """What is left of an item's id once the person had it erased: enough to know it again, not to read it."""
    return "erased:" + hashlib.sha256(own_id.encode()).hexdigest()[:40]


def _items_there(product: Product, source: Source, own_ids: Sequence[str]) -> dict[str, FeedbackItem]:
    """By own id. What a person had erased is there too, as it was left, so that no import brings it back."""
    there: dict[str, FeedbackItem] = {}
    for at in range(0, len(own_ids), CHUNK):
        asked = {known: own_id for own_id in own_ids[at : at + CHUNK] for known in (own_id, erased_id(own_id))}
        items = FeedbackItem.objects.filter(
            product=product,
            source_type=source.type,
            source_id=source.id,
            field_id=source.field_id,
            submission_id__in=list(asked),
        )
        there |= {asked[item.submission_id]: item for item in items}
    return there


@transaction.atomic
def store_drafts(
    product: Product,
    source: Source,
    drafts: Iterable[Draft],
    *,
    run: ImportRun | None = None,
    reporter_id: int | None = None,
) -> Stored:
    """Create what is new and update what has changed; numbers are given in the order of the drafts."""
    new, changed, same = plan(product, source, drafts)
    keys = known_as(product, [*new, *(draft for _, draft in changed)])
    created = [_item(product, source, draft, keys, run) for draft in new]
    for item, number in zip(created, next_numbers(product, "FB", len(created)) if created else (), strict=True):
        item.number = number
        item.reporter_id = reporter_id
    FeedbackItem.objects.bulk_create(created, batch_size=CHUNK)
    for item, draft in changed:
        _change(item, draft, keys)
    FeedbackItem.objects.bulk_update([item for item, _ in changed], _CHANGEABLE, batch_size=100)
    _find_highlights_again([item for item, _ in changed])
    return Stored(created, [item for item, _ in changed], same)


def _item(product: Product, source: Source, draft: Draft, keys: dict[str, str], run: ImportRun | None) -> FeedbackItem:
    item = FeedbackItem(
        product=product,
        source_type=source.type,
        source_id=source.id,
        source_name=source.name,
        field_id=source.field_id,
        submission_id=draft.own_id,
        flags=draft.flags,
        import_run=run,
    )
    _change(item, draft, keys)
    return item


def _change(item: FeedbackItem, draft: Draft, keys: dict[str, str]) -> None:
    """Everything but the variants in force: those belong to the moment when it was first said."""
    for name in (
        "text",
        "author_name",
        "rating",
        "language",
        "app_version",
        "url",
        "consent",
        "metadata",
        "content_hash",
    ):
        setattr(item, name, getattr(draft, name))
    item.person_key = keys.get(draft.person, draft.person)
    # A file that tells no time says nothing of it; at every other door it is said when it comes in.
    item.said_at_known = draft.said_at is not None or item.import_run_id is None
    if draft.said_at is not None or item._state.adding:
        item.said_at = draft.said_at or timezone.now()


def _find_highlights_again(items: Sequence[FeedbackItem]) -> None:
    """A text that changed where it came from keeps its highlights, as long as the marked words are still in it."""
    texts = {item.pk: item.text for item in items}
    for highlight in Highlight.objects.filter(item_id__in=list(texts)):
        text = texts[highlight.item_id]
        place = text.find(highlight.quote)
        if place >= 0 and not highlight.still_stands(text):
            highlight.start, highlight.end = place, place + len(highlight.quote)
            highlight.save(update_fields=["start", "end"])
