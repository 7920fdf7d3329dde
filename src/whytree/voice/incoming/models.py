"""The secret that others sign with, and which of their messages were taken."""

from django.db import models
from django.utils import timezone

from whytree.workspace.models import Product
from whytree.workspace.outside.webhooks import LONGEST_ID

SECRET_LENGTH = 60


class FeedbackWebhook(models.Model):
    """One a product. `secret` is kept as it is: a signature cannot be checked with a hash of it."""

    product = models.OneToOneField(Product, primary_key=True, on_delete=models.CASCADE, related_name="+")
    secret = models.CharField(max_length=SECRET_LENGTH)
    made_at = models.DateTimeField(default=timezone.now)
    previous = models.CharField(
        max_length=SECRET_LENGTH, blank=True, help_text="Holds for a day after a new one was made."
    )
    taken_at = models.DateTimeField(null=True, help_text="When a message was last taken.")

    def __str__(self) -> str:
        return f"webhook of {self.product}"


class FeedbackMessage(models.Model):
    """A message that was taken. Sent again, it is answered as it was the first time."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+", db_index=False)
    message_id = models.CharField(max_length=LONGEST_ID)
    taken_at = models.DateTimeField(default=timezone.now, db_index=True)
    answer = models.JSONField(default=dict)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("product", "message_id"), name="voice_message_once"),)

    def __str__(self) -> str:
        return self.message_id
