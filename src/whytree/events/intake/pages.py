"""What is wanted of events, on a page."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from whytree.engines.typed import whole_of
from whytree.errors import Invalid
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from ..models import Intake
from . import services
from .services import LimitedKey, Wanted


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.VIEWER)
def intake(request: PageRequest, product: Product) -> HttpResponse:
    """Show what is kept, and change it."""
    if request.method != "POST":
        return _page(request, product, services.intake_of(product), services.limited_keys(product))
    try:
        _save(request, product)
    except Invalid as error:
        return _page(request, product, _typed(request, product), services.limited_keys(product), error)
    messages.success(request, "This holds from now on. What is stored stays as it is.")
    return redirect("intake", product.slug)


def _save(request: PageRequest, product: Product) -> None:
    limits = {key: _limit(request, key) for key in services.limited_keys(product)}
    services.set_intake(request.actor, product, _wanted(request))
    for key, limit in limits.items():
        if limit != key.events_per_minute:
            services.set_key_limit(request.actor, product, key.id, limit)


def _wanted(request: HttpRequest) -> Wanted:
    sent = request.POST
    return Wanted(
        bots=sent.get("bots", ""),
        sample=whole_of(sent.get("sample", ""), "The sample is a whole number of percent from 1 to 100."),
        allowed=sent.get("allowed", "").split(","),
        denied=sent.get("denied", "").split(","),
        keep_address="keep_address" in sent,
        session_minutes=whole_of(
            sent.get("session_minutes", ""), "A session ends after a whole number of minutes, 1 to 1440."
        ),
    )


def _limit(request: HttpRequest, key: LimitedKey) -> int | None:
    text = request.POST.get(f"limit-{key.id}", "").strip().replace(",", "")
    return (
        whole_of(text, f"The limit of “{key.name}” is a whole number of events a minute, or empty.") if text else None
    )


def _typed(request: HttpRequest, product: Product) -> Intake:
    """What was typed, to be shown again beside what is wrong with it."""
    sent = request.POST
    return Intake(
        product=product,
        bots=sent.get("bots", ""),
        sample=sent.get("sample", ""),
        allowed=[sent.get("allowed", "")],
        denied=[sent.get("denied", "")],
        keep_address="keep_address" in sent,
        session_minutes=sent.get("session_minutes", ""),
    )


def _page(
    request: PageRequest, product: Product, found: Intake, keys: list[LimitedKey], error: Invalid | None = None
) -> HttpResponse:
    context: dict[str, Any] = {
        "here": "numbers",
        "intake": found,
        "keys": keys,
        "error": error,
        "choices": Intake.Bots.choices,
        "may_change": may(request.actor, product, Role.MAINTAINER),
        "sentence": "Not everything was said yet." if error else _sentence(found),
    }
    return render(request, "events/intake.html", context, status=400 if error else 200)


def _sentence(found: Intake) -> str:
    parts = []
    if found.sample < 100:
        parts.append(f"{found.sample} % of people")
    if found.bots == Intake.Bots.REFUSED:
        parts.append("no bots")
    if found.allowed or found.denied:
        parts.append("chosen properties")
    if not parts:
        return (
            "Everything that is sent is kept; bots are not counted." if found.bots == "apart" else "Everything is kept."
        )
    return f"Of what is sent this is kept: {', '.join(parts)}."
