"""What the team says of a voice, to itself or to the person."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.workspace.models import User

from .items import FeedbackItem

WORDS = 10_000
"""Characters of one."""


class RemarkKind(models.TextChoices):
    NOTE = "note", "Private note"
    ANSWER = "answer", "Official answer"


class Remark(models.Model):
    """A private note, which stays with the team, or an official answer to those who said it."""

    item = models.ForeignKey(FeedbackItem, on_delete=models.CASCADE, related_name="remarks")
    kind = models.CharField(max_length=6, choices=RemarkKind.choices)
    text = models.TextField()
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    mailed = models.PositiveIntegerField(default=0, help_text="To how many people an answer went by mail.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("created_at", "pk")
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=RemarkKind.values), name="voice_remark_kind"),
            models.CheckConstraint(condition=~Q(text=""), name="voice_remark_text"),
        )

    def __str__(self) -> str:
        return f"{self.kind} on {self.item_id}"
