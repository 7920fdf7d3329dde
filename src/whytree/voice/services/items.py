"""Take feedback in one by one, and put it away when it was read."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Unpack

from django.db import transaction
from django.utils import timezone

from whytree.errors import Invalid, TooLarge, WhytreeError
from whytree.voice.arriving.drafts import Draft, FeedbackFields, Source, draft
from whytree.voice.models import NAME_LENGTH, Consent, FeedbackItem, VoiceSettings
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role
from whytree.workspace.sockets import variants_in_force

from .storing import store_drafts

MOST_AT_ONCE = 1_000
#: As late as a support tool or a queue passes words on; later than that flags may have changed since.
STILL_IN_FORCE = timedelta(hours=1)

_SOURCE_FIELDS = {"source_type": "type", "source_id": "id", "source_name": "name", "field_id": "field_id"}


@dataclass(frozen=True)
class Refused:
    """One of many that was not taken."""

    index: int
    reason: str


@dataclass(frozen=True)
class Added:
    """What became of a list of feedback: who is new, changed, known, and what was refused."""

    created: list[FeedbackItem]
    updated: list[FeedbackItem]
    unchanged: int
    refused: list[Refused]


def add_feedback(
    actor: Actor, product: Product, *, source: Source, reporter_id: int | None = None, **fields: Unpack[FeedbackFields]
) -> FeedbackItem:
    """One thing one person said. Sent again with the same `submission_id`, it changes the item instead of making another.

    `reporter_id` is who passes it on, when that is not who said it. The flag variants in force for the person are kept
    with it, unless the sender knows better and names them.
    """
    require(actor, product, Role.MEMBER)
    kinds = VoiceSettings.of(product).redact
    checked = _with_context(product, draft(fields, now=timezone.now())).without_personal(kinds)
    with transaction.atomic():
        stored = store_drafts(product, _checked_source(source), [checked], reporter_id=reporter_id)
        for item in stored.created:
            record(actor, product, "add_feedback", item)
        for item in stored.updated:
            record(actor, product, "change_feedback", item, after=snapshot(item), undoable=False)
    if stored.unchanged:
        return FeedbackItem.objects.select_related("product").get(pk=stored.unchanged[0])
    return (stored.created or stored.updated)[0]


def add_many(actor: Actor, product: Product, *, items: Sequence[dict[str, Any]]) -> Added:
    """A list of feedback, each with its source in it; one that cannot be taken is named, the others are taken."""
    require(actor, product, Role.MEMBER)
    if len(items) > MOST_AT_ONCE:
        raise TooLarge(f"That are {len(items):,} items; send at most {MOST_AT_ONCE:,} at once.")
    by_source, refused = _sorted_by_source(product, items)
    created: list[FeedbackItem] = []
    updated: list[FeedbackItem] = []
    unchanged = 0
    with transaction.atomic():
        for source, drafts in by_source.items():
            stored = store_drafts(product, source, drafts)
            created += stored.created
            updated += stored.updated
            unchanged += len(stored.unchanged)
        if created or updated:
            refs = [item.ref for item in (*created, *updated)]
            record(actor, product, "add_feedback", product, after={"items": refs}, undoable=False)
    return Added(created, updated, unchanged, refused)


def _sorted_by_source(
    product: Product, items: Sequence[dict[str, Any]]
) -> tuple[dict[Source, list[Draft]], list[Refused]]:
    by_source: dict[Source, list[Draft]] = defaultdict(list)
    refused: list[Refused] = []
    now, kinds = timezone.now(), VoiceSettings.of(product).redact
    for index, item in enumerate(items):
        fields = dict(item)
        try:
            source = _checked_source(Source(**{name: str(fields.pop(key, "")) for key, name in _SOURCE_FIELDS.items()}))
            by_source[source].append(_with_context(product, draft(fields, now=now)).without_personal(kinds))
        except WhytreeError as error:
            refused.append(Refused(index, error.message))
    return by_source, refused


def _checked_source(source: Source) -> Source:
    """`api` when nothing was said; lengths as the columns have them."""
    for value in (source.type, source.id, source.name, source.field_id):
        if len(value) > NAME_LENGTH or "\0" in value:
            raise Invalid(f"The name of a source is one line of at most {NAME_LENGTH} characters.")
    if len(source.type) > 40:
        raise Invalid("source_type is one word, as api, support or review.")
    return source if source.type.strip() else replace(source, type="api")


def _with_context(product: Product, checked: Draft) -> Draft:
    """An id of its own when it came without one (two people may say the same thing), and the variants in force."""
    if not checked.submission_id:
        checked = replace(checked, submission_id=str(uuid.uuid4()))
    if checked.person and not checked.flags and _is_fresh(checked):
        checked = replace(checked, flags=variants_in_force(product.pk, checked.person))
    return checked


def _is_fresh(checked: Draft) -> bool:
    """Said just now: of what was said before nobody knows here which variants were in force then."""
    return checked.said_at is None or timezone.now() - checked.said_at < STILL_IN_FORCE


def put_away(actor: Actor, item: FeedbackItem) -> FeedbackItem:
    """Read, and nothing to link: it waits no longer."""
    return _set_handled(actor, item, "put_away", waiting=False)


def bring_back(actor: Actor, item: FeedbackItem) -> FeedbackItem:
    """It waits for a reader again."""
    return _set_handled(actor, item, "bring_back", waiting=True)


def _set_handled(actor: Actor, item: FeedbackItem, verb: str, *, waiting: bool) -> FeedbackItem:
    require(actor, item.product, Role.MEMBER)
    if item.is_waiting == waiting:
        return item
    with transaction.atomic():
        before = snapshot(item)
        mark_handled(item, None if waiting else actor)
        record(actor, item.product, verb, item, before=before, after=snapshot(item))
    return item


def mark_handled(item: FeedbackItem, actor: Actor | None) -> None:
    """Store who dealt with it; None brings it back."""
    item.handled_at = None if actor is None else timezone.now()
    item.handled_by_id = None if actor is None else actor.user_id
    item.save(update_fields=["handled_at", "handled_by"])


def set_consent(actor: Actor, item: FeedbackItem, consent: str) -> FeedbackItem:
    """What the person who said it allows us to do with their words."""
    require(actor, item.product, Role.MEMBER)
    if consent not in Consent.values:
        raise Invalid(f"Consent is one of {', '.join(Consent.values)}.")
    if item.consent == consent:
        return item
    with transaction.atomic():
        before = snapshot(item)
        item.consent = Consent(consent)
        item.save(update_fields=["consent"])
        record(actor, item.product, "set_consent", item, before=before, after=snapshot(item))
    return item
