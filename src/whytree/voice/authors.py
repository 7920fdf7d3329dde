"""Who said it: from the id or address that came with a text to a person the product knows."""

from collections.abc import Iterable

from whytree.people.identity import means_nobody
from whytree.people.models import Person
from whytree.voice.drafts import Draft
from whytree.workspace.models import Product

CHUNK = 500


def known_as(product: Product, drafts: Iterable[Draft]) -> dict[str, str]:
    """Each id that came with a draft -> the key of the person it belongs to; "" where it means nobody.

    Whoever wrote to us becomes a known person. A name without an id or address is no identity: two Johns are two
    people, and both stay without a key.
    """
    authors = {draft.person: draft for draft in drafts if draft.person}
    nobody = {given: "" for given in authors if means_nobody(given)}
    ids = [given for given in authors if given not in nobody]
    known = _known(product, ids)
    for given in ids:
        if given not in known:
            from whytree.people.services import ensure_person

            author = authors[given]
            traits = {"name": author.author_name, "email": author.author_email}
            person = ensure_person(product, given, **{name: value for name, value in traits.items() if value})
            known[given] = person.key
    return nobody | known


def _known(product: Product, ids: list[str]) -> dict[str, str]:
    known: dict[str, str] = {}
    for at in range(0, len(ids), CHUNK):
        people = Person.objects.filter(product=product, key__in=ids[at : at + CHUNK])
        known |= {key: main or key for key, main in people.values_list("key", "merged_into__key")}
    return known
