"""Imports of events from files. The events themselves stand in the event store."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.workspace.models import Product, User

ERRORS_KEPT = 500


class EventImport(models.Model):
    """One file brought in. One that broke off goes on at `row_offset`; no row counts twice, in this run or another."""

    class State(models.TextChoices):
        RUNNING = "running"
        FINISHED = "finished"
        UNDONE = "undone"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    file_name = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the file and of how it is read.")
    mapping = models.JSONField(default=dict, help_text="Our field to the file's column.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    row_offset = models.PositiveBigIntegerField(default=0, help_text="The last row of the file that was dealt with.")
    rows = models.PositiveBigIntegerField(default=0)
    created = models.PositiveBigIntegerField(default=0)
    repeated = models.PositiveBigIntegerField(default=0, help_text="There already.")
    broken = models.PositiveBigIntegerField(default=0)
    errors = models.JSONField(default=list, help_text=f"Row and reason of the first {ERRORS_KEPT} that were left out.")
    started_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-started_at", "-pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=("running", "finished", "undone")), name="event_import_state_known"
            ),
            models.UniqueConstraint(
                fields=("product", "fingerprint"), condition=Q(state="running"), name="one_running_event_import"
            ),
        )

    def __str__(self) -> str:
        return f"import of {self.file_name}"
