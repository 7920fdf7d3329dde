"""Those who asked for a change, and what they say of it now."""

from django.db import models
from django.utils import timezone

from whytree.tree.models import Solution
from whytree.workspace.models import Product, User

from .items import FeedbackItem
from .sizes import NAME_LENGTH

MESSAGE_LENGTH = 4_000


class Loop(models.Model):
    """How one solution comes back to those who asked: what counts as having used it, and what they are told."""

    solution = models.OneToOneField(Solution, primary_key=True, on_delete=models.CASCADE, related_name="+")
    used_event = models.CharField(max_length=500, blank=True, help_text="Empty: what its hypothesis' metric counts.")
    message = models.TextField(blank=True, help_text="The entry of the changelog, as those who asked will read it.")
    tells = models.BooleanField(
        default=False, help_text="Each of them is told by mail, by itself, when it reaches them."
    )

    def __str__(self) -> str:
        return f"the way back of {self.solution_id}"


class Requester(models.Model):
    """One person who asked for what a solution addresses, once they were told or asked, and what they answered."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    solution = models.ForeignKey(Solution, on_delete=models.CASCADE, related_name="+")
    person_key = models.CharField(max_length=NAME_LENGTH)
    told_at = models.DateTimeField(null=True)
    told_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    refused_at = models.DateTimeField(null=True, help_text="When a mail that went by itself was last refused for good.")
    asked_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    solved = models.BooleanField(null=True, help_text="What they answered; null: not yet.")
    item = models.ForeignKey(FeedbackItem, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("solution", "person_key"), name="voice_requester_once"),)
        indexes = (models.Index(fields=("product", "person_key"), name="voice_requester_person"),)

    def __str__(self) -> str:
        return f"requester {self.pk}"
