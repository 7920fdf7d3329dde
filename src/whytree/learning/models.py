"""The planned look at what a change did."""

from typing import Any

from django.db import models
from django.db.models import Q

from whytree.tree.models import Hypothesis
from whytree.workspace.models import Product, User

PREFIX = "REV"
LEARNING_LENGTH = 5_000


class Verdict(models.TextChoices):
    ACHIEVED = "achieved", "achieved"
    PARTLY = "partly", "partly achieved"
    NOT_ACHIEVED = "not_achieved", "not achieved"
    INCONCLUSIVE = "inconclusive", "inconclusive"
    HARM = "harm", "it did harm"


class Decision(models.TextChoices):
    KEEP = "keep", "keep it"
    ITERATE = "iterate", "change it and try again"
    ROLL_BACK = "roll_back", "roll it back"
    REMOVE = "remove", "remove it for good"


class OutcomeReview(models.Model):
    """Prediction against measurement, planned when the prediction locks and due when its horizon has passed.

    It fills itself (`filled` is a versioned `results.Result`) until a person decides; from then on nothing changes.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    hypothesis = models.ForeignKey(Hypothesis, on_delete=models.RESTRICT, related_name="reviews")
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    filled = models.JSONField(null=True, blank=True)
    filled_at = models.DateTimeField(null=True, blank=True)
    verdict = models.CharField(max_length=12, choices=Verdict.choices, blank=True, default="")
    decision = models.CharField(max_length=9, choices=Decision.choices, blank=True, default="")
    learning = models.TextField(blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["due_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["product", "number"], name="learning_review_number"),
            models.UniqueConstraint(
                fields=["hypothesis"], condition=Q(decided_at=None), name="learning_one_open_review_each"
            ),
            models.CheckConstraint(
                condition=Q(decided_at=None, verdict="", decision="", learning="")
                | (
                    Q(decided_at__isnull=False, verdict__in=Verdict.values, decision__in=Decision.values)
                    & ~Q(learning="")
                ),
                name="learning_decided_whole_or_not",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ref} of {self.hypothesis.ref}"

    @property
    def ref(self) -> str:
        return f"{PREFIX}-{self.number}"

    @property
    def is_decided(self) -> bool:
        return self.decided_at is not None

    @property
    def url(self) -> str:
        return f"/p/{self.product.slug}/{self.ref}"

    @property
    def opened_at(self) -> Any:
        """When people first could see the change."""
        return self.hypothesis.opened_at
