"""What people wrote since they met a variant: each item remembers the variants in force when it was said."""

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTextTransform

from whytree.voice.models import Consent, FeedbackItem
from whytree.workspace.models import Product

from ..constants import VOICES_SHOWN

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class Said(TypedDict):
    variant: str


def count_by_variant(product: Product, flag_key: str, since: datetime) -> dict[str, int]:
    """How many wrote, by the variant they had."""
    return dict(Counter(_since(product, flag_key, since).order_by().values_list("variant", flat=True)))


def latest(product: Product, flag_key: str, since: datetime, limit: int = VOICES_SHOWN) -> list[FeedbackItem]:
    """The newest that may be quoted inside the team; `variant` is set on each."""
    quotable = _since(product, flag_key, since).exclude(consent=Consent.NONE)
    return list(quotable.select_related("product").order_by("-said_at", "-pk")[:limit])


def _since(product: Product, flag_key: str, since: datetime) -> "QuerySet[WithAnnotations[FeedbackItem, Said]]":
    # a transform, not a lookup by name: flag keys may hold dots and colons
    items = FeedbackItem.objects.filter(product=product, said_at__gte=since)
    return items.annotate(variant=KeyTextTransform(flag_key, "flags")).filter(variant__isnull=False)
