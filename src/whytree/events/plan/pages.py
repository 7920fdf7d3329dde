"""The tracking plan on pages: held against what is sent, and edited event by event."""

from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from whytree.errors import Conflict, Invalid
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from . import services
from .document import STATUSES, TYPES
from .queries import check_plan, describe_event
from .services import plan_of


@require_GET
@page(Role.VIEWER)
def plan(request: PageRequest, product: Product) -> HttpResponse:
    """The tracking plan, held against what is sent."""
    may_act = may(request.actor, product, Role.MEMBER)
    context = {"here": "numbers", "check": check_plan(product), "may_act": may_act, "statuses": STATUSES}
    return render(request, "events/plan.html", context)


@require_POST
@page(Role.MEMBER)
def edit_event(request: PageRequest, product: Product) -> HttpResponse:
    """Say what an event, or one of its properties, is; or plan it no longer."""
    sent, event = request.POST, request.POST.get("event", "").strip()
    try:
        if sent.get("act") == "unplan":
            services.unplan_event(request.actor, product, event)
            messages.success(request, f"“{event}” stands in the plan no longer.")
        elif sent.get("act") == "strict":
            services.set_strict(request.actor, product, strict="strict" in sent)
            return redirect("plan", product.slug)
        elif sent.get("act") == "property":
            services.plan_event(request.actor, product, event, {"properties": _property(request)})
        else:
            said = {name: sent.get(name, "") for name in ("status", "owner", "description")}
            services.plan_event(request.actor, product, event, said)
    except (Conflict, Invalid) as error:
        messages.error(request, error.message)
    return redirect(f"{reverse('events', args=[product.slug])}?event={quote(event, safe='')}#opened")


def _property(request: PageRequest) -> dict[str, Any]:
    sent = request.POST
    what = {"type": sent.get("type", ""), "required": "required" in sent, "description": sent.get("words", "")}
    return {sent.get("property", "").strip(): None if sent.get("type") == "none" else what}


def opened_event(request: PageRequest, product: Product, event: str) -> dict[str, Any]:
    """The context of `events/_properties.html`."""
    return {
        "described": describe_event(product, event) if event else None,
        "strict": plan_of(product).strict,
        "may_act": may(request.actor, product, Role.MEMBER),
        "statuses": STATUSES,
        "types": TYPES,
    }
