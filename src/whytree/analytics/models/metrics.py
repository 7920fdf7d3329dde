"""What is counted."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from whytree.workspace.models import Product

KEY_LENGTH = 100
KEY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


class Direction(models.TextChoices):
    """Which way is good."""

    UP = "up", "more is better"
    DOWN = "down", "less is better"


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
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "key"]
        constraints = [
            models.UniqueConstraint(fields=["product", "key"], name="analytics_one_key_each"),
            models.CheckConstraint(condition=~Q(key="") & ~Q(name=""), name="analytics_metric_named"),
            models.CheckConstraint(condition=Q(direction__in=Direction.values), name="analytics_metric_direction"),
        ]

    def __str__(self) -> str:
        return self.name
