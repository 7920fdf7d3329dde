"""The team's own people: they meet every change, and count in no result."""

from whytree.people.identity import person_hash
from whytree.people.models import Person
from whytree.workspace.models import Product


def team_hashes(product: Product) -> list[int]:
    """Hashes of everybody marked internal, under every id of theirs."""
    return [person_hash(product.pk, key) for key in sorted(team_keys(product))]


def team_keys(product: Product) -> set[str]:
    """Their ids."""
    rows = Person.objects.filter(product=product, internal=True).values_list("key", "merged_into__key")
    return {key for row in rows for key in row if key}
