"""A talk that lies ahead, for the calendars of those who hold it."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse

from whytree.engines.calendar import appointment
from whytree.voice.models import Interview

MINUTES = 30


def calendar_file(interview: Interview, now: datetime) -> str:
    """The appointment with its guide's questions. Neither the person's address nor what they said is in it."""
    path = reverse("interview", args=[interview.product.slug, interview.number])
    base = settings.WHYTREE.public_url
    return appointment(
        uid=f"{interview.ref}@{interview.product.slug}.whytree",
        at=interview.held_at,
        minutes=MINUTES,
        title=f"{interview.product.name}: talk with {interview.who}",
        words=interview.guide.questions if interview.guide else "",
        url=f"{base}{path}" if base else "",
        now=now,
    )
