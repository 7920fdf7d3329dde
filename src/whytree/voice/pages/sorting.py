"""What the inbox offers to sort voices with, the act that can be taken back, saved views, and a team's statuses."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from whytree.errors import Conflict, Invalid, NotFound, WhytreeError
from whytree.voice import services
from whytree.voice.models import ReplyWays, SavedView, Status, Tag
from whytree.voice.replies.api import feed_url
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Membership, Product
from whytree.workspace.outside.mail import is_set
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

OFFERED_FOR = 600
"""Seconds in which taking back is offered."""

SNOOZES = (("1", "until tomorrow"), ("7", "for a week"), ("30", "for a month"), ("90", "for three months"))
WAKE = "0"
NOBODY = "nobody"


@dataclass(frozen=True)
class Remembered:
    """The last act: in words, and its activities."""

    said: str
    activities: list[int]


def remember(request: PageRequest, said: str, activities: Sequence[int]) -> None:
    """Offer to take this back."""
    if activities:
        request.session["voices_undo"] = [request.product.pk, said, list(activities), int(time.time())]


def remembered(request: PageRequest, product: Product) -> Remembered | None:
    kept = request.session.get("voices_undo")
    if not kept or kept[0] != product.pk or time.time() - kept[3] > OFFERED_FOR:
        return None
    return Remembered(kept[1], kept[2])


def forget(request: PageRequest) -> None:
    request.session.pop("voices_undo", None)


def sorting(request: PageRequest, product: Product) -> dict[str, Any]:
    """What the forms of the inbox offer."""
    views = SavedView.objects.filter(Q(owner=None) | Q(owner_id=request.actor.user_id), product=product)
    members = Membership.objects.filter(product=product).select_related("user").order_by("user__name", "pk")
    return {
        "members": [one.user for one in members],
        "statuses": list(Status.objects.filter(product=product)),
        "tags": list(Tag.objects.filter(product=product)[:200]),
        "snoozes": SNOOZES,
        "views": list(views),
        "last_act": remembered(request, product),
    }


def act_of(form: QueryDict) -> services.Act:
    """What a form asks for: its button, or, when it was sent without one, the one field that was filled in."""
    button = form.get("act", "")
    if button in ("put_away", "bring_back", "part"):
        return services.Act(button)
    filled = [name for name in _FIELDS if form.get(name, "").strip()]
    if len(filled) != 1:
        raise Invalid("Say one thing to do: put away, or fill in one of the fields." if not filled else _TOO_MANY)
    name = filled[0]
    value = form.get(name, "").strip()[:200]
    if value in (NOBODY, WAKE) and name in ("assign", "snooze", "set_status"):
        value = ""
    return services.Act(name, value)


_FIELDS = ("tag", "untag", "assign", "snooze", "set_status", "link", "merge")
_TOO_MANY = "One thing at a time: only one of the fields may be filled in."


@require_POST
@page(Role.MEMBER)
def save_view(request: PageRequest, product: Product) -> HttpResponse:
    """Keep this search under a name."""
    query = request.POST.get("query", "")
    try:
        shared = request.POST.get("shared") == "1"
        view = services.save_view(request.actor, product, name=request.POST.get("name", ""), query=query, shared=shared)
        messages.success(request, f"“{view.name}” is kept{' for the team' if shared else ''}.")
    except (Invalid, Conflict) as error:
        messages.error(request, error.message)
    return redirect(f"{reverse('voices', args=[product.slug])}?{query.lstrip('?')}")


@require_POST
@page(Role.MEMBER)
def remove_view(request: PageRequest, product: Product, view_id: int) -> HttpResponse:
    services.remove_view(request.actor, product, view_id)
    messages.success(request, "The view is gone; the voices are where they were.")
    return redirect("voices", product.slug)


@require_http_methods(["GET", "POST"])
@page(Role.VIEWER)
def statuses(request: PageRequest, product: Product) -> HttpResponse:
    """The team's own words for where a voice stands."""
    error: WhytreeError | None = None
    if request.method == "POST":
        try:
            return _change_status(request, product)
        except (Invalid, Conflict, NotFound) as refused:
            error = refused
    context = {
        "here": "voices",
        "statuses": list(Status.objects.filter(product=product)),
        "ways": ReplyWays.of(product),
        "feed_url": feed_url(ReplyWays.of(product)),
        "secret": request.session.pop("reply_secret", ""),
        "sends_mail": is_set(),
        "may_change": may(request.actor, product, Role.MAINTAINER),
        "error": error,
        "form": request.POST,
    }
    return render(request, "voice/statuses.html", context, status=error.status if error else 200)


def _change_status(request: PageRequest, product: Product) -> HttpResponse:
    form = request.POST
    if "remove" in form:
        services.remove_status(request.actor, product, form["remove"])
        messages.success(request, f"“{form['remove']}” is gone. Voices that stood so have no status now.")
    else:
        waits, tells = form.get("waits") == "1", form.get("tells") == "1"
        status = services.add_status(request.actor, product, name=form.get("name", ""), waits=waits, tells=tells)
        messages.success(request, f"Voices can be “{status.name}” now.")
    return redirect("voice_statuses", product.slug)
