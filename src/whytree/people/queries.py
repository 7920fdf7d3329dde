"""Who somebody is and what they did."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from whytree.errors import Invalid, NotFound
from whytree.stores.identity import people as stored
from whytree.stores.identity import timeline as events
from whytree.stores.identity.timeline import Moment, Seen
from whytree.workspace.models import Product

from .identity import person_hash
from .models import Person

PAGE = 50
#: Traits with a column of their own.
PROFILE = ("name", "email", "plan", "company")
MOST_LOOKED_AT = 300
TIMELINE_PAGE = 100
LATELY = timedelta(days=30)


@dataclass(frozen=True)
class PersonRef:
    """One person, known or not: the main id, all ids with their hashes, and the profile when there is one.

    This is what the socket `panel` gets for the place "person".
    """

    product_id: int
    key: str
    canonical: int
    ids: tuple[str, ...]
    persons: tuple[int, ...]
    profile: Person | None
    seen: Seen | None

    @property
    def label(self) -> str:
        return str(self.profile) if self.profile else self.key

    @property
    def other_ids(self) -> tuple[str, ...]:
        return tuple(each for each in self.ids if each != self.key)


def find_person(product: Product, distinct_id: str) -> PersonRef:
    """The person behind any of their ids. Raises `NotFound` when nothing was ever heard of that id."""
    person = person_hash(product.pk, distinct_id)
    override = stored.overrides_of(product.pk, [person]).get(person)
    canonical = override.canonical if override else person
    key = override.canonical_id if override else distinct_id
    members = stored.members_of(product.pk, canonical) if override else []
    persons = tuple(member.person for member in members) or (person,)
    profile = Person.objects.filter(product=product, key=key).first()
    seen = events.seen(product.pk, persons).get(canonical)
    if profile is None and seen is None and override is None:
        raise NotFound("Nobody by this id was seen here. Look for them in the box Why …, or in the list of people.")
    ids = tuple(member.distinct_id for member in members) or (distinct_id,)
    return PersonRef(product.pk, key, canonical, ids, persons, profile, seen)


def canonical_key(product: Product, distinct_id: str) -> str:
    """The main id of the person behind any of their ids; the id itself when nothing was joined to it."""
    person = person_hash(product.pk, distinct_id)
    override = stored.overrides_of(product.pk, [person]).get(person)
    return override.canonical_id if override else distinct_id


@dataclass(frozen=True)
class PeopleRef:
    """Some people that a number is made of: `persons` are their hashes, `ids` one id of each of the first of them.

    This is what the socket `panel` gets for the place "group".
    """

    persons: frozenset[int]
    ids: tuple[str, ...]

    @property
    def total(self) -> int:
        return len(self.persons)


def keys_among(product: Product, keys: Iterable[str], persons: Collection[int]) -> set[str]:
    """Those of these ids that belong to one of `persons`, under whichever of their ids."""
    hashed = {key: person_hash(product.pk, key) for key in keys}
    overrides = stored.overrides_of(product.pk, hashed.values())
    return {key for key, own in hashed.items() if (overrides[own].canonical if own in overrides else own) in persons}


def people_by_key(product: Product, ids: Sequence[str]) -> dict[str, Person]:
    """Profiles of those of these ids that have one, by the id that was asked for."""
    found = Person.objects.filter(product=product, key__in=ids).select_related("merged_into")
    return {person.key: person.merged_into or person for person in found}


def timeline(person: PersonRef, *, before: datetime | None = None, before_id: int | None = None) -> list[Moment]:
    """What they did, newest first, up to `TIMELINE_PAGE` at once; `before` and `before_id` of the last one go on."""
    last_id = events.LAST_ID if before_id is None else before_id
    return events.timeline(person.product_id, person.persons, before=before, before_id=last_id, limit=TIMELINE_PAGE)


def has_events(product: Product) -> bool:
    """Whether anything was received at all."""
    return events.any_event(product.pk)


def does_most(person: PersonRef) -> list[tuple[str, int]]:
    """Their most frequent events."""
    return events.event_counts(person.product_id, person.persons)


@dataclass(frozen=True)
class PeoplePage:
    """A page of the list of known people; `more` is where the next one starts."""

    people: Sequence[Person]
    total: int
    more: int | None


def known_people(product: Product, *, words: str = "", start: int = 0) -> PeoplePage:
    """People with a profile, last seen first; `words` are looked for in name, e-mail, company and id."""
    people = Person.objects.filter(product=product, merged_into=None)
    for word in words.split():
        people = people.filter(
            Q(name__icontains=word) | Q(email__icontains=word) | Q(company__icontains=word) | Q(key__icontains=word)
        )
    total = people.count()
    page = people.order_by("-last_seen_at", "pk")[start : start + PAGE]
    return PeoplePage(list(page), total, start + PAGE if total > start + PAGE else None)


@dataclass(frozen=True)
class Stranger:
    """Somebody seen lately of whom there are only events."""

    key: str
    last_at: datetime
    events: int


def strangers(product: Product) -> list[Stranger]:
    """People behind the newest events who have no profile."""
    rows = events.seen_lately(product.pk, timezone.now() - LATELY)
    overrides = stored.overrides_of(product.pk, [row["who"] for row in rows])
    found = []
    for row in rows:
        override = overrides.get(row["who"])
        found.append(Stranger(override.canonical_id if override else row["distinct_id"], row["last_at"], row["events"]))
    profiles = set(
        Person.objects.filter(product=product, key__in=[each.key for each in found]).values_list("key", flat=True)
    )
    return [each for each in found if each.key not in profiles]


def people_with_trait(product: Product, trait: str, operator: str, values: Sequence[str]) -> set[int]:
    """Hashes of those of whom this is known now: a column of the profile, or anything else that identify said.

    Values are compared as text. Those of whom nothing is known are in no answer but that of "is not set" and "is not".
    """
    found = set()
    for person in Person.objects.filter(product=product, merged_into=None).iterator(chunk_size=2_000):
        if _has(trait_of(person, trait), operator, values):
            found.add(person_hash(product.pk, person.key))
    overrides = stored.overrides_of(product.pk, found)
    return {overrides[one].canonical if one in overrides else one for one in found}


def trait_values(product: Product, trait: str) -> dict[int, str]:
    """What is known of people now, as text, by hash; without those of whom it is not."""
    found = {}
    for person in Person.objects.filter(product=product, merged_into=None).iterator(chunk_size=2_000):
        if text := trait_of(person, trait):
            found[person_hash(product.pk, person.key)] = text
    overrides = stored.overrides_of(product.pk, found)
    return {overrides[one].canonical if one in overrides else one: text for one, text in found.items()}


def trait_names(product: Product) -> list[str]:
    """What is known of people at all, told from those seen last, the most frequent first."""
    newest = Person.objects.filter(product=product, merged_into=None).order_by("-last_seen_at")[:MOST_LOOKED_AT]
    names = Counter[str]()
    for person in newest:
        names.update(name for name in (*PROFILE, *person.traits) if trait_of(person, name))
    return [name for name, _ in names.most_common()]


def trait_of(person: Person, trait: str) -> str:
    """What is known of somebody, as text; empty when nothing is."""
    value = getattr(person, trait) if trait in PROFILE else person.traits.get(trait, "")
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _has(text: str, operator: str, values: Sequence[str]) -> bool:
    match operator:
        case "is set":
            return bool(text)
        case "is not set":
            return not text
        case "is":
            return text in values
        case "is not":
            return text not in values
        case "contains":
            return any(value.casefold() in text.casefold() for value in values)
        case "does not contain":
            return not any(value.casefold() in text.casefold() for value in values)
    raise Invalid(f"What is known of people cannot be asked with “{operator}”. Use is, is not, contains, is set.")
