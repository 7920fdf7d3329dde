"""One import of one file."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.workspace.models import Product, User

from .sizes import NAME_LENGTH

ERRORS_KEPT = 500
"""Rows that an import run lists one by one; the rest is only counted."""


class RunState(models.TextChoices):
    PENDING = "pending"
    DRY_RUN = "dry_run"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


UNFINISHED = (RunState.PENDING, RunState.RUNNING)


class ImportRun(models.Model):
    """One import of one file. An interrupted run is taken up again at `row_offset`; no row is ever taken twice."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    file_name = models.CharField(max_length=NAME_LENGTH, blank=True)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the file, its mapping and its source.")
    source_type = models.CharField(max_length=40)
    source_id = models.CharField(max_length=NAME_LENGTH, blank=True)
    source_name = models.CharField(max_length=NAME_LENGTH)
    mapping = models.JSONField(default=dict, help_text="Our field to the file's column.")
    day_first = models.BooleanField(null=True, help_text="How 03/04/2024 is to be read; null: it cannot be.")
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.PENDING)
    row_offset = models.PositiveBigIntegerField(default=0, help_text="The last row of the file that was dealt with.")
    rows = models.PositiveBigIntegerField(default=0)
    created = models.PositiveBigIntegerField(default=0)
    updated = models.PositiveBigIntegerField(default=0)
    skipped = models.PositiveBigIntegerField(default=0, help_text="Known already, and the same.")
    empty = models.PositiveBigIntegerField(default=0, help_text="Without a word in them, as ratings by stars only.")
    broken = models.PositiveBigIntegerField(default=0)
    errors = models.JSONField(default=list, help_text=f"[row, reason] of the first {ERRORS_KEPT} broken rows.")
    started_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    format_name = models.CharField(
        max_length=80, blank=True, help_text="Whose export it was; empty: columns were guessed."
    )
    left_out = models.JSONField(default=dict, help_text="How many were no voices of users: team, machine, silent.")
    redacted = models.PositiveBigIntegerField(default=0, help_text="Pieces of personal data taken out.")
    closed_at = models.DateTimeField(null=True, help_text="From then on what was taken out is gone for good.")
    upload = models.CharField(max_length=80, blank=True, help_text="The file in the data folder while it is read.")
    reading = models.JSONField(default=dict, help_text="How an uploaded file is to be read.")

    class Meta:
        ordering = ("-started_at", "-pk")
        constraints = (
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="voice_importrun_state"),
            models.UniqueConstraint(
                fields=("product", "fingerprint"), condition=Q(state__in=UNFINISHED), name="voice_one_unfinished_run"
            ),
        )

    def __str__(self) -> str:
        return f"import of {self.file_name or self.source_name}"

    @property
    def brings_nothing(self) -> bool:
        """An export we know that was looked at, and that nobody could read so that anything comes of it."""
        return bool(self.format_name) and not (self.created or self.updated or self.broken)

    @property
    def is_over(self) -> bool:
        """Whether nobody can go on with it."""
        return self.finished_at is not None or self.undone_at is not None

    @property
    def is_going_out(self) -> bool:
        """Whether it is being taken back, and not all is out yet."""
        return self.undone_at is not None and self.finished_at is None

    @property
    def is_open(self) -> bool:
        """Whether what was redacted can still be put back."""
        return self.closed_at is None and self.undone_at is None and self.state != RunState.DRY_RUN


class ColumnMapping(models.Model):
    """Which column of a table holds what, kept under a name; `header` are the columns of the table it was made for."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    columns = models.JSONField(help_text="Our field to the file's column; what is not named is nowhere.")
    header = models.JSONField(help_text="All columns of that table, sorted.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("product", "name"), name="voice_mapping_name"),)

    def __str__(self) -> str:
        return self.name
