"""Take a voice's place away with its words, and ask for another where it has other words now."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from django.db import transaction
from django.utils import timezone

from whytree.workspace.background.jobs import enqueue
from whytree.workspace.models import Product

from .models import MeaningShard, MeaningSpace

JOB = "voice.place"
PLACE_AFTER = timedelta(seconds=20)
"""What comes in meanwhile is placed with it."""


def ask_to_place(product: Product) -> None:
    """Soon, and once for all that comes in until then."""
    enqueue(JOB, {"product": product.pk}, key=str(product.pk), run_after=timezone.now() + PLACE_AFTER)


def forget_words(product: Product) -> None:
    """Somebody's words went for good: a space that was learnt from them too holds parts of them, and makes room for another, soon."""
    if MeaningSpace.objects.filter(product=product).update(learnt_from=0):
        ask_to_place(product)


@transaction.atomic
def forget_places(product: Product, items: Sequence[int], *, gone: bool = True) -> None:
    """These voices' places go, now. Not `gone`: they are placed anew where their words lie now."""
    if not items:
        return
    near = MeaningShard.objects.select_for_update().filter(
        space__product=product, first__lte=max(items), last__gte=min(items)
    )
    for shard in near:
        ids = np.frombuffer(shard.ids, dtype=np.int64).copy()
        theirs = np.isin(ids, items)
        if not theirs.any():
            continue
        codes = np.frombuffer(shard.codes, dtype=np.int8).reshape(len(ids), -1).copy()
        ids[theirs], codes[theirs] = 0, 0
        shard.ids, shard.codes, shard.revision = ids.tobytes(), codes.tobytes(), shard.revision + 1
        shard.save(update_fields=["ids", "codes", "revision"])
    if not gone:
        MeaningSpace.objects.filter(product=product).update(has_holes=True)
