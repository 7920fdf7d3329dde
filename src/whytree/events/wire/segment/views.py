"""Segment's HTTP tracking API, so that every Segment and RudderStack client works unchanged.

200 means on disk. 401 unknown key, 413 too large, 400 unreadable, 429 and 503 with Retry-After when nothing was taken:
clients keep what they sent and come again. A batch is taken apart from what is wrong in it; what was left out is named
in `rejected`.
"""

import time

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from ...services import Accepted
from ...shaping.context import NOWHERE, read_context
from ...shaping.normalise import Door, no_object
from ...shaping.rows import Outcome
from ..answers import answered, as_json, only, with_cors
from ..asking import body_of, door_of, encoding_of, from_header, key_among
from ..handing import admit, hand_in
from ..packing import unpacked
from .messages import segment
from .reading import Envelope, read_batch, read_single

# Paths as the server libraries and (one letter) the browser library write them.
KINDS = {
    "identify": "identify",
    "track": "track",
    "page": "page",
    "screen": "screen",
    "group": "group",
    "alias": "alias",
    "i": "identify",
    "t": "track",
    "p": "page",
    "s": "screen",
    "g": "group",
    "a": "alias",
}
BATCHES = ("batch", "import", "b")
METRICS = "m"  # what the browser library counts about itself: taken and not kept


@csrf_exempt
def receive(request: HttpRequest, verb: str) -> HttpResponse:
    """Every POST below `/v1/`."""
    if request.method == "OPTIONS":
        return with_cors(request, HttpResponse(status=204))
    return with_cors(request, answered(request, lambda: _take(request, verb)))


@csrf_exempt
def settings(request: HttpRequest, key: str) -> HttpResponse:
    """What the browser library asks for before its first event: where to send."""
    if request.method == "OPTIONS":
        return with_cors(request, HttpResponse(status=204))

    def found() -> HttpResponse:
        key_among(key)
        host = request.get_host()
        destination = {"apiKey": key, "apiHost": f"{host}/v1", "protocol": request.scheme}
        return as_json({"integrations": {"Segment.io": destination}, "plan": {}})

    return with_cors(request, answered(request, found))


def _take(request: HttpRequest, verb: str) -> HttpResponse:
    only(request, "POST")
    if verb == METRICS:
        return as_json({"success": True})
    received_at = time.time()
    body = unpacked(body_of(request), encoding_of(request))
    read = read_batch if verb in BATCHES else read_single
    envelope = read(body, request.content_type or "")
    # Basic user, Bearer, or `writeKey` in the body: the first that is known counts.
    facts = key_among(*from_header(request.headers.get("Authorization", "")), envelope.write_key)
    admit(facts, len(envelope.messages))
    door = door_of(facts, received_at, envelope.sent_at)
    items = _items(envelope, door, KINDS.get(verb, ""))
    return hand_in(request, facts, door, "Segment", items, _answer)


def _items(envelope: Envelope, door: Door, kind: str) -> list[Outcome]:
    outer = read_context(envelope.context) if envelope.context else NOWHERE
    return [
        segment(message, door, kind, outer) if message is not None else no_object(None) for message in envelope.messages
    ]


def _answer(accepted: Accepted) -> HttpResponse:
    answer: dict[str, object] = {"success": True}
    if accepted.refused:
        answer["rejected"] = [refusal.as_json() for refusal in accepted.refused]
    return as_json(answer)
