"""What is wanted of events, and imports of them from files. The events themselves stand in the event store."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.workspace.models import Key, Product, User

ERRORS_KEPT = 500


class Intake(models.Model):
    """What a product wants of what is sent to it. One without a row wants everything, bots apart."""

    class Bots(models.TextChoices):
        APART = "apart", "Keep them, and leave them out of every number"
        REFUSED = "refused", "Do not keep them"
        COUNTED = "counted", "Count them as people"

    product = models.OneToOneField(Product, on_delete=models.CASCADE, related_name="+")
    bots = models.CharField(max_length=8, choices=Bots.choices, default=Bots.APART)
    sample = models.PositiveSmallIntegerField(default=100, help_text="Percent of people whose events are kept.")
    allowed = models.JSONField(default=list, help_text="Names of properties that are kept; empty for all.")
    denied = models.JSONField(default=list, help_text="Names of properties that are never kept; * at the end for any.")
    keep_address = models.BooleanField(default=False, help_text="Keep the IP address of browsers and apps as $ip.")
    session_minutes = models.PositiveSmallIntegerField(
        default=30, help_text="So long may somebody do nothing before what they do next is another session."
    )

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(bots__in=("apart", "refused", "counted")), name="intake_bots_known"),
            models.CheckConstraint(condition=Q(sample__gte=1, sample__lte=100), name="intake_sample_is_percent"),
            models.CheckConstraint(
                condition=Q(session_minutes__gte=1, session_minutes__lte=1440), name="intake_session_is_possible"
            ),
        )

    def __str__(self) -> str:
        return f"intake of {self.product}"


class KeyLimit(models.Model):
    """How many events a key may send in a minute. One without a row may send as many as can be written."""

    key = models.OneToOneField(Key, on_delete=models.CASCADE, related_name="+")
    events_per_minute = models.PositiveIntegerField()

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(events_per_minute__gte=1), name="key_limit_lets_some_in"),)

    def __str__(self) -> str:
        return f"{self.events_per_minute:,} events a minute with {self.key}"


class Relay(models.Model):
    """A host to which every accepted call of one dialect is passed on, as it came."""

    class Dialect(models.TextChoices):
        POSTHOG = "posthog", "PostHog"
        SEGMENT = "segment", "Segment"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    dialect = models.CharField(max_length=8, choices=Dialect.choices)
    url = models.CharField(max_length=1_000)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("product", "dialect"), name="one_relay_per_dialect"),
            models.CheckConstraint(condition=Q(dialect__in=("posthog", "segment")), name="relay_dialect_known"),
        )

    def __str__(self) -> str:
        return f"relay to {self.url}"


class TrackingPlan(models.Model):
    """Which events a product means to send, as one versioned document (`plan/document.py`)."""

    product = models.OneToOneField(Product, on_delete=models.CASCADE, related_name="+")
    document = models.JSONField()

    def __str__(self) -> str:
        return f"tracking plan of {self.product}"


class EventImport(models.Model):
    """One file brought in. One that broke off goes on at `row_offset`; no row counts twice, in this run or another."""

    class State(models.TextChoices):
        PREVIEW = "preview"
        RUNNING = "running"
        FINISHED = "finished"
        UNDOING = "undoing"
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
    upload = models.CharField(max_length=80, blank=True, help_text="The file in the data folder while it is read.")
    reading = models.JSONField(default=dict, help_text="How an uploaded file is to be read.")
    taken_back = models.PositiveSmallIntegerField(default=0, help_text="While it is taken back, how far, in percent.")

    class Meta:
        ordering = ("-started_at", "-pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=("preview", "running", "finished", "undoing", "undone")),
                name="event_import_state_known",
            ),
            models.UniqueConstraint(
                fields=("product", "fingerprint"), condition=Q(state="running"), name="one_running_event_import"
            ),
        )

    def __str__(self) -> str:
        return f"import of {self.file_name}"
