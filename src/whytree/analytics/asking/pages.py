"""Asking on a page: the question is the address, so it can be sent to somebody, and the answer begins with a sentence."""

import csv
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_GET

from whytree.errors import NotFound, WhytreeError
from whytree.events.queries import property_names
from whytree.people.queries import people_by_key
from whytree.stores.filters import COLUMNS
from whytree.workspace.access import role_of
from whytree.workspace.doors import PageRequest, page, plain
from whytree.workspace.models import Product
from whytree.workspace.roles import Role
from whytree.workspace.sockets import panels

from ..answers import Answer, FunnelAnswer, RetentionAnswer, TrendsAnswer, answer, who_stopped
from ..charts import trends_chart
from ..queries import known_events
from ..questions import Funnel, span
from .forms import FORMS, Form, FunnelForm, RetentionForm, TrendsForm, whole

PERIODS = (7, 28, 90)
#: People of one step who are shown by name.
NAMED = 20
MEASURES = {
    "total": "how often",
    "people": "how many people",
    "average": "how often a person",
    "sum": "sum of",
    "mean": "mean of",
    "median": "median of",
    "p90": "90th percentile of",
    "p99": "99th percentile of",
    "min": "smallest",
    "max": "largest",
}


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
def ask_csv(request: PageRequest, product: Product, kind: str) -> HttpResponseBase:
    """The figures of an answer for a spreadsheet."""
    form = next((form for form in FORMS if form.kind == kind), None)
    if form is None:
        raise NotFound(f"There is no kind {kind[:40]!r} of question.")
    found = answer(product, form.sent(request.GET).question)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{kind}.csv"'
    csv.writer(response).writerows([_cell(value) for value in row] for row in _rows(found))
    return plain(response)


def _asked(request: PageRequest, product: Product, form: Form) -> HttpResponse:
    template = f"analytics/{form.kind}.html"
    context: dict[str, Any] = {
        "here": "numbers",
        "kind": form.kind,
        "form": form,
        "events": known_events(product),
        "fields": [*COLUMNS, *property_names(product)],
        "periods": PERIODS,
        "measures": MEASURES.items(),
    }
    try:
        if form.events:
            context |= _answered(request, product, form)
    except WhytreeError as error:
        return render(request, template, context | {"error": error}, status=error.status)
    return render(request, template, context)


def _answered(request: PageRequest, product: Product, form: Form) -> dict[str, Any]:
    question = form.question
    found = answer(product, question)
    context: dict[str, Any] = {"answer": found}
    if isinstance(found, FunnelAnswer) and isinstance(form, FunnelForm) and isinstance(question, Funnel):
        at = whole(form.at, "Step") if form.at else (found.worst.at if found.worst and found.worst.left else 0)
        context |= _behind(request, product, question, at) if at else {}
        context["signal"] = _signal(request, product, question, at)
    if isinstance(found, TrendsAnswer):
        context |= {"chart": trends_chart(found), "rows": _table(found, ZoneInfo(product.timezone))}
    return context


def _behind(request: PageRequest, product: Product, question: Funnel, at: int) -> dict[str, Any]:
    stopped = who_stopped(product, question, at)
    known = people_by_key(product, stopped.ids)
    shown = [
        {"panel": panel, "html": render_to_string(panel.template, {"product": product, **panel.context}, request)}
        for panel in panels("group", request.actor, product, stopped.people)
    ]
    named = [{"id": one, "person": known.get(one), "url": _url_of(product, one)} for one in stopped.ids[:NAMED]]
    return {"stopped": stopped, "at": at, "named": named, "panels": shown, "more": stopped.total - len(named)}


def _url_of(product: Product, person: str) -> str:
    """Of a person's page; empty for an id that no address can hold, which anybody with a public key may send."""
    try:
        return reverse("person", args=[product.slug, person])
    except NoReverseMatch:
        return ""


def _signal(request: PageRequest, product: Product, question: Funnel, at: int) -> dict[str, str] | None:
    """The step as a metric of its own, where it is one: two events and no filter. Its window is in whole days."""
    role = role_of(request.actor, product)
    if not at or at >= len(question.steps) or role is None or not role.covers(Role.MEMBER):
        return None
    pair = question.steps[at - 1 : at + 1]
    if any(len(step.events) > 1 or step.filters for step in pair):
        return None
    days = max(1, round(question.within.total_seconds() / 86_400))
    return {"from": pair[0].events[0], "to": pair[1].events[0], "days": str(days), "window": span(question.within)}


def _table(found: TrendsAnswer, zone: ZoneInfo) -> list[dict[str, Any]]:
    """A row a stretch, the newest first, with what every line has there."""
    rows = []
    for at in range(len(found.lines[0].stretches) - 1, -1, -1):
        cells = [line.stretches[at] for line in found.lines]
        start = cells[0].start
        shown = start.astimezone(zone).strftime("%Y-%m-%d %H:%M") if isinstance(start, datetime) else start.isoformat()
        rows.append({"start": shown, "cells": cells, "complete": cells[0].complete})
    return rows


def _rows(found: Answer) -> Iterator[Sequence[Any]]:
    if isinstance(found, FunnelAnswer):
        yield "group", "step", "event", "people", "left", "of_previous", "low", "high"
        for name, steps in [("", found.steps), *((group.text, group.steps) for group in found.groups)]:
            for step in steps:
                share = step.of_previous
                numbers = (share.value, share.low, share.high) if share else ("", "", "")
                yield name, step.at, step.event, step.people, step.left, *numbers
    elif isinstance(found, TrendsAnswer):
        yield "series", "group", "start", "value", "low", "high", "n", "complete"
        for line in found.lines:
            for each in line.stretches:
                said = (each.value, each.low, each.high, each.n, each.complete)
                yield line.name, line.text, each.start.isoformat(), *said
    elif isinstance(found, RetentionAnswer):
        yield "began", "people", "after", "back", "percent", "low", "high", "complete"
        for cohort in found.cohorts:
            for after, cell in enumerate(cohort.cells):
                if cell.share is not None:
                    back = (cell.people, cell.share.value, cell.share.low, cell.share.high, cell.complete)
                    yield cohort.start.isoformat(), cohort.people, after, *back


def _cell(value: Any) -> Any:
    """A spreadsheet must not take somebody's text for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
