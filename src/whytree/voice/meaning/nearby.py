"""Which voices mean something like it? What is asked is held in memory, a byte a dimension, and read again where it changed."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whytree.engines.meaning import Codes, Embed, Places, Space, embed_of, nearest
from whytree.engines.themes.sentences import NoModel
from whytree.workspace.models import Product

from .constants import LEAST_LIKE, MOST_HELD, MOST_PASSAGES
from .models import MeaningShard, MeaningSpace, MeaningTalk

Passages = NDArray[np.int32]


@dataclass
class _Held:
    """One product's space as this process has it; shard number -> revision, ids, codes; a talk -> stamp, lines, codes."""

    pk: int
    space: Space
    embed: Embed | None
    shards: dict[int, tuple[int, Places, Codes]] = field(default_factory=dict)
    talks: dict[int, tuple[str, Passages, Codes]] = field(default_factory=dict)


_held: "OrderedDict[int, _Held]" = OrderedDict()
_lock = threading.Lock()


def near(product: Product, words: str, *, most: int, among: NDArray[np.int64] | None = None) -> list[int]:
    """Primary keys of voices that mean something like these words, the nearest first; of `among` where that is given.

    Nothing where nothing was learnt yet, or what is asked is not spoken of here.
    """
    with _lock:
        held = _fresh(product)
        if held is None:
            return []
        shards = [held.shards[number] for number in sorted(held.shards)]
    if not shards:
        return []
    place = held.space.place(words, held.embed)
    ids = np.concatenate([ids for _, ids, _ in shards])
    but = (ids == 0) if among is None else (ids == 0) | ~np.isin(ids, among)
    found, likeness = nearest([codes for *_, codes in shards], place, most=most, but=[but])
    return [int(pk) for pk, like in zip(ids[found], likeness, strict=True) if like >= LEAST_LIKE]


def near_talks(product: Product, words: str, *, most: int) -> dict[int, tuple[int, str]]:
    """Talks in which something like these words was said, the nearest first: a transcript's key -> the line where the
    passage begins, from 1, and the stamp of the words it is of.
    """
    with _lock:
        held = _fresh(product)
        if held is None:
            return {}
        _keep_talks_fresh(held)
        talks = list(held.talks.items())
    if not talks:
        return {}
    place = held.space.place(words, held.embed)
    of = np.repeat(np.arange(len(talks)), [len(lines) for _, (_, lines, _) in talks])
    found, likeness = nearest([codes for _, (*_, codes) in talks], place, most=MOST_PASSAGES)
    near: dict[int, tuple[int, str]] = {}
    for at, like in zip(found.tolist(), likeness.tolist(), strict=True):
        pk, (stamp, lines, _) = talks[of[at]]
        if like >= LEAST_LIKE and len(near) < most:
            near.setdefault(pk, (int(lines[at - np.searchsorted(of, of[at])]), stamp))
    return near


def _keep_talks_fresh(held: _Held) -> None:
    now = dict(MeaningTalk.objects.filter(space=held.pk).values_list("transcript", "stamp"))
    for pk in held.talks.keys() - now.keys():
        del held.talks[pk]
    changed = [pk for pk, stamp in now.items() if pk not in held.talks or held.talks[pk][0] != stamp]
    if changed:
        rows = MeaningTalk.objects.filter(space=held.pk, transcript__in=changed)
        for pk, stamp, lines, codes in rows.values_list("transcript", "stamp", "lines", "codes"):
            begins = np.frombuffer(lines, dtype=np.int32)
            rows_of = np.frombuffer(codes, dtype=np.int8).reshape(len(begins), held.space.axes.shape[1])
            held.talks[pk] = stamp, begins, rows_of


def _fresh(product: Product) -> _Held | None:
    """What this process holds, brought up to what the database has."""
    newest = MeaningSpace.objects.filter(product=product, ready=True).order_by("-pk")
    pk = newest.values_list("pk", flat=True).first()
    held = _held.get(product.pk)
    if pk is None:
        _held.pop(product.pk, None)
        return None
    if held is None or held.pk != pk:
        held = _open(pk)
        if held is None:
            return None
    known = {number: revision for number, (revision, *_) in held.shards.items()}
    now = dict(MeaningShard.objects.filter(space=pk).values_list("number", "revision"))
    for number in known.keys() - now.keys():
        del held.shards[number]
    changed = [number for number, revision in now.items() if known.get(number) != revision]
    if changed:
        rows = MeaningShard.objects.filter(space=pk, number__in=changed)
        for number, revision, ids, codes in rows.values_list("number", "revision", "ids", "codes"):
            held.shards[number] = _opened(revision, ids, codes)
    _held[product.pk] = held
    _held.move_to_end(product.pk)
    while len(_held) > MOST_HELD:
        _held.popitem(last=False)
    return held


def _open(pk: int) -> _Held | None:
    row = MeaningSpace.objects.filter(pk=pk).values_list("data", "model").first()
    if row is None:
        return None
    data, model = row
    try:
        return _Held(pk, Space.from_bytes(bytes(data)), embed_of(model))
    except NoModel:  # it was taken away; the job learns from the words then
        return None


def _opened(revision: int, ids: Any, codes: Any) -> tuple[int, Places, Codes]:
    places = np.frombuffer(ids, dtype=np.int64)
    return revision, places, np.frombuffer(codes, dtype=np.int8).reshape(len(places), -1)
