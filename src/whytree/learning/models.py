"""The planned look at what a change did, and what several people said it would do."""

import hashlib
import json
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from whytree.errors import Conflict
from whytree.tree.models import LOCKED, Hypothesis
from whytree.workspace.models import Product, User
from whytree.workspace.roles import Discipline

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


#: What a prediction is an answer to. Where one of these changes, the number was said about something else.
QUESTION = ("change", "who", "behaviour", "metric_key", "forecast_unit", "horizon_days")


def question_hash(hypothesis: Hypothesis) -> str:
    """SHA-256 over what is asked, without the hypothesis' own numbers."""
    asked = {name: getattr(hypothesis, name) for name in QUESTION}
    return hashlib.sha256(json.dumps(asked, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class Prediction(models.Model):
    """What one person expects of a hypothesis, said before they saw what anybody else expects.

    Its discipline is the person's on that day. It locks with its hypothesis: `save` refuses from then on.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    hypothesis = models.ForeignKey(Hypothesis, on_delete=models.RESTRICT, related_name="predictions")
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    discipline = models.CharField(max_length=12, choices=Discipline.choices, default=Discipline.OTHER)
    low = models.FloatField()
    likely = models.FloatField()
    high = models.FloatField()
    question_hash = models.CharField(max_length=64)
    said_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["hypothesis", "user"], name="learning_one_prediction_each"),
            models.CheckConstraint(
                condition=Q(low__lt=F("likely"), likely__lt=F("high")), name="learning_prediction_order"
            ),
            models.CheckConstraint(
                condition=Q(discipline__in=Discipline.values), name="learning_prediction_discipline"
            ),
        ]

    def __str__(self) -> str:
        # no number: this names it in lists that everybody reads
        return f"A prediction of {self.hypothesis.ref}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        # the last guard, below every door
        if Hypothesis.objects.filter(pk=self.hypothesis_id, locked_at__isnull=False).exists():
            raise Conflict(LOCKED.format(ref=self.hypothesis.ref))
        super().save(*args, **kwargs)
