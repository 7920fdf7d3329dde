"""Definitions that were brought in from another tool."""

from django.db import models
from django.utils import timezone

from whytree.workspace.models import Product, User


class DefinitionImport(models.Model):
    """One time that definitions were brought in. `made` says for each what it goes by there, its kind, and what it became here."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    tool = models.CharField(max_length=40)
    made = models.JSONField(default=list)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["product", "number"], name="analytics_definition_import_number")]

    def __str__(self) -> str:
        return f"definitions of {self.tool}, {self.number}"
