"""OFREP 0.3.0, the OpenFeature remote evaluation protocol: what every OpenFeature SDK speaks.

    POST /ofrep/v1/evaluate/flags/{key}    one flag; it is an exposure when the person is in the rollout
    POST /ofrep/v1/evaluate/flags          all flags, with ETag and 304; never an exposure

Plain views: no session, and no database query once key and flags are in memory (`keys.find_key`, `live.flag_set`).
Clients differ from the specification, so (seen with the Python provider 0.3.0): `variant` and `reason` are always sent, every error has
both `errorCode` and `errorDetails`, a missing body is an empty context, and a slash at the end is no other address.
"""

import hashlib
import math
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import msgspec
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from whytree.engines.flags import Context, Evaluation, Evaluator, evaluate_all
from whytree.workspace.entry.keys import NOT_FOR_EVENTS, KeyFacts, find_key

from ..evaluation import live
from ..evaluation.asking import context_for, keep
from ..evaluation.exposures import DrawnFor, queue
from .rate import Rate

MAX_BODY = 1024 * 1024  # a context is attributes of one person, not a document

EXPLAINED = {
    "TARGETING_KEY_MISSING": "This flag gives different people different variants: send context.targetingKey, the person's id.",
    "INVALID_CONTEXT": "context.targetingKey is no valid text. Send the person's id as a string.",
}


class Asked(msgspec.Struct):
    context: dict[str, Any] | None = None


_asked = msgspec.json.Decoder(Asked)
_encode = msgspec.json.Encoder().encode


class Refused(Exception):
    """The request cannot be answered; becomes the protocol's error body."""

    def __init__(self, status: int, code: str, details: str, **headers: str) -> None:
        super().__init__(details)
        self.status, self.code, self.details, self.headers = status, code, details, headers


def ofrep(view: Callable[["Question"], HttpResponse]) -> Callable[..., HttpResponse]:
    """What both addresses share: preflight, method, key, body, errors, CORS headers."""

    @csrf_exempt
    @wraps(view)
    def door(request: HttpRequest, key: str = "") -> HttpResponse:
        key = key.removesuffix("/")
        return answered(request, lambda: view(_question(request, key)), {"key": key} if key else {})

    return door


def answered(
    request: HttpRequest, view: Callable[[], HttpResponse], named: Mapping[str, str] | None = None
) -> HttpResponse:
    """The view's answer or its refusal, with what a browser on another site needs."""
    try:
        response = HttpResponse(status=204) if request.method == "OPTIONS" else view()
    except Refused as refused:
        error = {"errorCode": refused.code, "errorDetails": refused.details}
        response = json_answer(_encode({**(named or {}), **error}), refused.status)
        for name, value in refused.headers.items():
            response[name.replace("_", "-")] = value
    return with_cors(request, response)


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks, about whom, about which flag; `key` is empty for all flags, `body` is what was sent."""

    product_id: int
    source: str
    unit: str | None
    key: str
    flags: live.FlagSet
    etag: str
    body: bytes
    attributes: Mapping[str, Any]

    def context(self, evaluators: Collection[Evaluator]) -> Context:
        """What these flags may know."""
        return context_for(self.product_id, self.flags, evaluators, self.unit, self.attributes)

    def answers(self, evaluators: Collection[Evaluator], context: Context) -> list[Evaluation]:
        """What these flags give; what sticky ones gave for the first time is kept."""
        found = evaluate_all(evaluators, self.unit, context)
        keep(self.product_id, self.flags, found)
        return found


def _question(request: HttpRequest, key: str) -> Question:
    if request.method != "POST":
        raise Refused(405, "GENERAL", "Evaluate with POST.", Allow="POST, OPTIONS")
    try:
        facts = asker(request)
        body = read_body(request)
        attributes = _context(body)
        product_id = facts.product_id or 0
        flags = live.flag_set(product_id, facts.environment_id)
    except DatabaseError as error:
        raise Refused(503, "GENERAL", "The flags cannot be read at the moment. Try again.", Retry_After="1") from error
    unit = attributes.get("targetingKey")
    etag = request.headers.get("If-None-Match", "")
    return Question(product_id, facts.kind, unit, key, flags, etag, body, attributes)


@ofrep
def evaluate_flag(asked: Question) -> HttpResponse:
    """One flag for one person."""
    evaluator = asked.flags.evaluators.get(asked.key)
    if evaluator is None:
        details = f"There is no flag {asked.key!r} here. Create it, or check which product the key is of."
        raise Refused(404, "FLAG_NOT_FOUND", details)
    context = asked.context([evaluator])
    (answer,) = asked.answers([evaluator], context)
    if answer.error:
        raise Refused(400, answer.error, _why(answer))
    if answer.in_rollout and asked.unit and asked.flags.environment_id is None:
        drawn_for = DrawnFor.of(evaluator.rules, answer, context.now)
        queue.note(asked.product_id, asked.key, asked.unit, answer.variant, answer.reason, asked.source, drawn_for)
    return json_answer(_encode(_success(answer, asked.flags, _cohorts_as_of(context))))


@ofrep
def evaluate_flags(asked: Question) -> HttpResponse:
    """All flags for one person. The ETag is that of the answer: it changes when, and only when, the person's answer does.

    Who polls with the ETag of an answer that cannot have changed since is told so before any flag is evaluated.
    """
    digest = _digest(asked.body)
    known = asked.flags.etag_of(digest)
    if known and matches(asked.etag, known):
        return _with_etag(HttpResponse(status=304), known)
    evaluators = asked.flags.evaluators.values()
    answers = asked.answers(evaluators, asked.context(evaluators))
    body = b'{"flags":[' + b",".join([_entry(answer, asked.flags) for answer in answers]) + b'],"metadata":{}}'
    etag = f'"{_digest(body).hex()}"'
    asked.flags.remember(digest, etag)
    return _with_etag(HttpResponse(status=304) if matches(asked.etag, etag) else json_answer(body), etag)


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=12).digest()


def _with_etag(response: HttpResponse, etag: str) -> HttpResponse:
    response["ETag"] = etag
    response["Cache-Control"] = "no-cache"
    return response


def _entry(answer: Evaluation, flags: live.FlagSet) -> bytes:
    """An answer's place in the list of all. A flag has few different ones: each is written out once while the flags stand."""
    if answer.error:
        return _encode(_failure(answer))
    which = (answer.key, answer.variant, answer.reason, answer.in_rollout)
    known = flags.written.get(which)
    if known is None:
        known = flags.written[which] = _encode(_success(answer, flags))
    return known


