"""PostHog's flag endpoints, so that its clients work with their host changed.

    POST /flags/?v=2 or 4                 all flags of one person (posthog-js, -node, -python); /decide/ for older ones
    GET  /flags/definitions               for clients that evaluate themselves (with a server key; ETag and 304);
                                          /api/feature_flag/local_evaluation is the older name
    GET  /array/<key>/config, config.js   what posthog-js asks at start

The project key is a capture key; the personal key of local evaluation is a server key. Asking is no exposure: the
client's `$feature_flag_called` is one. Errors are PostHog's `{type, code, detail}`.
"""

import base64
import binascii
import hashlib
import json
import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from whytree.engines.flags import posthog as engine
from whytree.workspace.entry.keys import NOT_FOR_EVENTS, KeyFacts, find_key
from whytree.workspace.models import Key

from ..evaluation import live
from ..evaluation.asking import context_for, keep
from .ofrep import Refused, json_answer, matches, read_body, slow_down, with_cors

COMPANY_GROUP = {"0": "company"}
# Says no to what we do not have, so that the browser client asks for nothing more.
START = {
    "supportedCompression": ["gzip-js"],
    "hasFeatureFlags": True,
    "sessionRecording": False,
    "surveys": False,
    "heatmaps": False,
    "capturePerformance": False,
    "autocapture_opt_out": True,
    "autocaptureExceptions": False,
    "elementsChainAsString": True,
    "analytics": {"endpoint": "/e/"},
    "siteApps": [],
}

_encode = msgspec.json.Encoder().encode
_KINDS = {400: "validation_error", 401: "authentication_error", 403: "permission_denied", 429: "throttled_error"}


