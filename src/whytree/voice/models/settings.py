"""What a product wants done to its voices at the door."""

from typing import Any

from django.db import models

from whytree.engines.texts.personal import KINDS
from whytree.workspace.models import Product

REVENUE_TRAIT = "mrr"


def all_kinds() -> list[str]:
    return list(KINDS)


class VoiceSettings(models.Model):
    """`redact`: the kinds of personal data that are taken out of what comes in. `team`: domains, addresses and names of ours.

    `revenue_trait`: what of that which `identify` says of people is what they, or their company, pay.
    `from_pages`: visitors may hand in feedback by whytree.js, on pages of `page_origins` only where that is set. Off by default:
    a capture key is public, and nothing lands in an inbox by it that nobody wanted there.
    """

    product = models.OneToOneField(Product, primary_key=True, on_delete=models.CASCADE, related_name="+")
    redact = models.JSONField(default=all_kinds)
    team = models.JSONField(default=list)
    revenue_trait = models.CharField(max_length=100, default=REVENUE_TRAIT)
    from_pages = models.BooleanField(default=False)
    page_origins = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"how {self.product} takes voices in"

    @classmethod
    def of(cls, product: Product) -> "VoiceSettings":
        """As stored; what a product never said is the default, and not stored."""
        return cls._default_manager.filter(product=product).first() or cls(product=product)

    def as_json(self) -> dict[str, Any]:
        names = ("redact", "team", "revenue_trait", "from_pages", "page_origins")
        return {name: getattr(self, name) for name in names}
