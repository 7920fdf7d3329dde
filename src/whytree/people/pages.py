"""The people who use the product: a list, and one page each."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from whytree.errors import Conflict, Invalid, NotFound, WhytreeError
from whytree.stores.identity.timeline import Moment
from whytree.workspace.entry.doors import PageRequest, page, plain
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may, may_write
from whytree.workspace.rights.roles import Role
from whytree.workspace.sockets import Panel, panels

from . import queries, services
from .queries import PersonRef

TRAITS_SHOWN = 30
PROPERTIES_SHOWN = 40


@require_GET
@page(Role.VIEWER)
def people(request: PageRequest, product: Product) -> HttpResponse:
    """Known people, last seen first; or, with `strangers`, those behind the newest events whom nobody knows."""
    words = request.GET.get("q", "").strip()[:200]
    start = request.GET.get("start", "")
    if "strangers" in request.GET:
        context: dict[str, Any] = {"strangers": queries.strangers(product)}
    else:
        context = {"found": queries.known_people(product, words=words, start=int(start) if start.isdecimal() else 0)}
    context |= {"here": "voices", "words": words, "has_events": queries.has_events(product)}
    return render(request, "people/people.html", context)


@require_GET
@page(Role.VIEWER)
def person(request: PageRequest, product: Product, key: str) -> HttpResponse:
    """Who this is, what they did, what others know of them."""
    found = queries.find_person(product, key)
    if found.key != key and "before" not in request.GET:
        return redirect("person", product.slug, found.key)
    return _show(request, product, found)


def _show(request: PageRequest, product: Product, found: PersonRef, error: WhytreeError | None = None) -> HttpResponse:
    before, before_id = _cursor(request)
    moments = queries.timeline(found, before=before, before_id=before_id)
    shown = panels("person", request.actor, product, found)
    may_erase = may(request.actor, product, Role.MAINTAINER)
    context = {
        "here": "voices",
        "person": found,
        "sentence": _sentence(found),
        "days": _by_day(moments, ZoneInfo(product.timezone)),
        "older": _older(moments),
        "is_first": before is None,
        "most": [(_TITLES.get(name, name), times) for name, times in queries.does_most(found)],
        "traits": _traits(found),
        "main_panels": [_drawn(request, product, panel) for panel in shown if panel.column == "main"],
        "aside_panels": [_drawn(request, product, panel) for panel in shown if panel.column == "aside"],
        "may_write": may_write(request.actor, product),
        "may_erase": may_erase,
        "other_names": [one for one in services.ids_of(product, found.key) if one != found.key] if may_erase else [],
        "error": error,
    }
    return render(request, "people/person.html", context, status=error.status if error else 200)


def _sentence(found: PersonRef) -> str:
    if found.seen is None:
        return f"{found.label} was never seen using the product."
    times = "once" if found.seen.events == 1 else f"{found.seen.events:,} things"
    return f"{found.label} did {times} here."


def _traits(found: PersonRef) -> list[tuple[str, str]]:
    if found.profile is None:
        return []
    return [(name, str(value)) for name, value in sorted(found.profile.traits.items())][:TRAITS_SHOWN]


@dataclass(frozen=True)
class DrawnPanel:
    """What another app shows here, drawn from its own template."""

    panel: Panel
    html: SafeString


def _drawn(request: HttpRequest, product: Product, panel: Panel) -> DrawnPanel:
    return DrawnPanel(panel, render_to_string(panel.template, {"product": product, **panel.context}, request))


@dataclass(frozen=True)
class Shown:
    """A moment as the timeline shows it."""

    moment: Moment
    at: datetime
    title: str
    kind: str
    properties: list[tuple[str, str]]

    @property
    def where(self) -> str:
        """The device and place, in a few words."""
        platform, runs_on = self.moment.platform, self.moment.browser or self.moment.os
        if platform.casefold() == runs_on.casefold():
            platform = ""  # "android · Android" says it twice
        parts = (platform, runs_on, self.moment.version, self.moment.path)
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True)
class Day:
    day: date
    moments: list[Shown]


_TITLES = {
    "$pageview": "viewed a page",
    "$screen": "viewed a screen",
    "$identify": "signed in or told who they are",
    "$alias": "got another id",
    "$group": "joined a company",
}


def _by_day(moments: list[Moment], zone: ZoneInfo) -> list[Day]:
    """In the product's own days."""
    days: list[Day] = []
    for moment in moments:
        shown = _shown(moment, zone)
        if not days or days[-1].day != shown.at.date():
            days.append(Day(shown.at.date(), []))
        days[-1].moments.append(shown)
    return days


