"""The inbox: what waits for a reader, one voice beside the list, and where it belongs."""

from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST

from whytree.engines.text import Piece, excerpt
from whytree.errors import Invalid, NotFound
from whytree.voice import queries, services
from whytree.voice.models import FeedbackItem
from whytree.voice.queries import Wanted
from whytree.workspace.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.roles import Role

from .reading import may_write, reading, said_span, suggested_opportunities

RATINGS = (5, 4, 3, 2, 1)


@dataclass(frozen=True)
class Entry:
    """One line of the list."""

    item: FeedbackItem
    shown: list[Piece]
    url: str
    is_open: bool
    key: str = ""  # the key that goes there: j for the next one, k for the one before


def wanted_of(params: QueryDict) -> Wanted:
    """What the address asks for; a value that makes no sense is as good as none."""
    state = params.get("state", "waiting")
    rating = params.get("rating", "")
    return Wanted(
        state=state if state in queries.STATES else "waiting",
        words=params.get("q", "")[:400],
        source=params.get("source", "")[:200],
        rating=int(rating) if rating in ("0", "1", "2", "3", "4", "5") else None,
        person=params.get("person", "")[:200],
        opportunity=params.get("opportunity", "")[:20],
    )


_NAMES = {"words": "q"}


def address(product: Product, wanted: Wanted, **more: str) -> str:
    """The inbox showing what is wanted."""
    params = {_NAMES.get(one.name, one.name): getattr(wanted, one.name) for one in fields(wanted)}
    if params["state"] == "waiting":
        del params["state"]
    said = {name: value for name, value in {**params, **more}.items() if value not in ("", None)}
    place = reverse("voices", args=[product.slug])
    return f"{place}?{urlencode(said)}" if said else place


@require_GET
@page(Role.VIEWER)
def inbox(request: PageRequest, product: Product) -> HttpResponse:
    """The list and, beside it, the voice that is open: the one in the address, else the first."""
    wanted = wanted_of(request.GET)
    draw = _open_only if request.headers.get("HX-Target") == "open" else _whole
    response = draw(request, product, wanted)
    patch_vary_headers(response, ["HX-Target"])
    return response


def _open_only(request: PageRequest, product: Product, wanted: Wanted) -> HttpResponse:
    item = queries.find_by_ref(product, request.GET.get("item", ""))
    return render(request, "voice/_open.html", {"here": "voices", **_reading(request, product, wanted, item)})


def _whole(request: PageRequest, product: Product, wanted: Wanted) -> HttpResponse:
    after = request.GET.get("after", "")
    shown = queries.page_of(product, wanted, after=after)
    item = _open_item(request, product, shown.items)
    context = {
        "here": "voices",
        "wanted": wanted,
        "sentence": _sentence(product, wanted),
        "entries": _entries(product, wanted, shown.items, item, after),
        "is_chosen": "item" in request.GET,
        "newest": address(product, wanted) if after else "",
        "older": address(product, wanted, after=shown.next) if shown.next else "",
        "tabs": _tabs(product, wanted),
        "sources": queries.sources(product),
        "ratings": RATINGS,
        "nothing_yet": not shown.items and not FeedbackItem.objects.filter(product=product).exists(),
        "may_write": may_write(request.actor, product),
    }
    if item is not None:
        context |= _reading(request, product, wanted, item)
    return render(request, "voice/voices.html", context)


def _reading(request: PageRequest, product: Product, wanted: Wanted, item: FeedbackItem) -> dict[str, Any]:
    context = reading(request, product, item, wanted.query)
    return context | {"back": address(product, wanted, after=request.GET.get("after", ""))}


def _open_item(request: PageRequest, product: Product, items: list[FeedbackItem]) -> FeedbackItem | None:
    """The one in the address, wherever it is by now; else the first of the list."""
    ref = request.GET.get("item", "")
    if ref:
        try:
            return queries.find_by_ref(product, ref)
        except NotFound:
            messages.warning(request, f"There is no {ref[:20]} any more. Here is the first of the list.")
    return queries.find_feedback(product, items[0].number) if items else None


def _entries(
    product: Product, wanted: Wanted, items: list[FeedbackItem], opened: FeedbackItem | None, after: str
) -> list[Entry]:
    at = next((place for place, item in enumerate(items) if opened is not None and item.pk == opened.pk), -1)
    keys = {at + 1: "j", at - 1: "k"}
    return [
        Entry(
            item,
            excerpt(item.text, wanted.query),
            address(product, wanted, after=after, item=item.ref),
            place == at,
            keys.get(place, "") if place >= 0 else "",
        )
        for place, item in enumerate(items)
    ]


