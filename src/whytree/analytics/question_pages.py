"""Asking on a page: the question is the address, so it can be sent to somebody, and the answer begins with a sentence."""

import csv
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET

from whytree.errors import Invalid, WhytreeError
from whytree.events.queries import property_names
from whytree.people.queries import people_by_key
from whytree.stores.filters import COLUMNS
from whytree.workspace.access import role_of
from whytree.workspace.doors import PageRequest, page, plain
from whytree.workspace.models import Product
from whytree.workspace.roles import Role
from whytree.workspace.sockets import panels

from .asking import FunnelAnswer, Stopped, answer, who_stopped
from .queries import known_events
from .questions import MOST_STEPS, Funnel, checked_question, filter_json, parse_filter, span

PERIODS = (7, 28, 90)
#: People of one step who are shown by name.
NAMED = 20


@dataclass(frozen=True)
class FunnelForm:
    """The fields as they were typed, so that a refused question comes back as it was."""

    steps: list[str]
    within: str = "14d"
    by: str = ""
    where: str = ""
    days: str = ""
    at: str = ""

    @classmethod
    def sent(cls, said: QueryDict) -> "FunnelForm":
        steps = [step.strip() for step in said.getlist("step")[: MOST_STEPS + 1] if step.strip()]
        names = ("within", "by", "where", "days", "at")
        typed = {name: str(said.get(name, "")).strip() for name in names}
        return cls(steps, **{name: text for name, text in typed.items() if text})

    @property
    def fields(self) -> list[str]:
        """The steps, and room for one more."""
        return [*self.steps, "", ""][: max(len(self.steps) + 1, 3)]

    @property
    def question(self) -> Funnel:
        filters = [filter_json(parse_filter(text)) for text in self.where.split(";") if text.strip()]
        raw = {
            "version": 1,
            "kind": "funnel",
            "steps": self.steps,
            "within": self.within,
            "by": self.by,
            "where": filters,
        }
        return checked_question(raw | ({"days": _whole(self.days, "Days")} if self.days else {}))


def _whole(text: str, name: str) -> int:
    if not text.isdecimal():
        raise Invalid(f"{name}: {text[:40]!r} is no whole number.")
    return int(text)


@require_GET
@page()
def funnel(request: PageRequest, product: Product) -> HttpResponseBase:
    """How far people come, and, for a step that was clicked, who came no further and what they said."""
    form = FunnelForm.sent(request.GET)
    context: dict[str, Any] = {
        "here": "numbers",
        "form": form,
        "events": known_events(product),
        "fields": [*COLUMNS, *property_names(product)],
        "periods": PERIODS,
    }
    try:
        if form.steps:
            context |= _answered(request, product, form)
    except WhytreeError as error:
        context["error"] = error
        return render(request, "analytics/funnel.html", context, status=error.status)
    return render(request, "analytics/funnel.html", context)


@require_GET
@page()
def funnel_csv(request: PageRequest, product: Product) -> HttpResponseBase:
    """The same figures for a spreadsheet: a row a group and step."""
    found = answer(product, FunnelForm.sent(request.GET).question)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="funnel.csv"'
    writer = csv.writer(response)
    writer.writerow(["group", "step", "event", "people", "left", "of_previous", "low", "high"])
    groups = [("", found.steps), *((_cell(group.text), group.steps) for group in found.groups)]
    for name, steps in groups:
        for step in steps:
            share = step.of_previous
            numbers = (share.value, share.low, share.high) if share else ("", "", "")
            writer.writerow([name, step.at, _cell(step.event), step.people, step.left, *numbers])
    return plain(response)


def _cell(text: str) -> str:
    """A spreadsheet must not take somebody's text for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _answered(request: PageRequest, product: Product, form: FunnelForm) -> dict[str, Any]:
    question = form.question
    found = answer(product, question)
    context: dict[str, Any] = {"answer": found, "widths": _widths(found)}
    at = _whole(form.at, "Step") if form.at else (found.worst.at if found.worst and found.worst.left else 0)
    if at:
        context |= _behind(request, product, question, at)
    context["signal"] = _signal(request, product, question, found, at)
    return context


def _widths(found: FunnelAnswer) -> list[dict[str, Any]]:
    return [{"step": step, "width": f"{step.of_first.value:.1f}" if step.of_first else "0"} for step in found.steps]


def _behind(request: PageRequest, product: Product, question: Funnel, at: int) -> dict[str, Any]:
    stopped: Stopped = who_stopped(product, question, at)
    known = people_by_key(product, stopped.ids)
    shown = [
        {"panel": panel, "html": render_to_string(panel.template, {"product": product, **panel.context}, request)}
        for panel in panels("group", request.actor, product, stopped.people)
    ]
    named = [{"id": one, "person": known.get(one)} for one in stopped.ids[:NAMED]]
    return {"stopped": stopped, "at": at, "named": named, "panels": shown, "more": stopped.total - len(named)}


def _signal(
    request: PageRequest, product: Product, question: Funnel, found: FunnelAnswer, at: int
) -> dict[str, str] | None:
    """The step as a metric of its own, where it is one: two events, no filter, whole days."""
    role = role_of(request.actor, product)
    if not at or at >= len(question.steps) or role is None or not role.covers(Role.MEMBER):
        return None
    pair = question.steps[at - 1 : at + 1]
    if any(len(step.events) > 1 or step.filters for step in pair):
        return None
    days = max(1, round(question.within.total_seconds() / 86_400))
    return {
        "from": pair[0].events[0],
        "to": pair[1].events[0],
        "within_days": str(days),
        "window": span(question.within),
    }
