"""Who is told what by itself: alerts on a number that leaves its band, answers that are sent on their day, and the letters."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.workspace.models import Product, User

from .boards import Board
from .metrics import Metric
from .saved import SavedQuestion

URL_LENGTH = 1_000
SECRET_LENGTH = 60


class Alert(models.Model):
    """Tells when the value of a metric, or of a kept trend, leaves what its rule allows, and when it is back.

    `bucket` is the last whole stretch that was looked at; `webhook` is a secret, and `secret` signs what is sent there.
    """

    class State(models.TextChoices):
        INSIDE = "inside", "inside"
        OUTSIDE = "outside", "outside"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, null=True, blank=True, related_name="alerts")
    saved = models.ForeignKey(SavedQuestion, on_delete=models.CASCADE, null=True, blank=True, related_name="alerts")
    rule = models.JSONField()
    mail = models.BooleanField(default=True)
    webhook = models.CharField(max_length=URL_LENGTH, blank=True, default="")
    secret = models.CharField(max_length=SECRET_LENGTH, blank=True, default="")
    snoozed_until = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.INSIDE)
    bucket = models.DateField(null=True, blank=True)
    says = models.CharField(max_length=500, blank=True, default="")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["product", "number"], name="analytics_alert_number"),
            models.CheckConstraint(
                condition=Q(metric__isnull=False, saved=None) | Q(metric=None, saved__isnull=False),
                name="analytics_alert_on_one",
            ),
            models.CheckConstraint(condition=Q(state__in=["inside", "outside"]), name="analytics_alert_state"),
        ]

    def __str__(self) -> str:
        return f"{self.number}, {self.on}"

    @property
    def on(self) -> str:
        """What it watches."""
        return str(self.metric or self.saved)


class AlertEvent(models.Model):
    """A value left its band, or came back: told once for each stretch."""

    class What(models.TextChoices):
        LEFT = "left", "left"
        RECOVERED = "recovered", "recovered"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="events")
    bucket = models.DateField()
    what = models.CharField(max_length=10, choices=What.choices)
    value = models.FloatField(null=True, blank=True)
    says = models.CharField(max_length=500)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["alert", "bucket", "what"], name="analytics_alert_event_once"),
            models.CheckConstraint(condition=Q(what__in=["left", "recovered"]), name="analytics_alert_event_what"),
        ]

    def __str__(self) -> str:
        return self.says


class Subscription(models.Model):
    """A board or kept question that comes every day or week, by mail to whoever asked for it or to a webhook."""

    class Every(models.TextChoices):
        DAY = "day", "every day"
        WEEK = "week", "every week"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    board = models.ForeignKey(Board, on_delete=models.CASCADE, null=True, blank=True, related_name="subscriptions")
    saved = models.ForeignKey(SavedQuestion, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    webhook = models.CharField(max_length=URL_LENGTH, blank=True, default="", help_text="Empty: by mail.")
    secret = models.CharField(max_length=SECRET_LENGTH, blank=True, default="")
    every = models.CharField(max_length=4, choices=Every.choices, default=Every.WEEK)
    weekday = models.PositiveSmallIntegerField(default=0, help_text="0 is Monday.")
    hour = models.PositiveSmallIntegerField(default=8)
    zone = models.CharField(max_length=60)
    is_on = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["product", "number"], name="analytics_subscription_number"),
            models.CheckConstraint(
                condition=Q(board__isnull=False, saved=None) | Q(board=None, saved__isnull=False),
                name="analytics_subscription_to_one",
            ),
            models.CheckConstraint(
                condition=Q(weekday__lte=6, hour__lte=23, every__in=["day", "week"]), name="analytics_subscription_when"
            ),
        ]

    def __str__(self) -> str:
        return str(self.subject)

    @property
    def subject(self) -> Board | SavedQuestion:
        """What comes; a constraint holds that it is one of the two."""
        if self.board is not None:
            return self.board
        if self.saved is not None:
            return self.saved
        raise ValueError("a subscription to nothing")


class Letter(models.Model):
    """One thing told one way. The row is claimed before it leaves; one that was cut off may have arrived, and stays."""

    class Way(models.TextChoices):
        MAIL = "mail", "mail"
        WEBHOOK = "webhook", "webhook"

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        SENDING = "sending", "sending"
        SENT = "sent", "sent"
        FAILED = "failed", "will be tried again"
        REFUSED = "refused", "refused"

    event = models.ForeignKey(AlertEvent, on_delete=models.CASCADE, null=True, blank=True, related_name="letters")
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    occasion = models.CharField(max_length=20, blank=True, default="", help_text="A subscription's day.")
    way = models.CharField(max_length=8, choices=Way.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True, default="")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "way"], condition=Q(event__isnull=False), name="analytics_letter_once"
            ),
            models.UniqueConstraint(
                fields=["subscription", "occasion"],
                condition=Q(subscription__isnull=False),
                name="analytics_letter_once_a_day",
            ),
            models.CheckConstraint(
                condition=Q(event__isnull=False, subscription=None) | Q(event=None, subscription__isnull=False),
                name="analytics_letter_of_one",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sending", "sent", "failed", "refused"])
                & Q(way__in=["mail", "webhook"]),
                name="analytics_letter_state",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_way_display()}: {self.get_state_display()}"
