"""What the product sends: the catalogue, what was put aside, imports."""

from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from whytree.workspace.background.fresh import kept
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from . import queries
from .intake.services import limited_keys
from .plan.pages import opened_event
from .plan.queries import check_plan
from .queries import Catalogue

ASIDE_SHOWN = 50
MOST_SHOWN = 500
"""Kinds of events on the page: whoever holds a public key can make up as many as they like."""
KINDS = {
    "rejected": ("not an event", "amber"),
    "refused": ("refused by the store", "red"),
    "merge": ("merge not allowed", "amber"),
    "claim": ("kept, but not believed", "amber"),
}


@require_GET
@page(Role.VIEWER)
def events(request: PageRequest, product: Product) -> HttpResponse:
    """The events that come in, or how to send the first one. Properties are looked up for the event that is opened."""
    opened = request.GET.get("event", "")
    context: dict[str, Any] = {"opened": opened, **opened_event(request, product, opened)}
    if request.htmx:
        return render(request, "events/_properties.html", context)
    found = kept("catalogue", [product.pk], 0, partial(queries.catalogue_of_events, product))
    check = check_plan(product)
    wrong = {violation.event for violation in check.violations}
    words = request.GET.get("q", "").strip()[:200]
    meant = [event for event in found.events if words.casefold() in event.name.casefold()]
    shown = meant[:MOST_SHOWN]
    context |= {
        "here": "numbers",
        "catalogue": found,
        "check": check,
        "apart": bool(opened) and not any(event.name == opened for event in shown),
        "is_sent": any(event.name == opened for event in found.events),
        "words": words,
        "looks": bool(words) or len(found.events) > MOST_SHOWN,
        "more": len(meant) - len(shown),
        "rows": [(event, check.plan.events.get(event.name), event.name in wrong) for event in shown],
        "sentence": _sentence(found),
        "last_at": _last(found),
        "status": queries.capture_status(),
        **_snippet_facts(request),
    }
    return render(request, "events/catalogue.html", context)


def _sentence(found: Catalogue) -> str:
    if not found.events:
        return "No event has come in yet."
    kinds = len(found.events)
    times = "once" if found.volume == 1 else f"{found.volume:,} times in all"
    return f"{kinds:,} {'kind of event has' if kinds == 1 else 'kinds of event have'} come in, {times}."


def _last(found: Catalogue) -> datetime | None:
    return max((event.last_seen for event in found.events), default=None)


def _snippet_facts(request: HttpRequest) -> dict[str, str]:
    """For the snippets that show how to send the first event."""
    address = settings.WHYTREE.public_url or request.build_absolute_uri("/").rstrip("/")
    scheme, _, host = address.partition("://")
    return {"address": address, "scheme": scheme, "host": host, "shown_key": "YOUR_CAPTURE_KEY"}


@require_GET
@page(Role.VIEWER)
def live_events(request: PageRequest, product: Product) -> HttpResponse:
    """What arrives, as it arrives; the page asks for its own middle again every two seconds."""
    key = request.GET.get("key", "")
    found = queries.live_stream(product, int(key) if key.isascii() and key.isdigit() and len(key) < 10 else None)
    if request.htmx and request.GET.get("after") == found.mark:
        return HttpResponse(status=204)  # nothing new: what somebody opened stays open
    context: dict[str, Any] = {
        "here": "numbers",
        "stream": found,
        "chosen": key,
        "keys": limited_keys(product),
        "sees_turned": may(request.actor, product, Role.MAINTAINER),
        **_snippet_facts(request),
    }
    template = "events/_live.html" if request.htmx else "events/live.html"
    return render(request, template, context)


@require_GET
@page(Role.VIEWER)
def put_aside(request: PageRequest, product: Product) -> HttpResponse:
    """What was sent and is no event, with the reason."""
    rows = [(row, *KINDS.get(row.kind, (row.kind, ""))) for row in queries.put_aside(product, ASIDE_SHOWN)]
    return render(request, "events/put_aside.html", {"here": "numbers", "rows": rows, "limit": ASIDE_SHOWN})
