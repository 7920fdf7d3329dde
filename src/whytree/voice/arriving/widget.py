"""The feedback box of whytree.js: somebody's own words from a page, once each."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from whytree.errors import Forbidden, Invalid
from whytree.events.services import variants_of
from whytree.workspace.outside.mail import is_address

from ..models import Consent, FeedbackItem, VoiceSettings
from ..services import screenshots
from ..services.storing import store_drafts
from . import visiting
from .drafts import Source, draft
from .visiting import Visit, refuse_origin, visited

KINDS = ("problem", "idea", "praise", "question")
PER_MINUTE = 10
TEXT_LENGTH, ID_LENGTH = 10_000, 100
MOST_BYTES = visiting.MOST_BYTES + screenshots.MOST_BYTES * 4 // 3


@csrf_exempt
def feedback(request: HttpRequest) -> HttpResponse:
    """Somebody sent what they wrote in the box."""
    return visited(request, "feedback", PER_MINUTE, _take, MOST_BYTES)


def _take(visit: Visit) -> dict[str, Any]:
    settings = VoiceSettings.of(visit.product)
    if not settings.from_pages:
        raise Forbidden("Feedback from pages is off. A maintainer turns it on under Voices, Imports, At the door.")
    refuse_origin(visit, settings.page_origins)
    own_id, text, kind, email = (_text(visit, name) for name in ("id", "text", "kind", "email"))
    if not own_id or len(own_id) > ID_LENGTH:
        raise Invalid("Send an id of its own with it, so that it lands once.")
    if len(text) > TEXT_LENGTH:
        raise Invalid(f"The text has {len(text):,} characters; {TEXT_LENGTH:,} is the most.")
    if kind not in KINDS:
        raise Invalid(f"kind is one of {', '.join(KINDS)}.")
    if email and not is_address(email):
        raise Invalid("This is no e-mail address. Write it as ana@example.org, or leave it empty.")
    picture = screenshots.read_screenshot(visit.said.get("screenshot"))
    person = visit.ids[0] if visit.ids else ""
    checked = draft(
        {
            "text": text,
            "person": person,
            "author_email": email,
            "submission_id": own_id,
            "app_version": visit.columns.version[:80],
            "flags": visit.flags or (variants_of(visit.product.pk, person) if person else {}),
            "url": visit.url,
            "consent": Consent.QUOTABLE if visit.said.get("quotable") is True else Consent.INTERNAL,
            "metadata": {"kind": kind},
        },
        now=timezone.now(),
    ).without_personal(settings.redact)
    with transaction.atomic():
        # what is known stays as it was said first: with a public key nobody changes anybody's words
        if not FeedbackItem.objects.filter(product=visit.product, source_type="widget", submission_id=own_id).exists():
            stored = store_drafts(visit.product, Source("widget", "", "feedback box"), [checked], trusted=False)
            if picture is not None and not screenshots.keep_screenshot(stored.created[0], picture):
                return {"success": True, "screenshot": "left out"}
    return {"success": True}


def _text(visit: Visit, name: str) -> str:
    value = visit.said.get(name)
    return value.strip() if isinstance(value, str) else ""
