"""What may be asked of a board. What the public may see is told in one place: `public_posts`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Count, F, Q, QuerySet

from whytree.engines.meaning import fuse
from whytree.engines.texts.words import parse_query
from whytree.errors import NotFound
from whytree.voice.finding.alike import similar
from whytree.voice.finding.search import matching
from whytree.voice.meaning.nearby import near
from whytree.voice.models import FeedbackItem
from whytree.workspace.models import Product

from .models import Board, Entry, EntryKind, EntryState, News, Progress, first_line

ORDERS = {"votes": "Most votes", "newest": "Newest"}
PAGE = 30
SIMILAR = 4
NEWS = 50


@dataclass(frozen=True)
class Asked:
    """Which posts: by words, by what the team says of them; in which order."""

    words: str = ""
    progress: str = ""
    order: str = "votes"
    page: int = 1


def open_board(slug: str) -> Board:
    """The board behind an address; a closed one is not there."""
    found = Board.objects.filter(product__slug=slug, is_open=True).select_related("product").first()
    if found is None:
        raise NotFound("There is no board here.")
    return found


def public_posts(product: Product) -> QuerySet[Entry]:
    """What anybody may see, with how many people want it (the author, too)."""
    return _posts(product).filter(state=EntryState.PUBLIC)


def _posts(product: Product) -> QuerySet[Entry]:
    votes = Count("below", filter=Q(below__kind=EntryKind.VOTE))
    comments = Count("below", filter=Q(below__kind=EntryKind.COMMENT, below__state=EntryState.PUBLIC))
    posts = Entry.objects.filter(item__product=product, kind=EntryKind.POST).select_related("item__product")
    return posts.annotate(votes=votes + 1, comments=comments)


def page_of(product: Product, asked: Asked) -> tuple[list[Any], bool]:
    """One page of what is public, and whether there is another."""
    posts = public_posts(product)
    if asked.progress in Progress.values:
        posts = posts.filter(progress=asked.progress)
    posts = posts.order_by(*(("-item__said_at",) if asked.order == "newest" else ("-votes", "-item__said_at")))
    begin = (max(1, min(asked.page, 1_000)) - 1) * PAGE
    if asked.words.strip():
        by_pk = {post.pk: post for post in posts}
        found = [by_pk[pk] for pk in _found(product, asked.words, list(by_pk))]
    else:
        found = list(posts[: begin + PAGE + 1])
    return found[begin : begin + PAGE], len(found) > begin + PAGE


def _found(product: Product, words: str, among: Sequence[int]) -> list[int]:
    """Those with the words and those that mean something like it."""
    query = parse_query(words)
    if query.is_empty or not among:
        return []
    public = FeedbackItem.objects.filter(product=product, board_entry__kind=EntryKind.POST)
    held = list(matching(public, query).values_list("pk", flat=True))
    alike = near(product, words, most=PAGE, among=np.array(among, dtype=np.int64))
    may = set(among)
    return fuse([pk for pk in held if pk in may], alike)


def similar_posts(product: Product, title: str, words: str = "") -> list[Entry]:
    """Public posts that may ask for the same, those with a title like this one first. Voices that are not on the board never show."""
    text = f"{title} {words}".strip()[:2_000]
    posts = {post.pk: post for post in public_posts(product)}
    if not posts or len(text) < 4:
        return []
    alike = [*similar(product, title[:200], limit=40, part=first_line), *similar(product, text, limit=40)]
    by_words = [pk for pk in dict.fromkeys(one.item.pk for one in alike) if pk in posts]
    by_meaning = near(product, text, most=SIMILAR, among=np.array(list(posts), dtype=np.int64))
    return [posts[pk] for pk in fuse(by_words, by_meaning)[:SIMILAR]]


def find_public(product: Product, number: int) -> Any:
    found = public_posts(product).filter(item__number=number).first()
    if found is None:
        raise NotFound("There is no such post on this board.")
    return found


def find_entry(product: Product, ref: str) -> Entry:
    """A post or comment by its item's ref, whatever its state."""
    prefix, _, number = ref.strip().partition("-")
    entries = (
        Entry.objects.filter(item__product=product)
        .exclude(kind=EntryKind.VOTE)
        .select_related("item__product", "post__item")
    )
    is_one = prefix.upper() == "FB" and number.isascii() and number.isdigit() and len(number) < 10
    found = entries.filter(item__number=int(number)).first() if is_one else None
    if found is None:
        raise NotFound(f"There is no {ref.strip()[:40] or 'such post'} on the board of {product.name}.")
    return found


def comments_of(post: Entry) -> list[Entry]:
    below = Entry.objects.filter(post=post, kind=EntryKind.COMMENT, state=EntryState.PUBLIC)
    return list(below.select_related("item").order_by("item__said_at", "pk"))


def news_of(post: Entry) -> list[News]:
    """What was said of it, the newest first; answers with their words."""
    return list(News.objects.filter(post=post).select_related("remark", "post__item"))


def newest_news(product: Product) -> list[News]:
    """For the feed: of what is public now."""
    news = News.objects.filter(post__item__product=product, post__state=EntryState.PUBLIC)
    return list(news.select_related("remark", "post__item__product")[:NEWS])


def waiting(product: Product) -> list[Entry]:
    """What waits for a reader before it may stand on the board, the oldest first."""
    entries = Entry.objects.filter(item__product=product, state=EntryState.WAITING).exclude(kind=EntryKind.VOTE)
    return list(entries.select_related("item__product", "post__item").order_by("item__said_at", "pk")[:200])


def waiting_count(product: Product) -> int:
    words = (EntryKind.POST, EntryKind.COMMENT)
    waiting = Entry.objects.filter(kind__in=words, state=EntryState.WAITING)
    return waiting.filter(item__product=product).count() if waiting.exists() else 0


def has_voted(post: Entry, person_key: str) -> bool:
    """Who wrote it wants it, too."""
    if not person_key:
        return False
    theirs = Q(pk=post.pk) | Q(post=post, kind=EntryKind.VOTE)
    return Entry.objects.filter(theirs, item__person_key=person_key).exists()


def voted_among(posts: Sequence[Entry], person_key: str) -> set[int]:
    """Of these posts' keys, those this person wants."""
    if not person_key:
        return set()
    pks = [post.pk for post in posts]
    theirs = Entry.objects.filter(Q(pk__in=pks) | Q(post__in=pks, kind=EntryKind.VOTE), item__person_key=person_key)
    return {post or pk for pk, post in theirs.values_list("pk", "post_id")}


def all_posts(product: Product) -> QuerySet[Entry]:
    """For the team: public ones and refused ones, most wanted first."""
    return _posts(product).exclude(state=EntryState.WAITING).order_by(F("votes").desc(), "-item__said_at")
