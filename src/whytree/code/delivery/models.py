"""What is stored of delivery. Nobody is named in it."""

from django.db import models
from django.utils.timezone import now

from whytree.workspace.entry.environments import PRODUCTION
from whytree.workspace.models import Product


class Deployment(models.Model):
    """A version that went out to an environment: what CI told. `Commit.deployment` is the first one that brought it."""

    class Result(models.TextChoices):
        SUCCESS = "success"
        FAILURE = "failure"
        CANCELLED = "cancelled"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    repository = models.ForeignKey(
        "code.Repository", on_delete=models.SET_NULL, null=True, blank=True, related_name="deployments"
    )
    sent_id = models.CharField(max_length=250, help_text="The sender's: the same again is the same deployment.")
    repo = models.CharField(max_length=300, blank=True, default="", help_text='As told: "github.com/acme/sprout".')
    commit_sha = models.CharField(max_length=64, blank=True, default="")
    version = models.CharField(max_length=200, blank=True, default="", help_text="Version, tag or branch.")
    environment = models.CharField(max_length=60, default=PRODUCTION)
    title = models.CharField(max_length=300, blank=True, default="")
    url = models.URLField(max_length=1000, blank=True, default="")
    result = models.CharField(max_length=9, choices=Result.choices, default=Result.SUCCESS)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    is_placed = models.BooleanField(default=False, help_text="Its commit was read in, so what it brought is known.")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-finished_at", "-id"]
        indexes = [models.Index(fields=["product", "environment", "finished_at"], name="code_deployment_when")]
        constraints = [
            models.UniqueConstraint(fields=["product", "sent_id", "repo"], name="code_deployment_once"),
            models.CheckConstraint(
                condition=models.Q(result__in=["success", "failure", "cancelled"]), name="code_deployment_result"
            ),
            models.CheckConstraint(
                condition=models.Q(finished_at__gte=models.F("started_at")), name="code_deployment_times"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def short(self) -> str:
        return self.commit_sha[:7]

    @property
    def label(self) -> str:
        """What people call it."""
        return self.version or self.short or self.sent_id

    @property
    def is_live(self) -> bool:
        """Whether people met it."""
        return self.environment == PRODUCTION and self.result == self.Result.SUCCESS


class Incident(models.Model):
    """Something was broken for people: from when to when, and which deployment did it, where somebody said so."""

    class Status(models.TextChoices):
        TODO = "todo", "open"
        IN_PROGRESS = "in_progress", "in work"
        DONE = "done", "resolved"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200, help_text="Its id where it is kept.")
    title = models.CharField(max_length=500)
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.TODO)
    url = models.URLField(max_length=1000, blank=True, default="")
    began_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    deployment = models.ForeignKey(
        Deployment, on_delete=models.SET_NULL, null=True, blank=True, related_name="incidents", help_text="As told."
    )
    is_unrelated = models.BooleanField(default=False, help_text="No deployment did it, as told.")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-began_at", "-id"]
        indexes = [models.Index(fields=["product", "began_at"], name="code_incident_when")]
        constraints = [
            models.UniqueConstraint(fields=["product", "key"], name="code_incident_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=["todo", "in_progress", "done"]), name="code_incident_status"
            ),
            models.CheckConstraint(
                condition=models.Q(resolved_at=None) | models.Q(resolved_at__gte=models.F("began_at")),
                name="code_incident_times",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def is_open(self) -> bool:
        return self.status != self.Status.DONE
