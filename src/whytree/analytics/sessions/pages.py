"""Sessions on a page."""

import csv

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from whytree.engines.spreadsheet import inert
from whytree.errors import Invalid
from whytree.workspace.access import may_write
from whytree.workspace.doors import PageRequest, page, plain
from whytree.workspace.models import Product
from whytree.workspace.roles import Role

from . import queries

PERIODS = (7, 28, 90)


@require_GET
@page(Role.VIEWER)
def sessions(request: PageRequest, product: Product) -> HttpResponse:
    """How long people stay, where they come in and where they go."""
    found = _asked(request, product)
    context = {
        "here": "numbers",
        "kind": "sessions",
        "found": found,
        "periods": PERIODS,
        "days": found.days,
        "may_act": may_write(request.actor, product),
    }
    return render(request, "analytics/sessions.html", context)


@require_GET
@page(Role.VIEWER)
def sessions_csv(request: PageRequest, product: Product) -> HttpResponseBase:
    """Where they come in and where they go, for a spreadsheet."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="sessions.csv"'
    writer = csv.writer(response)
    writer.writerow(["place", "entered", "left", "bounced"])
    places = _asked(request, product).places
    writer.writerows([inert(one.name), one.entered, one.left, one.bounced] for one in places)
    return plain(response)


def _asked(request: PageRequest, product: Product) -> queries.Sessions:
    text = request.GET.get("days", str(queries.USUAL_DAYS))
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise Invalid("days is a whole number, as 28.")
    return queries.sessions(product, days=int(text))
