"""Groups of people that have a name."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.workspace.models import Product, User

from .metrics import KEY_LENGTH, KEY_PATTERN


class Cohort(models.Model):
    """People told by a rule that is asked anew each time, or a list that somebody stored; see `cohorts.definitions`.

    A list's people stand in the event store under `version`: a new list is a new version.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(
        max_length=KEY_LENGTH,
        validators=[RegexValidator(KEY_PATTERN, "Use letters, digits, dashes and underscores, as in early_birds.")],
    )
    name = models.CharField(max_length=200)
    definition = models.JSONField()
    version = models.PositiveIntegerField(default=0, help_text="Of a list's people; 0 for a rule.")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "key"]
        constraints = [
            models.UniqueConstraint(fields=["product", "key"], name="analytics_cohort_one_key_each"),
            models.CheckConstraint(condition=~Q(key="") & ~Q(name=""), name="analytics_cohort_named"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_list(self) -> bool:
        return bool(self.definition.get("list"))


class CohortSize(models.Model):
    """How many people a cohort had on a day: its history."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="sizes")
    day = models.DateField()
    people = models.PositiveIntegerField()

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["cohort", "day"], name="analytics_cohortsize_once")]

    def __str__(self) -> str:
        return f"{self.people:,} on {self.day}"
