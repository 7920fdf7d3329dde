"""Whom we asked for something, and who wants to be asked: one log and one rest for talks and surveys alike."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.workspace.models import Product, User

from .sizes import NAME_LENGTH

REST_DAYS = 30
"""Whoever was asked for anything is left in peace this long, unless the product says otherwise."""


class ContactKind(models.TextChoices):
    INTERVIEW = "interview", "asked for a talk"
    SURVEY = "survey", "shown a survey"


class Contact(models.Model):
    """We asked somebody for something. `subject` names it: OPP-2, or a survey that another tool ran; ours write their own."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    person_key = models.CharField(max_length=NAME_LENGTH)
    kind = models.CharField(max_length=9, choices=ContactKind.choices)
    subject = models.CharField(max_length=NAME_LENGTH, blank=True)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ("-at", "-pk")
        constraints = (models.CheckConstraint(condition=Q(kind__in=ContactKind.values), name="voice_contact_kind"),)
        indexes = (models.Index(fields=("product", "person_key", "-at"), name="voice_contact_person"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}".strip()


class ContactWish(models.Model):
    """What somebody said about being asked: they agreed, or want to be left alone. No row: nobody knows."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    person_key = models.CharField(max_length=NAME_LENGTH)
    may = models.BooleanField()
    said_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("product", "person_key"), name="voice_contact_wish_once"),)

    def __str__(self) -> str:
        return "agreed to be asked" if self.may else "wants to be left alone"


class ContactSettings(models.Model):
    """How a product asks people for a talk. `rest_days`: how long whoever was asked for anything is left in peace."""

    product = models.OneToOneField(Product, primary_key=True, on_delete=models.CASCADE, related_name="+")
    rest_days = models.PositiveSmallIntegerField(default=REST_DAYS)
    booking_url = models.CharField(max_length=2000, blank=True)
    invitation = models.TextField(blank=True, help_text="What they are told; the booking link stands below it.")

    def __str__(self) -> str:
        return f"how {self.product} asks for talks"

    @classmethod
    def of(cls, product: Product) -> "ContactSettings":
        """As stored; what a product never said is the default, and not stored."""
        return cls._default_manager.filter(product=product).first() or cls(product=product)
