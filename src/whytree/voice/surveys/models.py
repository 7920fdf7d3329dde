"""Surveys as they are stored, and who was asked and what they answered."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.workspace.models import Product

from .questions import Question, read

TITLE_LENGTH = 120
WORDS_LENGTH = 600
ID_LENGTH = 200
MOST_STOP_AT = 100_000


class SurveyState(models.TextChoices):
    DRAFT = "draft", "Draft"
    RUNNING = "running", "Running"
    STOPPED = "stopped", "Stopped"


class Via(models.TextChoices):
    LINK = "link", "the open link"
    INVITATION = "invitation", "a link of their own"
    PAGE = "page", "in the page"
    API = "api", "the API"


class Survey(models.Model):
    """Some questions and whom they are put to. Once it ran its questions stay, so that all answers mean the same."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=TITLE_LENGTH, help_text="Shown to those who are asked, too.")
    intro = models.CharField(max_length=WORDS_LENGTH, blank=True)
    thanks = models.CharField(max_length=WORDS_LENGTH, blank=True)
    questions = models.JSONField(help_text="Versioned; see voice.surveys.questions.")
    hidden = models.JSONField(default=list, help_text="Names of values that come along unasked.")
    state = models.CharField(max_length=7, choices=SurveyState.choices, default=SurveyState.DRAFT)
    in_page = models.BooleanField(default=False, help_text="whytree.js shows it.")
    after_event = models.CharField(
        max_length=200, blank=True, help_text="Shown after this event; empty: with the page."
    )
    flag = models.CharField(max_length=200, blank=True, help_text="Only those who met a variant of this flag.")
    variant = models.CharField(max_length=200, blank=True, help_text="Only this variant of it; empty: any.")
    cohort = models.CharField(max_length=200, blank=True, help_text="Only people of this cohort.")
    share = models.PositiveSmallIntegerField(default=100, help_text="Percent of people who may be asked in the page.")
    cooldown_days = models.PositiveSmallIntegerField(default=30, help_text="Not to those asked anything so lately.")
    stop_at = models.PositiveIntegerField(null=True, help_text="Stops by itself with so many answers.")
    opens_at = models.DateTimeField(null=True)
    closes_at = models.DateTimeField(null=True)
    origins = models.JSONField(default=list, help_text="Pages may show it from these origins only; empty: from any.")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    stopped_why = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("product", "number"), name="voice_survey_number"),
            models.CheckConstraint(condition=Q(state__in=SurveyState.values), name="voice_survey_state"),
            models.CheckConstraint(condition=Q(share__gte=1, share__lte=100), name="voice_survey_share"),
            models.CheckConstraint(condition=~Q(title=""), name="voice_survey_title"),
        )
        indexes = (models.Index(fields=("product", "state"), name="voice_survey_running"),)

    def __str__(self) -> str:
        return self.title

    @property
    def ref(self) -> str:
        return f"SUR-{self.number}"

    @property
    def asked(self) -> tuple[Question, ...]:
        return read(self.questions)

    @property
    def is_draft(self) -> bool:
        return self.state == SurveyState.DRAFT

    @property
    def is_running(self) -> bool:
        return self.state == SurveyState.RUNNING

    def closed_because(self, now: datetime) -> str:
        """Why nobody can answer at this moment; empty: they can."""
        if self.state == SurveyState.DRAFT:
            return "This survey has not begun yet."
        if self.state == SurveyState.STOPPED or (self.closes_at is not None and now >= self.closes_at):
            return "This survey has ended. Thank you for wanting to answer."
        if self.opens_at is not None and now < self.opens_at:
            return f"This survey begins on {self.opens_at:%Y-%m-%d at %H:%M} UTC."
        return ""


class SurveyResponse(models.Model):
    """One person who was asked: shown it or sent it, and what they answered, if they did.

    `respondent` is who it is as far as this survey goes: the person's main id, or what stands for a browser nobody knows.
    """

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="responses")
    respondent = models.CharField(max_length=ID_LENGTH)
    person_key = models.CharField(max_length=ID_LENGTH, blank=True, help_text="Under which their events come in.")
    via = models.CharField(max_length=10, choices=Via.choices)
    asked_at = models.DateTimeField(null=True, help_text="Shown or sent; null: they opened the open link.")
    dismissed_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    answers = models.JSONField(default=dict)
    hidden = models.JSONField(default=dict)
    flags = models.JSONField(default=dict, help_text="Variants in force for this person when they answered.")
    app_version = models.CharField(max_length=80, blank=True)
    url = models.CharField(max_length=2000, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("survey", "respondent"), name="voice_response_once"),
            models.CheckConstraint(condition=Q(via__in=Via.values), name="voice_response_via"),
        )
        indexes = (
            models.Index(fields=("person_key",), name="voice_response_person"),
            models.Index(fields=("survey", "answered_at"), name="voice_response_answered"),
        )

    def __str__(self) -> str:
        return f"response {self.pk}"
