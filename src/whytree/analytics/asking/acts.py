"""What can be made of an answer with one button: an outcome, a struggle signal, evidence, a cohort, a question kept."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from whytree.engines.typed import optional_day
from whytree.errors import Invalid, WhytreeError
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from ..answers import Part, checked_part, people_behind
from ..boards.services import keep_on_board
from ..cohorts.services import create_cohort_of
from ..forms import optional_number
from ..questions import checked_question
from ..saved import queries, services
from .forms import whole
from .links import address_of


@require_POST
@page(Role.MEMBER)
def act(request: PageRequest, product: Product) -> HttpResponseBase:
    """Does it and goes to what was made; refused, back to the question with the reason."""
    verb = request.POST.get("act", "")
    doing = {"outcome": _outcome, "signal": _signal, "pin": _pin, "cohort": _cohort, "keep": _keep}.get(verb)
    try:
        if doing is None:
            raise Invalid("Choose what to make of it.")
        question, part = _json(request, "question"), checked_part(_json(request, "part"))
        return doing(request, product, question, part)
    except WhytreeError as error:
        messages.error(request, error.message)
        return redirect(_back(request, product))


def _outcome(request: PageRequest, product: Product, question: dict[str, Any], part: Part) -> HttpResponseBase:
    target = optional_number(request.POST.get("target", ""), "Target")
    if target is None:
        raise Invalid("An outcome needs a target: where should this number go?")
    aim = services.Aim(target, request.POST.get("title", ""), optional_day(request.POST.get("due", "")))
    made = services.make_outcome(request.actor, product, question=question, part=part, aim=aim)
    messages.success(request, f"{made.ref} aims at {target:g}. What it was today is its baseline.")
    return redirect("node", product=product.slug, ref=made.ref)


def _signal(request: PageRequest, product: Product, question: dict[str, Any], part: Part) -> HttpResponseBase:
    opportunity = request.POST.get("opportunity", "")
    if not opportunity:
        raise Invalid("Choose the opportunity whose problem these people have.")
    node = services.make_struggle_signal(request.actor, product, question=question, part=part, opportunity=opportunity)
    messages.success(request, f"From now on these people count as those who have the problem of {node.ref}.")
    return redirect("node", product=product.slug, ref=node.ref)


def _pin(request: PageRequest, product: Product, question: dict[str, Any], part: Part) -> HttpResponseBase:
    sent = request.POST
    node = sent.get("node", "").strip().upper()
    if not node:
        raise Invalid("Choose what it speaks for or against.")
    pin = services.Pin(node, sent.get("stance", "supports"), sent.get("statement", ""), part)
    saved = services.pin_evidence(request.actor, product, question, pin)
    messages.success(request, f"{saved.ref} is evidence on {node}, frozen as it is now.")
    return redirect("node", product=product.slug, ref=node)


def _cohort(request: PageRequest, product: Product, question: dict[str, Any], part: Part) -> HttpResponseBase:
    behind = people_behind(product, checked_question(question), part)
    key = request.POST.get("key", "").strip()
    made = create_cohort_of(request.actor, product, key=key, persons=behind.people.persons)
    messages.success(request, f"{behind.total:,} people are the cohort {made.key}.")
    return redirect("cohort", product=product.slug, key=made.key)


def _keep(request: PageRequest, product: Product, question: dict[str, Any], part: Part) -> HttpResponseBase:
    title, board = request.POST.get("title", ""), request.POST.get("board", "")
    if board:
        number = whole(board, "Board")
        saved = keep_on_board(request.actor, product, number, question=question, title=title)
        messages.success(request, f"{saved.ref} is kept, and on the board.")
        return redirect("board", product=product.slug, number=number)
    saved = services.keep_question(request.actor, product, question=question, title=title)
    messages.success(request, f"{saved.ref} is kept.")
    return redirect("saved_question", product=product.slug, number=saved.number)


def _json(request: PageRequest, name: str) -> dict[str, Any]:
    try:
        found = json.loads(request.POST.get(name, "") or "{}")
    except (ValueError, RecursionError) as error:
        raise Invalid("The question could not be read. Ask it again.") from error
    if not isinstance(found, dict):
        raise Invalid("The question could not be read. Ask it again.")
    return found


def _back(request: PageRequest, product: Product) -> str:
    """The page it was asked from, when that is one of ours."""
    back = request.headers.get("Referer", "")
    return back if url_has_allowed_host_and_scheme(back, {request.get_host()}) else f"/p/{product.slug}/ask/funnel"


@require_GET
@page()
def saved_question(request: PageRequest, product: Product, number: int) -> HttpResponseBase:
    """A kept question leads to its answer today; a frozen one shows what was true when it was pinned."""
    saved = queries.find_saved(product, str(number))
    address = address_of(product, queries.question_of(saved), checked_part(saved.part) if saved.part else None)
    if saved.answer is None:
        return redirect(address)
    context = {
        "here": "numbers",
        "saved": saved,
        "answer": saved.answer,
        "again": address,
        "may_act": may(request.actor, product, Role.MEMBER),
    }
    return render(request, "analytics/frozen.html", context)


@require_POST
@page(Role.MEMBER)
def delete_saved(request: PageRequest, product: Product, number: int) -> HttpResponse:
    services.delete_question(request.actor, product, str(number))
    messages.success(request, f"ASK-{number} is gone. Its question can be asked again.")
    return redirect("numbers", product=product.slug)
