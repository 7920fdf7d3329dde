"""Questions that somebody kept, and answers that were frozen as evidence."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.workspace.models import Product, User

PREFIX = "ASK"


class SavedQuestion(models.Model):
    """A question under a name. With `answer` it is frozen: it shows what was true at `frozen_at`, for evidence."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=300)
    question = models.JSONField()
    part = models.JSONField(null=True, blank=True, help_text="Which part of the answer it is about.")
    answer = models.JSONField(null=True, blank=True)
    frozen_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["product", "number"], name="analytics_saved_number"),
            models.CheckConstraint(condition=~Q(title=""), name="analytics_saved_titled"),
            models.CheckConstraint(
                condition=Q(answer=None, frozen_at=None) | Q(answer__isnull=False, frozen_at__isnull=False),
                name="analytics_saved_frozen",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def ref(self) -> str:
        return f"{PREFIX}-{self.number}"

    @property
    def kind(self) -> str:
        return str(self.question.get("kind", ""))
