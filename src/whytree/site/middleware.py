"""What every answer gets: the content policy, and errors as the asker can read them."""

import errno
import logging
import secrets
from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.db import DatabaseError, DataError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import render

from whytree.errors import Invalid, NotAllowed, RetryLater, Unavailable, WhytreeError

from .log_routes import route_of

log = logging.getLogger("whytree")
GetResponse = Callable[[HttpRequest], HttpResponseBase]

# No script but our own files, no inline script, no other host. Charts carry style attributes, so styles may be inline.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)

OTHER_NAME = (
    "This server does not answer to this name. Whoever runs it sets WHYTREE_PUBLIC_URL to the address that people use, "
    "or WHYTREE_ALLOWED_HOSTS to the names."
)


class Policies:
    """Sets the content policy on everything we answer, and its length: without one the connection is closed after it.

    What came over https sets no cookie that goes out over http, whatever the settings say.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        media = getattr(response, "media_source", "")  # the one recording that this page plays
        response.headers.setdefault("Content-Security-Policy", f"{POLICY}; media-src {media}" if media else POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        if isinstance(response, HttpResponse) and response.status_code not in (204, 304):
            response.headers.setdefault("Content-Length", str(len(response.content)))
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response


class Errors:
    """Turns our errors into a page or JSON; a full disk or a busy database into 503 with Retry-After."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        return _not_allowed(request, response["Allow"]) if isinstance(response, HttpResponseNotAllowed) else response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        known = as_known(error)
        if known is not None:
            return answer(request, known)
        reference = secrets.token_hex(4)
        log.exception("unexpected error %s at %s %s", reference, request.method, route_of(request))
        if request.path.startswith("/api/"):
            message = f"Something went wrong on our side. The server's log has it under {reference}."
            return JsonResponse({"code": "error", "message": message}, status=500)
        return None


def _not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    """Django and ninja answer with no word. Mostly met by whoever signs in again in the middle of an act."""
    told = f"This address takes {allowed}, not {request.method}."
    if request.method == "GET" and not request.path.startswith("/api/"):
        told = "There is nothing to see at this address: it does something. Go back, and press the button there."
    return answer(request, NotAllowed(told, allowed=allowed))


def as_known(error: Exception) -> WhytreeError | None:
    """Our own error for what Django and the databases say when it is not a fault of ours."""
    if isinstance(error, WhytreeError):
        return error
    if isinstance(error, DisallowedHost):
        return Invalid(OTHER_NAME)
    if isinstance(error, DataError | ValueError) and "NUL (0x00)" in str(error):  # PostgreSQL keeps none, SQLite does
        return Invalid("Text cannot hold NUL characters. Take them out and try again.")
    if isinstance(error, UnicodeEncodeError) and "surrogates" in str(error):  # half a character, as JSON can write it
        return Invalid("Text cannot hold half characters (surrogates). Copy it again as plain text.")
    if isinstance(error, ValueError | OverflowError) and any(
        words in str(error) for words in ("integer string conversion", "int too large to convert")
    ):  # hundreds of digits where nobody means them
        return Invalid("That number has too many digits.")
    if isinstance(error, OperationalError) and "pattern too complex" in str(
        error
    ):  # SQLite compares no more than 50,000 bytes
        return Invalid("That is too long to look for. Write less.")
    if is_disk_full(error):
        return Unavailable("The disk is full, so nothing was changed. Free some space and try again.", retry_after=30)
    if is_damaged(error):
        return Unavailable("The database is damaged. Ask who runs this server: they restore the last backup.")
    if isinstance(error, OperationalError) and "locked" in str(error):
        return Unavailable("The database is busy, so nothing was changed. Try again.", retry_after=1)
    return None


def is_disk_full(error: Exception) -> bool:
    """Whether there was no room to write, be it the database's or a file of our own."""
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    words = ("disk is full", "No space left")
    return isinstance(error, OperationalError) and any(one in str(error) for one in words)


def is_damaged(error: Exception) -> bool:
    """Whether SQLite finds in its file what it cannot have written."""
    words = ("file is not a database", "database disk image is malformed")
    return isinstance(error, DatabaseError) and any(one in str(error) for one in words)


def answer(request: HttpRequest, error: WhytreeError) -> HttpResponse:
    """The error as JSON at the API, as a page elsewhere."""
    if request.path.startswith("/api/"):
        response: HttpResponse = JsonResponse(error.as_json(), status=error.status)
    else:
        response = render(request, "error.html", {"error": error}, status=error.status)
    if isinstance(error, RetryLater):
        response["Retry-After"] = str(error.retry_after)
    if isinstance(error, NotAllowed):
        response["Allow"] = error.allowed
    return response
