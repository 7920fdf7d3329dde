"""What is remembered of answers: how much of a repository was explained when it was read."""

from django.db import models
from django.utils.timezone import now

from whytree.code.models import Repository


class CoveragePoint(models.Model):
    """Lines of a repository by the best that stood behind them, after one reading."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=now)
    head = models.CharField(max_length=64)
    lines = models.PositiveIntegerField()
    by_rung = models.JSONField(default=dict, help_text='{"measured": 120, "tested": 0, ...}')
    refuted = models.PositiveIntegerField(default=0)
    unmeasured = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["repository", "-at"], name="why_coverage_at")]

    def __str__(self) -> str:
        return f"{self.repository} at {self.head[:7]}"
