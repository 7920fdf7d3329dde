"""Subscriptions on pages, and the address in each mail that ends it without a sign-in."""

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from whytree.errors import Invalid
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.outside import mail
from whytree.workspace.pages.attempt import Attempt
from whytree.workspace.pages.stopping import stop_page
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from ..boards.queries import list_boards
from ..models import Letter, Subscription
from ..saved.queries import list_saved
from . import queries, services
from .services import When

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@page()
def subscriptions(request: PageRequest, product: Product) -> HttpResponseBase:
    """What comes by itself, and another to be asked for."""
    attempt = Attempt(request)
    if request.method == "POST":
        with attempt:
            return _made(request, product)
    chosen = request.POST.get("to") or request.GET.get("to", "")
    context = {
        "here": "numbers",
        "kind": "subscriptions",
        "rows": _rows(request, product),
        "boards": list_boards(product),
        "questions": list_saved(product)[:200],
        "chosen": chosen,
        "adds": bool(chosen) or "add" in request.GET,
        "days": list(enumerate(DAYS)),
        "mail_is_set": mail.is_set(),
        "may_post": may(request.actor, product, Role.MEMBER),
        "my_id": request.actor.user_id,
    }
    return attempt.page("analytics/subscriptions.html", context)


def _rows(request: PageRequest, product: Product) -> list[tuple[Subscription, str, Letter | None]]:
    """Each with when it comes, and what became of its last letter."""
    found = list(queries.list_subscriptions(request.actor, product))
    last = queries.last_letters(found)
    return [(one, queries.when_words(one), last.get(one.pk)) for one in found]


def _made(request: PageRequest, product: Product) -> HttpResponseBase:
    post = request.POST
    kind, _, which = post.get("to", "").partition(":")
    hour, weekday = post.get("hour", "8"), post.get("weekday", "0")
    if not (hour.isdecimal() and weekday.isdecimal()):
        raise Invalid("Choose a day and an hour.")
    when: When = {"every": post.get("every", "week"), "weekday": int(weekday), "hour": int(hour)}
    if post.get("zone", "").strip():
        when["zone"] = post["zone"].strip()
    made = services.create_subscription(
        request.actor,
        product,
        board=int(which) if kind == "board" and which.isdecimal() else None,
        question=which if kind == "question" else "",
        webhook=post.get("webhook", ""),
        **when,
    )
    said = f"{made} comes {queries.when_words(made)}."
    messages.success(
        request,
        said + (f" Its signatures are checked with {made.secret}; it is not shown again." if made.secret else ""),
    )
    return redirect("subscriptions", product=product.slug)


@require_POST
@page()
def subscription_act(request: PageRequest, product: Product, number: int) -> HttpResponseBase:
    """On, off, gone."""
    act = request.POST.get("act", "")
    if act == "remove":
        services.delete_subscription(request.actor, product, number)
        messages.success(request, "It has ended.")
    else:
        services.switch_subscription(request.actor, product, number, on=act == "on")
    return redirect("subscriptions", product=product.slug)


stop_answers = stop_page(
    "analytics/stop_answers.html", services.subscription_of_stop, services.stop_by_link, lambda found: found.is_on
)