def _shown(moment: Moment, zone: ZoneInfo) -> Shown:
    said = moment.properties
    title = _TITLES.get(moment.event, moment.event)
    kind = "identity" if moment.event in ("$identify", "$alias", "$group") else "event"
    if moment.is_exposure:
        title, kind = f"met {said.get('variant', '?')} of {said.get('flag', '?')}", "exposure"
    elif moment.event in ("$pageview", "$screen") and (said.get("name") or moment.path):
        title = f"{title}: {said.get('name') or moment.path}"
    elif moment.event == "$group" and said.get("groupId"):
        title = f"joined {said.get('name') or said['groupId']}"
    properties = sorted(said.items())[:PROPERTIES_SHOWN]
    return Shown(moment, moment.timestamp.astimezone(zone), title, kind, properties)


def _cursor(request: HttpRequest) -> tuple[datetime | None, int | None]:
    """Where the page before this one ended: `?before=<milliseconds>-<event id>`."""
    milliseconds, _, event_id = request.GET.get("before", "").partition("-")
    if not (milliseconds.isdecimal() and event_id.isdecimal() and len(milliseconds) < 15 and int(event_id) < 2**64):
        return None, None
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC), int(event_id)


def _older(moments: list[Moment]) -> str:
    """The query of the next page; empty at the end."""
    if len(moments) < queries.TIMELINE_PAGE:
        return ""
    last = moments[-1]
    return f"?before={round(last.timestamp.timestamp() * 1000)}-{last.event_id}"


@require_POST
@page(Role.MEMBER)
def set_internal(request: PageRequest, product: Product, key: str) -> HttpResponse:
    changed = services.set_internal(request.actor, product, key, internal=request.POST.get("internal") == "1")
    messages.success(
        request, f"{changed} {'belongs to the team now' if changed.internal else 'counts as a user again'}."
    )
    return redirect("person", product.slug, key)


@require_POST
@page(Role.MEMBER)
def separate(request: PageRequest, product: Product, key: str) -> HttpResponse:
    """Take one id away from this person."""
    other = request.POST.get("id", "")
    services.separate(request.actor, product, key, other)
    there = f"{reverse('people', args=[product.slug])}/{quote(other, safe='')}"
    messages.success(request, f"{other} is a person of its own now, at {there}. To take it back, join the two again.")
    return redirect("person", product.slug, queries.canonical_key(product, key))


@require_POST
@page(Role.MEMBER)
def join(request: PageRequest, product: Product, key: str) -> HttpResponse:
    """Say that another id is this person too."""
    other = request.POST.get("id", "").strip()
    try:
        queries.find_person(product, other)
        services.join(request.actor, product, key, other)
    except (Conflict, Invalid, NotFound) as error:
        return _show(request, product, queries.find_person(product, key), error)
    messages.success(request, f"{other} counts as this person now.")
    return redirect("person", product.slug, queries.canonical_key(product, key))


@require_GET
@page(Role.MAINTAINER)
def everything(request: PageRequest, product: Product, key: str) -> HttpResponse:
    """Everything that is known of a person, as a file."""
    told = services.everything_of(request.actor, product, key)
    response = JsonResponse(told, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = 'attachment; filename="person.json"'
    return plain(response)


@require_POST
@page(Role.MAINTAINER)
def erase(request: PageRequest, product: Product, key: str) -> HttpResponse:
    """Forget them, once the person who asks has typed the id: there is no way back."""
    if request.POST.get("id", "").strip() != key:
        return _show(
            request, product, queries.find_person(product, key), Invalid("Type their id to forget them for good.")
        )
    done = services.erase(request.actor, product, key)
    messages.success(request, f"Forgotten. What is left is the number {done.number}; {done.events:,} events went.")
    return redirect("people", product.slug)
