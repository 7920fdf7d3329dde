"""Rounds as pages: the list, one with its debrief, and the observer's sheet for a phone."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from whytree.engines.typed import optional_day
from whytree.errors import Conflict, Invalid, NotFound, WhytreeError
from whytree.tree.models import Solution
from whytree.tree.pages.parts import find
from whytree.tree.queries import find_node
from whytree.voice.interviews.queries import find_by_ref as find_interview
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.roles import Role

from . import queries, services, showing
from .models import SEVERITIES, Outcome, ProblemSighting, UsabilityRound

LISTED = 100


@require_GET
@page(Role.VIEWER)
def rounds(request: PageRequest, product: Product) -> HttpResponse:
    found = [(one, queries.findings(one)) for one in queries.list_rounds(product)[:LISTED]]
    context = {"here": "voices", "rounds": found, "may_write": may_write(request.actor, product)}
    return render(request, "voice/rounds.html", context)


@require_http_methods(["GET", "POST"])
@page(Role.MEMBER)
def plan(request: PageRequest, product: Product, number: int = 0) -> HttpResponse:
    """A new round, or one that is changed."""
    found = queries.find_round(product, number) if number else None
    error: WhytreeError | None = None
    if request.method == "POST":
        try:
            return redirect("usability_round", product.slug, _keep(request, product, found).number)
        except (Invalid, Conflict, NotFound) as refused:
            error = refused
    form = request.POST if request.method == "POST" else _form(request, found)
    context = {"here": "voices", "found": found, "form": form, "error": error, "most": services.MOST_TASKS}
    return render(request, "voice/round_plan.html", context, status=error.status if error else 200)


def _form(request: PageRequest, found: UsabilityRound | None) -> dict[str, str]:
    if found is None:
        return {"script": services.FIRST_SCRIPT, "solution": request.GET.get("solution", "")[:20]}
    day = found.planned_for.isoformat() if found.planned_for else ""
    return {"title": found.title, "tasks": "\n".join(found.tasks), "script": found.script, "planned_for": day}


def _keep(request: PageRequest, product: Product, found: UsabilityRound | None) -> UsabilityRound:
    form = request.POST
    said: dict[str, Any] = {
        "title": form.get("title", ""),
        "tasks": form.get("tasks", "").splitlines(),
        "script": form.get("script", ""),
        "planned_for": optional_day(form.get("planned_for", "")),
    }
    if found is not None:
        return services.edit_round(request.actor, found, **said)
    solution = find(product, form["solution"], Solution) if form.get("solution", "").strip() else None
    return services.plan_round(request.actor, product, solution=solution, **said)


@require_GET
@page(Role.VIEWER)
def usability_round(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """What was seen, the worst first, and what is done about it."""
    found = queries.find_round(product, number)
    told, nodes = queries.findings(found), showing.shown_on(found)
    context = {
        "here": "voices",
        "round": found,
        "told": told,
        "sentence": _sentence(found, told),
        "retests": found.retests.all(),
        "problems": [(one, nodes.get(one.problem.number, [])) for one in told.problems],
        "opportunity": found.solution.opportunity if found.solution else None,
        "may_write": may_write(request.actor, product),
        "scale": SEVERITIES.items(),
    }
    return render(request, "voice/round.html", context)


def _sentence(found: UsabilityRound, told: queries.Findings) -> str:
    people = len(told.sessions)
    if not people:
        return f"{found.title}: nobody watched yet"
    if not told.problems:
        return f"{people} watched, nobody stumbled"
    worst = told.problems[0]
    return f"{worst.k} of {people}: {worst.problem.title}"


@require_POST
@page(Role.MEMBER)
def act(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """One more person, a fix, a finding on a node, or another look."""
    found, form = queries.find_round(product, number), request.POST
    try:
        match form.get("do", ""):
            case "person":
                talk = find_interview(product, form["interview"]) if form.get("interview", "").strip() else None
                session = services.add_session(request.actor, found, talk, form.get("person", ""))
                return redirect("watch", product.slug, number, session.number)
            case "fix":
                problem = queries.find_problem(found, _number(form.get("problem", "")))
                made = services.fix_problem(request.actor, problem, form.get("fix", ""))
                messages.success(request, f"{made.ref} is to fix it.")
            case "evidence":
                problem = queries.find_problem(found, _number(form.get("problem", "")))
                node = find_node(product, form.get("node", ""))
                showing.show_problem(request.actor, problem, node)
                messages.success(request, f"It is evidence of {node.ref} now.")
            case "retest":
                day = optional_day(form.get("planned_for", ""))
                if day is None:
                    raise Invalid("Say on which day you look again.")
                return redirect("usability_round", product.slug, services.plan_retest(request.actor, found, day).number)
            case _:
                raise Invalid("There is no such act.")
    except (Invalid, Conflict, NotFound) as error:
        messages.error(request, error.message)
    return redirect("usability_round", product.slug, number)


def _number(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 0


@require_http_methods(["GET", "POST"])
@page(Role.MEMBER)
def watch(request: PageRequest, product: Product, number: int, person: int) -> HttpResponse:
    """The sheet of one observer while somebody is watched: large things to press, one at a time."""
    found = queries.find_round(product, number)
    session = queries.find_session(found, person)
    error: WhytreeError | None = None
    if request.method == "POST":
        try:
            _note(request, found, person)
            return redirect(reverse("watch", args=[product.slug, number, person]) + _where(request.POST))
        except (Invalid, Conflict) as refused:
            error = refused
    mine = ProblemSighting.objects.filter(session=session, observer_id=request.actor.user_id)
    context = {
        "here": "voices",
        "round": found,
        "session": session,
        "tasks": [(at, text, session.outcomes.get(str(at), "")) for at, text in enumerate(found.tasks, start=1)],
        "outcomes": Outcome.choices,
        "problems": found.problems.all(),
        "mine": set(mine.values_list("problem_id", flat=True)),
        "scale": SEVERITIES.items(),
        "error": error,
        "form": request.POST,
    }
    return render(request, "voice/round_watch.html", context, status=error.status if error else 200)


def _where(form: QueryDict) -> str:
    """The part of the sheet that was pressed, so that a phone stays there."""
    return f"#task-{_number(form.get('task', ''))}" if "outcome" in form else "#problems"


def _note(request: PageRequest, found: UsabilityRound, person: int) -> None:
    session, form = queries.find_session(found, person), request.POST
    if "outcome" in form:
        services.note_outcome(request.actor, session, _number(form.get("task", "")), form["outcome"])
    elif "unsee" in form:
        services.unsee_problem(request.actor, session, queries.find_problem(found, _number(form["unsee"])))
    elif "seen" in form:
        services.see_problem(request.actor, session, problem=queries.find_problem(found, _number(form["seen"])))
    else:
        task = _number(form.get("task", "")) or None
        severity = _number(form.get("severity", "")) or None
        services.see_problem(
            request.actor, session, title=form.get("title", ""), severity=severity, task=task, note=form.get("note", "")
        )
