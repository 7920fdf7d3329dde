"""Who speaks for an opportunity, each person counted once; and what some people told us."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from django.db.models import Exists, OuterRef

from whytree.people.queries import PeopleRef, keys_among
from whytree.tree.models import EvidenceLink, Importance, Opportunity, SourceKind
from whytree.voice.arriving.authors import main_keys
from whytree.voice.models import FeedbackItem, Interview, InterviewSnapshot
from whytree.workspace.models import Product

from .inbox import linked_numbers

SPOKEN = (SourceKind.FEEDBACK, SourceKind.INTERVIEW)
"""Where a person speaks: each counts once, however they told us."""

MOST_LOOKED_AT = 1_000
"""Of one group's items; among the newest ones are those that speak for an opportunity."""

ANSWERS = frozenset({"loop", "survey"})
"""Sources in which people answer what we asked."""


@dataclass(frozen=True)
class Linked:
    """An item's place in the tree."""

    link: EvidenceLink
    opportunity: Opportunity

    @property
    def importance_word(self) -> str:
        return Importance(self.link.importance).label


def links_of(spoken: Sequence[FeedbackItem] | Sequence[Interview]) -> dict[str, list[Linked]]:
    """Ref of an item or a talk -> the opportunities it speaks for. All are of one product."""
    if not spoken:
        return {}
    links = EvidenceLink.objects.filter(
        product=spoken[0].product_id,
        source_kind=SourceKind.INTERVIEW if isinstance(spoken[0], Interview) else SourceKind.FEEDBACK,
        source_id__in=[one.ref for one in spoken],
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
    interview: Interview | None = None

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


def demand(opportunity: Opportunity, *, between: tuple[datetime, datetime] | None = None) -> Demand:
    """Productboard's rule: each person counts once, the latest of what they said wins.

    Latest is what was said last; of two things said at the same time, the one that was linked last. `between` counts only
    what was said from then to then.
    """
    links = EvidenceLink.objects.filter(
        product=opportunity.product_id,
        node_kind=opportunity.prefix,
        node_id=opportunity.pk,
        source_kind__in=SPOKEN,
        stance="supports",
        **({"said_at__range": between} if between else {}),
    ).order_by("-said_at", "-pk")
    keys = main_keys(opportunity.product_id, {link.person_key for link in links})
    items, talks = _items_of(opportunity.product, links), _talks_of(opportunity.product, links)
    return Demand(_counted_once(links, keys, items, talks))


def _items_of(product: Product, links: Iterable[EvidenceLink]) -> dict[str, FeedbackItem]:
    numbers = [int(link.source_id[3:]) for link in links if link.source_id[3:].isdigit()]
    items = FeedbackItem.objects.filter(product=product, number__in=numbers).select_related("product")
    return {item.ref: item for item in items}


def _talks_of(product: Product, links: Iterable[EvidenceLink]) -> dict[str, Interview]:
    numbers = [int(link.source_id[4:]) for link in links if link.source_id[4:].isdigit()]
    if not numbers:
        return {}
    told = Exists(InterviewSnapshot.objects.filter(interview=OuterRef("pk")))
    talks = Interview.objects.filter(product=product, number__in=numbers).annotate(has_snapshot=told)
    return {talk.ref: talk for talk in talks}


def _counted_once(
    links: Iterable[EvidenceLink],
    keys: dict[str, str],
    items: dict[str, FeedbackItem],
    talks: dict[str, Interview],
) -> list[Voice]:
    voices: dict[str, Voice] = {}
    for link in links:
        key = keys.get(link.person_key, link.person_key) or link.source_id
        if key in voices:
            voices[key] = replace(voices[key], earlier=voices[key].earlier + 1)
        else:
            voices[key] = Voice(key, link, items.get(link.source_id), interview=talks.get(link.source_id))
    return sorted(voices.values(), key=lambda voice: -voice.importance)


def items_of_person(product: Product, person_keys: Sequence[str], limit: int = 20) -> list[FeedbackItem]:
    """What a person told us, the newest first; `person_keys` are all ids they go by."""
    items = FeedbackItem.objects.filter(product=product, person_key__in=[key for key in person_keys if key])
    return list(
        items.select_related("product", "reading").prefetch_related("remarks").order_by("-said_at", "-pk")[:limit]
    )


def items_of_people(product: Product, group: PeopleRef, limit: int) -> tuple[list[FeedbackItem], int]:
    """What some people told us, and how many of them did: what they said unasked before what answers a question of ours, of
    that what is evidence of something first, then the newest."""
    keys = FeedbackItem.objects.filter(product=product).exclude(person_key="").values_list("person_key", flat=True)
    theirs = keys_among(product, keys.distinct(), group.persons)
    newest = FeedbackItem.objects.filter(product=product).exclude(person_key="").order_by("-said_at", "-pk")
    # read until enough are found: there may be more ids than a database takes in one question
    found = list(
        islice((item for item in newest.iterator(chunk_size=500) if item.person_key in theirs), MOST_LOOKED_AT)
    )
    linked = set(linked_numbers(product)) if found else set()
    found.sort(key=lambda item: (item.source_type in ANSWERS, item.number not in linked))
    return found[:limit], len(theirs)
