"""The planned look at what a change did, and what several people said it would do."""

import hashlib
import json
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from whytree.errors import Conflict
from whytree.tree.models import LOCKED, Hypothesis, Solution
from whytree.workspace.models import Product, User
from whytree.workspace.rights.roles import Discipline

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
    loved = models.TextField(blank=True, default="")  # did people love it?
    corners = models.TextField(blank=True, default="")  # which corners did we cut? one a line
    despite = models.TextField(blank=True, default="")  # why it was decided though checks spoke against it
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


class PayIf(models.TextChoices):
    """The decision that makes a debt due."""

    KEEP = "keep", "it is kept"


class Closing(models.TextChoices):
    PAID = "paid", "paid"
    VOID = "void", "nothing to pay"


class Debt(models.Model):
    """A corner that was cut to learn sooner. It falls due when its change is kept, and is void when the change goes."""

    PREFIX = "DEBT"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    solution = models.ForeignKey(Solution, on_delete=models.RESTRICT, related_name="debts")
    text = models.CharField(max_length=500)
    pay_if = models.CharField(max_length=9, choices=PayIf.choices, default=PayIf.KEEP)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    due_at = models.DateTimeField(null=True, blank=True)
    due_reason = models.TextField(blank=True, default="")
    closing = models.CharField(max_length=4, choices=Closing.choices, blank=True, default="")
    closed_at = models.DateTimeField(null=True, blank=True)
    close_reason = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["product", "number"], name="learning_debt_number"),
            models.CheckConstraint(condition=~Q(text=""), name="learning_debt_says_what"),
            models.CheckConstraint(condition=Q(pay_if__in=PayIf.values), name="learning_debt_pay_if"),
            models.CheckConstraint(
                condition=Q(due_at=None, due_reason="") | (Q(due_at__isnull=False) & ~Q(due_reason="")),
                name="learning_debt_due_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, closing="", close_reason="")
                | (Q(closed_at__isnull=False, closing__in=Closing.values) & ~Q(close_reason="")),
                name="learning_debt_closed_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ref} {self.text}"

    @property
    def ref(self) -> str:
        return f"{self.PREFIX}-{self.number}"

    @property
    def state(self) -> str:
        """What it waits for: `waiting` for the verdict, `due`; or how it ended: `paid`, `void`."""
        if self.closing:
            return self.closing
        return "due" if self.due_at is not None else "waiting"

    @property
    def says(self) -> str:
        """The state in a sentence."""
        if self.closing:
            return self.close_reason
        return self.due_reason or f"Falls due if {PayIf(self.pay_if).label}."


class Basis(models.TextChoices):
    SHARE = "share", "share of people"
    A_DAY = "a_day", "per active person and day"
    RATIO = "ratio", "one sum over another"


class OutcomeGuard(models.Model):
    """The standing check that a kept change leaves on its metric: an alarm once over half of the gain is surely gone.

    `baseline` and `floor` are in what `basis` says, shares from 0 to 1, fixed before the watch begins. A watch lasts
    `guards.services.WATCH`; then the next begins, so that a fall after two years is not hidden by the years before. The
    last look is kept.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    review = models.OneToOneField(OutcomeReview, on_delete=models.RESTRICT, related_name="guard")
    metric_key = models.CharField(max_length=100)
    basis = models.CharField(max_length=5, choices=Basis.choices, default=Basis.SHARE)
    up_is_good = models.BooleanField()
    baseline = models.FloatField()
    floor = models.FloatField()
    people_a_watch = models.PositiveIntegerField()
    watch_from = models.DateTimeField()
    fine_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True, blank=True)
    value = models.FloatField(null=True, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    n = models.PositiveIntegerField(default=0)
    broken_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(basis="share", floor__gte=0, floor__lte=1, baseline__gte=0, baseline__lte=1)
                | Q(basis__in=["a_day", "ratio"]),
                name="learning_guard_shares",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, end_reason="") | (Q(ended_at__isnull=False) & ~Q(end_reason="")),
                name="learning_guard_ended_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"guard of {self.review.ref}"

    @property
    def ref(self) -> str:
        """A review leaves one guard, and lends it its name."""
        return self.review.ref

    @property
    def state(self) -> str:
        if self.ended_at is not None:
            return "ended"
        if self.broken_at is not None:
            return "broken"
        return "holding" if self.value is not None else "waiting"
