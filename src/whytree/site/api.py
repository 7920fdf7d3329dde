"""The root of the REST API: `/api/`, described at `/api/docs` from our own files."""

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from whytree import __version__
from whytree.errors import Forbidden, Invalid, Unauthenticated, WhytreeError
from whytree.workspace.entry.doors import BrowserAuth, InsideAuth, TokenAuth
from whytree.workspace.models import User

from .middleware import answer
from .openapi import describe_by_room

APPS = (
    "workspace",
    "people",
    "events",
    "code",
    "tree",
    "analytics",
    "flags",
    "voice",
    "experiments",
    "learning",
    "why",
    "demo",
)

api = NinjaAPI(
    title="Whytree",
    version=__version__,
    description="Everything the pages and the command line do. Send `Authorization: Bearer <personal token or server key>`.",
    auth=[InsideAuth(), TokenAuth(), BrowserAuth()],
    docs_url="/docs",
    openapi_url="/openapi.json",
)


@api.exception_handler(WhytreeError)
def refuse(request: HttpRequest, error: WhytreeError) -> HttpResponse:
    return answer(request, error)


@api.exception_handler(AuthenticationError)
def unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return answer(request, _stranger(request))


def _stranger(request: HttpRequest) -> WhytreeError:
    """What is missing: in a browser that is signed in the page's own token, anywhere else one of a person or a server."""
    if isinstance(request.user, User):
        return Forbidden("A browser changes things only from our own pages. Load the page again, or send a token.")
    return Unauthenticated("Send a token: Authorization: Bearer ... Make one under Settings, Your tokens.")


@api.exception_handler(HttpError)
def unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """A body that is no JSON, or nested deeper than anything here is; or a change without a token, from a page or nobody."""
    if error.status_code == 403:  # ninja looks for a page's CSRF token before it looks who asks
        return answer(request, _stranger(request))
    return answer(
        request,
        Invalid("The body is no JSON that can be read, or is nested hundreds deep. Send it as the reference shows it."),
    )


@api.exception_handler(ValidationError)
def malformed(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """400 with one line per field; a field is named as the caller wrote it."""
    fields: list[dict[str, Any]] = [
        {"field": ".".join(map(str, _written(problem["loc"]))) or "body", "problem": _problem(problem)}
        for problem in error.errors
    ]
    first = fields[0] if fields else {"field": "body", "problem": "cannot be read"}
    return answer(request, Invalid(f"{first['field']}: {first['problem']}.", details={"fields": fields}))


def _problem(problem: Any) -> str:
    return "there is no such field here" if problem["type"] == "extra_forbidden" else str(problem["msg"])


def _written(place: Sequence[str | int]) -> Sequence[str | int]:
    """Without where it was sent, and for a body without what our function calls it."""
    return place[2:] if place[0] == "body" else place[1:]


describe_by_room()
for app in APPS:
    if find_spec(f"whytree.{app}.api"):
        api.add_router("", import_module(f"whytree.{app}.api").router)
