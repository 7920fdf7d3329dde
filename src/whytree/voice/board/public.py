"""The board as anybody sees it: no account, no script needed. Every page says only what is public."""

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from whytree.errors import Conflict, Invalid, TooMany, Unavailable, WhytreeError
from whytree.people.services import ensure_person
from whytree.workspace.entry.pace import keep_pace

from . import queries, visits
from .models import Board, Entry, Progress
from .telling import feed_of

KNOWN_FOR = 180 * 86_400
FORM_LASTS = 2 * 86_400
SEARCHES = 600
"""Of one address in an hour."""
_WHO = "voice.board.who"
_FORM = "voice.board.form"

View = Callable[..., HttpResponse]


def _public(view: View) -> View:
    """An open board's page; search engines are told whether they may list it."""

    @wraps(view)
    def shown(request: HttpRequest, slug: str, *args: Any, **named: Any) -> HttpResponse:
        board = queries.open_board(slug)
        response = view(request, board, *args, **named)
        if not board.indexable or request.method == "POST":
            response["X-Robots-Tag"] = "noindex"
        response["Referrer-Policy"] = "same-origin"
        return response

    return shown


@never_cache
@require_safe
@_public
def board(request: HttpRequest, found: Board) -> HttpResponse:
    """All posts, those most people want first."""
    if "as" in request.GET:
        response = redirect("public_board", found.product.slug)
        _remember(response, found, visits.of_invitation(found.product, request.GET["as"]))
        return response
    asked = _asked(request)
    if asked.words.strip():
        _pace_search(request)
    posts, more = queries.page_of(found.product, asked)
    context = {
        "posts": posts,
        "more": asked.page + 1 if more else None,
        "asked": asked,
        "progresses": Progress.choices,
        "orders": queries.ORDERS.items(),
        "wanted": queries.voted_among(posts, _who(request, found)),
    }
    return _render(request, found, "board", context)


def _asked(request: HttpRequest) -> queries.Asked:
    page, order = request.GET.get("page", "1"), request.GET.get("order", "votes")
    return queries.Asked(
        words=request.GET.get("q", "")[:200],
        progress=request.GET.get("status", ""),
        order=order if order in queries.ORDERS else "votes",
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 5 else 1,
    )


@never_cache
@require_safe
@_public
def post(request: HttpRequest, found: Board, number: int) -> HttpResponse:
    """One post, what the team says of it, and what others say."""
    return _post(request, found, queries.find_public(found.product, number))


