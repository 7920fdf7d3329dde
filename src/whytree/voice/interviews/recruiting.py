"""Whom to ask for a talk: people who did something, met a change, or have a problem we know too little about.

Nobody is asked who wants to be left alone or was asked for anything lately (`voice/contacts.py`), nor anybody of the team. Among the others
lots are drawn anew each week: those who use the product most are not the only ones worth hearing.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils import timezone

from whytree.analytics.cohorts.queries import find_cohort, rule_of, sentence_of
from whytree.analytics.saved.queries import struggle_of
from whytree.engines.confidence import TYPES, YEAR
from whytree.errors import Invalid, NotFound
from whytree.flags.models import Flag
from whytree.people.models import Person
from whytree.people.queries import people_by_key
from whytree.stores.exposed.exposures import NOT_IN_ROLLOUT
from whytree.stores.pieces import cohorts as stored
from whytree.stores.pieces.filters import Filter, Selection
from whytree.tree.models import EvidenceLink, Opportunity
from whytree.voice.arriving.authors import main_ids
from whytree.voice.contacts import Reach, reach_of
from whytree.voice.models import Interview
from whytree.voice.queries.speaking import SPOKEN, demand
from whytree.workspace.models import Product

MOST_LOOKED_AT = 2_000
"""Of a group; those seen last."""
MOST_PROPOSED = 200
OLD = TYPES["user_evidence"].half_life_years * YEAR
"""A voice older than its half-life counts for less than half."""
LATELY = timedelta(days=90)


@dataclass(frozen=True)
class Candidate:
    """Somebody to ask. `talks`: how many there were with them already."""

    key: str
    name: str
    email: str
    company: str
    reach: Reach
    talks: int = 0
    email_proved: bool = False


@dataclass(frozen=True)
class Found:
    """`group` says in words who was looked through; `resting` and `alone` how many of them are left in peace, and why."""

    group: str
    candidates: tuple[Candidate, ...]
    looked_at: int
    resting: int
    alone: int

    @property
    def unproved(self) -> bool:
        """Whether an address among them is only what a page or a mail said."""
        return any(one.email and not one.email_proved for one in self.candidates)


def candidates(
    product: Product,
    *,
    cohort: str = "",
    flags: Sequence[str] = (),
    opportunity: Opportunity | None = None,
    limit: int = 12,
    now: datetime | None = None,
) -> Found:
    """People of a cohort, who met all of these flags, or who have an opportunity's problem; those named must all hold."""
    if not 1 <= limit <= MOST_PROPOSED:
        raise Invalid(f"limit is a number from 1 to {MOST_PROPOSED}.")
    now = now or timezone.now()
    group, ids = _group(product, cohort, flags, opportunity)
    keys = list(dict.fromkeys(main_ids(product.pk, set(ids)).values())) if ids else []
    keys = [key for key in keys if not key.startswith("erased:") and len(key) <= 200]
    profiles = people_by_key(product, keys)
    ours = {key for key, person in profiles.items() if person.internal}
    spoken = _spoken_for(opportunity) if opportunity is not None else set()
    keys = [key for key in keys if key not in ours and key not in spoken]
    reach = reach_of(product, keys, now=now)
    free = sorted((key for key in keys if reach[key].may), key=lambda key: _lot(product, key, now))[:limit]
    talks = _talks(product, free)
    return Found(
        group,
        tuple(_candidate(key, profiles.get(key), reach[key], talks.get(key, 0)) for key in free),
        len(keys),
        sum(one.wish is not False and one.free_at is not None for one in reach.values()),
        sum(one.wish is False for one in reach.values()),
    )


def _group(
    product: Product, cohort: str, flags: Sequence[str], opportunity: Opportunity | None
) -> tuple[str, list[str]]:
    rules: list[stored.Rule] = []
    words = []
    if cohort:
        found = find_cohort(product, cohort)
        rules.append(rule_of(found))
        words.append(sentence_of(found))
    for flag in flags:
        rules.append(_met(product, flag))
        words.append(f"people who met {flag}")
    if opportunity is not None:
        struggle = struggle_of(product, opportunity)
        if struggle is not None:
            rules.append(stored.These(tuple(sorted(struggle.people.persons))))
            words.append(f"people who hit {opportunity.ref} and have not spoken for it")
        elif not rules:
            return _wrote_lately(product, opportunity)
    if not rules:
        raise Invalid("Say whom to look for: a cohort, a flag, or an opportunity.")
    rule = rules[0] if len(rules) == 1 else stored.Every(tuple(rules))
    return ", ".join(words), stored.newest(product.pk, rule, MOST_LOOKED_AT)


