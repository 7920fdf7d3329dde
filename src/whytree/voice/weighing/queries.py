"""Four rankings of the open opportunities, and where they disagree.

votes       each voice or talk that speaks for it, and where a portal counted votes for that voice, all of those
people      each person once
revenue     what the companies of these people pay, each company once
prevalence  who hit it in 28 days, as its struggle signal tells, of all who were active in them
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from whytree.analytics.saved.queries import STRUGGLE_DAYS, struggle_of
from whytree.engines.stats.answers import Estimate, NoAnswer
from whytree.engines.stats.groups import proportion
from whytree.engines.weighing import Disagreement, disagreements, rank
from whytree.errors import Unavailable
from whytree.people.models import Person
from whytree.people.queries import people_by_key
from whytree.stores.usage.mix import mix_since
from whytree.tree.models import EvidenceLink, Opportunity, Stance
from whytree.voice.arriving.authors import main_keys
from whytree.voice.models import FeedbackItem, VoiceSettings
from whytree.voice.queries.speaking import SPOKEN
from whytree.workspace.background.fresh import kept
from whytree.workspace.models import Product

REMEMBERED = 600
"""Seconds for which measured prevalence is remembered: each is a question to the event store, and it moves slowly."""

CHUNK = 5_000
MOST_VOTES = 10_000_000
RANKINGS = {
    "votes": "votes",
    "people": "people",
    "revenue": "revenue",
    "prevalence": "measured prevalence",
}

_WORDS = {
    ("votes", "people"): "few voices gathered many votes",
    ("votes", "revenue"): "many vote for it, and they pay little",
    ("votes", "prevalence"): "many vote for it, and few have the problem",
    ("people", "votes"): "many people say it, each for themselves",
    ("people", "revenue"): "many say it, and they pay little",
    ("people", "prevalence"): "many say it, and few have the problem",
    ("revenue", "votes"): "few ask for it, and they pay much",
    ("revenue", "people"): "few say it, and they pay much",
    ("revenue", "prevalence"): "those who pay much say it, and few have the problem",
    ("prevalence", "votes"): "many have the problem, and few ask for it",
    ("prevalence", "people"): "many have the problem, and few say so",
    ("prevalence", "revenue"): "many have the problem, and those who say so pay little",
}


@dataclass(frozen=True)
class Weight:
    """One opportunity. None is no answer: nobody's revenue is known, there is no signal, the event store is away."""

    opportunity: Opportunity
    votes: int
    people: int
    companies: int
    revenue: float | None
    payers: int
    prevalence: Estimate | None
    hit: int | None

    @property
    def measured(self) -> str:
        """ "6.8 %"; its interval is `between`."""
        return _percent(self.prevalence.value) if self.prevalence else ""

    @property
    def between(self) -> str:
        return f"{_percent(self.prevalence.low)} to {_percent(self.prevalence.high)}" if self.prevalence else ""

    def value(self, ranking: str) -> float | None:
        if ranking == "prevalence":
            return self.prevalence.value if self.prevalence else None
        value: float | None = getattr(self, ranking)
        return value


@dataclass(frozen=True)
class Told:
    """A disagreement with its opportunity and its sentence."""

    opportunity: Opportunity
    found: Disagreement

    @property
    def sentence(self) -> str:
        """ "many have the problem, and few say so: 1st of 5 by measured prevalence, 4th by people"."""
        one = self.found
        places = f"{ordinal(one.high_place)} of {one.among} by {RANKINGS[one.high]}, {ordinal(one.low_place)} by {RANKINGS[one.low]}"
        return f"{_WORDS[one.high, one.low]}: {places}"


@dataclass(frozen=True)
class Weighed:
    """`active` people in the last days; None while the event store does not answer. `places` by ranking and ref."""

    weights: list[Weight]
    places: dict[str, dict[str, int]]
    told: list[Told]
    active: int | None
    revenue_trait: str


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def ordinal(place: int) -> str:
    """1st, 2nd, 3rd, 11th, 21st."""
    ending = "th" if 10 <= place % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"


