"""A product's capture and server keys."""

from django.http import HttpResponse, QueryDict
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from whytree.errors import Invalid
from whytree.workspace import queries
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.entry.environments import environments_of, find_environment
from whytree.workspace.entry.keys import create_key, revoke_key
from whytree.workspace.models import Key, Product
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from .attempt import Attempt, done
from .entry import address_of

PLACEHOLDER = "YOUR_KEY"
# What a server key may do: the form's value, its words, the scopes.
MAY: tuple[tuple[str, str, list[str]], ...] = (
    ("all", "Everything, the API too", []),
    ("events", "Send events and evaluate flags", ["events"]),
    ("read", "Read over the API", ["read"]),
)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.VIEWER)
def keys(request: PageRequest, product: Product) -> HttpResponse:
    """The list and how to use a key; posting makes one and shows it once."""
    attempt = Attempt(request)
    made, secret = None, ""
    if request.method == "POST":
        with attempt:
            made, secret = create_key(
                request.actor,
                product,
                kind=request.POST.get("kind", ""),
                name=_name(request.POST.get("name", "")),
                environment=find_environment(product, request.POST.get("environment", "")),
                scopes=_scopes(request.POST),
            )
    listed = list(queries.keys_of(product))
    context = {
        "here": "settings",
        "tab": "keys",
        "keys": listed,
        "environments": environments_of(product),
        "open_keys": sum(1 for key in listed if key.revoked_at is None),
        "may": MAY,
        "kinds": [(kind, kind.label) for kind in (Key.Kind.CAPTURE, Key.Kind.SERVER)],
        "may_make": may(request.actor, product, Role.MAINTAINER),
        "made": made,
        "secret": secret,
        "shown_key": secret or PLACEHOLDER,
        **_address_parts(address_of(request)),
    }
    return attempt.page("workspace/keys.html", context)


def _address_parts(address: str) -> dict[str, str]:
    scheme, _, host = address.partition("://")
    return {"address": address, "scheme": scheme, "host": host}


def _scopes(form: QueryDict) -> list[str]:
    """The scopes chosen for a server key; a capture key has none to choose."""
    chosen = {value: scopes for value, _, scopes in MAY}
    return chosen.get(form.get("may", ""), []) if form.get("kind") == Key.Kind.SERVER else []


def _name(name: str) -> str:
    if not name.strip():
        raise Invalid("Say where the key is used, so that you know later which one to revoke.")
    return name


@require_POST
@page(Role.VIEWER)
def revoke(request: PageRequest, product: Product, key_id: int) -> HttpResponse:
    key = revoke_key(request.actor, key_id, product)
    return done(request, f"The key {key.name} is revoked. What still uses it is answered 401.", "keys", product.slug)
