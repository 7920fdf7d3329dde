"""What the frame around every page needs."""

from typing import Any

from django.http import HttpRequest

from whytree.workspace.models import Product, User

# The six places in the bar: key, label, path below the product, key to press after "g".
PLACES = (
    ("today", "Today", "today"),
    ("voices", "Voices", "voices"),
    ("numbers", "Numbers", "numbers"),
    ("tree", "Tree", "tree"),
    ("changes", "Changes", "changes"),
    ("learned", "Learned", "learned"),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Places of the bar and the products to switch to; evaluated only when the frame is drawn."""
    user = getattr(request, "user", None)
    product = getattr(request, "product", None)
    if not isinstance(user, User):
        return {"places": (), "product": product, "my_products": ()}
    return {
        "places": PLACES if product else (),
        "product": product,
        "my_products": Product.objects.filter(memberships__user=user).order_by("name"),
    }
