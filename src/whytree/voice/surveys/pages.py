"""Surveys as pages: the list, one with its results, and the form that makes one, with a picture of it beside."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from whytree.analytics.models import Cohort, Metric
from whytree.engines.charts.intervals import Measured, Scale, interval_row
from whytree.engines.figures import between, number
from whytree.engines.stats import Estimate, NoAnswer
from whytree.errors import Conflict, Invalid, NotFound, WhytreeError
from whytree.flags.models import Flag
from whytree.voice.models import ContactSettings
from whytree.workspace.entry.doors import PageRequest, page, plain
from whytree.workspace.models import Product
from whytree.workspace.pages.vouched import vouched
from whytree.workspace.records.activity import activity_for
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.roles import Role

from . import exporting, forms, queries, services
from .answering import answered_event, favourable_event
from .forms import Typed
from .models import TITLE_LENGTH, WORDS_LENGTH, Survey
from .public import Asked
from .questions import END, KINDS, MOST_QUESTIONS, TEMPLATES, has_ways
from .results import Arm, Figures, Result, Results, as_json, results_of

ACTS = 12
WIDTH = 240


@require_GET
@page(Role.VIEWER)
def surveys(request: PageRequest, product: Product) -> HttpResponse:
    """All of them, the newest first."""
    found = queries.list_surveys(product)
    running = sum(survey.is_running for survey, _ in found)
    sentence = (
        "Nobody is asked anything yet"
        if not found
        else f"{running} {'survey is' if running == 1 else 'surveys are'} running"
        if running
        else "No survey is running"
    )
    context = {
        "here": "voices",
        "found": found,
        "sentence": sentence,
        "templates": [(key, title or "Blank") for key, (title, _) in TEMPLATES.items()],
        "may_write": may_write(request.actor, product),
    }
    return render(request, "voice/surveys.html", context)


@require_GET
@page(Role.VIEWER)
def survey(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """Its answers, and how to reach people."""
    found = queries.find_survey(product, number)
    results = results_of(found, request.GET.get("by", "")[:200])
    link = services.open_link(found)
    context = {
        "here": "voices",
        "survey": found,
        "results": results,
        "shown": [_drawn(one) for one in results.questions],
        "sentence": _sentence(results),
        "link": link if link.startswith("http") else request.build_absolute_uri(link),
        "events": (answered_event(found), favourable_event(found)),
        "metric": Metric.objects.filter(product=product, key=services.metric_key(found)).first(),
        "has_scale": any(one.scale for one in found.asked),
        "may_write": may_write(request.actor, product),
        "activity": activity_for(found)[:ACTS],
    }
    return render(request, "voice/survey.html", context)


def _sentence(results: Results) -> str:
    """The first figure there is; else how many answered."""
    answered = results.counted.answered
    if not answered:
        never = {"draft": "Not asked yet", "running": "Nobody has answered yet", "stopped": "Nobody answered"}
        return never[results.survey.state]
    head = next((one.all.headline for one in results.questions if one.all.headline is not None), None)
    people = "1 answer" if answered == 1 else f"{answered:,} answers"
    if head is None or not head.interval:
        return f"{people} so far"
    said = f"NPS is {head.text}" if head.name == "NPS" else f"{head.text} gave {head.name}"
    return f"{said} ({head.interval}), from {people}"


@dataclass(frozen=True)
class Drawn:
    """A result with its pictures: a bar of people and an interval for each row, on one scale."""

    result: Result
    rows: list[tuple[Any, int, str, str]]
    arms: list[tuple[Arm, str]]
    differs: str

    @property
    def figures(self) -> Figures:
        return self.result.all


def _drawn(result: Result) -> Drawn:
    most = max((row.people for row in result.all.rows), default=0) or 1
    scale = Scale(-8.0, 116.0, WIDTH)
    rows = [
        (row, round(100 * row.people / most), _share(row.share), _picture(scale, row.share, "%"))
        for row in result.all.rows
    ]
    of_nps = result.question.kind == "nps"
    wide = Scale(-116.0, 116.0, WIDTH) if of_nps else scale
    unit = "" if of_nps else "%"
    arms = [
        (arm, _picture(wide, arm.figures.headline.estimate if arm.figures.headline else None, unit))
        for arm in result.arms
    ]
    differs = ""
    if result.differs is not None:
        low, high = (number(100 * one) for one in (result.differs.low, result.differs.high))
        differs = f"{result.arms[1].name} less {result.arms[0].name}: {number(100 * result.differs.value)} ({low} to {high}) points"
    return Drawn(result, rows, arms, differs)


def _share(found: Estimate | NoAnswer) -> str:
    if isinstance(found, NoAnswer):
        return ""
    return f"{number(100 * found.value)} % ({between(100 * found.low, 100 * found.high)})"


def _picture(scale: Scale, found: Estimate | NoAnswer | None, unit: str) -> str:
    if not isinstance(found, Estimate):
        return ""
    measured = Measured(100 * found.value, 100 * found.low, 100 * found.high)
    return vouched(interval_row(scale, None, measured, unit=unit, tone="leaf"))


# ---- making one ------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.MEMBER)
def new_survey(request: PageRequest, product: Product) -> HttpResponse:
    """The form of a survey that is to be."""
    if request.method != "POST":
        title, questions = TEMPLATES.get(request.GET.get("template", "blank"), TEMPLATES["blank"])
        return _form(request, product, None, forms.begun(title, questions, ContactSettings.of(product).rest_days))
    return _posted(request, product, None)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.MEMBER)
def edit_survey(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """The form of one that there is."""
    found = queries.find_survey(product, number)
    if request.method != "POST":
        return _form(request, product, found, forms.of_survey(found))
    return _posted(request, product, found)


def _posted(request: PageRequest, product: Product, found: Survey | None) -> HttpResponse:
    typed, act = forms.typed(request.POST), request.POST.get("act", "keep")
    if act != "keep":
        typed.change(act)
        if act == "preview" and request.htmx:
            return render(request, "voice/_survey_preview.html", _preview(typed))
        return _form(request, product, found, typed)
    try:
        if found is None:
            made = services.create_survey(
                request.actor, product, title=typed.title, questions=typed.questions(), **typed.settings()
            )
        else:
            questions = typed.questions() if found.is_draft else None
            made = services.change_survey(
                request.actor, found, title=typed.title, questions=questions, **typed.settings()
            )
    except (Invalid, Conflict, NotFound) as error:
        return _form(request, product, found, typed, error)
    messages.success(
        request, f"{made.ref} is kept." + (" Nobody is asked before you start it." if made.is_draft else "")
    )
    return redirect("survey", product.slug, made.number)


def _form(
    request: PageRequest, product: Product, found: Survey | None, typed: Typed, error: WhytreeError | None = None
) -> HttpResponse:
    context = {
        "here": "voices",
        "survey": found,
        "typed": typed,
        "fields": typed.fields,
        "error": error,
        "kinds": KINDS.items(),
        "end": END,
        "may_add": len(typed.rows) < MOST_QUESTIONS,
        "is_fixed": found is not None and not found.is_draft,
        "cohorts": Cohort.objects.filter(product=product).order_by("name"),
        "flags": Flag.objects.filter(product=product, archived_at=None).order_by("key"),
        "title_length": TITLE_LENGTH,
        "words_length": WORDS_LENGTH,
        **_preview(typed),
    }
    return render(request, "voice/survey_form.html", context, status=error.status if error else 200)


def _preview(typed: Typed) -> dict[str, Any]:
    """As people will see it, or what is still missing."""
    try:
        questions = typed.preview()
    except Invalid as error:
        return {"asked": [], "missing": error.message, "typed": typed}
    return {
        "asked": [Asked(one, None) for one in questions],
        "missing": "",
        "typed": typed,
        "goes_on": has_ways(questions),
    }


# ---- acts --------------------------------------------------------------------------------------------------------------


@require_POST
@page(Role.MEMBER)
def act(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """Start it, stop it, copy it, count it as a metric, or make a link for one person."""
    found, actor, there = queries.find_survey(product, number), request.actor, number
    try:
        match request.POST.get("act"):
            case "start":
                services.start_survey(actor, found)
                said = f"{found.ref} is running."
            case "stop":
                services.stop_survey(actor, found)
                said = f"{found.ref} is stopped. Its answers stay."
            case "copy":
                made = services.copy_survey(actor, found)
                said, there = f"{made.ref} is a copy, and a draft.", made.number
            case "metric":
                services.make_metric(actor, found)
                messages.success(request, "This share is a metric from now on. Answers count a day after they came.")
                return redirect("metric", product.slug, services.metric_key(found))
            case "invite":
                person = request.POST.get("person", "").strip()
                said = f"For {person[:60]} alone: {request.build_absolute_uri(services.invite(actor, found, person))}"
            case _:
                raise Invalid("Say what to do: start, stop, copy, metric or invite.")
        messages.success(request, said)
    except (Conflict, Invalid, NotFound) as error:
        messages.error(request, error.message)
    return redirect("survey", product.slug, there)


@require_GET
@page(Role.VIEWER)
def table(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """Every response, for a spreadsheet."""
    found = queries.find_survey(product, number)
    response = plain(HttpResponse(exporting.as_csv(found), content_type="text/csv; charset=utf-8"))
    response["Content-Disposition"] = f'attachment; filename="{found.ref}.csv"'
    return response


@require_GET
@page(Role.VIEWER)
def document(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """The figures, for a notebook."""
    return plain(
        JsonResponse(as_json(results_of(queries.find_survey(product, number), request.GET.get("by", "")[:200])))
    )
