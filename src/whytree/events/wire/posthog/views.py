"""PostHog's capture API, v0: what posthog-python, posthog-node and posthog-js send by default.

    POST /batch/     server libraries     POST /e/     the browser's; older: /i/v0/e/ /capture/ /track/ /engage/
    POST /s/         session recordings: answered and not kept

200 means on disk. 400 unreadable, or not one event of it could be taken; 401 unknown key; 413 too large; 429 and 503
with Retry-After when nothing was taken. Errors are `{"type", "code", "detail"}`, which the libraries read.
"""

import time

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from whytree.errors import Invalid, Unauthenticated, WhytreeError

from ...services import Accepted
from ...shaping.normalise import no_object
from ..answers import as_json, as_refusal, caught, only, with_cors
from ..asking import body_of, door_of, encoding_of, from_header, key_among
from ..handing import admit, hand_in
from .messages import posthog
from .reading import MAX_BODY, Envelope, read


@csrf_exempt
def capture(request: HttpRequest) -> HttpResponse:
    """Every address of v0."""
    if request.method == "OPTIONS":
        return with_cors(request, HttpResponse(status=204))
    return with_cors(request, caught(request, lambda: _take(request), refused))


@csrf_exempt
def recording(request: HttpRequest) -> HttpResponse:
    """Session recordings are taken and not kept: a library that is told otherwise sends them again for ever."""
    return with_cors(request, HttpResponse(status=204) if request.method == "OPTIONS" else as_json({"status": 1}))


def _take(request: HttpRequest) -> HttpResponse:
    only(request, "GET", "POST")
    received_at = time.time()
    envelope = _read(request)
    tokens = (*envelope.tokens, *from_header(request.headers.get("Authorization", "")))
    if len(envelope.tokens) > 1:
        raise Unauthenticated("These events name more than one key. Send those of one product in one request.")
    sent_at = envelope.sent_at or _milliseconds(request.GET.get("_", ""))
    facts = key_among(*tokens)
    admit(facts, len(envelope.messages))
    door = door_of(facts, received_at, sent_at)
    items = [posthog(message, door) if message is not None else no_object(None) for message in envelope.messages]

    def told(accepted: Accepted) -> HttpResponse:
        if accepted.refused and len(accepted.refused) == accepted.sent:
            return refused(Invalid(accepted.refused[0].reason))
        return HttpResponse(status=204) if request.GET.get("beacon") == "1" else as_json(_answer(accepted))

    return hand_in(request, facts, door, "PostHog", items, told)


def _read(request: HttpRequest) -> Envelope:
    compression = request.GET.get("compression", "")
    if request.method == "GET":
        return read(request.GET.get("data", "").encode("utf-8", "replace"), compression=compression)
    return read(
        body_of(request, MAX_BODY),
        content_type=request.content_type or "",
        encoding=encoding_of(request),
        compression=compression,
    )


def _milliseconds(text: str) -> int | None:
    """When old browser libraries sent it, from the address."""
    return int(text) if text.isdecimal() and len(text) == 13 else None


def _answer(accepted: Accepted) -> dict[str, object]:
    answer: dict[str, object] = {"status": 1, "error": None}  # `error` is read by Mixpanel's libraries
    if accepted.refused:
        answer["rejected"] = [refusal.as_json() for refusal in accepted.refused]
    return answer


def refused(error: WhytreeError) -> HttpResponse:
    """An error as PostHog's libraries read it."""
    kind = (
        "authentication_error" if error.status == 401 else "validation_error" if error.status < 500 else "server_error"
    )
    return as_refusal(error, {"type": kind, "code": error.code, "detail": error.message})
