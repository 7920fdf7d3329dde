"""A talk with one person, and what was said in it, written down."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from whytree.engines.voices.transcripts import Line
from whytree.workspace.models import Product, User

from ..models.items import Consent
from ..models.sizes import NAME_LENGTH

NOTES_LENGTH = 20_000
GUIDE_NAME = 120


class Interview(models.Model):
    """A talk. `person_key` is the id under which the person's events come in, when it is known; `participant` what they are called.

    `source_id` says which talk it is, so that its transcript lands once however often it is sent: an id its recorder gave
    it, else the hash of what was said. A talk that lies ahead has no transcript yet.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    person_key = models.CharField(max_length=NAME_LENGTH, blank=True)
    participant = models.CharField(max_length=NAME_LENGTH, blank=True)
    held_at = models.DateTimeField(default=timezone.now)
    interviewers = models.JSONField(default=list, help_text="Names of ours, as the transcript calls them or longer.")
    segment = models.CharField(max_length=NAME_LENGTH, blank=True)
    consent = models.CharField(max_length=8, choices=Consent.choices, default=Consent.INTERNAL)
    media_url = models.CharField(max_length=2000, blank=True, help_text="Where the recording is; it is never copied.")
    notes = models.TextField(blank=True)
    guide = models.ForeignKey("voice.Guide", null=True, on_delete=models.SET_NULL, related_name="interviews")
    source_id = models.CharField(max_length=NAME_LENGTH, blank=True)
    file_name = models.CharField(max_length=NAME_LENGTH, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True, help_text="The person was forgotten: that there was a talk stays.")

    class Meta:
        ordering = ("-held_at", "-number")
        constraints = (
            models.UniqueConstraint(fields=("product", "number"), name="voice_interview_number"),
            models.UniqueConstraint(
                fields=("product", "source_id"), condition=~Q(source_id=""), name="voice_interview_once"
            ),
            models.CheckConstraint(condition=Q(consent__in=Consent.values), name="voice_interview_consent"),
        )
        indexes = (
            models.Index(fields=("product", "-held_at"), name="voice_interview_newest"),
            models.Index(fields=("product", "person_key"), name="voice_interview_person"),
        )

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        return f"INT-{self.number}"

    @property
    def who(self) -> str:
        """How pages call the person we talked with."""
        if self.erased_at is not None:
            return "an erased person"
        return self.participant or self.person_key or "somebody"

    @property
    def is_ahead(self) -> bool:
        return self.held_at > timezone.now()

    @property
    def may_be_quoted(self) -> bool:
        """Whether their words may stand where they count as evidence."""
        return self.consent != Consent.NONE


class Transcript(models.Model):
    """What was said. `text` is the lines' words, one line a row; `lines` says of each row who, when and where in `text`.

    `lines`: `[{"speaker", "start", "end", "start_ms", "end_ms", "cues": [[offset in the line, ms], ...]}, ...]`.
    """

    interview = models.OneToOneField(Interview, primary_key=True, on_delete=models.CASCADE, related_name="transcript")
    text = models.TextField()
    lines = models.JSONField(default=list)
    format = models.CharField(max_length=20)
    language = models.CharField(max_length=35, blank=True)
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of what was sent: tells a change from a repeat.")
    redacted = models.PositiveIntegerField(default=0, help_text="Pieces of personal data taken out at the door.")
    problems = models.JSONField(default=list, help_text="[line of the file, reason] of what could not be read.")
    edited_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"transcript of {self.interview_id}"

    def spoken(self) -> tuple[Line, ...]:
        """The lines with their words."""
        return tuple(
            Line(
                line["speaker"],
                self.text[line["start"] : line["end"]],
                line["start_ms"],
                line["end_ms"],
                tuple((offset, ms) for offset, ms in line["cues"]),
            )
            for line in self.lines
        )

    def speak(self, lines: tuple[Line, ...]) -> None:
        """Take these lines as what was said."""
        at, kept = 0, []
        for line in lines:
            kept.append(_stored(line, at))
            at += len(line.text) + 1
        self.text, self.lines = "\n".join(line.text for line in lines), kept

    @property
    def speakers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line["speaker"] for line in self.lines if line["speaker"]))


def _stored(line: Line, at: int) -> dict[str, Any]:
    return {
        "speaker": line.speaker,
        "start": at,
        "end": at + len(line.text),
        "start_ms": line.start_ms,
        "end_ms": line.end_ms,
        "cues": [list(cue) for cue in line.cues],
    }


class InterviewSnapshot(models.Model):
    """What one talk taught, on one page, in Teresa Torres' seven parts: the name, a photo, quick facts, a memorable quote, the
    experience map of the story that was told, the opportunities heard in it, and insights that are no opportunities yet.

    `experience_map`: `[{"step": words, "highlight": primary key or null}, ...]`, in the order in which it happened.
    """

    interview = models.OneToOneField(Interview, primary_key=True, on_delete=models.CASCADE, related_name="snapshot")
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    photo = models.TextField(blank=True, help_text="A data URL of a small JPEG or PNG.")
    quick_facts = models.TextField(blank=True)
    memorable_quote = models.TextField(blank=True)
    experience_map = models.JSONField(default=list)
    opportunities = models.TextField(blank=True, help_text="One a line; OPP-3 in front names one that is in the tree.")
    insights = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"snapshot of {self.interview_id}"

    @property
    def facts(self) -> list[str]:
        return self.quick_facts.splitlines()

    @property
    def learnt(self) -> list[str]:
        return self.insights.splitlines()


class Guide(models.Model):
    """What to ask, one question a line; `#` begins a heading. A talk may name the guide it followed."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=GUIDE_NAME)
    questions = models.TextField()
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("product", "name"), name="voice_guide_name"),)

    def __str__(self) -> str:
        return self.name
