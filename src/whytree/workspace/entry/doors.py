"""What every page and API operation does first: find the product, find out who asks, check the role.

@page(Role.VIEWER)
def tree(request: PageRequest, product: Product) -> HttpResponse: ...

@router.get("/products/{product}/outcomes", operation_id="list_outcomes")
def list_outcomes(request: ApiRequest, product: str) -> ...:
    found = api_product(request, product, Role.VIEWER)
"""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from ninja.security import HttpBearer, SessionAuth

from whytree.errors import NotFound, Unauthenticated
from whytree.stores.events import at_one_moment

from ..background.once import one_page
from ..models import Product, User
from ..rights.access import NO_SUCH_PRODUCT, require
from ..rights.actors import Actor
from ..rights.roles import Role
from .keys import actor_for, actor_of_user, find_key

P = ParamSpec("P")


class PageRequest(HttpRequest):
    """A request by somebody signed in."""

    actor: Actor
    product: Product
    htmx: Any


class ApiRequest(HttpRequest):
    """A request to the API with a token, a server key or a signed-in browser; annotate operations with it."""

    actor: Actor


def find_product(slug: str) -> Product:
    product = Product.objects.filter(slug=slug).first()
    if product is None:
        raise NotFound(NO_SUCH_PRODUCT)
    return product


def signed_in(view: Callable[Concatenate[Any, P], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A page for anybody signed in, outside a product."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return redirect_to_login(request.get_full_path())
        request.actor = actor_of_user(request.user)  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)

    return wrapped


def page(
    role: Role = Role.VIEWER,
) -> Callable[[Callable[Concatenate[Any, Product, P], HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """A page of a product: its slug comes from the address, the asker from the session. Errors become pages in the middleware."""

    def decorate(view: Callable[Concatenate[Any, Product, P], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @functools.wraps(view)
        def wrapped(request: HttpRequest, product: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not isinstance(request.user, User):
                return redirect_to_login(request.get_full_path())
            actor = actor_of_user(request.user)
            found = find_product(product)
            require(actor, found, role)
            request.actor = actor  # type: ignore[attr-defined]
            request.product = found  # type: ignore[attr-defined]
            if (
                request.session.get("product") != found.slug
            ):  # where the start page and the bar outside a product lead to
                request.session["product"] = found.slug
            if request.method not in ("GET", "HEAD"):
                return view(request, found, *args, **kwargs)
            # All that one page shows waits once for what is still to be written, and is asked for once.
            with at_one_moment(), one_page():
                return view(request, found, *args, **kwargs)

        return wrapped

    return decorate


def api_product(request: ApiRequest, slug: str, role: Role) -> Product:
    """The product an API call speaks of, once the asker's role in it is enough."""
    product = find_product(slug)
    require(request.actor, product, role)
    return product


class TokenAuth(HttpBearer):
    """``Authorization: Bearer <personal token or server key>``."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor:
        actor = actor_of_token(token, request.headers.get("X-Whytree-Via", ""))
        request.actor = actor  # type: ignore[attr-defined]
        return actor


def actor_of_token(token: str, via: str = "") -> Actor:
    """Whoever the token or key belongs to. By which door they come is only a label: what may be done is the key's.

    What an agent does is its owner's, and says on every page that shows a name that it was an agent.
    """
    facts = find_key(token)
    if facts is None:
        raise Unauthenticated("This token is unknown or revoked. Make a new one under Settings, Your tokens.")
    actor = actor_for(facts)
    if via == "mcp":
        return replace(actor, via="mcp", label=f"{actor.label} (agent)")
    return replace(actor, via="cli") if via == "cli" else actor


class BrowserAuth(SessionAuth):
    """A signed-in browser; changes need the CSRF token."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:
        if not isinstance(request.user, User):
            return None
        actor = actor_of_user(request.user)
        request.actor = actor  # type: ignore[attr-defined]
        return actor


INSIDE = "whytree.actor"


class InsideAuth:
    """A job of this very process that uses the API: it has put its actor beside the request, in the WSGI environment, where
    nothing that comes over a socket gets to (headers are called HTTP_…)."""

    def __call__(self, request: HttpRequest) -> Actor | None:
        actor = request.META.get(INSIDE)
        if not isinstance(actor, Actor):
            return None
        request.actor = actor  # type: ignore[attr-defined]
        return actor


def plain(response: HttpResponse) -> HttpResponse:
    """Mark a download so that no browser runs what is inside."""
    response["X-Content-Type-Options"] = "nosniff"
    return response
