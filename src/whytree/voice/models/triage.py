"""How a team sorts its voices: statuses and tags of its own, and views worth keeping."""

from django.db import models
from django.utils import timezone

from whytree.workspace.models import Product, User

NAME = 60


class Status(models.Model):
    """A word of the team's own for where a voice stands. `waits`: a voice that stands so still waits for a reader.
    `tells`: those who said it, or the same, hear of it.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=NAME)
    waits = models.BooleanField(default=True)
    tells = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "pk")
        constraints = (models.UniqueConstraint(fields=("product", "name"), name="voice_status_name"),)

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """A word that voices are sorted by."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=NAME)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("product", "name"), name="voice_tag_name"),)

    def __str__(self) -> str:
        return self.name


class SavedView(models.Model):
    """A search worth keeping: the query of the inbox's address. `owner` keeps it to one person; null: for the team."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    owner = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=NAME)
    query = models.CharField(max_length=1000)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name", "pk")
        constraints = (models.UniqueConstraint(fields=("product", "owner", "name"), name="voice_view_name"),)

    def __str__(self) -> str:
        return self.name
