"""What numbers do by themselves: cohorts remember how many people they had."""

from datetime import timedelta
from typing import Any

from whytree.workspace.jobs import enqueue, handler
from whytree.workspace.models import Product

from .cohorts.services import note_sizes
from .models import Cohort


@handler("analytics.note_cohort_sizes", every=timedelta(hours=6))
def note_all(payload: dict[str, Any]) -> None:
    """Ask for a look at every product that has cohorts: one job each, so that none waits for another's trouble."""
    for pk in Cohort.objects.values_list("product", flat=True).distinct():
        enqueue("analytics.note_cohort_sizes_of", {"product": pk}, key=str(pk))


@handler("analytics.note_cohort_sizes_of")
def note_one(payload: dict[str, Any]) -> None:
    product = Product.objects.filter(pk=payload["product"]).first()
    if product is not None:
        note_sizes(product)
