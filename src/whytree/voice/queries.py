"""What may be asked of the voices: the inbox, a search, one item, and who speaks for an opportunity."""

import base64
import binascii
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from django.db.models import BigIntegerField, Case, Q, QuerySet, When
from django.db.models.functions import Cast, Substr

from whytree.engines.text import Query, parse_query
from whytree.errors import Invalid, NotFound
from whytree.people.queries import PeopleRef, keys_among
from whytree.tree.models import EvidenceLink, Importance, Opportunity, SourceKind
from whytree.voice.authors import main_keys
from whytree.voice.models import FeedbackItem
from whytree.voice.search import matching
from whytree.workspace.models import Product

State = Literal["waiting", "linked", "away", "all"]
STATES: dict[State, str] = {
    "waiting": "Waiting for a reader",
    "linked": "Linked to a problem",
    "away": "Put away",
    "all": "All",
}

_REF = r"^FB-[0-9]{1,9}$"

PAGE = 30
COUNTED = 10_000
"""Counting stops here: a page says "10,000+" and stays quick with any number of voices."""

MOST_LOOKED_AT = 1_000
"""Of one group's items; among the newest ones are those that speak for an opportunity."""

MOST_PAGES = 40
"""Search results are paged by place, because they are ordered by rank; nobody reads the 41st page."""


@dataclass(frozen=True)
class Wanted:
    """Which voices one wants to see."""

    state: State = "waiting"
    words: str = ""
    source: str = ""
    rating: int | None = None
    person: str = ""
    opportunity: str = ""

    @property
    def query(self) -> Query:
        return parse_query(self.words)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.words.strip() or self.source or self.rating is not None or self.person or self.opportunity)


@dataclass(frozen=True)
class Page:
    """Some of the items in their order, and the cursor of the next page when there is one."""

    items: list[FeedbackItem]
    next: str = ""


def listed(product: Product, wanted: Wanted) -> QuerySet[FeedbackItem]:
    """The items one wants, the newest first; with words, the best match first."""
    if wanted.state not in STATES:
        raise Invalid(f"There is no state “{wanted.state}”; there are {', '.join(STATES)}.")
    items = FeedbackItem.objects.filter(product=product).select_related("product")
    items = _in_state(product, items, wanted.state)
    if wanted.source:
        items = items.filter(source_name=without_nul(wanted.source))
    if wanted.rating is not None:
        items = items.filter(rating__gte=wanted.rating, rating__lt=wanted.rating + 1)
    if wanted.person:
        items = items.filter(person_key=without_nul(wanted.person))
    if wanted.opportunity:
        items = items.filter(number__in=linked_numbers(product, _opportunity_pk(product, wanted.opportunity)))
    if not wanted.words.strip():
        return items.order_by("-said_at", "-pk")
    if wanted.query.is_empty:
        return items.none()
    return matching(items, wanted.query)


def without_nul(text: str) -> str:
    """What PostgreSQL can be asked for; nothing stored has a NUL in it."""
    return text.replace("\0", "")


def _in_state(product: Product, items: QuerySet[FeedbackItem], state: State) -> QuerySet[FeedbackItem]:
    if state == "waiting":
        return items.filter(handled_at=None)
    if state == "linked":
        return items.filter(number__in=linked_numbers(product))
    if state == "away":
        return items.filter(handled_at__isnull=False).exclude(number__in=linked_numbers(product))
    return items


def linked_numbers(product: Product, opportunity_pk: int | None = None) -> QuerySet[Any, int]:
    """The numbers of the items that the tree holds as evidence; asked of the tree, so that unlinking there counts here."""
    links = EvidenceLink.objects.filter(product=product, source_kind=SourceKind.FEEDBACK)
    if opportunity_pk is not None:
        links = links.filter(node_kind=Opportunity.prefix, node_id=opportunity_pk)
    number = Case(When(source_id__regex=_REF, then=Cast(Substr("source_id", 4), BigIntegerField())))
    numbered = links.order_by().annotate(item_number=number).filter(item_number__isnull=False)
    return numbered.values_list("item_number", flat=True)


