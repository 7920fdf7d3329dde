"""Where answers go, the feed of them, and the button that ends the mails."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from whytree.errors import Invalid
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.entry.pace import keep_pace
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role

from . import services, telling

PER_HOUR = 600
"""Of one address; a reader asks every some minutes."""


@never_cache
@require_POST
@page(Role.MAINTAINER)
def ways(request: PageRequest, product: Product) -> HttpResponse:
    """The webhook or the feed."""
    form, secret = request.POST, ""
    try:
        if "feed" in form:
            services.set_ways(request.actor, product, feed=form["feed"] == "open")
        else:
            _, secret = services.set_ways(request.actor, product, webhook=form.get("webhook", ""))
        messages.success(request, "Saved.")
    except Invalid as error:
        messages.error(request, error.message)
    if secret:
        request.session["reply_secret"] = secret
    return redirect("voice_statuses", product.slug)


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """One button; mail programs press it by themselves (RFC 8058)."""
    done = request.method == "POST"
    product = telling.stop(token, pressed=done)
    response = render(request, "voice/leave_alone.html", {"subject": product, "done": done, "was_told": True})
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response


@never_cache
@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """What was told lately, as Atom."""
    keep_pace("replies-feed", request.META.get("REMOTE_ADDR", ""), most=PER_HOUR, seconds=3_600)
    response = HttpResponse(telling.feed_of(token), content_type="application/atom+xml; charset=utf-8")
    response["X-Robots-Tag"] = "noindex"
    return response