def _met(product: Product, flag: str) -> stored.Rule:
    key, _, variant = flag.partition(":")
    if not Flag.objects.filter(product=product, key=key).exists():
        raise NotFound(f"There is no flag {key[:80]!r} in {product.name}.")
    filters = [Filter("flag", "is", (key,)), Filter("reason", "is not", NOT_IN_ROLLOUT)]
    if variant:
        filters.append(Filter("variant", "is", (variant,)))
    return stored.Did(Selection(("$exposure",), tuple(filters)))


def _wrote_lately(product: Product, opportunity: Opportunity) -> tuple[str, list[str]]:
    """Without a signal of the problem: people we know and saw lately. One of them may have it."""
    seen = Person.objects.filter(product=product, merged_into=None, last_seen_at__gte=timezone.now() - LATELY)
    keys = list(seen.order_by("-last_seen_at").values_list("key", flat=True)[:MOST_LOOKED_AT])
    return f"known people seen in the last {LATELY.days} days: {opportunity.ref} has no struggle signal", keys


def _spoken_for(opportunity: Opportunity) -> set[str]:
    return {voice.key for voice in demand(opportunity).voices}


def _lot(product: Product, key: str, now: datetime) -> str:
    year, week, _ = now.isocalendar()
    return hashlib.sha256(f"{product.pk} {year}-{week} {key}".encode()).hexdigest()


def _talks(product: Product, keys: Sequence[str]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for key in Interview.objects.filter(product=product, person_key__in=keys).values_list("person_key", flat=True):
        counted[key] = counted.get(key, 0) + 1
    return counted


def _candidate(key: str, person: Person | None, reach: Reach, talks: int) -> Candidate:
    if person is None:
        return Candidate(key, key, "", "", reach, talks)
    return Candidate(key, str(person), person.email, person.company, replace(reach), talks, person.email_proved)


# Where a new talk is wanted most -----------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """An opportunity that asks for a new talk, and why."""

    opportunity: Opportunity
    people: int
    newest_at: datetime | None
    reason: str


def wanted_for(opportunity: Opportunity, *, now: datetime | None = None) -> Wanted | None:
    """Whether this one does: it rests on a single person, or its newest voice is older than its half-life."""
    return next(iter(_wanted([opportunity], now or timezone.now())), None)


def opportunities_wanting_a_talk(product: Product, *, now: datetime | None = None, limit: int = 10) -> list[Wanted]:
    """Open opportunities that rest on old or single voices; those in focus first."""
    open_ones = Opportunity.objects.filter(product=product, closed_at=None).select_related("product")
    return _wanted(list(open_ones.order_by("-in_focus", "number")[:500]), now or timezone.now())[:limit]


def _wanted(opportunities: Sequence[Opportunity], now: datetime) -> list[Wanted]:
    if not opportunities:
        return []
    links = EvidenceLink.objects.filter(
        product=opportunities[0].product_id,
        node_kind=Opportunity.prefix,
        node_id__in=[one.pk for one in opportunities],
        source_kind__in=SPOKEN,
        stance="supports",
    )
    said: dict[int, dict[str, datetime]] = {}
    for link in links:
        whose = link.person_key or f"{link.source_kind}:{link.source_id or link.pk}"
        people = said.setdefault(link.node_id, {})
        people[whose] = max(link.said_or_added_at, people.get(whose, link.said_or_added_at))
    return [found for one in opportunities if (found := _reason(one, said.get(one.pk, {}), now)) is not None]


def _reason(opportunity: Opportunity, people: dict[str, datetime], now: datetime) -> Wanted | None:
    """Nobody at all is no case for a second voice: the opportunity's page says that already."""
    if not people:
        return None
    newest = max(people.values())
    if now - newest > OLD:
        months = round((now - newest) / (YEAR / 12))
        return Wanted(opportunity, len(people), newest, f"its newest voice is {months} months old")
    if len(people) == 1:
        return Wanted(opportunity, 1, newest, "one person's word is all there is")
    return None
