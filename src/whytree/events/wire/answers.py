"""What every dialect answers with: JSON, refusals that say when to come again, and leave for any page to ask."""

import time
from collections.abc import Callable
from functools import partial

import msgspec
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse

from whytree.errors import NotAllowed, RetryLater, TooMany, Unavailable, WhytreeError

from ..arrivals import Turned, note_turned
from .later import TOO_MUCH, Later

_DAY = "86400"


def answered(request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
    """The view's answer, or the error as Segment's libraries read it: `code` and `message`."""
    return caught(request, view, refused)


def caught(
    request: HttpRequest, view: Callable[[], HttpResponse], told: Callable[[WhytreeError], HttpResponse]
) -> HttpResponse:
    """The view's answer, or what `told` makes of an error: each dialect has its own words for it."""
    try:
        if TOO_MUCH in request.META:
            raise TooMany("More events arrive than can be written. Send this again after a pause.", retry_after=2)
        response = view()
        if isinstance(response, Later):
            response.finish = partial(caught, request, response.finish, told)
        return response
    except WhytreeError as error:
        refusal = error
    except OperationalError:
        refusal = Unavailable("The database is busy, so nothing was taken. Send it again.", retry_after=2)
    note_turned(_turned(request, refusal))
    return told(refusal)


def _turned(request: HttpRequest, refusal: WhytreeError) -> Turned:
    """For the page that shows what arrives: whoever sets a client up looks there for why nothing does."""
    return Turned(
        at=time.time(),
        path=request.path[:100],
        client=(request.headers.get("Origin") or request.headers.get("User-Agent", ""))[:100],
        key=str((refusal.details or {}).get("key_begins", "")),
        status=refusal.status,
        reason=refusal.message,
    )


def only(request: HttpRequest, *methods: str) -> None:
    """Raise `NotAllowed` for any other method."""
    if request.method not in methods:
        wanted = " or ".join(methods)
        raise NotAllowed(f"Send with {wanted}, not {request.method}.", allowed=", ".join((*methods, "OPTIONS")))


def refused(error: WhytreeError) -> HttpResponse:
    return as_refusal(error, {"success": False, **error.as_json()})


def as_refusal(error: WhytreeError, body: dict[str, object]) -> HttpResponse:
    """The error in a dialect's words, with the headers that any client reads."""
    response = as_json(body, status=error.status)
    if isinstance(error, RetryLater):
        response["Retry-After"] = str(error.retry_after)
    if isinstance(error, NotAllowed):
        response["Allow"] = error.allowed
    return response


def as_json(body: dict[str, object], status: int = 200) -> HttpResponse:
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
