"""Boards: kept questions and metrics side by side."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.workspace.models import Product, User

from .metrics import Metric
from .saved import SavedQuestion


class Board(models.Model):
    """A page of answers. `days`, or `since` and `until`, and `where` hold for every question on it.

    `share_hash` is of the link that needs no sign-in.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    days = models.PositiveIntegerField(null=True, blank=True)
    since = models.DateField(
        null=True, blank=True, help_text="In place of days back; in it, by the product's calendar."
    )
    until = models.DateField(null=True, blank=True)
    where = models.CharField(max_length=500, blank=True, default="", help_text="Filters as one types them.")
    refresh_seconds = models.PositiveIntegerField(default=0, help_text="0: only when somebody reloads.")
    share_hash = models.CharField(max_length=64, blank=True, default="")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["title", "number"]
        constraints = [
            models.UniqueConstraint(fields=["product", "number"], name="analytics_board_number"),
            models.UniqueConstraint(fields=["share_hash"], condition=~Q(share_hash=""), name="analytics_board_share"),
            models.CheckConstraint(condition=~Q(title=""), name="analytics_board_titled"),
        ]

    def __str__(self) -> str:
        return self.title


class BoardCard(models.Model):
    """One card: the answer of a kept question, a metric, or words."""

    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="cards")
    position = models.PositiveIntegerField()
    wide = models.BooleanField(default=False)
    saved = models.ForeignKey(SavedQuestion, on_delete=models.CASCADE, null=True, blank=True, related_name="cards")
    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, null=True, blank=True, related_name="cards")
    text = models.TextField(blank=True, default="", max_length=5_000)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(saved__isnull=False, metric=None, text="")
                | Q(saved=None, metric__isnull=False, text="")
                | (Q(saved=None, metric=None) & ~Q(text="")),
                name="analytics_card_one",
            ),
        ]

    def __str__(self) -> str:
        return str(self.saved or self.metric or self.text[:60])
