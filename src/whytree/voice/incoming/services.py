"""Make the secret, make another one, close the door; and take a message that was signed with it."""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from whytree.engines.tables import RowError, UnreadableTable
from whytree.errors import Invalid, NotFound, TooLarge
from whytree.voice.arriving.drafts import FeedbackFields
from whytree.voice.importing.files import Asked, open_by_kept
from whytree.voice.models import VoiceSettings
from whytree.voice.services import Added, add_many, kept_mappings
from whytree.workspace.models import Product
from whytree.workspace.outside import uploaded, webhooks
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .models import FeedbackMessage, FeedbackWebhook

MOST_ROWS = 1_000
OVERLAP = timedelta(days=1)
"""How long the secret before holds, so that nothing is lost while the other side changes it."""
KEPT_FOR = timedelta(days=7)
"""How long a message is known again. Senders that follow the standard give up after three days."""

_OWN = {*FeedbackFields.__annotations__, "source_type", "source_id", "source_name"}


def make_secret(actor: Actor, product: Product) -> tuple[FeedbackWebhook, str]:
    """Open the door, or change its secret; the secret is returned to be shown this once."""
    require(actor, product, Role.MAINTAINER)
    secret = webhooks.new_secret()
    with transaction.atomic():
        found = FeedbackWebhook.objects.select_for_update().filter(product=product).first()
        is_new = found is None
        found = found or FeedbackWebhook(product=product)
        found.previous, found.secret, found.made_at = found.secret, secret, timezone.now()
        found.save()
        verb = "open_feedback_webhook" if is_new else "rotate_feedback_webhook"
        record(actor, product, verb, found, after=_shown(found), undoable=False)
    return found, secret


def close_webhook(actor: Actor, product: Product) -> None:
    """No message is taken any more; what came by it stays."""
    require(actor, product, Role.MAINTAINER)
    with transaction.atomic():
        found = FeedbackWebhook.objects.filter(product=product).first()
        if found is None:
            raise NotFound("There is no webhook for feedback here.")
        record(actor, product, "close_feedback_webhook", found, before=_shown(found), after={}, undoable=False)
        found.delete()


def _shown(webhook: FeedbackWebhook) -> dict[str, str]:
    """Without the secret: the activity list is read by all."""
    return {"made_at": webhook.made_at.isoformat()}


def find_webhook(product: Product) -> FeedbackWebhook | None:
    return FeedbackWebhook.objects.filter(product=product).first()


@dataclass
class Taken:
    """What became of a message: refs of what is new and changed, how many were known, what was refused and left out."""

    recognised: str = ""
    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)


def take_message(webhook: FeedbackWebhook, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Store what a signed message says, once; the same message again gets the same answer.

    Raises as `webhooks.checked`, and `Invalid` where nothing in it can be taken: then it may be sent again.
    """
    known = [webhook.secret]
    if webhook.previous and webhook.made_at > timezone.now() - OVERLAP:
        known.append(webhook.previous)
    message_id = webhooks.checked(headers, body, known)
    with transaction.atomic():
        message, is_new = FeedbackMessage.objects.get_or_create(product=webhook.product, message_id=message_id)
        if not is_new:
            before: dict[str, Any] = message.answer
            return before
        message.answer = answer = asdict(_take(webhook.product, body))
        message.save(update_fields=["answer"])
        FeedbackWebhook.objects.filter(pk=webhook.pk).update(taken_at=message.taken_at)
    return answer


def forget_messages() -> int:
    """Messages that nobody sends again."""
    return FeedbackMessage.objects.filter(taken_at__lt=timezone.now() - KEPT_FOR).delete()[0]


def _take(product: Product, body: bytes) -> Taken:
    actor = Actor(None, "feedback webhook", "api", product_id=product.pk)
    said = _json(body)
    rows = said if isinstance(said, list) else [said]
    if all(isinstance(row, dict) and "text" in row and row.keys() <= _OWN for row in rows):
        taken = Taken()
        whole = [{"source_type": "webhook", "source_name": "webhook", **row} for row in rows]
    else:
        taken, whole = _read(product, body)
    if len(whole) + len(taken.refused) > MOST_ROWS:
        raise TooLarge(f"That are more than {MOST_ROWS:,} voices; send at most {MOST_ROWS:,} at once.")
    added = add_many(actor, product, items=whole)
    if added.refused and not (added.created or added.updated or added.unchanged):
        raise Invalid(added.refused[0].reason)
    return _told(taken, added)


def _told(taken: Taken, added: Added) -> Taken:
    taken.created, taken.updated = ([item.ref for item in items] for items in (added.created, added.updated))
    taken.unchanged = added.unchanged
    taken.refused += [{"index": one.index, "reason": one.reason} for one in added.refused]
    return taken


def _json(body: bytes) -> Any:
    """None for what is no JSON document, as one object a line."""
    try:
        return json.loads(body)
    except RecursionError as error:
        raise Invalid("The body is nested too deeply.") from error
    except ValueError:
        return None


@contextmanager
def _as_file(body: bytes) -> Iterator[Path]:
    """Readers of exports read files."""
    path: Path = uploaded.folder() / f"{secrets.token_hex(16)}.json"
    path.write_bytes(body)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _read(product: Product, body: bytes) -> tuple[Taken, list[dict[str, Any]]]:
    """A document of a system we know, or whatever rows it has, as `add_many` takes them."""
    asked = Asked(name="webhook", team=tuple(VoiceSettings.of(product).team))
    taken, whole = Taken(), []
    with _as_file(body) as path:
        try:
            file = open_by_kept(path, asked, kept_mappings(product))
            kind = file.kind if file.recognised else "webhook"
            source = {"source_type": kind, "source_id": file.source_id, "source_name": file.source}
            for at, one in enumerate(file):
                if isinstance(one, RowError):
                    taken.refused.append({"index": at, "reason": one.reason})
                else:
                    whole.append({**source, **one.values})
                if at >= MOST_ROWS:
                    break
        except UnreadableTable as error:
            told = str(error).replace(path.name, "The message").replace("The file", "The message")
            raise Invalid(told.replace(" (--text COLUMN)", "")) from error
        taken.recognised = file.recognised.name if file.recognised else "columns guessed"
        taken.left_out = dict(file.left_out)
    if not whole and taken.refused:
        raise Invalid(taken.refused[0]["reason"])
    return taken, whole
