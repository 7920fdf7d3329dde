"""The forms that add, edit, move and close nodes: pages of their own, and sheets where scripts run."""

import math
from collections.abc import Mapping
from typing import Any, cast

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from whytree.errors import Conflict, Invalid, NotFound
from whytree.tree import queries, services
from whytree.tree.forms import CloseForm, Form, HypothesisForm, MoveForm, NodeForm, form_for
from whytree.tree.models import (
    KINDS,
    MAY_STAND_ALONE,
    Assumption,
    AssumptionTest,
    Hypothesis,
    Node,
    Opportunity,
    Outcome,
    Solution,
    child_kinds,
)
from whytree.tree.models.columns import TEXT_LENGTH
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .parts import DrawnPanel, back, draw_panels, go

Fields = dict[str, Any]


@page(Role.MEMBER)
def add(request: PageRequest, product: Product, ref: str = "") -> HttpResponse:
    """A node of one of the kinds that may stand below `ref`, or alone; `?kind=SOL` chooses."""
    parent = queries.find_node(product, ref) if ref else None
    if parent is not None and parent.is_closed:
        raise Conflict(f"{parent.ref} is closed. Reopen it first.")
    kinds = child_kinds(parent.prefix) if parent else [KINDS[prefix] for prefix in KINDS if prefix in MAY_STAND_ALONE]
    chosen = _chosen(request, kinds, parent)
    form = form_for(chosen.prefix, product, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = _create(request.actor, product, chosen, parent, form.said())
            return go(request, back(request, product, made))
        except Invalid as error:
            form.refuse(error)
    under = f" under {parent.ref}" if parent else ""
    context = {"kinds": kinds, "chosen": chosen, "parent": parent, "act": "Add", "title": f"Add {chosen.word}{under}"}
    return _show(request, form, context)


@page(Role.MEMBER)
def edit(request: PageRequest, product: Product, ref: str) -> HttpResponse:
    """The fields of one node."""
    found = queries.find_node(product, ref)
    form = form_for(found.prefix, product, request.POST if request.method == "POST" else None, node=found)
    if request.method == "POST" and form.is_valid():
        try:
            return go(request, back(request, product, _edit(request.actor, found, form)))
        except Invalid as error:
            form.refuse(error)
    locked = isinstance(found, Hypothesis) and found.is_locked
    return _show(request, form, {"node": found, "act": "Save", "title": f"Edit {found.ref}", "locked": locked})


@page(Role.MEMBER)
def move(request: PageRequest, product: Product, ref: str) -> HttpResponse:
    """Hang a node under another one."""
    found = queries.find_node(product, ref)
    posted = request.POST if request.method == "POST" else None
    form = MoveForm(posted, node=found, may_stand_alone=found.prefix in MAY_STAND_ALONE)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["parent"]
        try:
            moved = services.move_node(request.actor, found, queries.find_node(product, chosen) if chosen else None)
            return go(request, back(request, product, moved))
        except (Invalid, Conflict) as error:
            form.add_error("parent", error.message)
    return _show(request, form, {"node": found, "act": "Move", "title": f"Move {found.ref}"})


@page(Role.MEMBER)
def close(request: PageRequest, product: Product, ref: str) -> HttpResponse:
    """Take a node out of play, with a reason."""
    found = queries.find_node(product, ref)
    form = CloseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            closed = services.close_node(request.actor, found, **form.cleaned_data)
            return go(request, back(request, product, closed))
        except (Invalid, Conflict) as error:
            form.add_error(None, error.message)
    act = "Drop" if isinstance(found, Solution) else "Close"
    return _show(request, form, {"node": found, "act": act, "title": f"{act} {found.ref}"})


@require_POST
@page(Role.MEMBER)
def reopen(request: PageRequest, product: Product, ref: str) -> HttpResponse:
    opened = services.reopen_node(request.actor, queries.find_node(product, ref))
    return go(request, back(request, product, opened))


@page(Role.MEMBER)
def beside(request: PageRequest, product: Product) -> HttpResponse:
    """What others know of a hypothesis that is being typed; half of it may be missing."""
    return render(request, "tree/_beside.html", {"beside": _beside(request, product, request.GET)})


def _beside(request: PageRequest, product: Product, typed: Mapping[str, Any]) -> list[DrawnPanel]:
    """The panels beside what is typed, from a form's raw fields."""
    numbers = {name: _number(typed.get(name)) for name in ("forecast_low", "forecast_likely", "forecast_high")}
    words = {name: str(typed.get(name) or "")[:TEXT_LENGTH] for name in ("change", "who", "behaviour", "metric_key")}
    written = Hypothesis(product=product, forecast_unit=typed.get("forecast_unit", "pp"), **words, **cast(Any, numbers))
    return draw_panels(request, "hypothesis", product, written)


def _number(typed: object) -> float | None:
    try:
        number = float(str(typed))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _show(request: PageRequest, form: Form, context: Fields) -> HttpResponse:
    if isinstance(form, HypothesisForm):
        typed = form.data if form.is_bound else form.initial
        context |= {"beside": _beside(request, request.product, typed), "asks_beside": True}
    came_from = request.POST.get("from") or request.GET.get("from") or ""
    status = 400 if form.errors else 200
    return render(
        request, "tree/form.html", {"here": "tree", "form": form, "came_from": came_from} | context, status=status
    )


def _chosen(request: PageRequest, kinds: list[type[Node]], parent: Node | None) -> type[Node]:
    wanted = (request.POST.get("add") or request.GET.get("kind") or "").upper()
    if wanted:
        found = next((model for model in kinds if model.prefix == wanted), None)
        if found is None:
            raise NotFound("A node of this kind cannot be added here.")
        return found
    if not kinds:
        raise NotFound(f"Nothing stands below a {parent.word if parent else 'node'}.")
    # Below an opportunity people mostly look for solutions; a narrower opportunity is the exception.
    return Solution if Solution in kinds and parent is not None else kinds[0]


def _create(actor: Actor, product: Product, kind: type[Node], parent: Node | None, fields: Fields) -> Node:
    said = cast(Any, fields)
    if kind is Outcome:
        return services.create_outcome(actor, product, parent=cast("Outcome | None", parent), **said)
    if kind is Opportunity:
        outcome = parent if isinstance(parent, Outcome) else None
        above = parent if isinstance(parent, Opportunity) else None
        return services.create_opportunity(actor, product, outcome=outcome, parent=above, **said)
    if kind is Solution:
        return services.create_solution(actor, product, opportunity=cast("Opportunity | None", parent), **said)
    if kind is Hypothesis and isinstance(parent, Solution):
        return services.create_hypothesis(actor, parent, **said)
    if kind is Assumption and isinstance(parent, Solution):
        return services.add_assumption(actor, parent, **said)
    return services.plan_test(actor, cast(Assumption, parent), **said)


def _edit(actor: Actor, found: Node, form: NodeForm) -> Node:
    said = cast(Any, form.said())
    match found:
        case Outcome():
            return services.edit_outcome(actor, found, **said)
        case Opportunity():
            return services.edit_opportunity(actor, found, **said)
        case Solution():
            return services.edit_solution(actor, found, **said)
        case Hypothesis():
            return services.edit_hypothesis(actor, found, **said)
        case Assumption():
            return services.edit_assumption(actor, found, **said)
        case AssumptionTest():
            return services.edit_test(actor, found, **said)
    raise TypeError(f"{found.ref} has no form")
