"""Which ids are one person: what follows from what was said about them, and what a human decides."""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from django.db import transaction

from whytree.errors import Conflict, NotFound
from whytree.stores.identity import people as stored
from whytree.stores.identity.people import Override
from whytree.stores.usage.catalogue import refused_before
from whytree.stores.writing.capture import put_aside
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..edges import EdgeRow, decided_row, from_store
from ..identity import GROUP, means_nobody, person_hash
from ..merging import MOST_IDS, Edge, EdgeKind, Resolution, resolve
from ..models import Person
from .profiles import CHUNK, COLUMNS, ensure_person, valid_key

RETRACTED_AT_ONCE = 2_000
"""People whose ids are looked at together when an import is taken back: each look reads all that was said about ids."""


def follow_edges(product_id: int, persons: Collection[int], without: int = 0) -> Resolution:
    """Work out anew who these ids and all they touch belong to, and make queries and profiles agree.

    `without` is an import whose word does not count any more.
    """
    edges = stored.edges_around(product_id, persons, without)
    resolution = _with_those_alone(product_id, resolve(map(from_store, edges)), persons)
    changed = _changed(product_id, resolution)
    if changed:
        stored.write_overrides(changed, time.time_ns())
    _follow_profiles(product_id, resolution)
    _record_refused(product_id, resolution)
    return resolution


def _with_those_alone(product_id: int, found: Resolution, persons: Collection[int]) -> Resolution:
    """Who was joined, and of whom nothing is said any more, is somebody of their own."""
    left = stored.overrides_of(product_id, set(persons) - found.canonical.keys())
    names = {person: override.distinct_id for person, override in left.items()}
    return replace(
        found, canonical={**found.canonical, **dict(zip(names, names, strict=True))}, names={**found.names, **names}
    )


def _changed(product_id: int, resolution: Resolution) -> list[Override]:
    """The ids that count as another one than before. An id on its own needs no row unless it had one."""
    ids = {
        person: canonical
        for person, canonical in resolution.canonical.items()
        if not resolution.names[person].startswith(GROUP)
    }
    before = stored.overrides_of(product_id, ids)
    members = Counter(ids.values())
    return [
        Override(product_id, person, canonical, resolution.names[person], resolution.names[canonical])
        for person, canonical in ids.items()
        if (before[person].canonical != canonical if person in before else members[canonical] > 1)
    ]


def _profiles(product_id: int, keys: Collection[str]) -> dict[str, Person]:
    ordered = sorted(keys)
    return {
        person.key: person
        for start in range(0, len(ordered), CHUNK)
        for person in Person.objects.filter(product_id=product_id, key__in=ordered[start : start + CHUNK])
    }


@transaction.atomic
def _follow_profiles(product_id: int, resolution: Resolution) -> None:
    """A profile of an id that counts as another points to that other's profile, which is made when it is missing."""
    profiles = _profiles(product_id, set(resolution.names.values()))
    if not profiles:
        return
    by_name = {name: person for person, name in resolution.names.items()}
    for key, profile in list(profiles.items()):
        main_key = resolution.names[resolution.canonical[by_name[key]]]
        if main_key == key:
            target = None
        else:
            target = profiles.get(main_key) or _twin(profile, main_key)
            profiles[main_key] = target
            _fill_from(target, profile)
        if profile.merged_into_id != (target.pk if target else None):
            profile.merged_into = target
            profile.save(update_fields=["merged_into"])


def _twin(profile: Person, key: str) -> Person:
    """A profile for the main id, when only another id of the same person has one."""
    return Person.objects.get_or_create(product_id=profile.product_id, key=key)[0]


def _fill_from(target: Person, other: Person) -> None:
    """The main profile shows what only another one of the same person knows."""
    if other.email and (not target.email or other.email_proved > target.email_proved):
        target.email, target.email_proved = other.email, other.email_proved
    for column in COLUMNS:
        if not getattr(target, column):
            setattr(target, column, getattr(other, column))
    target.traits = {**other.traits, **target.traits}
    target.internal = target.internal or other.internal
    target.first_seen_at = min(target.first_seen_at, other.first_seen_at)
    target.last_seen_at = max(target.last_seen_at, other.last_seen_at)
    target.save()


