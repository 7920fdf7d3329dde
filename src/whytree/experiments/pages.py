"""Experiments: the list, and one from its sentence down to its depth."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from whytree.analytics.models import Metric
from whytree.engines.charts import svg_file
from whytree.errors import WhytreeError
from whytree.stores.pieces.filters import COLUMNS
from whytree.tree.pages.parts import draw_panels
from whytree.workspace.entry.doors import PageRequest, page, plain
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.roles import Role

from . import queries, services
from .deeper.pages import deeper, part_lines
from .judgement.design import LOOKS
from .models import Decision, Experiment
from .preparing.planning import prospect, question_of_experiment
from .switchbacks.planning import foreseen
from .switchbacks.showing import shown_schedule, switches_text
from .underway.segments import segments_of
from .verdict import deciding, voices
from .verdict.doubting import doubts_shown
from .verdict.pictures import depth, drawn_prospect, exposure_chart, poster, rows, segment_rows
from .verdict.reading import Reading, as_json, state_of
from .verdict.table import as_csv
from .verdict.telling import headline, setting, standing, summary

#: How many experiments the list shows.
MOST_SHOWN = 200


@dataclass(frozen=True)
class Line:
    """One experiment of the list."""

    experiment: Experiment
    state: str
    standing: str
    tone: str
    decides: str


TONES = {"running": "blue", "ended": "amber", "stopped": "amber", "decided": "leaf", "draft": ""}


@page()
def experiments(request: PageRequest, product: Product) -> HttpResponse:
    """All experiments, by what they wait for."""
    now = timezone.now()
    names = dict(Metric.objects.filter(product=product).values_list("key", "name"))
    lines = []
    for one in queries.list_experiments(product)[:MOST_SHOWN]:
        state = state_of(one, now)
        decides = one.design.primary.key
        lines.append(Line(one, state, standing(one, now), TONES[state], names.get(decides, decides)))
    lines.sort(key=lambda line: ("ended", "stopped", "running", "draft", "decided").index(line.state))
    context = {
        "here": "changes",
        "lines": lines,
        "sentence": _sentence(lines),
        "may_write": may_write(request.actor, product),
    }
    return render(request, "experiments/experiments.html", context)


def _sentence(lines: list[Line]) -> str:
    if not lines:
        return "No experiment yet."
    waiting = sum(line.state in ("ended", "stopped") for line in lines)
    running = sum(line.state == "running" for line in lines)
    parts = []
    if waiting:
        parts.append("one experiment wants a decision" if waiting == 1 else f"{waiting} experiments want a decision")
    if running:
        noun = "" if waiting else " experiment" if running == 1 else " experiments"
        parts.append(f"one{noun} is running" if running == 1 else f"{running}{noun} are running")
    if not parts:
        return "No experiment is running."
    told = ", ".join(parts)
    return f"{told[0].upper()}{told[1:]}."


@page()
def experiment(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """One experiment: the sentence, the intervals beside zero and the prediction, whether to trust it, the depth."""
    return _show(request, product, queries.find_experiment(product, f"EXP-{number}"))


@page()
def by_id(request: PageRequest, product: Product, number: int) -> HttpResponseBase:
    """Where its id alone leads, as every other id does."""
    return redirect("experiment", product.slug, queries.find_experiment(product, f"EXP-{number}").number)


@page()
def table(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """Its figures for a spreadsheet."""
    found = queries.find_experiment(product, f"EXP-{number}")
    response = plain(HttpResponse(as_csv(queries.reading_of(found)), content_type="text/csv; charset=utf-8"))
    response["Content-Disposition"] = f'attachment; filename="{found.ref}.csv"'
    return response


@page()
def document(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """Everything it says, for a notebook."""
    found = queries.find_experiment(product, f"EXP-{number}")
    reading = queries.reading_of(found)
    return plain(JsonResponse({"plan": found.plan, "result": as_json(reading) if reading is not None else None}))


@page()
def picture(request: PageRequest, product: Product, number: int, form: str) -> HttpResponse:
    """What it says with its intervals as one picture, `form` svg or png, on white paper."""
    found = queries.find_experiment(product, f"EXP-{number}")
    reading = queries.reading_of(found)
    whom = found.design.whom
    counted = f"n = {reading.people:,} {whom}" if reading is not None else f"no {whom} yet"
    foot = (
        f"{found.ref}, {setting(found)}; {counted}. {100 * found.design.level:g} % intervals; shaded: predicted or allowed. From the "
        f"events of {product.name}."
    )
    drawn = svg_file(poster(headline(found, reading), foot, rows(found, reading)), form)
    response = plain(HttpResponse(drawn, content_type={"svg": "image/svg+xml", "png": "image/png"}[form]))
    response["Content-Disposition"] = f'attachment; filename="{found.ref}.{form}"'
    return response


@require_POST
@page(Role.MEMBER)
def start(request: PageRequest, product: Product, number: int) -> HttpResponseBase:
    found = queries.find_experiment(product, f"EXP-{number}")
    try:
        started = services.start_or_ask(request.actor, found)
    except WhytreeError as error:
        return _show(request, product, found, error=error)
    messages.success(request, f"{started.ref} has started. Plan and decision rule are fixed.")
    return redirect(found.url)


@require_POST
@page(Role.MEMBER)
def stop(request: PageRequest, product: Product, number: int) -> HttpResponseBase:
    found = queries.find_experiment(product, f"EXP-{number}")
    reason, close = request.POST.get("reason", ""), request.POST.get("close_flag") == "1"
    try:
        stopped = services.stop_experiment(request.actor, found, reason=reason, close_flag=close)
    except WhytreeError as error:
        return _show(request, product, found, error=error)
    messages.success(request, f"{stopped.ref} is stopped. It is read as of now.")
    return redirect(found.url)


@require_POST
@page(Role.MEMBER)
def decide(request: PageRequest, product: Product, number: int) -> HttpResponseBase:
    found = queries.find_experiment(product, f"EXP-{number}")
    sent = {name: request.POST.get(name, "") for name in ("decision", "arm", "learning", "move_flag", "despite")}
    try:
        decided = deciding.decide_experiment(
            request.actor,
            found,
            decision=sent["decision"],
            arm=sent["arm"],
            learning=sent["learning"],
            move_flag=sent["move_flag"] == "1",
            despite=sent["despite"],
        )
    except WhytreeError as error:
        return _show(request, product, found, sent=sent, error=error)
    messages.success(
        request, f"{decided.ref} is decided: {Decision(decided.decision).label}.{deciding.flag_follows(decided.flag)}"
    )
    return redirect(found.url)


def _show(
    request: PageRequest,
    product: Product,
    found: Experiment,
    *,
    sent: dict[str, str] | None = None,
    error: WhytreeError | None = None,
) -> HttpResponse:
    reading = queries.reading_of(found)
    now = timezone.now()
    panels = draw_panels(request, "experiment", product, found)
    context: dict[str, Any] = {
        "here": "changes",
        "experiment": found,
        "design": found.design,
        "state": state_of(found, now),
        "reading": reading,
        "setting": setting(found),
        "headline": headline(found, reading),
        "summary": summary(found, reading),
        "rows": rows(found, reading),
        "looks": LOOKS[found.design.looks],
        "switches": switches_text(found.design.switchback),
        "panels": panels,
        # where a prediction is reviewed, one decision settles both, and it is made there
        "decide_at": next((one.panel.action for one in panels if one.panel.action), None),
        "may_decide": queries.may_be_decided(found, now),
        "decisions": Decision.choices,
        "sent": sent or {},
        "error": error,
        "may_write": may_write(request.actor, product),
        **(doubts_shown(found, reading) if reading is not None else {}),
        **_of_segments(request, found, reading),
        **(deeper(request, found) if reading is not None and reading.may_compare else {}),
        **(_of_reading(product, found, reading) if reading is not None else _of_plan(request, found)),
    }
    return render(request, "experiments/experiment.html", context, status=error.status if error else 200)


def _of_plan(request: PageRequest, found: Experiment) -> dict[str, Any]:
    """Before the start: what it could show; lots are drawn when asked for."""
    switchback = found.design.switchback
    told: dict[str, Any] = {}
    if switchback is not None:
        told["foreseen"] = foreseen(switchback, found.design.weights, found.design.days)
    question = question_of_experiment(found, timezone.now())
    seen = prospect(question, hypothesis=found.hypothesis, with_lots="lots" in request.GET)
    return told | {"prospect": seen, **drawn_prospect(seen)}


def _of_reading(product: Product, found: Experiment, reading: Reading) -> dict[str, Any]:
    return {
        "depth": depth(reading),
        "chart": exposure_chart(reading),
        "voices": voices.latest(product, found.flag.key, reading.started_at),
        "written": sum(reading.voices.values()),
        "sizes": " : ".join(f"{people:,}" for people in reading.seen.values()),
        "arms": ", ".join(reading.seen),
        **shown_schedule(found, reading, timezone.now()),
    }


def _of_segments(request: PageRequest, found: Experiment, reading: Reading | None) -> dict[str, Any]:
    """Parts of the people, when asked for; an answer that cannot be given is told in place of them."""
    by = request.GET.get("by", "")
    if reading is None or not reading.may_compare:
        return {}
    asked: dict[str, Any] = {"columns": COLUMNS, "by": by}
    if not by:
        return asked
    try:
        parts = segments_of(found, by, timezone.now())
    except WhytreeError as error:
        return asked | {"segments_reason": error.message}
    return asked | {"segments": segment_rows(parts), "segments_left": parts.left_out, "over": part_lines(parts)}
