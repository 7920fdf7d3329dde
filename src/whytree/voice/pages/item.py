"""A voice's own page, a new opportunity out of it, and passing on what one heard."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from whytree.engines.texts.words import Query, excerpt
from whytree.errors import Conflict, Invalid, NotFound, WhytreeError
from whytree.tree.models import TITLE_LENGTH, Importance, OpportunityKind, Outcome
from whytree.tree.queries import find_node
from whytree.tree.services import create_opportunity
from whytree.voice import queries, services
from whytree.voice.arriving.drafts import FeedbackFields, Source
from whytree.voice.finding.alike import similar
from whytree.voice.models import TEXT_LENGTH, Consent, FeedbackItem
from whytree.voice.queries import Linked
from whytree.voice.themes.queries import theme_of
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Activity, Product
from whytree.workspace.records.activity import activity_for
from whytree.workspace.rights.roles import Role

from .reading import reading, said_span
from .sorting import sorting

ACTS = 15


@require_GET
@page(Role.VIEWER)
def item(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """FB-12: everything that is known of it."""
    found = queries.find_feedback(product, number)
    context = {**reading(request, product, found, Query()), **sorting(request, product)}
    last = context["last_act"]
    return render(
        request,
        "voice/item.html",
        {
            **context,
            "last_act": last if last and last.said.startswith(f"{found.ref} ") else None,
            "here": "voices",
            "is_page": True,
            "metadata": sorted((name, str(value)) for name, value in found.metadata.items()),
            "variants": sorted(found.flags.items()),
            "activity": _activity(found, context["links"]),
            "theme": theme_of(found),
        },
    )


def _activity(found: FeedbackItem, links: Sequence[Linked]) -> list[Activity]:
    """What happened to the item, its highlights and its links, newest first."""
    acts = activity_for(found)
    for rows in (found.highlights.all(), [linked.link for linked in links]):
        for row in rows:
            acts = acts | activity_for(row)
    return list(acts[:ACTS])


@require_http_methods(["GET", "POST"])
@page(Role.MEMBER)
def new_opportunity(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """An opportunity in this person's words, linked to them at once."""
    found = queries.find_feedback(product, number)
    if request.method == "POST" and "title" in request.POST:
        try:
            made = _make_opportunity(request, product, found)
        except (Invalid, NotFound) as error:
            return _opportunity_form(request, product, found, request.POST, error)
        messages.success(request, f"{made.ref} is in the tree, with {found.ref} as its first voice.")
        return redirect("node", product.slug, made.ref)
    return _opportunity_form(request, product, found, request.POST or request.GET)


@transaction.atomic
def _make_opportunity(request: PageRequest, product: Product, found: FeedbackItem) -> Any:
    form = request.POST
    above = find_node(product, form["parent"]) if form.get("parent") else None
    made = create_opportunity(
        request.actor,
        product,
        outcome=above if isinstance(above, Outcome) else None,
        title=form.get("title", ""),
        kind=form.get("kind", OpportunityKind.PAIN_POINT),
    )
    importance = services.importance_of(form.get("importance", "1"))
    services.link_excerpt(request.actor, found, made, span=said_span(found, form), importance=importance)
    request.session["voices_opportunity"] = made.ref
    return made


def _opportunity_form(
    request: PageRequest,
    product: Product,
    found: FeedbackItem,
    form: QueryDict,
    error: Invalid | NotFound | None = None,
) -> HttpResponse:
    quote = form.get("quote", "").strip()
    context = {
        "here": "voices",
        "item": found,
        "form": form,
        "quote": quote,
        "title": form.get("title") or " ".join((quote or found.text).split())[:160],
        "title_length": TITLE_LENGTH,
        "kinds": OpportunityKind.choices,
        "importances": Importance.choices,
        "importance": _importance(form),
        "outcomes": Outcome.objects.filter(product=product, closed_at=None),
        "error": error,
    }
    return render(request, "voice/new_opportunity.html", context, status=error.status if error else 200)


def _importance(form: QueryDict) -> int:
    chosen = form.get("importance", "")
    return int(chosen) if chosen in ("0", "1", "2", "3") else Importance.NICE_TO_HAVE.value


@require_GET
@page(Role.VIEWER)
def screenshot(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """The picture that came with it."""
    return services.as_download(services.find_screenshot(product, number))


@require_POST
@page(Role.MEMBER)
def remove_screenshot(request: PageRequest, product: Product, number: int) -> HttpResponse:
    services.remove_screenshot(request.actor, services.find_screenshot(product, number))
    messages.success(request, "The picture is gone; the words stay.")
    return redirect("feedback_item", product.slug, number)


@require_http_methods(["GET", "POST"])
@page(Role.MEMBER)
def heard(request: PageRequest, product: Product) -> HttpResponse:
    """ "I heard this from a customer": they are the author, the person signed in is the reporter."""
    if request.method != "POST":
        return _heard_form(request, product, QueryDict())
    try:
        made = _keep_heard(request, product)
    except (Conflict, Invalid, NotFound) as error:
        return _heard_form(request, product, request.POST, error)
    messages.success(request, f"{made.ref} is kept, with you as its reporter. Does it show a problem? Link it now.")
    return redirect("feedback_item", product.slug, made.number)


@transaction.atomic
def _keep_heard(request: PageRequest, product: Product) -> FeedbackItem:
    """One more voice; where somebody has said the same before, it is merged into that one at once."""
    made = services.add_feedback(
        request.actor,
        product,
        source=Source("heard", name=request.POST.get("source_name", "").strip()[:200] or "told us"),
        reporter_id=request.actor.user_id,
        **_heard_fields(request.POST),
    )
    same_as = request.POST.get("same_as", "")
    if same_as:
        services.merge(request.actor, made, services.find_main(product, same_as))
    return made


@require_POST
@page(Role.MEMBER)
def said_before(request: PageRequest, product: Product) -> HttpResponse:
    """Who has said the same as what is being typed; nothing of it is kept."""
    text = request.POST.get("text", "")[:TEXT_LENGTH]
    found = [(one, excerpt(one.item.text, one.query, width=140)) for one in similar(product, text)]
    return render(request, "voice/_said_before.html", {"similar": found, "same_as": request.POST.get("same_as", "")})


def _heard_fields(form: QueryDict) -> FeedbackFields:
    names = ("text", "author_name", "author_email", "person", "said_at", "rating", "url", "consent", "submission_id")
    said: Any = {name: form.get(name, "") for name in names}
    fields: FeedbackFields = said
    return fields


def _heard_form(
    request: PageRequest, product: Product, form: QueryDict, error: WhytreeError | None = None
) -> HttpResponse:
    context = {
        "here": "voices",
        "form": form,
        "error": error,
        "sources": queries.sources(product),
        "consents": Consent.choices,
        # A second press of the button sends the same id, and so makes no second voice.
        "submission_id": form.get("submission_id") or str(uuid.uuid4()),
    }
    return render(request, "voice/heard.html", context, status=error.status if error else 200)
