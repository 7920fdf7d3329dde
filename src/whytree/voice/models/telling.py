"""What a machine made of an item's text."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.engines.texts.telling import language_name

from .items import FeedbackItem


class Feeling(models.TextChoices):
    """How a text sounds, where a machine has an answer."""

    POSITIVE = "positive", "sounds positive"
    NEUTRAL = "neutral", "sounds neutral"
    NEGATIVE = "negative", "sounds negative"


class Reading(models.Model):
    """Language and sentiment of an item, as a machine tells them; empty is no answer, and no row is not asked yet.

    Apart from the item: it is made again when the text changes or what tells gets better, and nobody's act.
    """

    item = models.OneToOneField(FeedbackItem, primary_key=True, on_delete=models.CASCADE, related_name="reading")
    language = models.CharField(max_length=8, blank=True)
    sentiment = models.CharField(max_length=8, blank=True, choices=Feeling.choices)
    version = models.PositiveSmallIntegerField(help_text="Of what told it.")
    read_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(sentiment__in=["", *Feeling.values]), name="voice_reading_feeling"),
        )
        indexes = (
            models.Index(fields=("language",), name="voice_reading_language"),
            models.Index(fields=("sentiment",), name="voice_reading_sentiment"),
        )

    def __str__(self) -> str:
        return f"{self.item_id}: {self.language or '?'} {self.sentiment}"

    @property
    def language_name(self) -> str:
        return language_name(self.language) if self.language else ""
