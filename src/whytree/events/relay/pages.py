"""Relays on a page."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from whytree.errors import Invalid
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from ..models import Relay
from . import services


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.VIEWER)
def relays(request: PageRequest, product: Product) -> HttpResponse:
    """Where calls are passed on to; set one, or stop it."""
    if request.method != "POST":
        return _page(request, product)
    dialect = request.POST.get("dialect", "")
    if "stop" in request.POST:
        services.stop_relay(request.actor, product, dialect)
        messages.success(request, "Nothing is passed on there any more. What waits stays on disk.")
        return redirect("relays", product.slug)
    try:
        relay = services.set_relay(request.actor, product, dialect, request.POST.get("url", ""))
    except Invalid as error:
        return _page(request, product, error)
    messages.success(request, f"Every accepted call goes on to {relay.url} from now on.")
    return redirect("relays", product.slug)


def _page(request: PageRequest, product: Product, error: Invalid | None = None) -> HttpResponse:
    found = services.relays_of(product)
    context: dict[str, Any] = {
        "here": "numbers",
        "relays": found,
        "error": error,
        "typed": request.POST,
        "dialects": Relay.Dialect.choices,
        "may_change": may(request.actor, product, Role.MAINTAINER),
        "sentence": _sentence(found),
    }
    return render(request, "events/relays.html", context, status=400 if error else 200)


def _sentence(found: list[services.RelayStatus]) -> str:
    if not found:
        return "Nothing is passed on."
    behind = [each for each in found if each.is_behind]
    if behind:
        return f"{behind[0].url} is behind: calls wait on disk."
    return f"Every accepted call goes on to {' and '.join(each.url for each in found)}."
