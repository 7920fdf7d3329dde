"""Whom to ask for a talk, as a page; and the page on which somebody says that they want to be left alone."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from whytree.analytics.cohorts.queries import list_cohorts
from whytree.errors import Conflict, Invalid, NotFound, Unavailable, WhytreeError
from whytree.flags.models import Flag
from whytree.tree.models import Opportunity
from whytree.voice.contacts import set_contact_settings, set_wish
from whytree.voice.models import ContactSettings
from whytree.voice.services import find_opportunity
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.outside.mail import is_set
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from .. import queries, services
from ..planning import calendar_file
from ..recruiting import Found, candidates, opportunities_wanting_a_talk


@require_GET
@page(Role.MEMBER)
def recruit(request: PageRequest, product: Product) -> HttpResponse:
    """Choose a group; of those who may be asked some are proposed."""
    asked = request.GET
    found: Found | None = None
    error: WhytreeError | None = None
    about: Opportunity | None = None
    try:
        about = find_opportunity(product, asked["opportunity"]) if asked.get("opportunity") else None
        flags = [flag for flag in asked.getlist("flag") if flag]
        if about is not None or asked.get("cohort") or flags:
            found = candidates(product, cohort=asked.get("cohort", ""), flags=flags, opportunity=about)
    except (Invalid, NotFound, Unavailable) as refused:
        error = refused
    context: dict[str, Any] = {
        "here": "voices",
        "found": found,
        "about": about,
        "error": error,
        "asked": asked,
        "cohorts": list_cohorts(product),
        "flags": Flag.objects.filter(product=product).order_by("key"),
        "wanted": opportunities_wanting_a_talk(product),
        "settings": ContactSettings.of(product),
        "mail": is_set(),
        "may_set": may(request.actor, product, Role.MAINTAINER),
        "query": asked.urlencode(),
    }
    return render(request, "voice/recruit.html", context, status=error.status if error else 200)


@require_POST
@page(Role.MEMBER)
def invite(request: PageRequest, product: Product) -> HttpResponse:
    """Ask those who were chosen."""
    form = request.POST
    by_mail = form.get("do") == "mail"
    try:
        asked = services.invite(
            request.actor,
            product,
            form.getlist("person"),
            by_mail=by_mail,
            about=form.get("about", ""),
            unproved=form.get("unproved") == "1",
        )
        people = "One person is" if len(asked) == 1 else f"{len(asked)} people are"
        how = "asked by mail" if by_mail else "noted as asked"
        messages.success(request, f"{people} {how}. They are left in peace now for {_rest(product)}.")
    except (Invalid, Conflict) as error:
        messages.error(request, error.message)
    return redirect(f"{reverse('recruit', args=[product.slug])}?{QueryDict(form.get('query', '')).urlencode()}")


def _rest(product: Product) -> str:
    days = ContactSettings.of(product).rest_days
    return "a day" if days == 1 else f"{days} days"


@require_POST
@page(Role.MAINTAINER)
def contact_settings(request: PageRequest, product: Product) -> HttpResponse:
    form = request.POST
    days = form.get("rest_days", "")
    try:
        if not (days.isascii() and days.isdigit() and len(days) < 5):
            raise Invalid("The rest is a number of days.")
        set_contact_settings(
            request.actor,
            product,
            rest_days=int(days),
            booking_url=form.get("booking_url", ""),
            invitation=form.get("invitation", ""),
        )
        messages.success(request, "Saved.")
    except Invalid as error:
        messages.error(request, error.message)
    return redirect("recruit", product.slug)


@require_POST
@page(Role.MEMBER)
def wish(request: PageRequest, product: Product) -> HttpResponse:
    """What a person said about being asked, from their page."""
    key = request.POST.get("person", "")
    may = {"yes": True, "no": False}.get(request.POST.get("may", ""))
    try:
        set_wish(request.actor, product, key, may)
    except Invalid as error:
        messages.error(request, error.message)
        return redirect("people", product.slug)
    return redirect("person", product.slug, key)


@require_GET
@page(Role.VIEWER)
def calendar(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """The appointment as a file."""
    found = queries.find_interview(product, number)
    response = HttpResponse(calendar_file(found, timezone.now()), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{found.ref}.ics"'
    return response


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def leave_alone(request: HttpRequest, token: str) -> HttpResponse:
    """One button. GET only shows it: programs that look into mails must not press it."""
    done = request.method == "POST"
    contact = services.leave_alone(token) if done else services.contact_of(token)
    response = render(request, "voice/leave_alone.html", {"subject": contact.product, "done": done})
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response
