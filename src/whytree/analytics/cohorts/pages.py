"""Cohorts on pages: who they are now, how many they were, and the form that makes one."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from whytree.errors import WhytreeError
from whytree.people.queries import people_by_key
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from ..answers.code_behind import code_behind, flags_in_words
from ..answers.head import SOURCE
from ..asking.behind import drawn_panels
from ..downloads import as_csv, as_picture
from ..drawing.charts import sizes_chart, sizes_picture
from ..models import Cohort
from ..queries import MOST_OFFERED, known_events
from . import queries, services
from .forms import CohortForm, ids_in

NAMED = 50


@require_GET
@page()
def cohorts(request: PageRequest, product: Product) -> HttpResponse:
    """All of them, each with the size it had last."""
    rows = []
    for cohort in queries.list_cohorts(product):
        last = cohort.sizes.order_by("-day").first()
        rows.append({"cohort": cohort, "sentence": queries.sentence_of(cohort), "last": last})
    return render(request, "analytics/cohorts.html", _context(request, product) | {"rows": rows})


@require_GET
@page()
def cohort(request: PageRequest, product: Product, key: str) -> HttpResponse:
    """One cohort, counted now."""
    found = queries.look_at(queries.find_cohort(product, key))
    people = queries.people_of(found.cohort)
    known = people_by_key(product, people.ids[:NAMED])
    context = {
        "found": found,
        "cohort": found.cohort,
        "chart": sizes_chart(found.cohort.name, found.history),
        "source": SOURCE,
        "named": [{"id": one, "person": known.get(one)} for one in people.ids[:NAMED]],
        "more": people.total - NAMED,
        "panels": drawn_panels(request, product, people),
        **_code(product, found.cohort),
        "definition": json.dumps(found.cohort.definition, indent=2, ensure_ascii=False),
    }
    return render(request, "analytics/cohort.html", _context(request, product) | context)


@require_GET
@page()
def cohort_csv(request: PageRequest, product: Product, key: str) -> HttpResponse:
    """How many there were, day by day."""
    found = queries.look_at(queries.find_cohort(product, key))
    return as_csv(f"cohort-{found.cohort.key}", [("day", "people"), *found.history])


@require_GET
@page()
def cohort_picture(request: PageRequest, product: Product, key: str, form: str) -> HttpResponse:
    """The same drawn, as a file."""
    found = queries.look_at(queries.find_cohort(product, key))
    data = sizes_picture(found.cohort.name, found.sentence, found.history, form)
    return as_picture(f"cohort-{found.cohort.key}", form, data)


def _code(product: Product, cohort: Cohort) -> dict[str, Any]:
    """Of what the rule counts."""
    code = code_behind(product, queries.events_of_rule(cohort))
    return {"code": code, "flags_in_force": flags_in_words(code.flags)}


@page(Role.MEMBER)
def new_cohort(request: PageRequest, product: Product) -> HttpResponseBase:
    """By a rule that is typed, or from a list of ids."""
    if request.method != "POST":
        return _form(request, product, CohortForm(), None)
    form = CohortForm.sent(request.POST)
    try:
        if form.is_list:
            ids = ids_in(request.FILES.get("file"), form.ids)
            made = services.create_cohort_list(request.actor, product, key=form.key, name=form.name, ids=ids)
        else:
            made = services.create_cohort(
                request.actor, product, key=form.key, name=form.name, definition=form.definition
            )
    except WhytreeError as error:
        return _form(request, product, form, None, error)
    return redirect("cohort", product=product.slug, key=made.key)


@page(Role.MEMBER)
def edit_cohort(request: PageRequest, product: Product, key: str) -> HttpResponseBase:
    """Its name, and its rule as it is stored."""
    found = queries.find_cohort(product, key)
    if request.method != "POST":
        return _form(request, product, CohortForm.of(found), found)
    form = CohortForm.sent(request.POST)
    try:
        edits: services.CohortEdits = {"name": form.name}
        if not found.is_list:
            edits["definition"] = form.definition
        services.edit_cohort(request.actor, product, key, **edits)
    except WhytreeError as error:
        return _form(request, product, form, found, error)
    return redirect("cohort", product=product.slug, key=key)


@require_POST
@page(Role.MEMBER)
def replace_list(request: PageRequest, product: Product, key: str) -> HttpResponseBase:
    """Other people on a list."""
    ids = ids_in(request.FILES.get("file"), request.POST.get("ids", ""))
    services.replace_cohort_list(request.actor, product, key, ids)
    return redirect("cohort", product=product.slug, key=key)


@require_POST
@page(Role.MEMBER)
def delete_cohort(request: PageRequest, product: Product, key: str) -> HttpResponseBase:
    services.delete_cohort(request.actor, product, key)
    messages.success(request, f"{key} is gone. The people stay.")
    return redirect("cohorts", product=product.slug)


def _form(
    request: PageRequest, product: Product, form: CohortForm, found: Cohort | None, error: WhytreeError | None = None
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "cohort": found,
        "events": known_events(product, MOST_OFFERED),
        "error": error,
    }
    status = error.status if error else 200
    return render(request, "analytics/cohort_form.html", _context(request, product) | context, status=status)


def _context(request: PageRequest, product: Product) -> dict[str, Any]:
    return {"here": "numbers", "kind": "cohorts", "may_edit": may(request.actor, product, Role.MEMBER)}
