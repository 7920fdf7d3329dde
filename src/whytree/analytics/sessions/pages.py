"""Sessions on a page."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from whytree.errors import Invalid
from whytree.workspace.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.roles import Role

from . import queries

PERIODS = (7, 28, 90)


@require_GET
@page(Role.VIEWER)
def sessions(request: PageRequest, product: Product) -> HttpResponse:
    """How long people stay, where they come in and where they go."""
    text = request.GET.get("days", str(queries.USUAL_DAYS))
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise Invalid("days is a whole number, as 28.")
    found = queries.sessions(product, days=int(text))
    context = {"here": "numbers", "found": found, "periods": PERIODS, "days": found.days, "kind": "sessions"}
    return render(request, "analytics/sessions.html", context)
