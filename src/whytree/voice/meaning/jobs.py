"""Places are given by themselves, soon after voices came in."""

from datetime import timedelta
from typing import Any

from whytree.engines.themes.sentences import NoModel
from whytree.errors import Unavailable
from whytree.workspace.background.jobs import handler
from whytree.workspace.background.lifecycle import after_import
from whytree.workspace.models import Product

from .forgetting import JOB, ask_to_place
from .placing import keep_places


@handler(JOB)
def place(payload: dict[str, Any]) -> None:
    """Place one product's new voices."""
    product = Product.objects.filter(pk=payload["product"]).first()
    if product is not None:
        _keep(product)


@handler("voice.place_all", every=timedelta(hours=6))
def place_all(payload: dict[str, Any]) -> None:
    """Look through all voices for those that slipped by."""
    for product in Product.objects.all():
        _keep(product, thoroughly=True)


def _keep(product: Product, *, thoroughly: bool = False) -> None:
    try:
        keep_places(product, thoroughly=thoroughly)
    except NoModel as error:
        raise Unavailable(str(error), retry_after=3_600) from error


@after_import
def place_what_was_brought_in() -> None:
    for product in Product.objects.all():
        ask_to_place(product)
