"""Forget a person, everywhere; and give a person everything that is known of them.

    erase(actor, product, "user-17")        # an Erasure: what is left is its number
    everything_of(actor, product, "user-17")

First it is written down who is to be forgotten, then the event store lets them go, then every table in one transaction.
Wherever it stops, the next attempt (or the hourly job) goes on: each step may be done twice.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Q
from django.utils import timezone

from whytree.errors import NotFound
from whytree.stores.identity import erasing
from whytree.stores.identity import timeline as events
from whytree.workspace.background.fresh import ERASE, forget_everything
from whytree.workspace.models import Activity, Product
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role
from whytree.workspace.sockets import erase_everywhere, export_everywhere

from ..identity import person_hash
from ..models import Erasure, Person
from ..queries import PersonRef, find_person

PAGE = 10_000
MOST_EXPORTED = 500_000
"""Events in one export; nobody reads more, and a file of that size still opens."""


def ids_of(product: Product, key: str) -> list[str]:
    """All ids this person goes by: those that were joined, and the address they wrote from."""
    try:
        person: PersonRef | None = find_person(product, key)
    except NotFound:
        person = None  # somebody who only stands in what they wrote
    ids = [*(person.ids if person else ()), person.key if person else key, key]
    profiles = list(Person.objects.filter(product=product).filter(Q(key__in=ids) | Q(merged_into__key__in=ids)))
    ids += [profile.key for profile in profiles]
    for address in {profile.email for profile in profiles if profile.email}:
        if not _is_anothers(product, address, profiles):
            ids += [address, address.lower()]
    return [each for each in dict.fromkeys(ids) if each]


def _is_anothers(product: Product, address: str, profiles: Sequence[Person]) -> bool:
    """Whether somebody else goes by this address too: with a public key anybody can say that it is theirs."""
    mine = [profile.pk for profile in profiles]
    others = Person.objects.filter(product=product, email__iexact=address).exclude(pk__in=mine)
    if others.exclude(key__iexact=address).exists():
        return True
    written = {address, address.lower()} - {profile.key for profile in profiles}
    return bool(events.seen(product.pk, [person_hash(product.pk, each) for each in written]))


def erase(actor: Actor, product: Product, key: str) -> Erasure:
    """Forget this person and all their ids, for good. Numbers and times stay, so that what was counted stays true."""
    require(actor, product, Role.MAINTAINER)
    ids = ids_of(product, key)
    if not _is_known(product, key, ids):
        raise NotFound("Nobody by this id is known here, so there is nothing to forget.")
    with transaction.atomic():
        last = Erasure.objects.filter(product=product).aggregate(last=Max("number"))["last"] or 0
        erasure = Erasure.objects.create(product=product, number=last + 1, ids=ids, asked_by_id=actor.user_id)
    return finish(actor, erasure)


def _is_known(product: Product, key: str, ids: list[str]) -> bool:
    try:
        find_person(product, key)
    except NotFound:
        return any(holds_something(told) for told in (export_everywhere(product, each) for each in ids))
    return True


def holds_something(told: Any) -> bool:
    """Whether an export says anything of anybody."""
    if isinstance(told, dict):
        return any(holds_something(part) for part in told.values())
    return bool(told)


def finish(actor: Actor, erasure: Erasure) -> Erasure:
    """Go on with an erasure wherever it stopped."""
    product, ids = erasure.product, [str(each) for each in erasure.ids]
    gone = erasing.erase_person(product.pk, {person_hash(product.pk, each) for each in ids}, ids)
    _on_sqlite("PRAGMA secure_delete = ON")  # what is deleted is written over
    with transaction.atomic():
        for each in ids:
            erase_everywhere(product, each)
        _forget_profiles(product, ids)
        erasure.ids, erasure.events, erasure.finished_at = [], erasure.events + gone, timezone.now()
        erasure.save(update_fields=["ids", "events", "finished_at"])
        record(actor, product, ERASE, erasure, after={"number": erasure.number}, undoable=False)
    forget_everything()
    _on_sqlite("PRAGMA wal_checkpoint(TRUNCATE)")  # the log of writes holds the pages as they were
    return erasure


def _on_sqlite(pragma: str) -> None:
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(pragma)


def _forget_profiles(product: Product, ids: list[str]) -> None:
    profiles = Person.objects.filter(product=product, key__in=ids)
    about = Activity.objects.filter(
        product=product, subject_type=Person._meta.label, subject_id__in=list(profiles.values_list("pk", flat=True))
    )
    about.update(before=None, after=None, subject_label="an erased person", undoable=False)
    profiles.delete()


def everything_of(actor: Actor, product: Product, key: str) -> dict[str, Any]:
    """Everything that is known of a person, as they may ask for it: profile, ids, events, and what every app holds."""
    require(actor, product, Role.MAINTAINER)
    ids = ids_of(product, key)
    if not _is_known(product, key, ids):
        raise NotFound("Nobody by this id is known here.")
    profiles = Person.objects.filter(product=product, key__in=ids)
    told: dict[str, Any] = {
        "product": product.name,
        "exported_at": timezone.now().isoformat(),
        "ids": ids,
        "profiles": [_profile(person) for person in profiles],
        "events": _events(product, ids),
    }
    for each in ids:
        for app, part in export_everywhere(product, each).items():
            if holds_something(part):
                told.setdefault(app, []).append(part)
    return told


def _profile(person: Person) -> dict[str, Any]:
    names = ("key", "name", "email", "plan", "company", "traits")
    return {name: getattr(person, name) for name in names} | {
        "first_seen_at": person.first_seen_at.isoformat(),
        "last_seen_at": person.last_seen_at.isoformat(),
    }


def _events(product: Product, ids: list[str]) -> list[dict[str, Any]]:
    """All of them, oldest last, exposures included."""
    persons = [person_hash(product.pk, each) for each in ids]
    found: list[dict[str, Any]] = []
    before, before_id = None, events.LAST_ID
    while len(found) < MOST_EXPORTED:
        page = events.timeline(product.pk, persons, before=before, before_id=before_id, limit=PAGE)
        found += [
            {
                "timestamp": one.timestamp.isoformat(),
                "event": one.event,
                "id": one.distinct_id,
                "properties": one.properties,
                "flags": one.flags,
                **{
                    name: value
                    for name in ("platform", "os", "browser", "version", "path")
                    if (value := getattr(one, name))
                },
            }
            for one in page
        ]
        if len(page) < PAGE:
            break
        before, before_id = page[-1].timestamp, page[-1].event_id
    return found
