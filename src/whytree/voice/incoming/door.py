"""`POST /v1/feedback/<product>`: feedback that another system signed."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from whytree.errors import NotFound
from whytree.events.wire.answers import answered, as_json, only
from whytree.events.wire.asking import body_of
from whytree.workspace.entry.pace import keep_pace

from .models import FeedbackWebhook
from .services import take_message

MOST_BYTES = 2 * 1024 * 1024
PER_MINUTE = 600


@csrf_exempt
def take(request: HttpRequest, slug: str) -> HttpResponse:
    """Whether there is no such product, or only no webhook in it, is nobody's business without the secret."""
    return answered(request, lambda: _taken(request, slug))


def _taken(request: HttpRequest, slug: str) -> HttpResponse:
    only(request, "POST")
    keep_pace("feedback-webhook", request.META.get("REMOTE_ADDR", ""), most=PER_MINUTE, seconds=60)
    webhook = FeedbackWebhook.objects.select_related("product").filter(product__slug=slug).first()
    if webhook is None:
        raise NotFound("No feedback is taken at this address. Look it up under Voices, Imports, and copy it whole.")
    body = body_of(request, MOST_BYTES)
    return as_json({"success": True, **take_message(webhook, request.headers, body)})
