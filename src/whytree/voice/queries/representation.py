"""Who speaks for an opportunity, against who uses, by plan, tenure and more; and whether few companies speak for all."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache
from django.db.models import Count
from django.utils import timezone

from whytree.engines.representation import Compared, Concentration, compare, concentration
from whytree.people.identity import person_hash
from whytree.people.models import Person
from whytree.people.queries import people_by_key
from whytree.stores.errors import StoreUnavailable
from whytree.stores.identity.people import overrides_of
from whytree.stores.usage.mix import Mix, mix_since
from whytree.tree.models import Opportunity
from whytree.workspace.models import Product

from .speaking import demand

USERS_OF = timedelta(days=28)
SPEAKERS_OF = timedelta(days=365)
REMEMBERED = 600
"""Seconds for which who uses the product is remembered: it moves slowly, and counting everybody is work."""

SHOWN = 5


@dataclass(frozen=True)
class Kind:
    """One way to part people, and how those who speak differ from those who use."""

    word: str
    compared: Compared

    @property
    def sentence(self) -> str:
        """ "pro: 83 % of these voices, 10 % of your users"; empty where nothing is worth telling."""
        share = self.compared.furthest
        if share is None:
            return ""
        return f"{share.name}: {share.of_voices:.0%} of these voices, {share.of_users:.0%} of your users".replace(
            "%", " %"
        )


@dataclass(frozen=True)
class Representation:
    """`known` of `people` have an id. `kinds` are those of which enough is known on both sides."""

    people: int
    known: int
    kinds: list[Kind]
    few: Concentration | None
    store_answers: bool = True

    @property
    def warnings(self) -> list[str]:
        """In words, the most telling first."""
        told = []
        if self.few is not None:
            number = len(self.few.companies)
            from_them = f"{number} companies" if number > 1 else "one company"
            told.append(f"{self.few.share * 100:.0f} % of this evidence comes from {from_them}")
        return told + [kind.sentence for kind in self.telling]

    @property
    def telling(self) -> list[Kind]:
        return [kind for kind in self.kinds if kind.sentence]

    @property
    def quiet(self) -> list[Kind]:
        return [kind for kind in self.kinds if not kind.sentence]

    @property
    def is_known(self) -> bool:
        return bool(self.kinds) or self.few is not None


def representation_of(opportunity: Opportunity) -> Representation:
    """Over-heard or under-heard? Each person counts once."""
    product = opportunity.product
    heard = demand(opportunity)
    keys = [voice.key for voice in heard.voices if not voice.is_anonymous]
    profiles = list(people_by_key(product, keys).values())
    plans = Counter(person.plan for person in profiles)
    kinds = [Kind("plan", compare(plans, _users_by_plan(product)))]
    answers = True
    try:
        spoke, use = _mix_of(product, keys), _mix_of_users(product)
        kinds += [
            Kind("tenure", compare(spoke.tenure, use.tenure)),
            Kind("platform", compare(spoke.platform, use.platform)),
            Kind("country", compare(spoke.country, use.country)),
            Kind("locale", compare(spoke.locale, use.locale)),
            Kind("activity", compare(spoke.activity, use.activity)),
        ]
    except StoreUnavailable:
        answers = False
    return Representation(
        heard.people,
        len(keys),
        [kind for kind in kinds if kind.compared.shares],
        concentration(Counter(person.company for person in profiles)),
        answers,
    )


def _users_by_plan(product: Product) -> dict[str, int]:
    key = f"voice.plans.{product.pk}"
    known: dict[str, int] | None = cache.get(key)
    if known is None:
        users = Person.objects.filter(product=product, merged_into=None, internal=False).exclude(plan="")
        known = dict(users.values_list("plan").annotate(people=Count("pk")).order_by())
        cache.set(key, known, REMEMBERED)
    return known


def _mix_of_users(product: Product) -> Mix:
    key = f"voice.mix.3.{product.pk}"
    known: Mix | None = cache.get(key)
    if known is None:
        known = mix_since(product.pk, timezone.now() - USERS_OF)
        cache.set(key, known, REMEMBERED)
    return known


def _mix_of(product: Product, keys: list[str]) -> Mix:
    hashed = {person_hash(product.pk, key) for key in keys}
    if not hashed:
        return Mix()
    overrides = overrides_of(product.pk, hashed)
    persons = {overrides[own].canonical if own in overrides else own for own in hashed}
    return mix_since(product.pk, timezone.now() - SPEAKERS_OF, persons)