def _post(
    request: HttpRequest, found: Board, shown: Entry, error: WhytreeError | None = None, about: str = ""
) -> HttpResponse:
    context = {
        "post": shown,
        "comments": queries.comments_of(shown),
        "news": (news := queries.news_of(shown)),
        "has_news": any(one.remark or one.progress for one in news),
        "has_voted": queries.has_voted(shown, _who(request, found)),
        "error": error,
        "about": about,
        "form": request.POST,
        "nonce": _nonce(),
    }
    return _render(request, found, "post", context, status=error.status if error else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_public
def new_post(request: HttpRequest, found: Board) -> HttpResponse:
    """Ask for something. Where others may have asked for it, these come first."""
    form = request.POST
    if request.method != "POST":
        return _new(request, found)
    if _is_trapped(request):
        return _done(request, found, "post")
    try:
        _pace_search(request)
        alike = queries.similar_posts(found.product, form.get("title", ""), form.get("text", ""))
        if alike and form.get("anyway") != "1":
            return _new(request, found, alike=alike, ask=True)
        visits.pace("post", _address(request))
        said = _said(request, found, title=form.get("title", ""))
        made = visits.hand_in_post(found, said)
        asked = _ask_author(request, found, made)
    except (Invalid, Conflict, TooMany) as error:
        return _new(request, found, error=error)
    return _done(request, found, "post", asked=asked)


def _ask_author(request: HttpRequest, found: Board, made: Entry) -> str:
    """The address that was asked whether it is theirs; what they wrote has landed in any case."""
    email = request.POST.get("email", "").strip()
    if not email or made.item.person_key:
        return ""
    try:
        visits.ask_to_confirm(found, made, email, address=_address(request), is_author=True)
    except (Invalid, Conflict, TooMany, Unavailable):
        return ""
    return email


@never_cache
@require_safe
@_public
def similar(request: HttpRequest, found: Board) -> HttpResponse:
    """While they type."""
    _pace_search(request)
    alike = queries.similar_posts(found.product, request.GET.get("title", ""), request.GET.get("text", ""))
    context = {"board": found, "alike": alike}
    return render(request, "voice/board/_alike.html", context)


@never_cache
@require_POST
@_public
def vote(request: HttpRequest, found: Board, number: int) -> HttpResponse:
    """They want it, too, or no longer. Who is not known yet is asked by mail."""
    shown = queries.find_public(found.product, number)
    who = _who(request, found)
    if _is_trapped(request):
        return _done(request, found, "vote")
    try:
        visits.pace("vote", _address(request))
        if who and request.POST.get("back") == "1":
            visits.take_vote_back(shown, who)
        elif who:
            visits.cast_vote(shown, who)
        else:
            email = request.POST.get("email", "")
            visits.ask_to_confirm(found, shown, email, address=_address(request))
            return _done(request, found, "vote", asked=email.strip())
    except (Invalid, Conflict, TooMany, Unavailable) as error:
        return _post(request, found, shown, error, "vote")
    return redirect("board_post", found.product.slug, number)


@never_cache
@require_POST
@_public
def comment(request: HttpRequest, found: Board, number: int) -> HttpResponse:
    shown = queries.find_public(found.product, number)
    if _is_trapped(request):
        return _done(request, found, "comment")
    try:
        visits.pace("comment", _address(request))
        visits.hand_in_comment(found, shown, _said(request, found))
    except (Invalid, Conflict, TooMany) as error:
        return _post(request, found, shown, error, "comment")
    return _done(request, found, "comment")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_public
def confirm(request: HttpRequest, found: Board, token: str) -> HttpResponse:
    """From the mail. Opening it confirms nothing: mail programs open links, too."""
    if request.method != "POST":
        shown, email, is_author = visits.of_confirmation(found.product, token)
        return _render(request, found, "confirm", {"post": shown, "email": email, "is_author": is_author})
    shown, key = visits.confirm(found.product, token)
    public = queries.public_posts(found.product).filter(pk=shown.pk).exists()
    response = (
        redirect("board_post", found.product.slug, shown.number) if public else _done(request, found, "confirmed")
    )
    _remember(response, found, key)
    return response


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """No more mail about a post; mail programs press the button by themselves (RFC 8058)."""
    entry = visits.stop_mail(token) if request.method == "POST" else None
    response = render(request, "voice/board/stop.html", {"entry": entry, "me": None})
    response["X-Robots-Tag"] = "noindex"
    return response


@require_safe
@_public
def feed(request: HttpRequest, found: Board) -> HttpResponse:
    """What is new, as Atom."""
    written = feed_of(found, queries.newest_news(found.product))
    return HttpResponse(written, content_type="application/atom+xml; charset=utf-8")


# ---- forms ---------------------------------------------------------------------------------------------------------


def _said(request: HttpRequest, found: Board, title: str = "") -> visits.HandedIn:
    try:
        nonce = signing.TimestampSigner(salt=_FORM).unsign(request.POST.get("form", ""), max_age=FORM_LASTS)
    except signing.BadSignature as error:
        raise Invalid("This page lay open too long. What you wrote is still here: send it again.") from error
    return visits.HandedIn(
        nonce, request.POST.get("text", ""), title, request.POST.get("name", "").strip(), _who(request, found)
    )


def _nonce() -> str:
    return signing.TimestampSigner(salt=_FORM).sign(secrets.token_hex(12))


def _is_trapped(request: HttpRequest) -> bool:
    """A field that nobody sees was filled in: by a program that fills in all of them. It is thanked, and nothing happens."""
    return bool(request.POST.get("website"))


def _new(
    request: HttpRequest,
    found: Board,
    *,
    alike: list[Entry] | None = None,
    ask: bool = False,
    error: WhytreeError | None = None,
) -> HttpResponse:
    context = {
        "form": request.POST if request.method == "POST" else {"title": request.GET.get("title", "")[: visits.TITLE]},
        "nonce": _nonce(),
        "alike": alike or [],
        "ask": ask,
        "error": error,
        "knows": bool(_who(request, found)),
    }
    return _render(request, found, "new", context, status=error.status if error else 200)


def _done(request: HttpRequest, found: Board, what: str, asked: str = "") -> HttpResponse:
    return _render(request, found, "done", {"what": what, "asked": asked})


def _render(request: HttpRequest, found: Board, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    beside = {
        "board": found,
        "subject": found.product,
        "may_confirm": visits.may_confirm(),
        "me": None,
        "known": _who(request, found),
    }
    return render(request, f"voice/board/{name}.html", beside | context, status=status)


# ---- who they are --------------------------------------------------------------------------------------------------


def _cookie(found: Board) -> str:
    return f"whytree_board_{found.product_id}"


def _who(request: HttpRequest, found: Board) -> str:
    try:
        pk = signing.loads(
            request.COOKIES.get(_cookie(found), ""), salt=f"{_WHO}.{found.product_id}", max_age=KNOWN_FOR
        )
    except signing.BadSignature:
        return ""
    return visits.visitor(found.product, pk)


def _remember(response: HttpResponse, found: Board, key: str) -> None:
    """By the profile, and not by name: nobody can read it, and it means nobody once they were forgotten."""
    value = signing.dumps(ensure_person(found.product, key).pk, salt=f"{_WHO}.{found.product_id}")
    path = reverse("public_board", args=[found.product.slug])
    response.set_cookie(_cookie(found), value, max_age=KNOWN_FOR, httponly=True, samesite="Lax", path=path)


def _pace_search(request: HttpRequest) -> None:
    """Each one is held against every voice of the product."""
    keep_pace("board-similar", _address(request), most=SEARCHES, seconds=3_600)


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
