"""The inbox: what waits for a reader, one voice beside the list, and where it belongs."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET

from whytree.analytics.cohorts.queries import list_cohorts
from whytree.engines.texts.telling import language_name
from whytree.engines.texts.words import Piece, excerpt
from whytree.errors import NotFound
from whytree.voice import queries
from whytree.voice.board.queries import waiting_count as waiting_on_board
from whytree.voice.downloads import as_file
from whytree.voice.interviews.finding import talks_with
from whytree.voice.models import FeedbackItem, Feeling
from whytree.voice.queries import Wanted
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.roles import Role

from .reading import reading, suggested_opportunities
from .sorting import sorting

RATINGS = (5, 4, 3, 2, 1)
TALKS = 3


@dataclass(frozen=True)
class Entry:
    """One line of the list."""

    item: FeedbackItem
    shown: list[Piece]
    url: str
    is_open: bool
    tags: Sequence[str] = ()
    by_meaning: bool = False
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
        only_words=params.get("only_words") == "1",
        **{name: params.get(name, "").strip()[:200] for name in queries.FURTHER},
    )


_NAMES = {"words": "q"}


def address(product: Product, wanted: Wanted, **more: str) -> str:
    """The inbox showing what is wanted."""
    params = {_NAMES.get(one.name, one.name): getattr(wanted, one.name) for one in fields(wanted)}
    if params["state"] == "waiting":
        del params["state"]
    params["only_words"] = "1" if wanted.only_words else ""
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
        "sentence": _sentence(product, wanted, shown),
        "talks": talks_with(product, wanted.query, limit=TALKS, only_words=wanted.only_words) if not after else [],
        "board_waiting": waiting_on_board(product),
        "some_by_meaning": bool(shown.by_meaning),
        "entries": _entries(product, wanted, shown, item, after),
        "is_chosen": "item" in request.GET,
        "newest": address(product, wanted) if after else "",
        "older": address(product, wanted, after=shown.next) if shown.next else "",
        "tabs": _tabs(product, wanted),
        "sources": queries.sources(product),
        "ratings": RATINGS,
        "languages": queries.languages(product),
        "feelings": Feeling.choices,
        "cohorts": list_cohorts(product),
        "nothing_yet": not shown.items and not FeedbackItem.objects.filter(product=product).exists(),
        "may_write": may_write(request.actor, product),
        "further": wanted.further,
        "may_take_all": bool(shown.next) or bool(after),
        **sorting(request, product),
    }
    if item is not None:
        context |= _reading(request, product, wanted, item)
    return render(request, "voice/voices.html", context)


def _reading(request: PageRequest, product: Product, wanted: Wanted, item: FeedbackItem) -> dict[str, Any]:
    context = reading(request, product, item, wanted.query) | sorting(request, product)
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
    product: Product, wanted: Wanted, shown: queries.Page, opened: FeedbackItem | None, after: str
) -> list[Entry]:
    items = shown.items
    at = next((place for place, item in enumerate(items) if opened is not None and item.pk == opened.pk), -1)
    keys = {at + 1: "j", at - 1: "k"}
    tags = queries.tags_of(items)
    return [
        Entry(
            item,
            excerpt(item.text, wanted.query),
            address(product, wanted, after=after, item=item.ref),
            place == at,
            tags.get(item.pk, ()),
            item.pk in shown.by_meaning,
            keys.get(place, "") if place >= 0 else "",
        )
        for place, item in enumerate(items)
    ]


def _sentence(product: Product, wanted: Wanted, shown: queries.Page) -> str:
    """The page's first sentence: how many, of what; where none has the words and some mean it, that."""
    exact = wanted.state == "waiting" and not wanted.is_narrowed
    number = shown.total
    if number is None:
        number = queries.waiting_count(product) if exact else queries.count(product, wanted)
    many = f"{queries.COUNTED:,}+" if not exact and number > queries.COUNTED else f"{number:,}"
    voices = "1 voice" if number == 1 else f"{many if number else 'No'} voice{'' if number == 1 else 's'}"
    narrowed = _narrowing(wanted)
    if shown.by_meaning and not number:
        return f"{voices}{narrowed}; these mean something like it"
    match wanted.state:
        case "waiting":
            return f"{voices}{narrowed} {'waits' if number == 1 else 'wait'} for a reader"
        case "linked":
            return f"{voices}{narrowed} {'speaks' if number == 1 else 'speak'} for an opportunity"
        case "asleep":
            return f"{voices}{narrowed} {'sleeps' if number == 1 else 'sleep'} until later"
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
        f"tagged “{wanted.tag}”" if wanted.tag else "",
        f"with the status “{wanted.status}”" if wanted.status else "",
        "that nobody takes care of"
        if wanted.assignee == "none"
        else f"for {wanted.assignee}"
        if wanted.assignee
        else "",
        f"of the plan {wanted.plan}" if wanted.plan else "",
        f"of {wanted.company}" if wanted.company else "",
        f"about version {wanted.version}" if wanted.version else "",
        f"on {wanted.variant}" if wanted.variant else "",
        f"of people in {wanted.segment}" if wanted.segment else "",
        f"in {language_name(wanted.language)}" if wanted.language else "",
        f"sounding {wanted.sentiment}" if wanted.sentiment else "",
        f"since {wanted.since}" if wanted.since else "",
        f"until {wanted.until}" if wanted.until else "",
        f"with “{wanted.words.strip()}”" if wanted.words.strip() else "",
    ]
    return "".join(f" {part}" for part in parts if part)


def _tabs(product: Product, wanted: Wanted) -> list[tuple[str, str, bool]]:
    """Label, address and whether it is the one that is open."""
    return [
        (label, address(product, replace(wanted, state=state)), state == wanted.state)
        for state, label in queries.STATES.items()
    ]


@require_GET
@page(Role.MEMBER)
def export(request: PageRequest, product: Product, form: str) -> StreamingHttpResponse:
    """What the list shows, and all that is behind its other pages, as a file."""
    return as_file(product, wanted_of(request.GET), form)


@require_GET
@page(Role.MEMBER)
def opportunity_options(request: PageRequest, product: Product) -> HttpResponse:
    """The opportunities that fit what is being typed, as options of the field's list."""
    typed = request.GET.get("opportunity", "")[:200]
    found = suggested_opportunities(product, typed)
    return render(request, "voice/_options.html", {"opportunities": found})
