"""Segment's HTTP tracking API, so that every Segment and RudderStack client works unchanged.

200 means on disk. 401 unknown key, 413 too large, 400 unreadable, 429 and 503 with Retry-After when nothing was taken:
clients keep what they sent and come again. A batch is taken apart from what is wrong in it; what was left out is named
in `rejected`.
"""

import base64
import binascii
import time
from collections.abc import Callable
from dataclasses import replace

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from whytree.errors import Invalid, RetryLater, TooLarge, Unauthenticated, Unavailable, WhytreeError
from whytree.workspace.keys import KeyFacts, find_key

from .context import NOWHERE, read_context
from .decode import MAX_BODY, Envelope, read_batch, read_single, unpacked
from .normalise import no_object, open_door, segment
from .rows import CAPTURE, SERVER
from .services import Accepted, accept, variants_of

NO_KEY = (
    "This key is unknown or revoked. Send a capture key or a server key of the product as the write key; "
    "both are made under Settings, Keys."
)
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

_DAY = "86400"


@csrf_exempt
def receive(request: HttpRequest, verb: str) -> HttpResponse:
    """Every POST below `/v1/`."""
    if request.method == "OPTIONS":
        return with_cors(request, HttpResponse(status=204))
    if request.method != "POST":
        refusal = HttpResponse(status=405, headers={"Allow": "POST, OPTIONS"})
        return with_cors(request, refusal)
    return with_cors(request, answered(lambda: _take(request, verb)))


@csrf_exempt
def settings(request: HttpRequest, key: str) -> HttpResponse:
    """What the browser library asks for before its first event: where to send."""
    if request.method == "OPTIONS":
        return with_cors(request, HttpResponse(status=204))

    def found() -> HttpResponse:
        _checked(find_key(key))
        host = request.get_host()
        destination = {"apiKey": key, "apiHost": f"{host}/v1", "protocol": request.scheme}
        return _json({"integrations": {"Segment.io": destination}, "plan": {}})

    return with_cors(request, answered(found))


def _take(request: HttpRequest, verb: str) -> HttpResponse:
    if verb == METRICS:
        return _json({"success": True})
    received_at = time.time()
    body = unpacked(_body(request), request.headers.get("Content-Encoding", "").strip().lower())
    read = read_batch if verb in BATCHES else read_single
    envelope = read(body, request.content_type or "")
    facts = key_of(request, envelope.write_key)
    accepted = take(facts, envelope, received_at, KINDS.get(verb, ""))
    return _json(_answer(accepted))


def take(facts: KeyFacts, envelope: Envelope, received_at: float, kind: str = "") -> Accepted:
    """Normalise what a request brought and write it."""
    assert facts.product_id is not None  # noqa: S101 - `key_of` lets only keys of a product through
    source = SERVER if facts.kind == "server" else CAPTURE
    door = open_door(facts.product_id, source, received_at, envelope.sent_at)
    door = replace(door, variants=_variants(door.product_id))
    outer = read_context(envelope.context) if envelope.context else NOWHERE
    items = [
        segment(message, door, kind, outer) if message is not None else no_object(None) for message in envelope.messages
    ]
    return accept(door.product_id, source, items)


def _variants(product_id: int) -> Callable[[str], dict[str, str]]:
    """The flags in force, worked out once per person and request."""
    known: dict[str, dict[str, str]] = {}

    def of(distinct_id: str) -> dict[str, str]:
        if distinct_id not in known:
            known[distinct_id] = variants_of(product_id, distinct_id)
        return known[distinct_id]

    return of


def _answer(accepted: Accepted) -> dict[str, object]:
    answer: dict[str, object] = {"success": True}
    if accepted.refused:
        answer["rejected"] = [refusal.as_json() for refusal in accepted.refused]
    return answer


def key_of(request: HttpRequest, write_key: str) -> KeyFacts:
    """The key of a request: Basic user, Bearer, or `writeKey` in the body. The first that is known counts."""
    for secret in (*_from_header(request.headers.get("Authorization", "")), write_key):
        facts = find_key(secret) if secret else None
        if facts is not None:
            return _checked(facts)
    raise Unauthenticated(NO_KEY)


def _checked(facts: KeyFacts | None) -> KeyFacts:
    if facts is None:
        raise Unauthenticated(NO_KEY)
    if facts.product_id is None:
        raise Unauthenticated("This is a personal token. Events need a capture key or a server key of a product.")
    return facts


def _from_header(authorization: str) -> tuple[str, ...]:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return (value.strip(),)
    if scheme.lower() != "basic":
        return ()
    try:
        decoded = base64.b64decode(value, validate=False).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ()
    return (decoded.partition(":")[0],)


def _body(request: HttpRequest) -> bytes:
    try:
        length = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        length = 0
    if length > MAX_BODY:
        raise TooLarge(f"The request has {length:,} bytes; the limit is {MAX_BODY:,}. Send smaller batches.")
    try:
        return request.body
    except RequestDataTooBig as error:
        raise TooLarge(f"The request is too large; the limit is {MAX_BODY:,} bytes. Send smaller batches.") from error
    except UnreadablePostError as error:
        raise Invalid("The request broke off. Send it again.") from error


def answered(view: Callable[[], HttpResponse]) -> HttpResponse:
    """The view's answer, or the error as clients read it: `code` and `message`, with Retry-After where it helps."""
    try:
        return view()
    except WhytreeError as error:
        return refused(error)
    except OperationalError:
        return refused(Unavailable("The database is busy, so nothing was taken. Send it again.", retry_after=2))


def refused(error: WhytreeError) -> HttpResponse:
    response = _json({"success": False, **error.as_json()}, status=error.status)
    if isinstance(error, RetryLater):
        response["Retry-After"] = str(error.retry_after)
    return response


def _json(body: dict[str, object], status: int = 200) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(body), status=status, content_type="application/json")


def with_cors(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Let any page send events: a capture key is public, and no cookie is looked at."""
    origin = request.headers.get("Origin")
    if origin:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Credentials"] = "true"
        response["Access-Control-Expose-Headers"] = "ETag, Retry-After"
        response["Vary"] = "Origin"
        if request.method == "OPTIONS":
            response["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
            wanted = request.headers.get("Access-Control-Request-Headers", "Content-Type, Authorization")
            response["Access-Control-Allow-Headers"] = wanted
            response["Access-Control-Max-Age"] = _DAY
    return response
