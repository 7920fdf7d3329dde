"""The board as the team sees it: what waits for a reader, what stands on it, how it is run."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from whytree.errors import Conflict, Invalid
from whytree.voice.services import answer_voice
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.outside.mail import is_set
from whytree.workspace.rights.access import may, may_write
from whytree.workspace.rights.roles import Role

from . import queries, services
from .models import Board, Entry, Progress
from .services import Run

LISTED = 200


@require_GET
@page(Role.VIEWER)
def manage(request: PageRequest, product: Product) -> HttpResponse:
    """What waits first."""
    waiting = queries.waiting(product)
    context = {
        "here": "voices",
        "board": Board.of(product),
        "waiting": waiting,
        "sentence": _sentence(Board.of(product), queries.waiting_count(product)),
        "posts": queries.all_posts(product)[:LISTED],
        "progresses": Progress.choices,
        "may_write": may_write(request.actor, product),
        "may_run": may(request.actor, product, Role.MAINTAINER),
        "mail": is_set(),
        "secret": request.session.pop("board_secret", ""),
    }
    return render(request, "voice/board/manage.html", context)


def _sentence(board: Board, waiting: int) -> str:
    if waiting:
        return f"{waiting:,} {'post or comment waits' if waiting == 1 else 'posts and comments wait'} for a reader"
    return "Every post on the public board has had a reader" if board.is_open else "The public board is closed"


@require_POST
@page(Role.MAINTAINER)
def run(request: PageRequest, product: Product) -> HttpResponse:
    form = request.POST
    try:
        _, secret = services.run_board(
            request.actor,
            product,
            Run("is_open" in form, form.get("intro", ""), "indexable" in form, form.get("webhook", "")),
        )
        request.session["board_secret"] = secret
        messages.success(request, "Saved.")
    except (Invalid, Conflict) as error:
        messages.error(request, error.message)
    return redirect("manage_board", product.slug)


@require_POST
@page(Role.MEMBER)
def act(request: PageRequest, product: Product, ref: str) -> HttpResponse:
    """Put it on the board or not, say where it stands, or answer it."""
    entry, form = queries.find_entry(product, ref), request.POST
    try:
        messages.success(request, _act(request, entry, form.get("do", ""), form.get("value", "")))
    except (Invalid, Conflict) as error:
        messages.error(request, error.message)
    return redirect("manage_board", product.slug)


def _who_hears() -> str:
    return "Those who want it are told." if is_set() else "No mail server is set, so it is told on the board alone."


def _act(request: PageRequest, entry: Entry, verb: str, value: str) -> str:
    match verb:
        case "publish":
            services.publish(request.actor, entry)
            return f"{entry.item.ref} is on the board."
        case "refuse":
            services.refuse(request.actor, entry)
            return f"{entry.item.ref} is not on the board."
        case "progress":
            services.set_progress(request.actor, entry, value)
            return f"{entry.item.ref} is now: {Progress(value).label}. {_who_hears()}"
        case "answer":
            answer_voice(request.actor, entry.item, value)
            return f"{entry.item.ref} is answered on the board. {_who_hears()}"
    raise Invalid("There is no such act.")
