"""The inbox, a search, one item."""

import base64
import binascii
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Literal

import numpy as np
from django.core.cache import cache
from django.db.models import BigIntegerField, Case, Q, QuerySet, When
from django.db.models.functions import Cast, Now, Substr

from whytree.engines.meaning import fuse
from whytree.engines.texts.telling import language_name
from whytree.engines.texts.words import Query, find_spans, parse_query
from whytree.errors import Invalid, NotFound
from whytree.tree.models import EvidenceLink, Opportunity, SourceKind
from whytree.tree.queries import NodeKey, find_node, key_of, keys_below
from whytree.voice.meaning.nearby import near
from whytree.voice.models import FeedbackItem, ItemTag, Reading
from whytree.voice.narrowing import narrowed
from whytree.voice.search import matching
from whytree.workspace.models import Product

State = Literal["waiting", "asleep", "linked", "away", "all"]
STATES: dict[State, str] = {
    "waiting": "Waiting for a reader",
    "asleep": "Asleep",
    "linked": "Linked to a problem",
    "away": "Put away",
    "all": "All",
}

_REF = r"^FB-[0-9]{1,9}$"

PAGE = 30
COUNTED = 10_000
"""Counting stops here: a page says "10,000+" and stays quick with any number of voices."""


COMES_ALONG = ("product", "status", "assignee", "merged_into", "reading")

LANGUAGES_KEPT = 300
"""Seconds."""

MOST_PAGES = 40
"""Search results are paged by place, because they are ordered by rank; nobody reads the 41st page."""


@dataclass(frozen=True)
class Wanted:
    """Which voices one wants to see.

    `opportunity` is any node's ref; `plan`, `company` and `segment` (a cohort's key) are of the person who spoke; `version`
    the app's; `variant` a flag's as `flag:variant`; `language` a code as de, and `sentiment`, as a machine tells them;
    `since` and `until` days. `assignee` is a member's address, or "none". `only_words`: nothing that only means something
    like the words.
    """

    state: State = "waiting"
    words: str = ""
    source: str = ""
    rating: int | None = None
    person: str = ""
    opportunity: str = ""
    tag: str = ""
    status: str = ""
    assignee: str = ""
    plan: str = ""
    company: str = ""
    version: str = ""
    variant: str = ""
    since: str = ""
    until: str = ""
    segment: str = ""
    language: str = ""
    sentiment: str = ""
    only_words: bool = False

    @property
    def query(self) -> Query:
        return parse_query(self.words)

    @property
    def is_narrowed(self) -> bool:
        return any(getattr(self, name) not in ("", None) for name in self._narrowing) or bool(self.words.strip())

    @property
    def is_filtered(self) -> bool:
        """Whether anything but words says which voices are wanted."""
        return self.state != "all" or any(getattr(self, name) not in ("", None) for name in self._narrowing)

    @property
    def _narrowing(self) -> tuple[str, ...]:
        return tuple(one.name for one in fields(self) if one.name not in ("state", "words", "only_words"))

    @property
    def further(self) -> dict[str, str]:
        """What stands in the filters that are folded away."""
        return {name: getattr(self, name) for name in FURTHER if getattr(self, name)}


FURTHER = (
    "tag",
    "status",
    "assignee",
    "plan",
    "company",
    "segment",
    "version",
    "variant",
    "language",
    "sentiment",
    "since",
    "until",
)


@dataclass(frozen=True)
class Page:
    """Some of the items in their order, and the cursor of the next page when there is one.

    `by_meaning`: primary keys of those that lack the words and mean something like them.
    """

    items: list[FeedbackItem]
    next: str = ""
    by_meaning: frozenset[int] = frozenset()


def listed(product: Product, wanted: Wanted) -> QuerySet[FeedbackItem]:
    """The items one wants, the newest first; with words those that hold them, the best match first."""
    if wanted.state not in STATES:
        raise Invalid(f"There is no state “{wanted.state}”; there are {', '.join(STATES)}.")
    items = FeedbackItem.objects.filter(product=product).select_related(*COMES_ALONG)
    items = _in_state(product, items, wanted.state)
    if wanted.source:
        items = items.filter(source_name=without_nul(wanted.source))
    if wanted.rating is not None:
        items = items.filter(rating__gte=wanted.rating, rating__lt=wanted.rating + 1)
    if wanted.person:
        items = items.filter(person_key=without_nul(wanted.person))
    if wanted.opportunity:
        items = items.filter(number__in=linked_numbers(product, _nodes_meant(product, wanted.opportunity)))
    items = narrowed(product, items, wanted)
    if not wanted.words.strip():
        return items.order_by("-said_at", "-pk")
    if wanted.query.is_empty:
        return items.none()
    return matching(items, wanted.query)


MOST_FUSED = 200
"""Of either kind, how many are put into one order."""
NARROW = 20_000
"""So many voices that filters let through are looked at one by one; of more, those nearest in meaning are filtered afterwards."""
MOST_NEAR = 2_000


