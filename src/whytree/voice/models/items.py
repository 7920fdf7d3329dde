"""What people said, which of their words were marked, and what was taken out of them."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.engines.texts.personal import KINDS
from whytree.workspace.models import Product, User

from .imports import ImportRun
from .sizes import NAME_LENGTH
from .triage import Status, Tag


class Consent(models.TextChoices):
    """What the person who said it allows."""

    NONE = "none", "Not to be quoted: counts, but its words stay here"
    INTERNAL = "internal", "May be quoted inside the team"
    QUOTABLE = "quotable", "May be quoted in public"


ASIDE = Q(snoozed_until__isnull=False) | Q(merged_into__isnull=False)
"""Few of those that nobody read are: counted by an index of their own."""


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
    from_team = models.BooleanField(default=False, help_text="Said by somebody of the team: no voice of a user.")
    redacted = models.BooleanField(default=False, help_text="Personal data was taken out of it.")
    handled_at = models.DateTimeField(null=True, help_text="When somebody linked it or put it away; null: it waits.")
    handled_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    status = models.ForeignKey(Status, null=True, on_delete=models.SET_NULL, related_name="+")
    assignee = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    snoozed_until = models.DateTimeField(null=True, help_text="It waits, and is not shown before then.")
    tags = models.ManyToManyField(Tag, through="ItemTag", related_name="items")
    merged_into = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.SET_NULL,
        related_name="merged",
        help_text="The voice that says the same and stands for both in the inbox; this one keeps its words and its person.",
    )

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
            models.Index(
                fields=("product", "merged_into", "snoozed_until"),
                name="voice_feedback_aside",
                condition=Q(handled_at=None) & ASIDE,
            ),
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
        return self.handled_at is None and self.merged_into_id is None


class ItemTag(models.Model):
    """A tag on an item."""

    item = models.ForeignKey(FeedbackItem, on_delete=models.CASCADE, related_name="tagged")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="tagged")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("item", "tag"), name="voice_item_tag_once"),)

    def __str__(self) -> str:
        return f"{self.item} {self.tag}"


class Highlight(models.Model):
    """A marked span of an item's text or of an interview's transcript: `text[start:end]`, and there its milliseconds.

    When the text is changed later, the words are looked for again; a highlight whose words are gone keeps them as its
    quote and is shown as lost.
    """

    item = models.ForeignKey(FeedbackItem, null=True, on_delete=models.CASCADE, related_name="highlights")
    interview = models.ForeignKey("voice.Interview", null=True, on_delete=models.CASCADE, related_name="highlights")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    start_ms = models.PositiveBigIntegerField(null=True)
    end_ms = models.PositiveBigIntegerField(null=True)
    quote = models.TextField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    tags = models.ManyToManyField(Tag, through="HighlightTag", related_name="highlights")

    class Meta:
        ordering = ("start", "end")
        constraints = (
            models.UniqueConstraint(fields=("item", "start", "end"), name="voice_highlight_once"),
            models.CheckConstraint(condition=Q(end__gt=models.F("start")), name="voice_highlight_span"),
            models.CheckConstraint(
                condition=Q(item=None, interview__isnull=False) | Q(item__isnull=False, interview=None),
                name="voice_highlight_of_one",
            ),
        )

    def __str__(self) -> str:
        return self.quote

    def still_stands(self, text: str) -> bool:
        """Whether the span still shows the quote; the text may have been edited where it came from."""
        return text[self.start : self.end] == self.quote

    def as_json(self) -> dict[str, Any]:
        tags = sorted(tag.name for tag in self.tags.all())
        return {"id": self.pk, "start": self.start, "end": self.end, "quote": self.quote, "tags": tags}


class HighlightTag(models.Model):
    """A tag on a highlight."""

    highlight = models.ForeignKey(Highlight, on_delete=models.CASCADE, related_name="tagged")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("highlight", "tag"), name="voice_highlight_tag_once"),)

    def __str__(self) -> str:
        return f"{self.highlight_id} {self.tag}"


class Redaction(models.Model):
    """A piece of personal data that was taken out of an item, kept until its import is closed.

    `place` is the column beside the text where it stood, empty for the text itself; `start` and `end` are where the
    words in its place stand.
    """

    item = models.ForeignKey(FeedbackItem, on_delete=models.CASCADE, related_name="redactions")
    kind = models.CharField(max_length=8)
    place = models.CharField(max_length=NAME_LENGTH, blank=True)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    original = models.TextField()

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(kind__in=sorted(KINDS)), name="voice_redaction_kind"),)

    def __str__(self) -> str:
        return f"{self.kind} in {self.item_id}"
