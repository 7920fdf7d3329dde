"""What is known about somebody: traits from identify and group calls, from feedback, and whether they are of the team."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from whytree.errors import Invalid
from whytree.stores.errors import StoreUnavailable
from whytree.stores.identity import people as stored
from whytree.stores.identity.timeline import seen_since
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..edges import moment
from ..identity import MAX_ID, Traits, person_hash
from ..models import Person

COLUMNS = {"name": 200, "email": 320, "plan": 100, "company": 200}  # with the characters each one holds
KEPT = [*COLUMNS, "email_proved", "traits", "traits_at", "first_seen_at", "last_seen_at"]
MAX_TRAITS = 200
CHUNK = 500


@transaction.atomic
def ensure_person(product: Product, distinct_id: str, **traits: str) -> Person:
    """The profile of this id, made when it is new; traits that are given and not empty are kept.

    The id may be any that belongs to the person: the profile is that of the main one.
    """
    key = valid_key(distinct_id)
    main = _main_id(product.pk, key)
    person, _ = Person.objects.get_or_create(product=product, key=main)
    if main != key:
        Person.objects.filter(product=product, key=key, merged_into=None).exclude(pk=person.pk).update(
            merged_into=person
        )
    elif person.merged_into is not None:
        person = person.merged_into
    said = {name: value for name, value in traits.items() if value}
    if said:
        _say(person, said, timezone.now(), trusted=True)
        person.save()
    return person


def valid_key(distinct_id: str) -> str:
    if not distinct_id or len(distinct_id) > MAX_ID or "\0" in distinct_id:
        raise Invalid(f"A person needs an id of 1 to {MAX_ID} characters.")
    return distinct_id


def _main_id(product_id: int, distinct_id: str) -> str:
    """The id this one counts as; itself while the event store cannot say."""
    person = person_hash(product_id, distinct_id)
    try:
        override = stored.overrides_of(product_id, [person]).get(person)
    except StoreUnavailable:
        return distinct_id
    return override.canonical_id if override else distinct_id


def update_profiles(traits: Iterable[Traits]) -> int:
    """Keep what identify and group calls said, newest last whatever order they came in; how many people."""
    ordered = sorted(traits, key=lambda said: said.at)
    by_person: dict[tuple[int, str], list[Traits]] = {}
    for said in ordered:
        by_person.setdefault((said.product_id, said.distinct_id), []).append(said)
    for product_id in {product_id for product_id, _ in by_person}:
        keys = [key for product, key in by_person if product == product_id]
        for start in range(0, len(keys), CHUNK):
            some = {key: by_person[product_id, key] for key in keys[start : start + CHUNK]}
            _update_some(product_id, some)
    return len(by_person)


@transaction.atomic
def _update_some(product_id: int, said: Mapping[str, Sequence[Traits]]) -> None:
    if not Product.objects.filter(pk=product_id).exists():
        return  # its key was still in somebody's cache when it was deleted
    found = Person.objects.filter(product_id=product_id, key__in=said).select_related("merged_into")
    there = {person.key: person for person in found}
    new = [
        Person(product_id=product_id, key=key, first_seen_at=first, last_seen_at=first)
        for key, first in ((key, min(moment(traits[0].at), timezone.now())) for key, traits in said.items())
        if key not in there
    ]
    mains = {person.merged_into.pk: person.merged_into for person in there.values() if person.merged_into}
    known = [*there.values(), *mains.values()]
    before = [_kept(person) for person in known]
    for person in [*there.values(), *new]:
        for traits in said[person.key]:
            _hear(person, traits)
    for person in there.values():
        if person.merged_into is not None:
            for traits in said[person.key]:
                _hear(mains[person.merged_into.pk], traits)
    Person.objects.bulk_create(new, ignore_conflicts=True)
    # What is followed again after a restart changes nothing, and must not keep others from writing meanwhile.
    _save([person for person, was in zip(known, before, strict=True) if _kept(person) != was], KEPT)


def _kept(person: Person) -> list[Any]:
    return [getattr(person, name) for name in KEPT]


def _save(people: Sequence[Person], names: Sequence[str]) -> None:
    """One small UPDATE each: `bulk_update` takes six times as long, and holds SQLite's one write lock all the while."""
    fields = [field for field in Person._meta.concrete_fields if field.attname in names]
    rows = [
        [*(field.get_db_prep_save(getattr(one, field.attname), connection) for field in fields), one.pk]
        for one in people
    ]
    quote = connection.ops.quote_name
    changes = ", ".join(f"{quote(str(field.column))} = %s" for field in fields)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {quote(Person._meta.db_table)} SET {changes} WHERE id = %s", rows)


