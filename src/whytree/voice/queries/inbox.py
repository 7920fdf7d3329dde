"""The inbox, a search, one item."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import reduce
from operator import or_
from typing import Any, Literal

from django.core.cache import cache
from django.db.models import BigIntegerField, Case, Q, QuerySet, When
from django.db.models.functions import Cast, Now, Substr

from whytree.engines.texts.telling import language_name
from whytree.engines.texts.words import Query, parse_query
from whytree.errors import Invalid, NotFound
from whytree.tree.models import EvidenceLink, Opportunity, SourceKind
from whytree.tree.queries import NodeKey, find_node, key_of, keys_below
from whytree.voice.finding.narrowing import narrowed
from whytree.voice.finding.search import matching
from whytree.voice.models import FeedbackItem, ItemTag, Reading
from whytree.voice.models.items import ASIDE
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

COUNTED = 10_000
"""Counting stops here: a page says "10,000+" and stays quick with any number of voices."""


COMES_ALONG = ("product", "status", "assignee", "merged_into", "reading")

LANGUAGES_KEPT = 300
"""Seconds."""


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


def listed(product: Product, wanted: Wanted) -> QuerySet[FeedbackItem]:
    """The items one wants, the newest first; with words those that hold them, the best match first."""
    items = let_through(product, wanted).select_related(*COMES_ALONG)
    if not wanted.words.strip():
        return items.order_by("-said_at", "-pk")
    if wanted.query.is_empty:
        return items.none()
    return matching(items, wanted.query)


def let_through(
    product: Product, wanted: Wanted, among: QuerySet[FeedbackItem] | None = None
) -> QuerySet[FeedbackItem]:
    """Those whom all but the words let through, in no order; of `among`, some of the product's, where that is given."""
    if wanted.state not in STATES:
        raise Invalid(f"There is no state “{wanted.state}”; there are {', '.join(STATES)}.")
    items = FeedbackItem.objects.filter(product=product) if among is None else among
    items = _in_state(product, items, wanted.state)
    if wanted.source:
        items = items.filter(source_name=without_nul(wanted.source))
    if wanted.rating is not None:
        items = items.filter(rating__gte=wanted.rating, rating__lt=wanted.rating + 1)
    if wanted.person:
        items = items.filter(person_key=without_nul(wanted.person))
    if wanted.opportunity:
        items = items.filter(number__in=linked_numbers(product, _nodes_meant(product, wanted.opportunity)))
    return narrowed(product, items, wanted).order_by()


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


def count(product: Product, wanted: Wanted) -> int:
    """How many there are, up to `COUNTED` + 1."""
    return listed(product, wanted).order_by().values("pk")[: COUNTED + 1].count()


def waiting_count(product: Product) -> int:
    """How many voices nobody has read yet, exactly; by indexes alone, however many there are."""
    unread = FeedbackItem.objects.filter(product=product, handled_at=None)
    aside = unread.filter(ASIDE).filter(Q(merged_into__isnull=False) | Q(snoozed_until__gt=Now()))
    return unread.count() - aside.count()


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
