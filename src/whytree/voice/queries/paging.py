"""One page of the voices: by time, or the best of a search by words and by meaning together."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from django.db.models import Q

from whytree.engines.meaning import fuse
from whytree.engines.texts.words import Query, find_spans
from whytree.errors import Invalid
from whytree.voice.finding.search import best
from whytree.voice.meaning.nearby import near
from whytree.voice.models import FeedbackItem
from whytree.workspace.models import Product

from .inbox import COMES_ALONG, Wanted, let_through, listed

PAGE = 30

MOST_PAGES = 40
"""Search results are paged by place, because they are ordered by rank; nobody reads the 41st page."""

MOST_FUSED = 200
"""Of either kind, how many are put into one order."""
MOST_NEAR = 2_000
"""So many of those nearest in meaning are asked whether the filters let them through."""
NARROW = 20_000
"""Where these are too few, and the filters let no more than this through, the nearest of all that they let through are looked for."""


@dataclass(frozen=True)
class Page:
    """Some of the items in their order, and the cursor of the next page when there is one.

    `by_meaning`: primary keys of those that lack the words and mean something like them. `total`: how many have the words, at
    most `search.MOST_RANKED`; None where it was not asked.
    """

    items: list[FeedbackItem]
    next: str = ""
    by_meaning: frozenset[int] = frozenset()
    total: int | None = None


def page_of(product: Product, wanted: Wanted, *, after: str = "", size: int = PAGE) -> Page:
    """One page. By time the cursor is the last item seen, so that page 5,000 is as quick as the first."""
    if wanted.words.strip():
        return _found(product, wanted, after, size)
    items = listed(product, wanted)
    if after:
        said_at, pk = _read_cursor(after)
        items = items.filter(said_at__lte=said_at).filter(Q(said_at__lt=said_at) | Q(pk__lt=pk))
    found = list(items[: size + 1])
    more = len(found) > size
    return Page(found[:size], _cursor(found[size - 1]) if more else "")


def _found(product: Product, wanted: Wanted, after: str, size: int) -> Page:
    """The best of those with the words and of those alike in meaning as one order (`engines.meaning.fuse`); behind it the
    others with the words."""
    query = wanted.query
    if query.is_empty:
        return Page([], total=0)
    place = min(int(after) if after.isascii() and after.isdigit() else 0, MOST_PAGES * size)
    held, total = best(let_through(product, wanted), query, max(MOST_FUSED, place + size + 1))
    alike = _alike(product, wanted)
    head = fuse(held[:MOST_FUSED], alike)
    known = set(head)
    order = head + [pk for pk in held[MOST_FUSED:] if pk not in known]
    found = _in_order(order[place : place + size + 1])
    more = len(found) > size and place + size < MOST_PAGES * size
    beyond = set(alike) - set(held)
    if len(held) >= MOST_FUSED:  # some that are not among the best may have the words, too
        beyond = {item.pk for item in found if item.pk in beyond and not _holds(item, query)}
    return Page(found[:size], str(place + size) if more else "", frozenset(beyond), total)


def _holds(item: FeedbackItem, query: Query) -> bool:
    said = f"{item.text}\n{item.author_name}"
    return all(find_spans(said, Query((term,))) for term in query.wanted)


def _alike(product: Product, wanted: Wanted) -> list[int]:
    """Those alike in meaning, the nearest first.

    A phrase in quotes is meant as it is written, and so is what asks for words only; nothing that holds an excluded word is alike.
    """
    query = wanted.query
    if wanted.only_words or any(term.exact for term in query.wanted):
        return []
    found = _near(product, wanted, " ".join(" ".join(term.words) for term in query.wanted))
    if any(term.excluded for term in query.terms):
        held = Query(tuple(replace(term, excluded=False) for term in query.terms if term.excluded))
        texts = dict(FeedbackItem.objects.filter(pk__in=found).values_list("pk", "text"))
        found = [pk for pk in found if pk in texts and not find_spans(texts[pk], held)]
    return found


def _near(product: Product, wanted: Wanted, words: str) -> list[int]:
    """The nearest `MOST_FUSED` of those that the filters let through."""
    if not wanted.is_filtered:
        return near(product, words, most=MOST_FUSED)
    nearest = near(product, words, most=MOST_NEAR)
    among = FeedbackItem.objects.filter(pk__in=nearest)
    passed = set(let_through(product, wanted, among).values_list("pk", flat=True))
    found = [pk for pk in nearest if pk in passed][:MOST_FUSED]
    if len(found) == MOST_FUSED or len(nearest) < MOST_NEAR:
        return found  # none that is nearer was not asked
    some = list(let_through(product, wanted).values_list("pk", flat=True)[: NARROW + 1])
    return found if len(some) > NARROW else near(product, words, most=MOST_FUSED, among=np.array(some, dtype=np.int64))


def _in_order(pks: Sequence[int]) -> list[FeedbackItem]:
    """These, whether or not they hold the words."""
    rows = FeedbackItem.objects.filter(pk__in=pks).select_related(*COMES_ALONG)
    by_pk = {item.pk: item for item in rows}
    return [by_pk[pk] for pk in pks if pk in by_pk]


def _cursor(item: FeedbackItem) -> str:
    return base64.urlsafe_b64encode(f"{item.said_at.isoformat()} {item.pk}".encode()).decode().rstrip("=")


def _read_cursor(after: str) -> tuple[datetime, int]:
    try:
        text = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)).decode("ascii")
        said_at, _, pk = text.partition(" ")
        moment = datetime.fromisoformat(said_at)
        if moment.tzinfo is None or not 0 <= int(pk) < 2**63:
            raise ValueError(after)
        return moment, int(pk)
    except (ValueError, binascii.Error) as error:
        raise Invalid("This page of the list does not exist. Begin at the first one.") from error
