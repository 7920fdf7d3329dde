"""Where a product's answers go, and what there is to tell."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.workspace.models import Product

from ..models.items import FeedbackItem
from ..models.notes import Remark
from ..models.triage import NAME


class ReplyWays(models.Model):
    """`webhook` hears every answer and told status, signed with `secret`; whoever has the address with `feed` in it reads them."""

    product = models.OneToOneField(Product, primary_key=True, on_delete=models.CASCADE, related_name="+")
    webhook = models.CharField(max_length=2000, blank=True)
    secret = models.CharField(max_length=100, blank=True)
    feed = models.CharField(max_length=64, blank=True, db_index=True)

    def __str__(self) -> str:
        return f"how {self.product} answers"

    @classmethod
    def of(cls, product: Product) -> "ReplyWays":
        """As stored; a product that never said anything has none."""
        return cls._default_manager.filter(product=product).first() or cls(product=product)


class ReplyKind(models.TextChoices):
    STATUS = "status", "Status"
    ANSWER = "answer", "Answer"


class Reply(models.Model):
    """Something that all hear of whose voice this item stands for. `status` is the name that it got; `remark` the answer.

    `waits` until it was told; what is taken back before then is no news, and goes.
    """

    item = models.ForeignKey(FeedbackItem, on_delete=models.CASCADE, related_name="replies")
    kind = models.CharField(max_length=6, choices=ReplyKind.choices)
    status = models.CharField(max_length=NAME, blank=True)
    remark = models.OneToOneField(Remark, null=True, on_delete=models.CASCADE, related_name="reply")
    at = models.DateTimeField(default=timezone.now)
    waits = models.BooleanField(default=True)
    told_webhook = models.BooleanField(default=False)
    mailed = models.JSONField(
        default=list, help_text="Items whose person got the mail: tried again, nobody gets it twice."
    )

    class Meta:
        ordering = ("-at", "-pk")
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=ReplyKind.values), name="voice_reply_kind"),
            models.CheckConstraint(
                condition=Q(kind="status", remark=None) | Q(kind="answer", remark__isnull=False, status=""),
                name="voice_reply_one",
            ),
        )
        indexes = (models.Index(fields=("at",), name="voice_reply_waits", condition=Q(waits=True)),)

    def __str__(self) -> str:
        return f"{self.kind} of {self.item_id}"
