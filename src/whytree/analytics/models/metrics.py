"""What is counted."""

from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from django.db.models import Q

from whytree.workspace.models import Product

KEY_LENGTH = 100
KEY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


class Direction(models.TextChoices):
    """Which way is good."""

    UP = "up", "more is better"
    DOWN = "down", "less is better"


class Category(models.TextChoices):
    """Which part of people's experience it tells of (HEART: Rodden, Hutchinson and Fu, CHI 2010, p. 2395-2398)."""

    HAPPINESS = "happiness", "happiness"
    ENGAGEMENT = "engagement", "engagement"
    ADOPTION = "adoption", "adoption"
    RETENTION = "retention", "retention"
    TASK_SUCCESS = "task_success", "task success"


class MetricRole(models.TextChoices):
    """What it is for."""

    NORTH_STAR = "north_star", "north star: the one number of value to people"
    INPUT = "input", "input: moves the north star, and we can move it"
    OUTCOME = "outcome", "outcome: what a solution should change"
    GUARDRAIL = "guardrail", "guardrail: must not get worse"
    COUNTER = "counter", "counter: shows when another number was bought too dearly"
    DIAGNOSTIC = "diagnostic", "diagnostic: explains why others move"

    @property
    def word(self) -> str:
        return str(self.label).partition(":")[0]


class Metric(models.Model):
    """A number that computes itself from events. What it counts is a versioned definition (`definitions`)."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(
        max_length=KEY_LENGTH,
        validators=[RegexValidator(KEY_PATTERN, "Use letters, digits, dashes and underscores, as in activated_7d.")],
    )
    name = models.CharField(max_length=200)
    definition = models.JSONField()
    unit = models.CharField(max_length=20, blank=True, default="")
    direction = models.CharField(max_length=4, choices=Direction.choices, default=Direction.UP)
    category = models.CharField(max_length=20, choices=Category.choices, blank=True, default="")
    role = models.CharField(max_length=20, choices=MetricRole.choices, blank=True, default="")
    owner = models.CharField(max_length=100, blank=True, default="", help_text="Who answers for it: a team or a role.")
    description = models.TextField(validators=[MaxLengthValidator(2_000)], blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "key"]
        constraints = [
            models.UniqueConstraint(fields=["product", "key"], name="analytics_one_key_each"),
            models.CheckConstraint(condition=~Q(key="") & ~Q(name=""), name="analytics_metric_named"),
            models.CheckConstraint(condition=Q(direction__in=Direction.values), name="analytics_metric_direction"),
            models.CheckConstraint(condition=Q(category__in=["", *Category.values]), name="analytics_metric_category"),
            models.CheckConstraint(condition=Q(role__in=["", *MetricRole.values]), name="analytics_metric_role"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def role_word(self) -> str:
        return MetricRole(self.role).word if self.role else ""