def weigh(product: Product, by: str = "people") -> Weighed:
    """The open opportunities that anybody speaks for or that a signal measures, in the order of one of `RANKINGS`."""
    trait = VoiceSettings.of(product).revenue_trait
    opportunities = list(Opportunity.objects.filter(product=product, closed_at=None).select_related("product"))
    links = _links(product)
    votes = _votes(product, [link for some in links.values() for link in some])
    profiles = _profiles(product, [link for some in links.values() for link in some])
    active = _active(product)
    weights = []
    for one in opportunities:
        weight = _weight(one, links.get(one.pk, []), votes, profiles, trait, active)
        if weight.people or weight.hit is not None:
            weights.append(weight)
    values = {name: {one.opportunity.ref: one.value(name) for one in weights} for name in RANKINGS}
    places = {name: rank(values[name]) for name in RANKINGS}
    by_ref = {one.opportunity.ref: one.opportunity for one in weights}
    last = len(weights) + 1
    weights.sort(key=lambda one: (places[by].get(one.opportunity.ref, last), -one.people, one.opportunity.number))
    return Weighed(weights, places, [Told(by_ref[one.of], one) for one in disagreements(values)], active, trait)


def _links(product: Product) -> dict[int, list[EvidenceLink]]:
    """Primary key of an opportunity -> what speaks for it: voices and talks, as on its own page."""
    found: dict[int, list[EvidenceLink]] = defaultdict(list)
    rows = EvidenceLink.objects.filter(
        product=product, node_kind=Opportunity.prefix, source_kind__in=SPOKEN, stance=Stance.SUPPORTS
    )
    for link in rows.only("node_id", "source_id", "person_key"):
        found[link.node_id].append(link)
    return found


def _votes(product: Product, links: Iterable[EvidenceLink]) -> dict[str, int]:
    """Ref of a voice -> how many votes a portal or tracker counted for it, where it did."""
    numbers = sorted({int(link.source_id[3:]) for link in links if link.source_id[3:].isdigit()})
    found = {}
    for at in range(0, len(numbers), CHUNK):
        items = FeedbackItem.objects.filter(product=product, number__in=numbers[at : at + CHUNK])
        for number, metadata in items.exclude(metadata={}).values_list("number", "metadata"):
            counted = _number(metadata.get("votes"))
            if counted is not None and 0 < counted <= MOST_VOTES:
                found[f"FB-{number}"] = int(counted)
    return found


def _profiles(product: Product, links: Iterable[EvidenceLink]) -> dict[str, Person]:
    """Key on a link -> who that is by now."""
    keys = sorted({link.person_key for link in links if link.person_key and not link.is_erased})
    found: dict[str, Person] = {}
    for at in range(0, len(keys), CHUNK):
        found |= people_by_key(product, keys[at : at + CHUNK])
    return found


def _weight(
    opportunity: Opportunity,
    links: Sequence[EvidenceLink],
    votes: dict[str, int],
    profiles: dict[str, Person],
    trait: str,
    active: int | None,
) -> Weight:
    keys = main_keys(opportunity.product_id, {link.person_key for link in links})
    people = {keys.get(link.person_key, link.person_key) or link.source_id for link in links}
    known = {profiles[link.person_key].pk: profiles[link.person_key] for link in links if link.person_key in profiles}
    pays = paying(known.values(), trait)
    hit = None if active is None else _hit(opportunity)
    prevalence = None if hit is None or active is None else proportion(hit, max(active, hit))
    return Weight(
        opportunity=opportunity,
        votes=sum(max(1, votes.get(link.source_id, 1)) for link in links),
        people=len(people),
        companies=len({person.company.casefold() for person in known.values() if person.company}),
        revenue=math.fsum(pays.values()) if pays else None,
        payers=len(pays),
        prevalence=None if isinstance(prevalence, NoAnswer) else prevalence,
        hit=hit,
    )


def paying(people: Iterable[Person], trait: str) -> dict[str, float]:
    """Who pays what, by company, or by person where no company is known: the most that anybody of it was said to pay.

    Colleagues carry the same figure of their company; adding them up would count it as often as somebody spoke.
    """
    found: dict[str, float] = {}
    for person in people:
        pays = _number(person.traits.get(trait))
        if pays is not None and pays >= 0:
            payer = f"company {person.company.casefold()}" if person.company else f"person {person.key}"
            found[payer] = max(pays, found.get(payer, 0.0))
    return found


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(str(value).strip().replace(",", ""))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _active(product: Product) -> int | None:
    since = timedelta(days=STRUGGLE_DAYS)
    try:
        return kept("active", [product.pk], REMEMBERED, lambda: mix_since(product.pk, timezone.now() - since).people)
    except Unavailable:
        return None


def _hit(opportunity: Opportunity) -> int | None:
    if not opportunity.struggle_signal:
        return None
    try:
        struggle = struggle_of(opportunity.product, opportunity)
    except Unavailable:
        return None
    return struggle.people.total if struggle else None
