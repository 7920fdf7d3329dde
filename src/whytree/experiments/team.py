"""The team's own people: they meet every change, and count in no result."""

from whytree.people.identity import person_hash
from whytree.people.models import Person
from whytree.workspace.models import Product


def team_hashes(product: Product) -> list[int]:
    """Hashes of everybody marked internal, under every id of theirs."""
    rows = Person.objects.filter(product=product, internal=True).values_list("key", "merged_into__key")
    keys = {key for row in rows for key in row if key}
    return [person_hash(product.pk, key) for key in sorted(keys)]
