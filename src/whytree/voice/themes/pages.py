"""Themes as pages: the map with its list, one theme with its voices, and what people do with them."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from whytree.engines import charts
from whytree.errors import Conflict, Invalid, NotFound, WhytreeError
from whytree.tree.models import TITLE_LENGTH, Opportunity, OpportunityKind, Outcome
from whytree.tree.queries import find_node
from whytree.voice.queries import find_by_ref
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.records.activity import activity_for
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.roles import Role

from . import queries, services
from .models import LABEL_LENGTH, Theme, ThemeState
from .picture import draw_map

LISTED = 40
ACTS = 12


@require_GET
@page(Role.VIEWER)
def themes(request: PageRequest, product: Product) -> HttpResponse:
    """The map and the list."""
    found = queries.overview(product)
    shown_all = "all" in request.GET
    listed = found.themes if shown_all else found.themes[:LISTED]
    context = {
        "here": "voices",
        "found": found,
        "sentence": _sentence(found),
        "map": draw_map(product, found.themes),
        "listed": [(shown, charts.spark(shown.facts.weeks)) for shown in listed],
        "more": len(found.themes) - len(listed),
        "may_write": may_write(request.actor, product),
    }
    return render(request, "voice/themes.html", context)


def _sentence(found: queries.Overview) -> str:
    if not found.themes:
        return "No themes yet"
    themes = len(found.themes)
    return f"{found.voices:,} voices speak of {themes} {'theme' if themes == 1 else 'themes'}"


@require_GET
@page(Role.VIEWER)
def theme(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """One theme: what is counted of it, its voices, and what may be done with it."""
    found = queries.find_theme(product, number)
    place = request.GET.get("from", "")
    start = int(place) if place.isascii() and place.isdigit() and len(place) < 7 else 0
    members, more = queries.voices_of(found, place=start)
    return render(request, "voice/theme.html", {**_context(request, product, found), "members": members, "start": start,
                  "next": start + queries.PAGE if more else 0})  # fmt: skip


def _context(request: PageRequest, product: Product, found: Theme) -> dict[str, Any]:
    shown = queries.show(found)
    others = (
        Theme.objects.filter(product=product, joined_to=None).exclude(pk=found.pk).exclude(state=ThemeState.DISMISSED)
    )
    return {
        "here": "voices",
        "theme": found,
        "shown": shown,
        "spark": charts.spark(shown.facts.weeks),
        "parts": queries.parts_of(found),
        "others": others.order_by("number"),
        "unconfirmed": queries.waiting_for_a_yes(found),
        "kinds": OpportunityKind.choices,
        "above": [
            *Outcome.objects.filter(product=product, closed_at=None).order_by("number"),
            *Opportunity.objects.filter(product=product, closed_at=None).order_by("number")[:200],
        ],
        "label_length": LABEL_LENGTH,
        "title_length": TITLE_LENGTH,
        "may_write": may_write(request.actor, product),
        "activity": activity_for(found)[:ACTS],
    }


@require_POST
@page(Role.MEMBER)
def find(request: PageRequest, product: Product) -> HttpResponse:
    """Look for themes soon."""
    services.ask_for_themes(request.actor, product)
    messages.success(request, "Themes are being looked for. That takes seconds, with very many voices a minute or two.")
    return redirect("themes", product.slug)


@require_POST
@page(Role.MEMBER)
def change(request: PageRequest, product: Product, number: int, verb: str) -> HttpResponse:
    """What a person does with a theme: the form's verb, and its fields."""
    found = queries.find_theme(product, number)
    try:
        there, said = _CHANGES[verb](request, product, found)
    except (Invalid, Conflict, NotFound) as error:
        messages.error(request, error.message)
        return redirect("theme", product.slug, number)
    messages.success(request, said)
    return (
        redirect("theme", product.slug, there.number) if isinstance(there, Theme) else redirect("themes", product.slug)
    )


Changed = tuple[Theme | None, str]


def _rename(request: PageRequest, product: Product, found: Theme) -> Changed:
    made = services.rename_theme(request.actor, found, request.POST.get("name", ""))
    return made, f"{made.ref} is called “{made.title}” now." if made.name else f"{made.ref} has its own label again."


def _dismiss(request: PageRequest, product: Product, found: Theme) -> Changed:
    services.dismiss_theme(request.actor, found)
    return None, f"{found.ref} “{found.title}” is dismissed. It stands at the end of the list, and can be brought back."


def _bring_back(request: PageRequest, product: Product, found: Theme) -> Changed:
    return services.bring_back_theme(request.actor, found), f"{found.ref} is on the map again."


def _join(request: PageRequest, product: Product, found: Theme) -> Changed:
    into = queries.find_theme_by_ref(product, request.POST.get("into", "").partition(" ")[0])
    services.join_themes(request.actor, found, into)
    return into, f"“{found.title}” counts for “{into.title}” from now on."


def _part(request: PageRequest, product: Product, found: Theme) -> Changed:
    return services.part_theme(request.actor, found), f"{found.ref} is a theme of its own again."


def _split(request: PageRequest, product: Product, found: Theme) -> Changed:
    items = [find_by_ref(product, ref) for ref in request.POST.getlist("item")[: services.MOST_SPLIT + 1]]
    made = services.split_theme(request.actor, found, items, request.POST.get("name", ""))
    return (
        made,
        f"{made.ref} “{made.title}” has {len(items)} {'voice' if len(items) == 1 else 'voices'} of {found.ref}.",
    )


def _adopt(request: PageRequest, product: Product, found: Theme) -> Changed:
    under = request.POST.get("parent", "")
    above = find_node(product, under) if under else None
    made = services.adopt_theme(
        request.actor,
        found,
        title=request.POST.get("title", ""),
        kind=request.POST.get("kind", OpportunityKind.PAIN_POINT),
        outcome=above if isinstance(above, Outcome) else None,
        parent=above if isinstance(above, Opportunity) else None,
    )
    return (
        found,
        f"{made.ref} “{made.title}” is in the tree. Its voices are linked as inferred: confirm those that fit.",
    )


def _release(request: PageRequest, product: Product, found: Theme) -> Changed:
    opportunity = found.opportunity
    services.release_theme(request.actor, found)
    return (
        found,
        f"{found.ref} is machine-made again. {opportunity.ref if opportunity else 'The opportunity'} keeps what was confirmed.",
    )


_CHANGES = {
    "rename": _rename,
    "dismiss": _dismiss,
    "bring-back": _bring_back,
    "join": _join,
    "part": _part,
    "split": _split,
    "adopt": _adopt,
    "release": _release,
}
VERBS = tuple(_CHANGES)


@require_POST
@page(Role.MEMBER)
def judge(request: PageRequest, product: Product, number: int, ref: str, answer: str) -> HttpResponse:
    """Does this voice speak for the opportunity the theme became? A yes makes the link stated, a no takes it off."""
    found = queries.find_theme(product, number)
    item = find_by_ref(product, ref)
    try:
        if answer == "yes":
            services.confirm_voice(request.actor, found, item)
        else:
            services.refuse_voice(request.actor, found, item)
    except WhytreeError as error:
        messages.error(request, error.message)
    back = request.POST.get("from", "")
    address = redirect("theme", product.slug, number)
    if back.isascii() and back.isdigit() and len(back) < 7 and back != "0":
        address["Location"] += f"?from={back}"
    address["Location"] += f"#{item.ref}"
    return address