def _cohorts_as_of(context: Context) -> dict[str, str]:
    """When it was looked up who belongs, for flags that ask for cohorts. Not in the bulk answer: its ETag is the person's."""
    if context.cohorts_at is None:
        return {}
    return {"cohortsAsOf": datetime.fromtimestamp(context.cohorts_at, UTC).isoformat(timespec="seconds")}


def _success(answer: Evaluation, flags: live.FlagSet, more: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {
        "key": answer.key,
        "value": answer.value,
        "reason": answer.reason,
        "variant": answer.variant,
        "metadata": {**flags.metadata.get(answer.key, {}), "inRollout": answer.in_rollout, **(more or {})},
    }


def _failure(answer: Evaluation) -> dict[str, Any]:
    return {"key": answer.key, "errorCode": answer.error or "GENERAL", "errorDetails": _why(answer)}


def _why(answer: Evaluation) -> str:
    return EXPLAINED.get(answer.error or "", answer.says)


def matches(header: str, etag: str) -> bool:
    sent = [each.strip().removeprefix("W/") for each in header.split(",")]
    return etag in sent or "*" in sent


def asker(request: HttpRequest) -> KeyFacts:
    """The shown key: the product and the environment that it belongs to, and its kind."""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    secret = bearer.strip() if scheme.lower() == "bearer" else request.headers.get("X-API-Key", "")
    facts = find_key(secret) if secret else None
    if facts is None:
        details = (
            "This key is unknown or revoked." if secret else "Send a capture or server key: Authorization: Bearer ..."
        )
        raise Refused(401, "GENERAL", details, WWW_Authenticate="Bearer")
    if facts.product_id is None:
        raise Refused(403, "GENERAL", "A personal token belongs to no product. Use a capture or server key.")
    if not facts.may_send:
        raise Refused(403, "GENERAL", NOT_FOR_EVENTS)
    slow_down(facts.id)
    return facts


_rate = Rate(settings.WHYTREE.flag_rate)


def slow_down(key_id: int) -> None:
    """Raise when this key asked too often."""
    wait = _rate.wait_of(key_id)
    if wait:
        details = "This key asks too often. Ask for all flags at once, poll less, or raise WHYTREE_FLAG_RATE."
        raise Refused(429, "GENERAL", details, Retry_After=str(math.ceil(wait)))


def _context(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        asked = _asked.decode(body)
    except msgspec.ValidationError as error:
        code = "INVALID_CONTEXT" if "$.context" in str(error) else "PARSE_ERROR"
        raise Refused(400, code, f'Send {{"context": {{"targetingKey": "..."}}}}: {error}.') from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refused(400, "PARSE_ERROR", f"The body is not JSON that can be read: {error}.") from error
    context = asked.context or {}
    unit = context.get("targetingKey")
    if unit is not None and not isinstance(unit, str):
        raise Refused(400, "INVALID_CONTEXT", 'context.targetingKey must be a string, as "42".')
    return context


def read_body(request: HttpRequest) -> bytes:
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY:
        raise _too_large()
    body = request.body
    if not body.startswith(b"\x1f\x8b"):
        return body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, MAX_BODY + 1)
    except zlib.error as error:
        raise Refused(400, "PARSE_ERROR", "The body begins like gzip but cannot be unpacked.") from error
    if len(plain) > MAX_BODY:
        raise _too_large()
    return plain


def _too_large() -> Refused:
    return Refused(413, "GENERAL", f"A context has {MAX_BODY:,} bytes at most. Send only what rules need.")


def json_answer(body: bytes, status: int = 200) -> HttpResponse:
    return HttpResponse(body, content_type="application/json", status=status)


def with_cors(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Any site may ask with its capture key: keys authorise here, never cookies."""
    origin = request.headers.get("Origin")
    if not origin:
        return response
    response["Access-Control-Allow-Origin"] = origin
    response["Access-Control-Allow-Credentials"] = "true"
    response["Access-Control-Expose-Headers"] = "ETag, Retry-After"
    response["Vary"] = "Origin"
    if request.method == "OPTIONS":
        wanted = request.headers.get(
            "Access-Control-Request-Headers", "authorization, content-type, if-none-match, x-api-key"
        )
        response["Access-Control-Allow-Headers"] = wanted
        response["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        response["Access-Control-Max-Age"] = "86400"
    return response