def _record_refused(product_id: int, resolution: Resolution) -> None:
    """Show, once each, the merges that a public key may not ask for. Of a number in another tool's history nobody could say more."""
    refused = [edge for edge in resolution.refused if not _is_a_number(edge)]
    rows = {f"{edge.one:x}-{edge.other:x}": (edge, _TWO_PEOPLE) for edge in refused}
    sizes = Counter(resolution.canonical.values())
    for edge in resolution.crowded:  # once for the person, not once for each of thousands
        larger = max((resolution.canonical[side] for side in edge.pair), key=lambda main: (sizes[main], main))
        rows.setdefault(f"crowd-{larger:x}", (edge, _CROWD))
    if not rows:
        return
    new = rows.keys() - refused_before(product_id, list(rows))
    put_aside(
        [
            {
                "product": product_id,
                "received_at": edge.recorded_at,
                "kind": "merge",
                "reason": words.format(one=edge.one_id, other=edge.other_id, most=MOST_IDS),
                "event": "$alias",
                "distinct_id": edge.one_id,
                "message_id": name,
                "source": "capture",
                "body": "",
            }
            for name, (edge, words) in rows.items()
            if name in new
        ]
    )


def _is_a_number(edge: Edge) -> bool:
    return edge.one_id.startswith(GROUP) or edge.other_id.startswith(GROUP)


_TWO_PEOPLE = (
    "{one} and {other} are two known people, and nobody who may say so says that they are one. If they are, send the alias "
    "with a server key, or join them on their page."
)
_CROWD = (
    "{one} and {other} would make a person of more than {most:,} ids, and it came with a public key. Nobody has that many: "
    "a client may make up a new id each time, or somebody plays with your key. What a server key says holds."
)


def separate(actor: Actor, product: Product, distinct_id: str, other_id: str) -> Resolution:
    """Take `other_id` away from this person for good, whatever links to it arrive later; `join` is the way back."""
    require(actor, product, Role.MEMBER)
    person, other = person_hash(product.pk, distinct_id), person_hash(product.pk, other_id)
    overrides = stored.overrides_of(product.pk, [person, other])
    canonical = overrides[person].canonical if person in overrides else person
    if person == other or other not in overrides or overrides[other].canonical != canonical:
        raise NotFound(f"{other_id} is not one of this person's ids. Their page lists them.")
    touching = [
        from_store(row) for row in stored.edges_around(product.pk, [other]) if other in (row["one"], row["other"])
    ]
    pairs = {((edge.one, edge.one_id), (edge.other, edge.other_id)) for edge in touching if edge.one != edge.other}
    _decide(product.pk, EdgeKind.PART, pairs)
    resolution = follow_edges(product.pk, {person, other})
    _record_decision(actor, product, "separate", distinct_id, other_id)
    return resolution


def join(actor: Actor, product: Product, distinct_id: str, other_id: str) -> Resolution:
    """Say that two ids are one person, known or not; the way back from `separate`."""
    require(actor, product, Role.MEMBER)
    for each in (distinct_id, other_id):
        valid_key(each)
        if means_nobody(each):
            raise Conflict(f"{each} is what clients send when they have no id. It cannot be joined to a person.")
    if distinct_id == other_id:
        raise Conflict("These are the same id already.")
    one, other = ((person_hash(product.pk, each), each) for each in (distinct_id, other_id))
    _decide(product.pk, EdgeKind.JOIN, {(one, other)})
    resolution = follow_edges(product.pk, {one[0], other[0]})
    _record_decision(actor, product, "join", distinct_id, other_id)
    return resolution


def _decide(product_id: int, kind: EdgeKind, pairs: Iterable[tuple[tuple[int, str], tuple[int, str]]]) -> None:
    now = time.time()
    stored.add_edges([decided_row(product_id, kind, pair, now).line for pair in pairs])


def retract_links(product_id: int, run: int) -> Iterator[float]:
    """Take back what an import said about ids: whoever nothing else joins is somebody of their own again. Tells the share done.

    Followed before it is deleted, so that what stops half-way is begun again; and after, for what came in meanwhile.
    """
    persons = stored.linked_by(product_id, run)
    for half, without in enumerate((run, 0)):
        for start in range(0, len(persons), RETRACTED_AT_ONCE):
            follow_edges(product_id, persons[start : start + RETRACTED_AT_ONCE], without)
            yield (half + start / len(persons)) / 2
        if without:
            stored.delete_links_of(product_id, run)


def _record_decision(actor: Actor, product: Product, verb: str, distinct_id: str, other_id: str) -> None:
    person = ensure_person(product, distinct_id)
    record(actor, product, verb, person, after={"person": distinct_id, "other": other_id}, undoable=False)


def follow_rows(rows: Iterable[EdgeRow]) -> None:
    """Follow what was just said about ids, product by product. That an id is known matters only to those tied to it."""
    touched: dict[int, set[int]] = {}
    known: dict[int, set[int]] = {}
    for row in rows:
        product, one, other, *_ = row.key
        (touched if one != other else known).setdefault(product, set()).update((one, other))
    for product, persons in known.items():
        touched.setdefault(product, set()).update(stored.linked_among(product, persons))
    for product, persons in touched.items():
        if persons:
            follow_edges(product, persons)
