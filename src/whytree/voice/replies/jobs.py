"""What became of voices is told by itself."""

from datetime import timedelta
from typing import Any

from whytree.workspace.background.jobs import handler
from whytree.workspace.models import Product

from .models import Reply
from .noting import JOB
from .telling import tell_waiting


@handler(JOB)
def tell_voters(payload: dict[str, Any]) -> None:
    """What waits in one product."""
    product = Product.objects.filter(pk=payload["product"]).first()
    if product is not None:
        tell_waiting(product)


@handler("voice.tell_all_voters", every=timedelta(hours=6))
def tell_all_voters(payload: dict[str, Any]) -> None:
    """What slipped by."""
    for product in Product.objects.filter(pk__in=Reply.objects.filter(waits=True).values("item__product")):
        tell_waiting(product)