def _opportunity_pk(product: Product, ref: str) -> int:
    number = ref.upper().removeprefix("OPP-")
    found = Opportunity.objects.filter(product=product, number=int(number)).first() if number.isdecimal() else None
    if found is None:
        raise NotFound(f"There is no opportunity {ref[:20]} in {product.name}.")
    return found.pk


def page_of(product: Product, wanted: Wanted, *, after: str = "", size: int = PAGE) -> Page:
    """One page. By time the cursor is the last item seen, so that page 5,000 is as quick as the first."""
    items = listed(product, wanted)
    if wanted.words.strip():
        return _page_by_place(items, after, size)
    if after:
        said_at, pk = _read_cursor(after)
        items = items.filter(said_at__lte=said_at).filter(Q(said_at__lt=said_at) | Q(pk__lt=pk))
    found = list(items[: size + 1])
    more = len(found) > size
    return Page(found[:size], _cursor(found[size - 1]) if more else "")


def _page_by_place(items: QuerySet[FeedbackItem], after: str, size: int) -> Page:
    place = int(after) if after.isascii() and after.isdigit() else 0
    place = min(place, MOST_PAGES * size)
    found = list(items[place : place + size + 1])
    more = len(found) > size and place + size < MOST_PAGES * size
    return Page(found[:size], str(place + size) if more else "")


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
    return FeedbackItem.objects.filter(product=product, handled_at=None).count()


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


def find_feedback(product: Product, number: int) -> FeedbackItem:
    item = (
        FeedbackItem.objects.filter(product=product, number=number)
        .select_related("product", "import_run", "reporter", "handled_by")
        .first()
    )
    if item is None:
        raise NotFound(f"There is no FB-{number} in {product.name}.")
    return item


def find_by_ref(product: Product, ref: str) -> FeedbackItem:
    """The item people call `ref`, as FB-12."""
    prefix, _, number = ref.strip().partition("-")
    if prefix.upper() != "FB" or not (number.isascii() and number.isdigit()) or len(number) > 9:
        raise NotFound(f"There is no {ref.strip()[:40] or 'such feedback'} in {product.name}.")
    return find_feedback(product, int(number))


@dataclass(frozen=True)
class Linked:
    """An item's place in the tree."""

    link: EvidenceLink
    opportunity: Opportunity

    @property
    def importance_word(self) -> str:
        return Importance(self.link.importance).label


def links_of(items: Sequence[FeedbackItem]) -> dict[str, list[Linked]]:
    """Item ref -> the opportunities it is linked to."""
    if not items:
        return {}
    links = EvidenceLink.objects.filter(
        product=items[0].product_id,
        source_kind=SourceKind.FEEDBACK,
        source_id__in=[item.ref for item in items],
        node_kind=Opportunity.prefix,
    )
    opportunities = Opportunity.objects.select_related("product").in_bulk([link.node_id for link in links])
    found: dict[str, list[Linked]] = defaultdict(list)
    for link in links:
        if link.node_id in opportunities:
            found[link.source_id].append(Linked(link, opportunities[link.node_id]))
    return found


@dataclass(frozen=True)
class Voice:
    """One person (or one anonymous item) speaking for an opportunity: counted once, with what they said last."""

    key: str
    latest: EvidenceLink
    item: FeedbackItem | None
    earlier: int = 0

    @property
    def importance(self) -> int:
        return self.latest.importance

    @property
    def importance_word(self) -> str:
        return Importance(self.importance).label

    @property
    def is_anonymous(self) -> bool:
        return not self.latest.person_key


