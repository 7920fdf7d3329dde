"""A flag's page in another environment, copies from one to another, and changes that wait for another maintainer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from whytree.errors import Conflict, Invalid
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.entry.environments import (
    PRODUCTION,
    add_environment,
    environments_of,
    find_environment,
    remove_environment,
)
from whytree.workspace.models import Environment, Product
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from .. import queries, services
from ..models import ChangeRequest, Flag
from ..rules.versions import Difference, between, differences


def find_here(request: PageRequest, product: Product, key: str) -> Flag:
    """The flag as it is where the page looks."""
    said = request.POST if request.method == "POST" else request.GET
    return queries.find_flag(product, key, environment=find_environment(product, said.get("environment", "")))


def place_context(product: Product, here: Environment | None) -> dict[str, Any]:
    """The environments to choose from; none where production is alone, and then no page speaks of them."""
    others = environments_of(product)
    keys = [PRODUCTION, *(one.key for one in others)] if others else []
    return {"environments": keys, "here_place": here.key if here else PRODUCTION, "elsewhere": here.key if here else ""}


@dataclass(frozen=True)
class RequestLine:
    """A request as pages show it."""

    request: ChangeRequest
    differences: list[Difference]
    is_mine: bool
    is_outdated: bool


def requests_context(request: PageRequest, product: Product, waiting: Iterable[ChangeRequest]) -> dict[str, Any]:
    """Changes that wait; `may_decide` is a maintainer's matter, and never of whoever asked."""
    lines = [
        RequestLine(
            one,
            differences(product, one.before, one.after),
            services.is_own(request.actor, one),
            services.is_outdated(one, one.flag),
        )
        for one in waiting
    ]
    return {"requests": lines, "may_decide": may(request.actor, product, Role.MAINTAINER)}


def flag_requests(request: PageRequest, flag: Flag) -> dict[str, Any]:
    """Those of one flag, and whether the next change of it would be one."""
    if flag.environment is not None:
        return {"requests": [], "waits": False, "turned_down": []}
    waiting = flag.requests.filter(state=ChangeRequest.State.OPEN).select_related("flag__product")
    return requests_context(request, flag.product, waiting) | {
        "waits": services.needs_approval(flag.product_id),
        "turned_down": queries.turned_down(Flag.objects.filter(pk=flag.pk)),
    }


def told(
    request: PageRequest, product: Product, key: str, found: Flag | ChangeRequest, says: Callable[[Flag], str]
) -> HttpResponse:
    """Back to the flag, where it was looked at, with what became of the change."""
    if isinstance(found, ChangeRequest):
        messages.success(request, "Asked. It waits for another maintainer.")
        return redirect(flag_url(product, key) + "#requests")
    messages.success(request, says(found))
    return redirect(flag_url(product, key, found.environment))


def flag_url(product: Product, key: str, environment: Environment | None = None) -> str:
    query = f"?{urlencode({'environment': environment.key})}" if environment else ""
    return reverse("flag", args=[product.slug, key]) + query


@require_http_methods(["GET", "POST"])
@page(Role.MEMBER)
def copy_flag(request: PageRequest, product: Product, key: str) -> HttpResponse:
    """What would differ; posting copies it."""
    said = request.POST if request.method == "POST" else request.GET
    source, target = (find_environment(product, said.get(name, "")) for name in ("source", "target"))
    error = None
    if request.method == "POST":
        try:
            found = services.changed_or_asked(
                request.actor,
                lambda: services.copy_flag(request.actor, product, key, source=source, target=target),
                words=said.get("because", ""),
            )
        except (Invalid, Conflict) as refused:
            error = refused
        else:
            return told(request, product, key, found, lambda flag: f"{key} is {flag.state} in {flag.place}.")
    one, two = (queries.find_flag(product, key, environment=place) for place in (source, target))
    context = {
        "here": "changes",
        "flag": two,
        "source": one.place,
        "target": two.place,
        "differences": between(two, one),
        "waits": target is None and services.needs_approval(product.pk),
        "locks": target is None and one.is_open and not two.is_open and two.hypothesis and not two.hypothesis.is_locked,
        "back": flag_url(product, key, source),
        "error": error,
    }
    return render(request, "flags/copy.html", context, status=error.status if error else 200)


@require_POST
@page(Role.MEMBER)
def follow_production(request: PageRequest, product: Product, key: str) -> HttpResponse:
    there = find_environment(product, request.POST.get("environment", ""))
    services.follow_production(request.actor, product, key, there)
    messages.success(request, f"{key} answers in {there} as in production.")
    return redirect(flag_url(product, key, there))


@require_POST
@page(Role.MEMBER)
def decide_request(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """Approve, decline or withdraw, as the button says."""
    form, words = request.POST, request.POST.get("words", "")
    try:
        if form.get("decide") == "approve":
            decided = services.approve_change(request.actor, product, number, words=words)
        elif form.get("decide") == "decline":
            decided = services.decline_change(request.actor, product, number, words=words)
        else:
            decided = services.withdraw_change(request.actor, product, number)
    except (Invalid, Conflict) as error:
        messages.error(request, error.message)
        return redirect(flag_url(product, services.find_request(product, number).flag.key))
    key = decided.flag.key
    if decided.state == ChangeRequest.State.EXPIRED:
        messages.error(
            request, f"{key} was changed meanwhile, so this request has expired. Whoever asked may ask again."
        )
    else:
        messages.success(request, f"The change of {key} is {decided.get_state_display()}.")
    return redirect("flag", product.slug, key)


@require_POST
@page(Role.OWNER)
def set_approvals(request: PageRequest, product: Product) -> HttpResponse:
    from ..pages import flag_list

    try:
        needed = services.set_approvals(request.actor, product, needed=request.POST.get("needed") == "on")
    except Conflict as error:
        return flag_list(request, product, condition_error=error)
    messages.success(
        request, "Changes wait for another maintainer from now on." if needed else "No change waits any more."
    )
    return redirect("flags", product.slug)


@require_POST
@page(Role.MAINTAINER)
def change_environments(request: PageRequest, product: Product) -> HttpResponse:
    """Add one, or remove the one that is named."""
    from ..pages import flag_list

    form = request.POST
    try:
        if form.get("remove"):
            remove_environment(request.actor, product, form["remove"])
            messages.success(request, f"{form['remove']} is gone.")
            return redirect("flags", product.slug)
        made = add_environment(request.actor, product, form.get("key", ""))
    except (Invalid, Conflict) as error:
        return flag_list(request, product, condition_error=error)
    messages.success(request, f"{made.key} is there. Flags answer there as in production until you change them there.")
    return redirect(f"{reverse('flags', args=[product.slug])}?{urlencode({'environment': made.key})}")