def _answered(request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
    try:
        response = HttpResponse(status=204) if request.method == "OPTIONS" else view()
    except DatabaseError:
        response = _refused(503, "unavailable", "The flags cannot be read at the moment. Try again.")
        response["Retry-After"] = "1"
    except Refused as refused:
        response = _refused(refused.status, refused.code.lower(), refused.details)
        for name, value in refused.headers.items():
            response[name.replace("_", "-")] = value
    return with_cors(request, response)


def _refused(status: int, code: str, detail: str) -> HttpResponse:
    body = {"type": _KINDS.get(status, "server_error"), "code": code, "detail": detail, "attr": None}
    return json_answer(_encode(body), status)


@csrf_exempt
def flags(request: HttpRequest) -> HttpResponse:
    """All flags of one person."""
    return _answered(request, lambda: _flags(request))


def _flags(request: HttpRequest) -> HttpResponse:
    if request.method not in ("POST", "GET"):
        raise Refused(405, "method_not_allowed", "Ask with POST.", Allow="POST, OPTIONS")
    body = _said(request)
    facts = _project(str(body.get("token") or body.get("api_key") or request.GET.get("token") or ""))
    unit = body.get("distinct_id") or body.get("$distinct_id")
    if not isinstance(unit, str | int) or isinstance(unit, bool):
        raise Refused(400, "missing_distinct_id", "Send distinct_id, the person's id, as a text.")
    held = live.flag_set(facts.product_id or 0, facts.environment_id)
    asked = _wanted(body)
    evaluators = [one for key, one in held.evaluators.items() if asked is None or key in asked]
    context = context_for(facts.product_id or 0, held, evaluators, str(unit), engine.attributes(body))
    answers = [one.evaluate(str(unit), context) for one in evaluators]
    keep(facts.product_id or 0, held, answers)
    records = {
        answer.key: engine.record(one, answer, id=held.ids[answer.key], version=held.stamps[answer.key])
        for one, answer in zip(evaluators, answers, strict=True)
    }
    found: dict[str, Any] = {
        "flags": records,
        "errorsWhileComputingFlags": any(one["failed"] for one in records.values()),
        "requestId": str(uuid.uuid4()),
        "evaluatedAt": int(1000 * time.time()),
        # what clients older than these records read
        "featureFlags": {key: one["variant"] or one["enabled"] for key, one in records.items()},
        "featureFlagPayloads": {
            key: one["metadata"]["payload"] for key, one in records.items() if one["metadata"]["payload"] is not None
        },
    }
    return json_answer(_encode(found | START if "decide" in request.path or request.GET.get("config") else found))


def _wanted(body: Mapping[str, Any]) -> set[str] | None:
    """The flags that are asked for; None for all."""
    if body.get("disable_flags") is True:
        return set()
    keys = body.get("flag_keys_to_evaluate") or body.get("flag_keys")
    return {str(key) for key in keys} if isinstance(keys, list) else None


def _said(request: HttpRequest) -> dict[str, Any]:
    """The body: JSON, gzip or not and whatever it is called, or a form with `data` in base64 or JSON."""
    raw = read_body(request) if request.method == "POST" else b""
    if raw.startswith(b"data=") or "data" in request.GET:
        raw = _form_data(raw, request.GET.get("data", ""))
    if not raw.strip():
        return {}
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Refused(400, "invalid_body", f"The body is not JSON that can be read: {error}.") from error
    if not isinstance(found, dict):
        raise Refused(400, "invalid_body", "The body must be an object in JSON.")
    return found


def _form_data(raw: bytes, in_query: str) -> bytes:
    data = in_query or parse_qs(raw.decode("utf-8", "replace")).get("data", [""])[0]
    if data.lstrip().startswith("{"):
        return data.encode()
    try:
        return base64.b64decode(data.replace(" ", "+"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(400, "invalid_body", "The form's data is neither JSON nor base64.") from error


def _project(token: str) -> KeyFacts:
    facts = find_key(token) if token else None
    if facts is None or facts.product_id is None:
        raise Refused(
            401, "invalid_api_key", "Project API key invalid. Use a capture key of the product as the project key."
        )
    if not facts.may_send:
        raise Refused(403, "permission_denied", NOT_FOR_EVENTS)
    slow_down(facts.id)
    return facts


@csrf_exempt
def definitions(request: HttpRequest) -> HttpResponse:
    """Flags for clients that evaluate themselves; all but those that PostHog's hash and a share alone decide, they ask us for."""
    return _answered(request, lambda: _definitions(request))


def _definitions(request: HttpRequest) -> HttpResponse:
    if request.method != "GET":
        raise Refused(405, "method_not_allowed", "Read the definitions with GET.", Allow="GET, OPTIONS")
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    facts = find_key(secret.strip()) if scheme.lower() == "bearer" else None
    if facts is None or facts.product_id is None or facts.kind != Key.Kind.SERVER:
        raise Refused(
            401, "authentication_failed", "Local evaluation needs a server key of the product as the personal key."
        )
    if not facts.may_send:
        raise Refused(403, "permission_denied", NOT_FOR_EVENTS)
    slow_down(facts.id)
    held = live.flag_set(facts.product_id, facts.environment_id)
    found = [
        engine.definition(one.rules, id=held.ids[key], version=held.stamps[key]) for key, one in held.evaluators.items()
    ]
    body = _encode(
        {
            "flags": found,
            "group_type_mapping": COMPANY_GROUP,
            "cohorts": {},
            "minimal_flag_called_events": False,
        }
    )
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    unchanged = matches(request.headers.get("If-None-Match", ""), etag)
    response = HttpResponse(status=304) if unchanged else json_answer(body)
    response["ETag"] = etag
    response["Cache-Control"] = "no-cache"
    return response


@csrf_exempt
def start(request: HttpRequest, token: str, form: str) -> HttpResponse:
    """What posthog-js asks before anything else, as JSON or as the script that it loads."""
    return _answered(request, lambda: _start(token, as_script=form == "config.js"))


def _start(token: str, *, as_script: bool) -> HttpResponse:
    _project(token)
    if not as_script:
        return json_answer(_encode(START))
    safe = json.dumps(re.sub(r"[^\w-]", "", token))
    script = (
        "(function(){window._POSTHOG_REMOTE_CONFIG=window._POSTHOG_REMOTE_CONFIG||{};"
        f"window._POSTHOG_REMOTE_CONFIG[{safe}]={{config:{json.dumps(START)},siteApps:[]}}}})();"
    )
    return HttpResponse(script, content_type="application/javascript")
