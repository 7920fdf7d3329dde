"""Asking on a page: the question is the address, so it can be sent to somebody, and the answer begins with a sentence."""

import json
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from whytree.errors import NotFound, WhytreeError
from whytree.events.queries import known_names
from whytree.people.queries import trait_names
from whytree.stores.pieces.companies import ID, NAME
from whytree.stores.pieces.filters import COLUMNS
from whytree.stores.pieces.moments import SESSION_FIELDS
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from ..answers import (
    Answer,
    FunnelAnswer,
    LifecycleAnswer,
    Part,
    PathsAnswer,
    RetentionAnswer,
    SessionsAnswer,
    TrendsAnswer,
    answer,
    drivers_of,
    people_behind,
)
from ..downloads import as_csv, as_picture
from ..drawing.charts import answer_chart, funnel_over_chart, picture_of, trends_chart
from ..models import Board, Cohort
from ..queries import MOST_OFFERED, known_events
from ..questions import COHORT, COMPANY_TRAIT, PERSON_TRAIT, SESSION, THEN, Question, as_json
from .behind import shown_behind
from .forms import (
    FORMS,
    PERIODS,
    Form,
    FunnelForm,
    LifecycleForm,
    PathsForm,
    RetentionForm,
    SessionsForm,
    StickinessForm,
    TrendsForm,
    part_of,
)
from .tables import bars_of, by_stretch, rows_of

#: Names of events and properties that a field offers, the most frequent first; any other can be typed.
MEASURES = {
    "total": "how often",
    "people": "how many people",
    "companies": "how many companies",
    "average": "how often a person",
    "dau": "people a day",
    "wau": "people in 7 days",
    "mau": "people in 30 days",
    "sum": "sum of",
    "mean": "mean of",
    "median": "median of",
    "p90": "90th percentile of",
    "p95": "95th percentile of",
    "p99": "99th percentile of",
    "min": "smallest",
    "max": "largest",
}
#: What a funnel's page shows below its steps, one at a time: each costs a question of its own.
VIEWS = {"": "Steps", "time": "How long", "over": "Over time", "drivers": "What goes with it"}


@require_GET
@page()
def ask(request: PageRequest, product: Product) -> HttpResponseBase:
    return redirect("ask_funnel", product=product.slug)


@require_GET
@page()
def funnel(request: PageRequest, product: Product) -> HttpResponseBase:
    """How far people come, and, for a step that was clicked, who came no further and what they said."""
    return _asked(request, product, FunnelForm.sent(request.GET))


@require_GET
@page()
def trends(request: PageRequest, product: Product) -> HttpResponseBase:
    """How much happens, stretch by stretch."""
    return _asked(request, product, TrendsForm.sent(request.GET))


@require_GET
@page()
def retention(request: PageRequest, product: Product) -> HttpResponseBase:
    """Who comes back."""
    return _asked(request, product, RetentionForm.sent(request.GET))


@require_GET
@page()
def lifecycle(request: PageRequest, product: Product) -> HttpResponseBase:
    """Who is new, comes back, comes back after a gap, falls asleep."""
    return _asked(request, product, LifecycleForm.sent(request.GET))


@require_GET
@page()
def stickiness(request: PageRequest, product: Product) -> HttpResponseBase:
    """In how many days people did something."""
    return _asked(request, product, StickinessForm.sent(request.GET))


@require_GET
@page()
def paths(request: PageRequest, product: Product) -> HttpResponseBase:
    """Which way people go."""
    return _asked(request, product, PathsForm.sent(request.GET))


@require_GET
@page()
def sessions(request: PageRequest, product: Product) -> HttpResponseBase:
    """How long people stay, where they come in and where they go."""
    return _asked(request, product, SessionsForm.sent(request.GET))


@require_GET
@page()
def ask_csv(request: PageRequest, product: Product, kind: str) -> HttpResponseBase:
    """The figures of an answer for a spreadsheet."""
    return as_csv(kind, rows_of(answer(product, _question(request, kind))))


