"""What is stored of a mirror. Nobody is named in it."""

from django.db import models
from django.utils.timezone import now

from whytree.workspace.models import Product


class Mirror(models.Model):
    """A public address that the server copies and reads, and how that went. `repository` once it is known by its first commit."""

    class State(models.TextChoices):
        WAITING = "waiting"
        COPYING = "copying"
        READING = "reading"
        READ = "read"
        FAILED = "failed"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    repository = models.ForeignKey(
        "code.Repository", on_delete=models.SET_NULL, null=True, blank=True, related_name="mirrors"
    )
    url = models.CharField(max_length=1000)
    name = models.CharField(max_length=100)
    with_code = models.BooleanField(default=False)
    with_hunks = models.BooleanField(default=True)
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    says = models.CharField(max_length=300, blank=True, default="", help_text="How far it is, or why it failed.")
    created_at = models.DateTimeField(default=now)
    tried_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "url"], name="code_mirror_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "copying", "reading", "read", "failed"]),
                name="code_mirror_state",
            ),
        ]

    def __str__(self) -> str:
        return self.url
