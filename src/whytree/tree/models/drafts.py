"""Nodes that nobody has stated: drafts of a tree, inferred from code and tickets, until a person says yes or no.

A draft is no node: it has no number, counts in no confidence and leads no `why` anywhere. Confirmed, it becomes one;
discarded, it stays here so that it is never proposed again.
"""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.workspace.models import Product, User

from .columns import TITLE_LENGTH, storable_text


class DraftKind(models.TextChoices):
    OUTCOME = "OUT", "outcome"
    OPPORTUNITY = "OPP", "opportunity"
    SOLUTION = "SOL", "solution"


class DraftState(models.TextChoices):
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DISCARDED = "discarded"


class Draft(models.Model):
    """`key` says what it was inferred from ("ticket github.com/acme/sprout#38"), so that it is the same next time."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=3, choices=DraftKind.choices)
    key = models.CharField(max_length=400)
    title = models.CharField(
        max_length=TITLE_LENGTH,
        validators=[storable_text],
        error_messages={"blank": "Say it in one sentence: the title is empty."},
    )
    edited = models.BooleanField(default=False, help_text="A person wrote the title; it is not proposed over.")
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children")
    rule = models.CharField(max_length=60)
    score = models.FloatField(help_text="0 to 1: how far to trust it.")
    because = models.CharField(max_length=300, blank=True, default="", help_text="What speaks for it, in words.")
    tickets = models.JSONField(default=list, blank=True, help_text="Tickets it comes from, by primary key.")
    lines = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=DraftState.choices, default=DraftState.PROPOSED)
    node_ref = models.CharField(max_length=16, blank=True, default="", help_text="The node it became.")
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-lines", "id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "key"], name="tree_draft_key"),
            models.CheckConstraint(condition=Q(kind__in=DraftKind.values), name="tree_draft_kind"),
            models.CheckConstraint(condition=Q(state__in=DraftState.values), name="tree_draft_state"),
            models.CheckConstraint(condition=~Q(title=""), name="tree_draft_title"),
            models.CheckConstraint(condition=Q(score__gte=0, score__lte=1), name="tree_draft_score"),
        ]

    def __str__(self) -> str:
        return f"draft {self.pk} {self.title}"

    @property
    def kind_word(self) -> str:
        return DraftKind(self.kind).label

    @property
    def provenance(self) -> str:
        return f"inferred: {self.rule} ({self.score:g})"
