"""Alerts on pages: all of them, one with what it told, and the form that makes one."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from whytree.errors import Conflict, Invalid
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.outside import mail
from whytree.workspace.pages.attempt import Attempt
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from ..forms import optional_number
from ..queries import list_metrics
from ..saved.queries import list_saved
from . import queries, services


@page()
def alerts(request: PageRequest, product: Product) -> HttpResponseBase:
    """What is watched, what is outside, and another one to be made."""
    attempt = Attempt(request)
    if request.method == "POST":
        with attempt:
            made = _made(request, product)
            said = f"Alert {made.number} looks at {made.on} from now on."
            if made.secret:
                said += f" Its signatures are checked with {made.secret}; it is not shown again."
            messages.success(request, said)
            return redirect("alerts", product=product.slug)
    found = list(queries.list_alerts(product))
    chosen = request.POST.get("on") or request.GET.get("on", "")
    context = {
        "here": "numbers",
        "kind": "alerts",
        "rows": [(one, queries.rule_of(one).sentence) for one in found],
        "outside": len(queries.outside(product)),
        "metrics": list_metrics(product),
        "questions": [one for one in list_saved(product)[:200] if one.kind == "trends"],
        "chosen": chosen,
        "adds": may(request.actor, product, Role.MEMBER) and (bool(chosen) or "add" in request.GET),
        "mail_is_set": mail.is_set(),
        "may_edit": may(request.actor, product, Role.MEMBER),
    }
    return attempt.page("analytics/alerts.html", context)


def _made(request: PageRequest, product: Product) -> Any:
    post = request.POST
    on = post.get("on", "")
    kind, _, which = on.partition(":")
    return services.create_alert(
        request.actor,
        product,
        metric=which if kind == "metric" else "",
        question=which if kind == "question" else "",
        rule=_rule(post),
        mail=bool(post.get("mail")),
        webhook=post.get("webhook", ""),
    )


def _rule(post: Any) -> dict[str, Any]:
    each = {"each": post["each"]} if post.get("each", "day") != "day" else {}
    if post.get("kind") == "band":
        ends = {name: optional_number(post.get(name, ""), name.capitalize()) for name in ("low", "high")}
        return {"version": 1, "kind": "band", **ends, **each}
    weeks = post.get("weeks", "4")
    percent = optional_number(post.get("percent", ""), "Per cent")
    said = {"percent": percent, "weeks": int(weeks) if weeks.isdecimal() else weeks, "way": post.get("way", "both")}
    return {"version": 1, "kind": "change", **said, **each}


@require_GET
@page()
def alert(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """One alert, and everything it told."""
    found = queries.find_alert(product, number)
    context = {
        "here": "numbers",
        "alert": found,
        "sentence": queries.rule_of(found).sentence,
        "events": found.events.prefetch_related("letters")[:100],
        "host": found.webhook.split("/")[2] if found.webhook else "",
        "may_edit": may(request.actor, product, Role.MEMBER),
    }
    return render(request, "analytics/alert.html", context)


@require_POST
@page(Role.MEMBER)
def alert_act(request: PageRequest, product: Product, number: int) -> HttpResponseBase:
    """Asleep, awake, gone."""
    act = request.POST.get("act", "")
    try:
        if act == "remove":
            services.delete_alert(request.actor, product, number)
            messages.success(request, f"Alert {number} is gone.")
            return redirect("alerts", product=product.slug)
        hours = request.POST.get("hours", "0") if act == "snooze" else "0"
        services.snooze_alert(request.actor, product, number, hours=int(hours) if hours.isdecimal() else -1)
    except (Invalid, Conflict) as error:
        messages.error(request, error.message)
    return redirect("alert", product=product.slug, number=number)
