"""What may be said of an interview beside its words, checked."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypedDict

from django.utils import timezone

from whytree.engines.tables import parse_time
from whytree.engines.texts.personal import redact
from whytree.errors import Invalid
from whytree.voice.arriving.authors import known_as
from whytree.voice.arriving.drafts import draft
from whytree.voice.models import Interview, VoiceSettings
from whytree.workspace.models import Product

from .models import NOTES_LENGTH
from .queries import find_guide

MOST_INTERVIEWERS = 20
_AHEAD = timedelta(days=366)


class InterviewFields(TypedDict, total=False):
    """All of it may be left out; what is left out stays as it is."""

    person: str
    participant: str
    email: str
    company: str
    plan: str
    held_at: Any
    interviewers: Iterable[str]
    segment: str
    consent: str
    media_url: str
    notes: str
    guide: str


def assign(interview: Interview, fields: InterviewFields) -> None:
    """Check what is said and put it into the interview; whoever is named becomes a known person."""
    unknown = set(fields) - set(InterviewFields.__annotations__)
    if unknown:
        raise Invalid(f"An interview has no field “{min(unknown)}”.")
    if (wrong := next((name for name, value in fields.items() if "\0" in str(value)), None)) is not None:
        raise Invalid(f"The field “{wrong}” holds characters that cannot be stored. Copy it again as plain text.")
    # The rules for who, link and consent are those of feedback: written once, over there.
    said = draft(
        {
            "text": "-",
            "author_name": fields.get("participant"),
            "author_email": fields.get("email"),
            "person": fields.get("person"),
            "company": fields.get("company"),
            "plan": fields.get("plan"),
            "url": fields.get("media_url"),
            "consent": fields.get("consent"),
            "field_id": fields.get("segment"),
            "said_at": None,
        },
        now=timezone.now(),
    )
    if "participant" in fields:
        interview.participant = said.author_name
    if "media_url" in fields:
        interview.media_url = said.url
    if "consent" in fields:
        interview.consent = said.consent
    if "segment" in fields:
        interview.segment = said.field_id
    if fields.get("held_at"):
        interview.held_at = _held_at(fields["held_at"])
    if "notes" in fields:
        interview.notes = _notes(interview.product, fields["notes"])
    if "guide" in fields:
        interview.guide = find_guide(interview.product, fields["guide"]) if fields["guide"].strip() else None
    if "interviewers" in fields:
        interview.interviewers = _names(fields["interviewers"])
    if "person" in fields or "email" in fields:
        interview.person_key = known_as(interview.product, [said])[said.person] if said.person else ""


def _held_at(value: Any) -> datetime:
    moment = parse_time(value)
    if moment is None:
        raise Invalid(f"“{str(value)[:40]}” is no time that can be read with certainty. Write it as 2026-03-02 09:14.")
    if moment > timezone.now() + _AHEAD:
        raise Invalid(f"{moment:%Y-%m-%d} is more than a year ahead. Is the year right?")
    return moment


def _notes(product: Product, text: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if len(text) > NOTES_LENGTH:
        raise Invalid(
            f"The notes have {len(text):,} characters; {NOTES_LENGTH:,} is the most. Keep the transcript apart."
        )
    return redact(text, VoiceSettings.of(product).redact)[0]


def _names(said: Iterable[str]) -> list[str]:
    names = list(dict.fromkeys(" ".join(name.split())[:80] for name in said if name.strip()))
    if len(names) > MOST_INTERVIEWERS:
        raise Invalid(f"That are {len(names)} interviewers; {MOST_INTERVIEWERS} is the most.")
    return names