@dataclass(frozen=True)
class Demand:
    """Who asks for an opportunity. `importance` adds up 0 to 3, once a person."""

    voices: list[Voice]

    @property
    def people(self) -> int:
        return len(self.voices)

    @property
    def anonymous(self) -> int:
        return sum(voice.is_anonymous for voice in self.voices)

    @property
    def importance(self) -> int:
        return sum(voice.importance for voice in self.voices)

    @property
    def facts(self) -> str:
        """How many find it how important, the most important first, and how many nobody knows: `2 critical · 1 important`."""
        counted = Counter(voice.importance for voice in self.voices)
        steps = [f"{counted[step]} {step.label}" for step in reversed(Importance) if counted[step]]
        return " · ".join([*steps, *([f"{self.anonymous} without a known name"] if self.anonymous else [])])


def demand(opportunity: Opportunity) -> Demand:
    """Productboard's rule: each person counts once, the latest of what they said wins.

    Latest is what was said last; of two things said at the same time, the one that was linked last.
    """
    links = EvidenceLink.objects.filter(
        product=opportunity.product_id,
        node_kind=opportunity.prefix,
        node_id=opportunity.pk,
        source_kind=SourceKind.FEEDBACK,
        stance="supports",
    ).order_by("-said_at", "-pk")
    keys = main_keys(opportunity.product_id, {link.person_key for link in links})
    return Demand(_counted_once(links, keys, _items_of(opportunity.product, links)))


def _items_of(product: Product, links: Iterable[EvidenceLink]) -> dict[str, FeedbackItem]:
    numbers = [int(link.source_id[3:]) for link in links if link.source_id[3:].isdigit()]
    items = FeedbackItem.objects.filter(product=product, number__in=numbers).select_related("product")
    return {item.ref: item for item in items}


def _counted_once(links: Iterable[EvidenceLink], keys: dict[str, str], items: dict[str, FeedbackItem]) -> list[Voice]:
    voices: dict[str, Voice] = {}
    for link in links:
        key = keys.get(link.person_key, link.person_key) or link.source_id
        if key in voices:
            voices[key] = replace(voices[key], earlier=voices[key].earlier + 1)
        else:
            voices[key] = Voice(key, link, items.get(link.source_id))
    return sorted(voices.values(), key=lambda voice: -voice.importance)


def items_of_person(product: Product, person_keys: Sequence[str], limit: int = 20) -> list[FeedbackItem]:
    """What a person told us, the newest first; `person_keys` are all ids they go by."""
    items = FeedbackItem.objects.filter(product=product, person_key__in=[key for key in person_keys if key])
    return list(items.select_related("product").order_by("-said_at", "-pk")[:limit])


def items_of_people(product: Product, group: PeopleRef, limit: int) -> tuple[list[FeedbackItem], int]:
    """What some people told us, and how many of them did: what speaks for an opportunity first, then the newest."""
    keys = FeedbackItem.objects.filter(product=product).exclude(person_key="").values_list("person_key", flat=True)
    theirs = keys_among(product, keys.distinct(), group.persons)
    newest = FeedbackItem.objects.filter(product=product).exclude(person_key="").order_by("-said_at", "-pk")
    # read until enough are found: there may be more ids than a database takes in one question
    found = list(
        islice((item for item in newest.iterator(chunk_size=500) if item.person_key in theirs), MOST_LOOKED_AT)
    )
    linked = set(linked_numbers(product)) if found else set()
    return sorted(found, key=lambda item: item.number not in linked)[:limit] if theirs else [], len(theirs)


def neighbour(product: Product, wanted: Wanted, item: FeedbackItem) -> FeedbackItem | None:
    """The next older item beside this one, among those one wants; at the end of the list the next newer one."""
    items = listed(product, replace(wanted, words="")).exclude(pk=item.pk)
    older = items.filter(said_at__lte=item.said_at).filter(Q(said_at__lt=item.said_at) | Q(pk__lt=item.pk))
    return older.first() or items.filter(said_at__gte=item.said_at).order_by("said_at", "pk").first()
