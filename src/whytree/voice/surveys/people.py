"""Who somebody is, as far as surveys need it."""

from whytree.people.queries import canonical_key
from whytree.stores.errors import StoreUnavailable
from whytree.workspace.models import Product


def main_key(product: Product, distinct_id: str) -> str:
    """The id that all of a person's ids lead to; the very id while the event store does not answer."""
    try:
        return canonical_key(product, distinct_id)
    except StoreUnavailable:
        return distinct_id
