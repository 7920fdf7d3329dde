"""What is remembered of answers (how much was explained when it was read) and of the habit (voices shown, mails sent)."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.code.models import Repository
from whytree.workspace.models import Product, User


def new_nonce() -> str:
    return secrets.token_urlsafe(12)


class Reader(models.Model):
    """One member's wishes for one product. `emails` are the addresses their commits carry, besides their account's.
    `mail` is Monday's, `alarms` those about harm to their own changes.

    `nonce` is signed into the address of their feed; a new one makes the old address useless.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    emails = models.JSONField(default=list)
    mail = models.BooleanField(default=True)
    alarms = models.BooleanField(default=True)
    nonce = models.CharField(max_length=24, default=new_nonce)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "product"], name="why_one_reader_each")]

    def __str__(self) -> str:
        return f"{self.user} reads {self.product}"


class Shown(models.Model):
    """A voice somebody was shown, by its id alone, so that it is not shown again."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    ref = models.CharField(max_length=80)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "shown"
        constraints = [models.UniqueConstraint(fields=["user", "product", "ref"], name="why_shown_once")]

    def __str__(self) -> str:
        return f"{self.ref} to {self.user}"


class SlackHook(models.Model):
    """Where a product's five lines are posted on Mondays. The address is a secret: pages show its host only."""

    product = models.OneToOneField(Product, primary_key=True, on_delete=models.CASCADE, related_name="+")
    url = models.CharField(max_length=1000)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Slack of {self.product}"


class Sending(models.Model):
    """One week's five lines to one person, or to the product's channel (`user` is null).

    The row is written before the sending begins, and is unique: whoever comes second does not send. One that stands
    at "sending" was cut off in the middle; it may have arrived, so it is never sent again.
    """

    class State(models.TextChoices):
        SENDING = "sending"
        SENT = "sent"
        NOTHING = "nothing", "nothing to say"
        FAILED = "failed"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    week = models.CharField(max_length=8, help_text="ISO week, as 2026-W48.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.SENDING)
    attempts = models.PositiveSmallIntegerField(default=1)
    error = models.CharField(max_length=500, blank=True, default="")
    voices = models.JSONField(default=list, help_text="Ids of what was quoted: words are never kept twice.")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-week", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["product", "user", "week"], name="why_sent_once"),
            models.UniqueConstraint(
                fields=["product", "week"], condition=Q(user=None), name="why_sent_once_to_the_channel"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["sending", "sent", "nothing", "failed"]), name="why_sending_state"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.week} to {self.user or 'the channel'}: {self.state}"


class Alarm(models.Model):
    """Harm that a standing watch saw, told at once and once. `owner` is whose change it was; nobody's is still in every feed.

    `mailed_at` and `posted_at` say when a mail and the channel's line left, or that there was nobody to send them to.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    owner = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    key = models.CharField(max_length=200, help_text="The same harm has the same one.")
    title = models.CharField(max_length=300)
    text = models.TextField()
    path = models.CharField(max_length=500)
    at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True, blank=True)
    posted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["product", "key"], name="why_alarm_once")]

    def __str__(self) -> str:
        return self.title

    @property
    def url(self) -> str:
        return settings.WHYTREE.base_url + self.path


class CoveragePoint(models.Model):
    """Lines of a repository by the best that stood behind them, after one reading."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)
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