@dataclass(frozen=True)
class Head:
    """The beginning of a search's list: primary keys in their order, and which of them may lack the words.

    `is_known`: all that have the words are in the order; else some of `beyond` may have them, and stand behind the best.
    """

    order: list[int]
    beyond: frozenset[int] = frozenset()
    is_known: bool = True

    def by_meaning(self, items: Sequence[FeedbackItem], query: Query) -> frozenset[int]:
        """Of these items, those that lack the words. Asked of a page's items only: a common word is looked for once."""
        if self.is_known:
            return self.beyond
        return frozenset(item.pk for item in items if item.pk in self.beyond and not _holds(item, query))


def _holds(item: FeedbackItem, query: Query) -> bool:
    said = f"{item.text}\n{item.author_name}"
    return all(find_spans(said, Query((term,))) for term in query.wanted)


def fused_head(product: Product, wanted: Wanted, items: QuerySet[FeedbackItem]) -> Head:
    """Those with the words and those alike in meaning in one order (`engines.meaning.fuse`).

    A phrase in quotes is meant as it is written, and so is what asks for words only; nothing that holds an excluded word is alike.
    """
    query = wanted.query
    if query.is_empty or wanted.only_words or any(term.exact for term in query.wanted):
        return Head([])
    alike = _alike(product, wanted, query)
    if not alike:
        return Head([])
    held = [item.pk for item in items.only("pk").select_related(None)[:MOST_FUSED]]
    return Head(fuse(held, alike), frozenset(alike) - frozenset(held), len(held) < MOST_FUSED)


def _alike(product: Product, wanted: Wanted, query: Query) -> list[int]:
    words = " ".join(" ".join(term.words) for term in query.wanted)
    let_through = listed(product, replace(wanted, words="")).order_by().values_list("pk", flat=True)
    if not wanted.is_filtered:
        found = near(product, words, most=MOST_FUSED)
    elif len(some := list(let_through[: NARROW + 1])) <= NARROW:
        found = near(product, words, most=MOST_FUSED, among=np.array(some, dtype=np.int64))
    else:
        found = near(product, words, most=MOST_NEAR)
        passed = set(let_through.filter(pk__in=found))
        found = [pk for pk in found if pk in passed][:MOST_FUSED]
    if any(term.excluded for term in query.terms):
        held = Query(tuple(replace(term, excluded=False) for term in query.terms if term.excluded))
        texts = dict(FeedbackItem.objects.filter(pk__in=found).values_list("pk", "text"))
        found = [pk for pk in found if pk in texts and not find_spans(texts[pk], held)]
    return found


def without_nul(text: str) -> str:
    """What PostgreSQL can be asked for; nothing stored has a NUL in it."""
    return text.replace("\0", "")


AWAKE = Q(snoozed_until=None) | Q(snoozed_until__lte=Now())
WAITING = Q(handled_at=None, merged_into=None)
"""Nobody read it yet, and no other voice stands for it."""


def _in_state(product: Product, items: QuerySet[FeedbackItem], state: State) -> QuerySet[FeedbackItem]:
    if state == "waiting":
        return items.filter(AWAKE, WAITING)
    if state == "asleep":
        return items.filter(WAITING, snoozed_until__gt=Now())
    if state == "linked":
        return items.filter(number__in=linked_numbers(product))
    if state == "away":
        away = items.filter(handled_at__isnull=False, merged_into=None)
        return away.exclude(number__in=linked_numbers(product))
    return items


def linked_numbers(product: Product, nodes: Sequence[NodeKey] | None = None) -> QuerySet[Any, int]:
    """The numbers of the items that the tree holds as evidence, on these nodes or on any; asked of the tree, so that
    unlinking there counts here."""
    links = EvidenceLink.objects.filter(product=product, source_kind=SourceKind.FEEDBACK)
    if nodes is not None:
        on: dict[str, list[int]] = defaultdict(list)
        for kind, pk in nodes:
            on[kind].append(pk)
        links = links.filter(reduce(or_, (Q(node_kind=kind, node_id__in=pks) for kind, pks in on.items())))
    number = Case(When(source_id__regex=_REF, then=Cast(Substr("source_id", 4), BigIntegerField())))
    numbered = links.order_by().annotate(item_number=number).filter(item_number__isnull=False)
    return numbered.values_list("item_number", flat=True)


def _nodes_meant(product: Product, ref: str) -> list[NodeKey]:
    """An opportunity alone, as its page counts it; of any other node everything below it, too."""
    node = find_node(product, ref)
    return [key_of(node)] if isinstance(node, Opportunity) else keys_below(node)


def page_of(product: Product, wanted: Wanted, *, after: str = "", size: int = PAGE) -> Page:
    """One page. By time the cursor is the last item seen, so that page 5,000 is as quick as the first."""
    items = listed(product, wanted)
    if wanted.words.strip():
        return _page_by_place(product, wanted, items, after, size)
    if after:
        said_at, pk = _read_cursor(after)
        items = items.filter(said_at__lte=said_at).filter(Q(said_at__lt=said_at) | Q(pk__lt=pk))
    found = list(items[: size + 1])
    more = len(found) > size
    return Page(found[:size], _cursor(found[size - 1]) if more else "")


