"""Let a machine tell language and sentiment of the items that nobody has asked about yet. In a process of its own."""

from collections.abc import Callable, Sequence

from django.db.models.functions import Left

from whytree.engines.texts.telling import MOST_READ, VERSION, Told, tell_all
from whytree.voice.models import FeedbackItem, Reading
from whytree.workspace.background.apart import run_apart

from .erasing import TOMBSTONE

BEGINNING = Left("text", MOST_READ)
"""What is read of a text: 20,000 of the longest would be two gigabytes."""

AT_ONCE = 20_000
CHUNK = 500

Tell = Callable[[Sequence[str]], list[Told]]


def tell_apart(texts: Sequence[str]) -> list[Told]:
    return run_apart(tell_all, list(texts))


def tell_waiting(*, tell: Tell = tell_apart) -> int:
    """Tell what was not told yet, or by an older version; how many. The newest first: those are looked at."""
    told = 0
    while rows := _waiting():
        answers = tell([text for _, text in rows])
        told += _store(rows, answers)
        if len(rows) < AT_ONCE:
            break
    return told


def _waiting() -> list[tuple[int, str]]:
    items = FeedbackItem.objects.exclude(reading__version__gte=VERSION).exclude(text=TOMBSTONE)
    return list(items.order_by("-pk").values_list("pk", BEGINNING)[:AT_ONCE])


def _store(rows: Sequence[tuple[int, str]], answers: Sequence[Told]) -> int:
    """Only where the text is still the one that was read: it may have been changed, erased or taken out meanwhile."""
    stored = 0
    for at in range(0, len(rows), CHUNK):
        some = dict(rows[at : at + CHUNK])
        now = dict(FeedbackItem.objects.filter(pk__in=list(some)).values_list("pk", BEGINNING))
        made = [
            Reading(item_id=pk, language=told.language, sentiment=told.sentiment, version=VERSION)
            for (pk, text), told in zip(rows[at : at + CHUNK], answers[at : at + CHUNK], strict=True)
            if now.get(pk) == text
        ]
        Reading.objects.bulk_create(
            made,
            update_conflicts=True,
            unique_fields=["item"],
            update_fields=["language", "sentiment", "version", "read_at"],
        )
        stored += len(made)
    return stored
