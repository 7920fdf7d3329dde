"""The page Weighed: four rankings side by side."""

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from whytree.analytics.saved.queries import STRUGGLE_DAYS
from whytree.engines.texts.words import cut
from whytree.engines.weighing import FEWEST
from whytree.errors import Invalid
from whytree.tree.models import Opportunity
from whytree.voice.services import set_voice_settings
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from .queries import RANKINGS, Weighed, weigh

SENTENCES = 6
TITLE = 60


@require_GET
@page(Role.VIEWER)
def weighed(request: PageRequest, product: Product) -> HttpResponse:
    """Opportunities by votes, people, revenue and measured prevalence; in words where these disagree."""
    by = request.GET.get("by", "")
    by = by if by in RANKINGS else "people"
    found = weigh(product, by)
    context = {
        "here": "tree",
        "found": found,
        "rows": [
            (one, [(name, _place(found.places[name], one.opportunity.ref)) for name in RANKINGS])
            for one in found.weights
        ],
        "rankings": RANKINGS,
        "by": by,
        "days": STRUGGLE_DAYS,
        "sentence": _sentence(found),
        "alone": _alone(found),
        "told": found.told[:SENTENCES],
        "more": len(found.told) - SENTENCES,
        "may_change": may(request.actor, product, Role.MAINTAINER),
    }
    return render(request, "voice/weighed.html", context)


def _place(places: Mapping[str, int], ref: str) -> int | None:
    """No place where it stands alone."""
    return places.get(ref) if len(places) > 1 else None


def _first(found: Weighed, ranking: str) -> Opportunity | None:
    """The one at the top, where there is one."""
    places = found.places[ranking]
    first = [one.opportunity for one in found.weights if places.get(one.opportunity.ref) == 1]
    return first[0] if len(first) == 1 and len(places) > 1 else None


def _sentence(found: Weighed) -> str:
    """The answer first: do those who speak and those who have it name the same problem?"""
    if not found.weights:
        return "Nothing to weigh yet"
    spoken, measured = _first(found, "people"), _first(found, "prevalence")
    if spoken and measured and spoken != measured:
        return f"Most people say “{cut(spoken.title, TITLE)}”, most have “{cut(measured.title, TITLE)}”"
    if spoken and measured:
        return f"Most people say, and most have, “{cut(spoken.title, TITLE)}”"
    if spoken:
        return f"Most people say “{cut(spoken.title, TITLE)}”"
    return "What weighs how much"


def _alone(found: Weighed) -> str:
    """Why nothing is said of where they disagree."""
    if len(found.weights) < FEWEST:
        return ""
    if found.active is not None and len(found.places["prevalence"]) < FEWEST:
        number = len(found.places["prevalence"])
        return (
            f"{number or 'No'} of {len(found.weights)} {'has' if number == 1 else 'have'} a struggle signal. Give more of them one, from "
            "any drop in Numbers, and this page says where those who speak and those who have the problem disagree."
        )
    return "No two of the orders are far apart on anything."


@require_POST
@page(Role.MAINTAINER)
def revenue_trait(request: PageRequest, product: Product) -> HttpResponse:
    """Which trait of people says what they pay."""
    try:
        kept = set_voice_settings(request.actor, product, revenue_trait=request.POST.get("trait", ""))
    except Invalid as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"Revenue is what the trait “{kept.revenue_trait}” says.")
    return redirect("weighed", product.slug)