def _page_by_place(product: Product, wanted: Wanted, items: QuerySet[FeedbackItem], after: str, size: int) -> Page:
    """The best of those with the words and of those alike in meaning as one list; behind it all others with the words."""
    place = int(after) if after.isascii() and after.isdigit() else 0
    place = min(place, MOST_PAGES * size)
    head = fused_head(product, wanted, items)
    found = _in_order(head.order[place : place + size + 1])
    if len(found) <= size:
        rest = items.exclude(pk__in=head.order) if head.order else items
        begin = max(0, place - len(head.order))
        found += list(rest[begin : begin + size + 1 - len(found)])
    more = len(found) > size and place + size < MOST_PAGES * size
    return Page(found[:size], str(place + size) if more else "", head.by_meaning(found[:size], wanted.query))


def _in_order(pks: Sequence[int]) -> list[FeedbackItem]:
    """These, whether or not they hold the words."""
    if not pks:
        return []
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


def count(product: Product, wanted: Wanted) -> int:
    """How many there are, up to `COUNTED` + 1."""
    return listed(product, wanted).order_by()[: COUNTED + 1].count()


def waiting_count(product: Product) -> int:
    """How many voices nobody has read yet, exactly."""
    return FeedbackItem.objects.filter(AWAKE, WAITING, product=product).count()


def sources(product: Product) -> list[str]:
    """The names of the sources there are. Steps from name to name over the index, not over all items."""
    names: list[str] = []
    items = FeedbackItem.objects.filter(product=product)
    while len(names) < 100:
        later = items.filter(source_name__gt=names[-1]) if names else items
        name = later.order_by("source_name").values_list("source_name", flat=True).first()
        if name is None:
            break
        names.append(name)
    return [name for name in names if name]


def languages(product: Product) -> list[tuple[str, str]]:
    """Code and name of the languages that were told, by name; at most some minutes old, for it asks every reading there is."""
    key = f"voice.languages.{product.pk}"
    known: list[tuple[str, str]] | None = cache.get(key)
    if known is None:
        told = Reading.objects.filter(item__product=product).exclude(language="").order_by()
        codes = told.values_list("language", flat=True).distinct()
        known = sorted(((code, language_name(code)) for code in codes), key=lambda one: one[1])
        cache.set(key, known, LANGUAGES_KEPT)
    return known


def find_feedback(product: Product, number: int) -> FeedbackItem:
    item = (
        FeedbackItem.objects.filter(product=product, number=number)
        .select_related(
            "product", "import_run", "reporter", "handled_by", "status", "assignee", "merged_into", "reading"
        )
        .first()
    )
    if item is None:
        raise NotFound(f"There is no FB-{number} in {product.name}.")
    return item


def find_by_ref(product: Product, ref: str) -> FeedbackItem:
    """The item people call `ref`, as FB-12."""
    return find_feedback(product, _number_of(product, ref))


def _number_of(product: Product, ref: str) -> int:
    prefix, _, number = ref.strip().partition("-")
    if prefix.upper() != "FB" or not (number.isascii() and number.isdigit()) or len(number) > 9:
        raise NotFound(f"There is no {ref.strip()[:40] or 'such feedback'} in {product.name}.")
    return int(number)


def find_many(product: Product, refs: Sequence[str]) -> list[FeedbackItem]:
    """The items people call these, in that order; all of them or none."""
    numbers = [_number_of(product, ref) for ref in refs]
    items = FeedbackItem.objects.filter(product=product, number__in=numbers)
    found = items.select_related("product", "merged_into")
    by_number = {item.number: item for item in found}
    missing = next((number for number in numbers if number not in by_number), None)
    if missing is not None:
        raise NotFound(f"There is no FB-{missing} in {product.name}.")
    return [by_number[number] for number in dict.fromkeys(numbers)]


def tags_of(items: Sequence[FeedbackItem]) -> dict[int, list[str]]:
    """Primary key of an item -> the names of its tags."""
    found: dict[int, list[str]] = defaultdict(list)
    tagged = ItemTag.objects.filter(item__in=[item.pk for item in items]).order_by("tag__name")
    for pk, name in tagged.values_list("item_id", "tag__name"):
        found[pk].append(name)
    return found


def neighbour(product: Product, wanted: Wanted, item: FeedbackItem) -> FeedbackItem | None:
    """The next older item beside this one, among those one wants; at the end of the list the next newer one."""
    items = listed(product, replace(wanted, words="")).exclude(pk=item.pk)
    older = items.filter(said_at__lte=item.said_at).filter(Q(said_at__lt=item.said_at) | Q(pk__lt=item.pk))
    return older.first() or items.filter(said_at__gte=item.said_at).order_by("said_at", "pk").first()
