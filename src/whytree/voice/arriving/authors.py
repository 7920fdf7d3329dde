"""Who said it: from the id or address that came with a text to a person the product knows."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.utils import timezone

from whytree.people.identity import Traits, means_nobody, person_hash
from whytree.people.models import Person
from whytree.people.services import update_profiles
from whytree.stores.errors import StoreUnavailable
from whytree.stores.identity.people import overrides_of
from whytree.voice.arriving.drafts import Draft
from whytree.workspace.models import Product


def known_as(product: Product, drafts: Iterable[Draft], *, trusted: bool = True) -> dict[str, str]:
    """Each id that came with a draft -> the key of the person it belongs to; "" where it means nobody.

    Not `trusted`: anybody may have sent it, and an address in it is only what they say.

    Whoever wrote to us becomes a known person, in bulk: an import brings thousands. A name without an id or address is
    no identity: two Johns are two people, and both stay without a key.
    """
    authors = [draft for draft in drafts if draft.person]
    ids = {draft.person for draft in authors if not means_nobody(draft.person)}
    keys = main_ids(product.pk, ids)
    now = timezone.now()
    update_profiles(
        replace(_traits(product.pk, keys[draft.person], draft, now), trusted=trusted)
        for draft in authors
        if draft.person in keys
    )
    return {draft.person: keys.get(draft.person, "") for draft in authors}


def main_ids(product_id: int, ids: set[str]) -> dict[str, str]:
    """What each id counts as by now; itself while the event store cannot say."""
    hashes = {given: person_hash(product_id, given) for given in ids}
    try:
        overrides = overrides_of(product_id, hashes.values()) if hashes else {}
    except StoreUnavailable:
        overrides = {}
    return {given: overrides[person].canonical_id if person in overrides else given for given, person in hashes.items()}


def main_keys(product_id: int, keys: set[str]) -> dict[str, str]:
    """Of these people, those who turned out to be somebody else since -> who they are."""
    merged = Person.objects.filter(product_id=product_id, key__in=keys - {""}, merged_into__isnull=False)
    return {key: main for key, main in merged.values_list("key", "merged_into__key") if main is not None}


def _traits(product_id: int, key: str, draft: Draft, now: datetime) -> Traits:
    values = {
        "name": draft.author_name,
        "email": draft.author_email,
        "company": draft.company,
        "plan": draft.plan,
    }
    return Traits(
        product_id, key, {name: value for name, value in values.items() if value}, (draft.said_at or now).timestamp()
    )