def _hear(person: Person, traits: Traits) -> None:
    """Put what was said into a profile, and behind it what is only for somebody of whom that was never said."""
    _say(person, traits.values, moment(traits.at), trusted=traits.trusted)
    once = {name.replace("\0", ""): value.replace("\0", "") for name, value in traits.once.items()}
    for column, length in COLUMNS.items():
        if not getattr(person, column):
            setattr(person, column, once.get(column, "")[:length])
            person.email_proved = traits.trusted if column == "email" else person.email_proved
    others = {name: value for name, value in once.items() if name not in COLUMNS and name not in person.traits}
    room = MAX_TRAITS - len(person.traits)
    person.traits = {**person.traits, **dict(list(others.items())[: max(room, 0)])}


def _say(person: Person, said: Mapping[str, str], at: datetime, *, trusted: bool) -> None:
    """Put traits into a profile. Older ones than the profile's newest only fill what is empty.

    The time is a client's word, too. What is yet to come counts as now: else one call with a public key, dated ahead by years,
    would be the last that is ever heard of somebody.
    """
    now = timezone.now()
    at = min(at, now)
    newer = person.traits_at is None or at >= min(person.traits_at, now)
    values = {name.replace("\0", ""): value.replace("\0", "") for name, value in said.items()}
    others = {name: value for name, value in values.items() if name not in COLUMNS}
    full_name = " ".join(part for part in (values.get("firstName", ""), values.get("lastName", "")) if part)
    values["name"] = values.get("name") or full_name
    values["company"] = values.get("company") or values.get("company.name", "") or values.get("company.id", "")
    for column, length in COLUMNS.items():
        value = values.get(column, "")[:length]
        if column == "email":
            _say_email(person, value, newer=newer, trusted=trusted)
        elif value and (newer or not getattr(person, column)):
            setattr(person, column, value)
    person.traits = {**person.traits, **others} if newer else {**others, **person.traits}
    if len(person.traits) > MAX_TRAITS:
        person.traits = dict(list(person.traits.items())[-MAX_TRAITS:])
    person.traits_at = at if newer else person.traits_at
    person.first_seen_at = min(person.first_seen_at, at)
    person.last_seen_at = max(person.last_seen_at, at)


def _say_email(person: Person, email: str, *, newer: bool, trusted: bool) -> None:
    """An address that was proved stays until another one is: whoever holds a public key can say anything of anybody."""
    if not email or (person.email_proved and not trusted):
        return
    if newer or not person.email or trusted > person.email_proved:
        person.email, person.email_proved = email, trusted


def set_internal(actor: Actor, product: Product, distinct_id: str, *, internal: bool) -> Person:
    """Say whether somebody belongs to the team: a flag that only they see is not open yet."""
    require(actor, product, Role.MEMBER)
    with transaction.atomic():
        person = ensure_person(product, distinct_id)
        before = snapshot(person)
        person.internal = internal
        person.save(update_fields=["internal"])
        record(actor, product, "set_internal", person, before=before, after=snapshot(person))
    return person


def refresh_seen(product_id: int, since: datetime) -> int:
    """Bring the times at which known people were seen up to date from events received since; how many changed."""
    found = seen_since(product_id, since)
    overrides = stored.overrides_of(product_id, found)
    by_key = {
        overrides[who].canonical_id if who in overrides else when.distinct_id: when for who, when in found.items()
    }
    changed = 0
    keys = sorted(by_key)
    for start in range(0, len(keys), CHUNK):
        people = list(Person.objects.filter(product_id=product_id, key__in=keys[start : start + CHUNK]))
        moved = [person for person in people if _seen(person, by_key[person.key].first_at, by_key[person.key].last_at)]
        _save(moved, ["first_seen_at", "last_seen_at"])
        changed += len(moved)
    return changed


def _seen(person: Person, first_at: datetime, last_at: datetime) -> bool:
    """Widen the times of a profile; whether that changed it."""
    times = min(person.first_seen_at, first_at), max(person.last_seen_at, min(last_at, timezone.now()))
    if times == (person.first_seen_at, person.last_seen_at):
        return False
    person.first_seen_at, person.last_seen_at = times
    return True
