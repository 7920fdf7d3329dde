"""What people said, where it came in, and which of their words were marked."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.voice.themes.models import Theme, ThemeMembership, ThemeRun, ThemeState
from whytree.workspace.models import Product, User

__all__ = [
    "Consent",
    "FeedbackItem",
    "Highlight",
    "ImportRun",
    "RunState",
    "Theme",
    "ThemeMembership",
    "ThemeRun",
    "ThemeState",
]

TEXT_LENGTH = 100_000
"""Characters of one item: a long mail thread. A transcript is an interview, not an item."""

NAME_LENGTH = 200
ERRORS_KEPT = 500
"""Rows that an import run lists one by one; the rest is only counted."""


class Consent(models.TextChoices):
    """What the person who said it allows."""

    NONE = "none", "Not to be quoted: counts, but its words stay here"
    INTERNAL = "internal", "May be quoted inside the team"
    QUOTABLE = "quotable", "May be quoted in public"


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
    def is_unfinished(self) -> bool:
        return self.state in UNFINISHED


class FeedbackItem(models.Model):
    """One thing one person said, verbatim, with where and when.

    `person_key` is the id under which their events come in, when that is known; a name alone is no identity. The four
    fields of `voice_feedback_once` say which thing it is, so that it lands once however often it is sent.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    source_type = models.CharField(max_length=40)
    source_id = models.CharField(max_length=NAME_LENGTH, blank=True)
    source_name = models.CharField(max_length=NAME_LENGTH, blank=True)
    submission_id = models.CharField(max_length=NAME_LENGTH)
    field_id = models.CharField(max_length=NAME_LENGTH, blank=True)
    text = models.TextField()
    author_name = models.CharField(max_length=NAME_LENGTH, blank=True)
    person_key = models.CharField(max_length=NAME_LENGTH, blank=True)
    said_at = models.DateTimeField()
    said_at_known = models.BooleanField(default=True, help_text="False: nobody told, so it is when it came in.")
    rating = models.FloatField(null=True)
    language = models.CharField(max_length=35, blank=True)
    app_version = models.CharField(max_length=80, blank=True)
    flags = models.JSONField(default=dict, help_text="Variants in force for this person when it was said.")
    url = models.CharField(max_length=2000, blank=True)
    consent = models.CharField(max_length=8, choices=Consent.choices, default=Consent.INTERNAL)
    metadata = models.JSONField(default=dict, help_text="Columns that have no field of their own.")
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of what was sent: tells a change from a repeat.")
    import_run = models.ForeignKey(ImportRun, null=True, on_delete=models.SET_NULL, related_name="items")
    reporter = models.ForeignKey(
        User,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        help_text="Who passed it on; not who said it.",
    )
    created_at = models.DateTimeField(default=timezone.now)
    handled_at = models.DateTimeField(null=True, help_text="When somebody linked it or put it away; null: it waits.")
    handled_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)

    class Meta:
        # No default ordering: SQLite would walk the index of times instead of looking ids up.
        constraints = (
            models.UniqueConstraint(fields=("product", "number"), name="voice_feedback_number"),
            models.UniqueConstraint(
                fields=("product", "source_type", "source_id", "submission_id", "field_id"), name="voice_feedback_once"
            ),
            models.CheckConstraint(condition=~Q(text=""), name="voice_feedback_text"),
            models.CheckConstraint(condition=Q(consent__in=Consent.values), name="voice_feedback_consent"),
        )
        indexes = (
            models.Index(fields=("product", "-said_at", "-id"), name="voice_feedback_newest"),
            models.Index(
                fields=("product", "-said_at", "-id"), name="voice_feedback_waiting", condition=Q(handled_at=None)
            ),
            models.Index(fields=("product", "source_name", "-said_at", "-id"), name="voice_feedback_source"),
            models.Index(
                fields=("product", "rating", "-said_at", "-id"),
                name="voice_feedback_rating",
                condition=Q(rating__isnull=False),
            ),
            models.Index(fields=("product", "person_key", "-said_at", "-id"), name="voice_feedback_person"),
        )

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        return f"FB-{self.number}"

    @property
    def author(self) -> str:
        """How pages call the person who said it."""
        return self.author_name or self.person_key or "anonymous"

    @property
    def source(self) -> str:
        return self.source_name or self.source_type

    @property
    def is_waiting(self) -> bool:
        return self.handled_at is None


class Highlight(models.Model):
    """A marked span of an item: `text[start:end]`. When the text is changed later, the quote is looked for again."""

    item = models.ForeignKey(FeedbackItem, on_delete=models.CASCADE, related_name="highlights")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    quote = models.TextField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("start", "end")
        constraints = (
            models.UniqueConstraint(fields=("item", "start", "end"), name="voice_highlight_once"),
            models.CheckConstraint(condition=Q(end__gt=models.F("start")), name="voice_highlight_span"),
        )

    def __str__(self) -> str:
        return self.quote

    def still_stands(self, text: str) -> bool:
        """Whether the span still shows the quote; the text may have been edited where it came from."""
        return text[self.start : self.end] == self.quote

    def as_json(self) -> dict[str, Any]:
        return {"id": self.pk, "start": self.start, "end": self.end, "quote": self.quote}
