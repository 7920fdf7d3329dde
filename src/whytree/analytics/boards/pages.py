"""Boards on pages, and behind a link that needs no sign-in."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from whytree.engines.typed import whole_of
from whytree.errors import Invalid
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may, may_write
from whytree.workspace.rights.roles import Role

from ..asking.forms import PERIODS
from ..queries import list_metrics
from ..questions.when import ALL_THERE_IS, TIME, When
from ..saved.queries import list_saved
from . import queries, services
from .services import REFRESHES


@require_GET
@page()
def boards(request: PageRequest, product: Product) -> HttpResponse:
    """All of them, and the questions that are kept."""
    context = {"boards": queries.list_boards(product), "saved": list_saved(product)[:200]}
    return render(request, "analytics/boards.html", _context(request, product) | context)


@require_POST
@page(Role.MEMBER)
def new_board(request: PageRequest, product: Product) -> HttpResponseBase:
    made = services.create_board(request.actor, product, title=request.POST.get("title", ""))
    return redirect("board", product=product.slug, number=made.number)


@require_GET
@page()
def board(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """Every card with its answer as of now, or of a minute ago; in another time than the board's own where one is asked for."""
    found = queries.find_board(product, number)
    given = {name: request.GET.get(name, "").strip() for name in TIME}
    own, problem = queries.time_of(found), None
    try:
        when = When.of(given | {"days": _whole(given["days"]) or None})
    except Invalid as error:
        when, problem = own, error
    looked = own if when == ALL_THERE_IS else when
    context = {
        "board": found,
        "when": looked,
        "is_own_time": looked == own,
        "periods": PERIODS,
        "error": problem,
        "cards": queries.drawn(found, looked),
        "saved": list_saved(product)[:200],
        "metrics": list_metrics(product)[:200],
        "refreshes": [(one, f"every {one // 60} min" if one else "when reloaded") for one in REFRESHES],
    }
    return render(request, "analytics/board.html", _context(request, product) | context)


@require_POST
@page(Role.MEMBER)
def edit_board(request: PageRequest, product: Product, number: int) -> HttpResponseBase:
    """One form for what can be done to a board; `act` says what."""
    post, actor = request.POST, request.actor
    match post.get("act", ""):
        case "settings":
            services.edit_board(
                actor,
                product,
                number,
                title=post.get("title", ""),
                days=_whole(post.get("days", "")),
                since=post.get("since", ""),
                until=post.get("until", ""),
                where=post.get("where", ""),
                refresh_seconds=_whole(post.get("refresh", "0")),
            )
        case "add":
            said = {name: post.get(name, "") for name in ("question", "metric", "text")}
            services.add_card(actor, product, number, **said, wide=bool(post.get("wide")))
        case "remove":
            services.remove_card(actor, product, number, _whole(post.get("card", "")))
        case "move":
            card, place = _whole(post.get("card", "")), _whole(post.get("place", "1"))
            services.move_card(actor, product, number, card, place=place)
        case "wide":
            services.edit_card(actor, product, number, _whole(post.get("card", "")), wide=post.get("wide") == "1")
        case "share":
            token = services.share_board(actor, product, number)
            link = request.build_absolute_uri(f"/board/{token}")
            messages.success(request, f"Whoever has this link sees the board, and nothing else: {link}")
        case "unshare":
            services.unshare_board(actor, product, number)
            messages.success(request, "The link shows nothing any more.")
        case "delete":
            services.delete_board(actor, product, number)
            messages.success(request, "The board is gone. Its questions stay.")
            return redirect("boards", product=product.slug)
        case _:
            raise Invalid("Choose what to do with the board.")
    return redirect("board", product=product.slug, number=number)


@never_cache
@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """The board and nothing else: no names, no way further."""
    found = queries.shared_board(token)
    cards = queries.drawn(found, marked=False)
    response = render(request, "analytics/shared_board.html", {"board": found, "cards": cards})
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _context(request: PageRequest, product: Product) -> dict[str, Any]:
    return {
        "here": "numbers",
        "kind": "boards",
        "may_edit": may_write(request.actor, product),
        "may_share": may(request.actor, product, Role.MAINTAINER),
    }


def _whole(text: str) -> int:
    return whole_of(text, f"{text[:40]!r} is no whole number.") if text.strip() else 0