def _sentence(product: Product, wanted: Wanted) -> str:
    """The page's first sentence: how many, of what."""
    exact = wanted.state == "waiting" and not wanted.is_narrowed
    number = queries.waiting_count(product) if exact else queries.count(product, wanted)
    many = f"{queries.COUNTED:,}+" if not exact and number > queries.COUNTED else f"{number:,}"
    voices = "1 voice" if number == 1 else f"{many if number else 'No'} voice{'' if number == 1 else 's'}"
    narrowed = _narrowing(wanted)
    match wanted.state:
        case "waiting":
            return f"{voices}{narrowed} {'waits' if number == 1 else 'wait'} for a reader"
        case "linked":
            return f"{voices}{narrowed} {'speaks' if number == 1 else 'speak'} for an opportunity"
        case "away":
            return f"{voices}{narrowed} {'is' if number == 1 else 'are'} put away"
        case _:
            return f"{voices}{narrowed}"


def _narrowing(wanted: Wanted) -> str:
    parts = [
        f"with {wanted.rating}★" if wanted.rating is not None else "",
        f"from {wanted.source}" if wanted.source else "",
        f"by {wanted.person}" if wanted.person else "",
        f"on {wanted.opportunity}" if wanted.opportunity else "",
        f"with “{wanted.words.strip()}”" if wanted.words.strip() else "",
    ]
    return "".join(f" {part}" for part in parts if part)


def _tabs(product: Product, wanted: Wanted) -> list[tuple[str, str, bool]]:
    """Label, address and whether it is the one that is open."""
    return [
        (label, address(product, replace(wanted, state=state)), state == wanted.state)
        for state, label in queries.STATES.items()
    ]


# What is done to a voice from the inbox or from its own page. `back` says where the person was.


@require_POST
@page(Role.MEMBER)
def link(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """These words speak for this opportunity."""
    item = queries.find_feedback(product, number)
    try:
        opportunity = services.find_opportunity_by_words(product, request.POST.get("opportunity", ""))
        span = said_span(item, request.POST)
        importance = services.importance_of(request.POST.get("importance", "1"))
        onward = _next(request, product, item)
        services.link_excerpt(request.actor, item, opportunity, span=span, importance=importance)
    except (Invalid, NotFound) as error:
        messages.error(request, error.message)
        return redirect(_here(request, product, item))
    request.session["voices_opportunity"] = opportunity.ref
    heard = queries.demand(opportunity).people
    messages.success(
        request,
        f"{item.ref} speaks for {opportunity.ref} “{opportunity.title}”: {heard} {'person' if heard == 1 else 'people'} by now.",
    )
    return redirect(onward)


@require_POST
@page(Role.MEMBER)
def unlink(request: PageRequest, product: Product, number: int, ref: str) -> HttpResponse:
    item = queries.find_feedback(product, number)
    services.unlink(request.actor, item, services.find_opportunity(product, ref))
    messages.success(request, f"{item.ref} speaks for {ref.upper()} no longer. Its highlight stays.")
    return redirect(_here(request, product, item))


@require_POST
@page(Role.MEMBER)
def put_away(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """Read, and nothing to link; on to the next one."""
    item = queries.find_feedback(product, number)
    onward = _next(request, product, item)
    services.put_away(request.actor, item)
    return redirect(onward)


@require_POST
@page(Role.MEMBER)
def bring_back(request: PageRequest, product: Product, number: int) -> HttpResponse:
    item = queries.find_feedback(product, number)
    services.bring_back(request.actor, item)
    messages.success(request, f"{item.ref} waits for a reader again.")
    return redirect(_here(request, product, item))


@require_POST
@page(Role.MEMBER)
def set_consent(request: PageRequest, product: Product, number: int) -> HttpResponse:
    item = queries.find_feedback(product, number)
    services.set_consent(request.actor, item, request.POST.get("consent", ""))
    return redirect(_here(request, product, item))


def _came_from(request: PageRequest) -> QueryDict | None:
    """The query of the inbox where the person was; None when they were on the voice's own page.

    Only the query is taken from the form: the address itself is ours, so nobody can be led elsewhere.
    """
    back = request.POST.get("back", "")
    return QueryDict(back.partition("?")[2]) if back else None


def _here(request: PageRequest, product: Product, item: FeedbackItem) -> str:
    params = _came_from(request)
    if params is None:
        return reverse("feedback_item", args=[product.slug, item.number])
    return address(product, wanted_of(params), after=params.get("after", ""), item=item.ref)


def _next(request: PageRequest, product: Product, item: FeedbackItem) -> str:
    """Where to go when this one is dealt with: in the waiting list the next one, else the same."""
    params = _came_from(request)
    wanted = wanted_of(params) if params is not None else Wanted(state="all")
    if params is None or wanted.state != "waiting":
        return _here(request, product, item)
    following = None if wanted.words.strip() else queries.neighbour(product, wanted, item)
    return address(product, wanted, item=following.ref if following else "")


@require_GET
@page(Role.MEMBER)
def opportunity_options(request: PageRequest, product: Product) -> HttpResponse:
    """The opportunities that fit what is being typed, as options of the field's list."""
    typed = request.GET.get("opportunity", "")[:200]
    found = suggested_opportunities(product, typed)
    return render(request, "voice/_options.html", {"opportunities": found})
