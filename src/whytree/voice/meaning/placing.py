"""Give every voice its place: learns a space where there is none or it is outgrown, and places what has no place.

The work is done in a process of its own, some thousands at a time; what was placed is stored before the next are read.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Left

from whytree.engines.meaning import VERSION, Codes, codes_with, learn_with
from whytree.engines.themes.texts import MOST_READ
from whytree.voice.models import FeedbackItem
from whytree.voice.services.erasing import TOMBSTONE
from whytree.workspace.background.apart import run_apart
from whytree.workspace.models import Product

from .forgetting import forget_places
from .models import SHARD, MeaningShard, MeaningSpace
from .talks import place_talks

AT_ONCE = 20_000
CHUNK = 500
OUTGROWN = 4
"""A space that was learnt from a quarter of what there is now is learnt anew; below `LEARN_OFTEN` voices at twice as many."""
LEARN_OFTEN = 2_000

BEGINNING = Left("text", MOST_READ)

Apart = Callable[..., Any]
Ids = np.ndarray[Any, np.dtype[np.int64]]


def keep_places(product: Product, *, thoroughly: bool = False, apart: Apart = run_apart) -> int:
    """Place what has no place yet; how many. `thoroughly` looks through all, for what slipped by."""
    space = _space(product, apart)
    if space is None:
        return 0
    if thoroughly:
        _mark_holes(space)
    placed = 0
    while rows := _waiting(space):
        codes = apart(codes_with, bytes(space.data), space.model, [text for _, text in rows])
        placed += _store(space, rows, codes)
    place_talks(space, apart)
    if not space.ready:
        MeaningSpace.objects.filter(pk=space.pk).update(ready=True)
        MeaningSpace.objects.filter(product=product).exclude(pk=space.pk).delete()
    return placed


def _space(product: Product, apart: Apart) -> MeaningSpace | None:
    """The one that is filled: as it is, or a new one where that is outgrown, or read by something else than is set now."""
    model = settings.WHYTREE.sentence_model
    there = MeaningSpace.objects.filter(product=product).order_by("-pk").first()
    voices = FeedbackItem.objects.filter(product=product)
    count = voices.count()
    if there is not None and there.learnt_from and (there.version, there.model) == (VERSION, model):
        factor = OUTGROWN if there.learnt_from >= LEARN_OFTEN else 2
        if not there.ready or count < factor * there.learnt_from:
            return there
    forgotten = voices.filter(text=TOMBSTONE)
    were = forgotten.count()
    data = apart(learn_with, _drawn(voices.exclude(text=TOMBSTONE), count), model)
    if data is None:
        MeaningSpace.objects.filter(product=product, learnt_from=0).delete()
        return None
    learnt_from = (
        count if forgotten.count() == were else 0
    )  # somebody was forgotten meanwhile: the next look learns anew
    return MeaningSpace.objects.create(
        product=product, version=VERSION, model=model, data=data, learnt_from=learnt_from
    )


def _drawn(voices: Any, count: int) -> list[str]:
    """At most `AT_ONCE` texts, from all ages alike."""
    pks = list(voices.order_by("pk").values_list("pk", flat=True))
    chosen = pks[:: max(1, -(-count // AT_ONCE))]
    texts: list[str] = []
    for at in range(0, len(chosen), CHUNK):
        texts += voices.filter(pk__in=chosen[at : at + CHUNK]).order_by("pk").values_list(BEGINNING, flat=True)
    return texts


def _waiting(space: MeaningSpace) -> list[tuple[int, str]]:
    space.refresh_from_db(fields=["newest", "has_holes"])
    voices = FeedbackItem.objects.filter(product=space.product_id).exclude(text=TOMBSTONE).order_by("pk")
    if not space.has_holes:
        return list(voices.filter(pk__gt=space.newest).values_list("pk", BEGINNING)[:AT_ONCE])
    placed = [np.frombuffer(ids, dtype=np.int64) for ids in space.shards.values_list("ids", flat=True)]
    there = np.fromiter(voices.values_list("pk", flat=True).iterator(), dtype=np.int64)
    known = np.concatenate(placed) if placed else np.zeros(0, dtype=np.int64)
    forget_places(space.product, np.setdiff1d(known[known > 0], there).tolist())
    missing = np.setdiff1d(there, known).tolist()
    if len(missing) <= AT_ONCE:
        MeaningSpace.objects.filter(pk=space.pk).update(has_holes=False)
    rows: list[tuple[int, str]] = []
    for at in range(0, min(len(missing), AT_ONCE), CHUNK):
        rows += voices.filter(pk__in=missing[at : at + CHUNK][: AT_ONCE - at]).values_list("pk", BEGINNING)
    return rows


def _mark_holes(space: MeaningSpace) -> None:
    MeaningSpace.objects.filter(pk=space.pk).update(has_holes=True)


@transaction.atomic
def _store(space: MeaningSpace, rows: Sequence[tuple[int, str]], codes: Codes) -> int:
    """Only where the text is still the one that was read: it may have been changed or erased meanwhile."""
    MeaningSpace.objects.select_for_update().get(pk=space.pk)
    same = _unchanged(rows)
    kept = np.fromiter((same.get(pk, False) for pk, _ in rows), dtype=bool, count=len(rows))
    ids = np.array([pk for pk, _ in rows], dtype=np.int64)[kept]
    codes = codes[kept]
    there = _there(space, ids)  # another worker may have been at it
    ids, codes = ids[~there], codes[~there]
    if len(ids):
        _append(space, ids, codes)
    newest = max(space.newest, rows[-1][0])
    MeaningSpace.objects.filter(pk=space.pk).update(newest=newest, **({} if kept.all() else {"has_holes": True}))
    return len(ids)


def _there(space: MeaningSpace, ids: Ids) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if not len(ids):
        return np.zeros(0, dtype=bool)
    near = space.shards.filter(first__lte=int(ids.max()), last__gte=int(ids.min())).values_list("ids", flat=True)
    placed = [np.frombuffer(one, dtype=np.int64) for one in near]
    return np.isin(ids, np.concatenate(placed)) if placed else np.zeros(len(ids), dtype=bool)


def _unchanged(rows: Sequence[tuple[int, str]]) -> dict[int, bool]:
    found: dict[int, bool] = {}
    for at in range(0, len(rows), CHUNK):
        some = dict(rows[at : at + CHUNK])
        now = dict(FeedbackItem.objects.filter(pk__in=list(some)).values_list("pk", BEGINNING))
        # one that is gone altogether is no hole
        found |= {pk: now[pk] == text for pk, text in some.items() if pk in now and now[pk] != TOMBSTONE}
    return found


def _append(space: MeaningSpace, ids: Ids, codes: Codes) -> None:
    """Fill the last shard up, then begin new ones."""
    last = space.shards.order_by("-number").first()
    taken = 0
    if last is not None:
        taken = min(SHARD - len(last.ids) // 8, len(ids))
        if taken > 0:
            last.ids, last.codes = bytes(last.ids) + ids[:taken].tobytes(), bytes(last.codes) + codes[:taken].tobytes()
            last.first, last.last = min(last.first, int(ids[:taken].min())), max(last.last, int(ids[:taken].max()))
            last.revision += 1
            last.save()
    number = last.number if last is not None else 0
    MeaningShard.objects.bulk_create(
        MeaningShard(
            space=space,
            number=number + 1 + at // SHARD,
            first=int(ids[taken:][at : at + SHARD].min()),
            last=int(ids[taken:][at : at + SHARD].max()),
            ids=ids[taken:][at : at + SHARD].tobytes(),
            codes=codes[taken:][at : at + SHARD].tobytes(),
        )
        for at in range(0, len(ids) - taken, SHARD)
    )
