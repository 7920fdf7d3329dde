"""People we know something about. Who did what stands in the event store; this is who they are."""

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from whytree.workspace.models import Product, User

from .identity import MAX_ID


class Person(models.Model):
    """Somebody who was identified or wrote to us. People of whom there are only events have no row.

    One row per known id. When two ids turn out to be one person, the row of the id that is not the main one points to
    the other by `merged_into`; nothing is thrown away, so parting them again loses nothing.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="people")
    key = models.CharField(max_length=MAX_ID, help_text="The id as the product's own code calls this person.")
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=320, blank=True)
    email_proved = models.BooleanField(
        default=False,
        help_text="A server key, the team or the person said it is theirs. To any other no mail goes by itself.",
    )
    plan = models.CharField(max_length=100, blank=True)
    company = models.CharField(max_length=200, blank=True)
    traits = models.JSONField(default=dict, help_text="Everything else that identify said, newest value each.")
    internal = models.BooleanField(default=False, help_text="One of the team: not counted when a flag opens.")
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="merged")
    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    traits_at = models.DateTimeField(
        null=True, help_text="When the newest traits were said; older ones do not overwrite."
    )

    class Meta:
        verbose_name_plural = "people"
        constraints = (
            models.UniqueConstraint(fields=("product", "key"), name="one_person_per_key"),
            models.CheckConstraint(condition=~Q(merged_into=models.F("pk")), name="person_not_merged_into_itself"),
        )
        indexes = (
            models.Index(fields=("product", "-last_seen_at"), name="people_by_last_seen"),
            models.Index(fields=("product", "email"), name="people_by_email"),
        )

    def __str__(self) -> str:
        return self.name or self.email or self.key

    def get_absolute_url(self, product: str = "") -> str:
        """The person's page; `product` saves a query when its slug is at hand."""
        return reverse("person", args=[product or self.product.slug, self.key])


class Erasure(models.Model):
    """Somebody who was forgotten: a number in their place, so that what was counted and decided with them stays true.

    Until the event store has let them go too, `ids` says whom; then it is emptied, and nothing says any more who it was.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    ids = models.JSONField(default=list)
    events = models.PositiveBigIntegerField(default=0, help_text="How many events of theirs went.")
    asked_at = models.DateTimeField(default=timezone.now)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("product", "number"), name="people_erasure_number"),)

    def __str__(self) -> str:
        return f"erased person {self.number}"
