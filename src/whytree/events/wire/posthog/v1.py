"""PostHog's capture API, v1: an answer for every event. `posthog-python` speaks it with `capture_mode="v1"`.

    POST /i/v1/analytics/events   Bearer key, {"created_at", "batch": [{"event", "uuid", "distinct_id", "timestamp",
                                  "options", "properties", "session_id", "window_id"}]}
    -> {"results": {"<uuid>": {"result": "ok" | "drop", "details"}}}

`drop` is for what can never be taken, with the reason; when nothing could be written the whole answer is 503, and the
library sends it all again.
"""

import time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from whytree.errors import Invalid

from ...services import Accepted
from ...shaping.normalise import id_text, no_object
from ..answers import as_json, caught, only, with_cors
from ..asking import body_of, door_of, encoding_of, from_header, key_among
from ..handing import admit, hand_in
from ..packing import unpacked
from .messages import posthog
from .reading import MAX_BODY, as_value
from .views import refused

# An option of an event, and the property by which v0 says the same.
OPTIONS = {
    "process_person_profile": "$process_person_profile",
    "cookieless_mode": "$cookieless_mode",
    "disable_skew_correction": "$ignore_sent_at",
    "product_tour_id": "$product_tour_id",
}


@csrf_exempt
def events(request: HttpRequest) -> HttpResponse:
    """The one address of v1."""
    if request.method == "OPTIONS":
        return with_cors(request, HttpResponse(status=204))
    return with_cors(request, caught(request, lambda: _take(request), refused))


def _take(request: HttpRequest) -> HttpResponse:
    only(request, "POST")
    received_at = time.time()
    facts = key_among(*from_header(request.headers.get("Authorization", "")))
    value = as_value(unpacked(body_of(request, MAX_BODY), encoding_of(request), MAX_BODY))
    batch = value.get("batch") if isinstance(value, dict) else None
    if not isinstance(batch, list) or not batch:
        raise Invalid('The body has no list `batch` with events in it. Send {"created_at", "batch": [{...}, ...]}.')
    sent_at = request.headers.get("PostHog-Request-Timestamp") or value.get("created_at")
    admit(facts, len(batch))
    door = door_of(facts, received_at, sent_at)
    library = _library(request.headers.get("PostHog-Sdk-Info", ""))
    messages = [_as_v0(message, library) if isinstance(message, dict) else None for message in batch]
    items = [posthog(message, door) if message is not None else no_object(None) for message in messages]

    def told(accepted: Accepted) -> HttpResponse:
        return as_json({"results": _results(messages, accepted)})

    return hand_in(request, facts, door, "PostHog v1", items, told)


def _as_v0(message: dict[str, Any], library: dict[str, str]) -> dict[str, Any]:
    """The same event as v0 would say it: options and ids of the session are properties there."""
    sent = message.get("properties")
    options = message.get("options")
    properties: dict[str, Any] = {**library, **(sent if isinstance(sent, dict) else {})}
    if isinstance(options, dict):
        properties |= {OPTIONS[name]: value for name, value in options.items() if name in OPTIONS}
    for name in ("session_id", "window_id"):
        if message.get(name) is not None:
            properties.setdefault(f"${name}", message[name])
    return {**message, "properties": properties}


def _library(info: str) -> dict[str, str]:
    """`posthog-python/7.91.1` as the two properties of v0."""
    name, _, version = info.strip().partition("/")
    return {key: value[:100] for key, value in (("$lib", name), ("$lib_version", version)) if value}


def _results(messages: list[dict[str, Any] | None], accepted: Accepted) -> dict[str, dict[str, str]]:
    """By `uuid`; an event without one has no place in the answer."""
    reasons = {refusal.index: refusal.reason for refusal in accepted.refused}
    results: dict[str, dict[str, str]] = {}
    for index, message in enumerate(messages):
        uuid = id_text(message.get("uuid")) if message else ""
        if uuid and index in reasons:
            results[uuid] = {"result": "drop", "details": reasons[index]}
        elif uuid:
            results.setdefault(uuid, {"result": "ok"})
    return results