@require_GET
@page()
def people_csv(request: PageRequest, product: Product, kind: str) -> HttpResponseBase:
    """Everybody behind a part of an answer by one of their ids, as a list that a cohort can be made of."""
    question = _question(request, kind)
    part = part_of(request.GET) or _worst(answer(product, question)) or Part()
    people = people_behind(product, question, part).everybody
    return as_csv(f"{kind}-people", [["user_id"], *([one] for one in people)])


@require_GET
@page()
def ask_picture(request: PageRequest, product: Product, kind: str, form: str) -> HttpResponseBase:
    """The picture of an answer as a file, `form` svg or png, on white paper."""
    found = answer(product, _question(request, kind))
    return as_picture(kind, form, picture_of(product, found, form))


def _question(request: PageRequest, kind: str) -> Question:
    form = next((form for form in FORMS if form.kind == kind), None)
    if form is None:
        raise NotFound(f"There is no kind {kind[:40]!r} of question.")
    question: Question = form.sent(request.GET).question
    return question


def _asked(request: PageRequest, product: Product, form: Form) -> HttpResponse:
    template = f"analytics/{form.kind}.html"
    cohorts = Cohort.objects.filter(product=product).values_list("key", flat=True)[:200]
    traits, names = trait_names(product)[:MOST_OFFERED], known_names(product, MOST_OFFERED)
    of_companies = dict.fromkeys([NAME, ID, *names.company_traits])
    told = [
        *(f"{prefix}{name}" for prefix in (PERSON_TRAIT, THEN) for name in traits),
        *(f"{prefix}{name}" for prefix in (COMPANY_TRAIT, f"{THEN}{COMPANY_TRAIT}") for name in of_companies),
        *(f"{SESSION}{name}" for name in SESSION_FIELDS),
    ]
    context: dict[str, Any] = {
        "here": "numbers",
        "kind": form.kind,
        "form": form,
        "events": known_events(product, MOST_OFFERED),
        "fields": [
            *COLUMNS,
            *names.properties,
            *told,
            *(f"{COHORT}{key}" for key in cohorts),
        ],
        "periods": PERIODS,
        "measures": MEASURES.items(),
        "views": VIEWS.items(),
        "boards": Board.objects.filter(product=product)[:200],
        "may_act": may(request.actor, product, Role.MEMBER),
    }
    try:
        if form.is_asked:
            context |= _answered(request, product, form)
    except WhytreeError as error:
        return render(request, template, context | {"error": error}, status=error.status)
    return render(request, template, context)


def _answered(request: PageRequest, product: Product, form: Form) -> dict[str, Any]:
    question = form.question
    found = answer(product, question)
    context: dict[str, Any] = {"answer": found, "question_json": json.dumps(as_json(question))}
    part = part_of(request.GET) or _worst(found)
    if part is not None:
        context |= shown_behind(request, product, question, part)
    if isinstance(found, FunnelAnswer) and isinstance(form, FunnelForm):
        context |= {"chart": funnel_over_chart(product, found)} if found.over else {}
        context |= {"drivers": drivers_of(product, question)} if form.view == "drivers" else {}
    if isinstance(found, TrendsAnswer):
        rows = by_stretch(found, ZoneInfo(product.timezone))
        names = [found.name_of(line) for line in found.lines]
        context |= {"chart": trends_chart(product, found), "rows": rows, "names": names, "bars": bars_of(found)}
    if isinstance(found, RetentionAnswer | LifecycleAnswer | PathsAnswer | SessionsAnswer):
        context |= {"chart": answer_chart(product, found)}
    return context


def _worst(found: Answer) -> Part | None:
    """Where most leave is what one came for."""
    if isinstance(found, FunnelAnswer) and found.worst and found.worst.left:
        return Part(step=found.worst.at)
    return None
