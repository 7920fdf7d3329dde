"""Themes as they are stored: what a machine found, and what people made of it.

Neither destroys the other: where the machine put a voice stays in `theme`, where a person moved it in `moved_to`; a theme that was
joined to another keeps its own voices and points there. So every act of a person is one row, and can be taken back.
"""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.tree.models import Opportunity
from whytree.workspace.models import Product, User

LABEL_LENGTH = 120
NO_COMMON_WORD = "without a word in common"


class ThemeState(models.TextChoices):
    FOUND = "found", "Machine-made"
    ADOPTED = "adopted", "Adopted as an opportunity"
    DISMISSED = "dismissed", "Dismissed"


class Theme(models.Model):
    """Voices that speak of the same. `label` is the machine's and may change with every run; `name` is a person's and stays."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    label = models.CharField(max_length=LABEL_LENGTH)
    name = models.CharField(max_length=LABEL_LENGTH, blank=True)
    terms = models.JSONField(default=list, help_text="Words that tell it from the others, the most telling first.")
    state = models.CharField(max_length=9, choices=ThemeState.choices, default=ThemeState.FOUND)
    opportunity = models.ForeignKey(Opportunity, null=True, on_delete=models.SET_NULL, related_name="+")
    joined_to = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="parts")
    split_off = models.BooleanField(default=False, help_text="A person made it out of another's voices.")
    quotes = models.JSONField(
        default=list, help_text="Primary keys of items that speak for it, the most typical first."
    )
    x = models.FloatField(default=0.5, help_text="Place on the map, 0 to 1: near is alike.")
    y = models.FloatField(default=0.5)
    found_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("product", "number"), name="voice_theme_number"),
            models.CheckConstraint(condition=Q(state__in=ThemeState.values), name="voice_theme_state"),
            models.CheckConstraint(condition=~Q(joined_to=models.F("id")), name="voice_theme_joined_to_itself"),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def ref(self) -> str:
        return f"THM-{self.number}"

    @property
    def title(self) -> str:
        return self.name or self.label

    @property
    def is_a_persons(self) -> bool:
        """Whether a person did something with it, so that no run may take it away."""
        return bool(self.name or self.joined_to_id or self.split_off or self.state != ThemeState.FOUND)


class ThemeMembership(models.Model):
    """A voice's place. A voice is in one theme at most."""

    item = models.OneToOneField("voice.FeedbackItem", on_delete=models.CASCADE, related_name="theme_membership")
    theme = models.ForeignKey(Theme, null=True, on_delete=models.CASCADE, related_name="memberships")
    moved_to = models.ForeignKey(Theme, null=True, on_delete=models.SET_NULL, related_name="moved_here")
    near = models.FloatField(default=0.0, help_text="Cosine to the middle of the theme: 1 is as typical as can be.")

    class Meta:
        indexes = (
            models.Index(fields=("theme", "-near"), name="voice_theme_nearest"),
            models.Index(fields=("moved_to", "-near"), name="voice_theme_moved"),
        )

    def __str__(self) -> str:
        return f"{self.item_id} in {self.moved_to_id or self.theme_id}"


class ThemeRun(models.Model):
    """One look at all voices of a product."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    by_meaning = models.BooleanField(default=False)
    items = models.PositiveIntegerField(default=0)
    themes = models.PositiveIntegerField(default=0)
    left_over = models.PositiveIntegerField(default=0)
    newest_item = models.PositiveBigIntegerField(default=0, help_text="Primary key of the newest item that was read.")
    seconds = models.FloatField(default=0.0)
    error = models.CharField(max_length=400, blank=True)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-asked_at", "-pk")
        constraints = (
            models.CheckConstraint(condition=Q(state__in=["waiting", "done", "failed"]), name="voice_themerun_state"),
        )

    def __str__(self) -> str:
        return f"themes of {self.items:,} voices" if self.items else "themes"

    def as_json(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "by_meaning": self.by_meaning,
            "items": self.items,
            "themes": self.themes,
            "left_over": self.left_over,
            "seconds": self.seconds,
            "error": self.error,
            "asked_at": self.asked_at,
            "finished_at": self.finished_at,
        }
