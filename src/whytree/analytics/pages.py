"""Numbers: what is counted, what it is now, and the days behind it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from whytree.engines.typed import optional_day
from whytree.errors import Invalid, WhytreeError
from whytree.events.queries import property_names
from whytree.stores.pieces.stretches import Interval, next_start
from whytree.tree.models import Outcome
from whytree.tree.services import create_outcome
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from . import services
from .asking.links import address_of
from .definitions import KINDS, Following, warnings
from .downloads import as_csv, as_picture
from .drawing.charts import marks_for, measure_chart, measure_picture, measure_spark
from .forms import MetricForm, optional_number
from .measures.measuring import METHODS
from .models import Category, Direction, Metric, MetricRole
from .queries import (
    INTERVALS,
    MOST_OFFERED,
    USUAL_DAYS,
    Day,
    amount,
    definition_of,
    find_metric,
    known_events,
    list_metrics,
    measure,
)
from .questions import When
from .saved.of_metric import question_of_metric
from .silent import silent

#: Names of properties that the form offers.
#: What the period may be, as pages offer it.
PERIODS = (7, 28, 90)
#: The same by what a metric's page cuts it into, the usual one first: more hours or fewer months would be no picture.
PERIODS_OF: dict[Interval, tuple[int, ...]] = {
    "hour": (7, 2, 28),
    "day": (USUAL_DAYS, 7, 90, 365),
    "week": (90, 28, 365),
    "month": (365, 90),
}


@page()
def numbers(request: PageRequest, product: Product) -> HttpResponse:
    """Every metric with its value, interval, n and trend."""
    days = _days(request)
    measured = [(metric, measure(metric, days=days)) for metric in list_metrics(product)]
    quiet = {one.metric_key for one in silent(product, [metric for metric, _ in measured])}
    rows = [
        {
            "metric": metric,
            "measure": value,
            "spark": measure_spark(value),
            "sentence": definition_of(metric).sentence,
            "is_silent": metric.key in quiet,
        }
        for metric, value in measured
    ]
    context = {
        "here": "numbers",
        "rows": rows,
        "leading": _leading(product, rows),
        "days": days,
        "periods": PERIODS,
        "answers": sum(m.value is not None for _, m in measured),
    }
    return render(request, "analytics/numbers.html", context | _rights(request, product))


def _leading(product: Product, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What the page begins with: the north star, else what an outcome aims at, else the first; where it has a value."""
    aimed = set(Outcome.objects.filter(product=product).values_list("metric_key", flat=True))
    return min(
        (row for row in rows if row["measure"].value is not None),
        key=lambda row: (row["metric"].role != MetricRole.NORTH_STAR, row["metric"].key not in aimed),
        default=None,
    )


@page()
def metric(request: PageRequest, product: Product, key: str) -> HttpResponse:
    """One number: the sentence, the picture, the days, and the way to make an outcome of it."""
    found = find_metric(product, key)
    each, days = _cut(request)
    measured = measure(found, days=days, each=each)
    users = services.used_by(found)
    context = {
        "here": "numbers",
        "metric": found,
        "measure": measured,
        "sentence": definition_of(found).sentence,
        "follows": isinstance(definition_of(found), Following),
        "method": METHODS.get(measured.method, ""),
        "chart": measure_chart(measured, marks=marks_for(product, measured)),
        "days": days,
        "periods": sorted(PERIODS_OF[each]),
        "cuts": INTERVALS,
        "rows": [(day, _behind_stretch(product, found, day, each)) for day in reversed(measured.series)],
        "behind": _behind(product, found, When(since=measured.from_at.date(), until=measured.last_day)),
        "used_by": users,
        "is_outcome": any(isinstance(node, Outcome) for node in users),
        "baseline": "" if measured.value is None else _typed(measured.value),
        "silences": silent(product, [found]),
    }
    return render(request, "analytics/metric.html", context | _rights(request, product))


def _behind_stretch(product: Product, found: Metric, day: Day, each: Interval) -> str:
    """Where the people of one stretch are asked about. Questions are of whole days, so an hour has none."""
    if each == "hour" or not day.n:
        return ""
    return _behind(product, found, When(since=day.day, until=next_start(each, day.day) - timedelta(days=1)))


def _behind(product: Product, found: Metric, when: When) -> str:
    question, part = question_of_metric(definition_of(found), when)
    return address_of(product, question, part) + "#behind"


@page()
def metric_csv(request: PageRequest, product: Product, key: str) -> HttpResponseBase:
    """The days behind the number, for a spreadsheet."""
    found = find_metric(product, key)
    each, days = _cut(request)
    measured = measure(found, days=days, each=each)
    names = ("day", "value", "low", "high", "n", "numerator", "open", "complete")
    return as_csv(found.key, [names, *([getattr(day, name) for name in names] for day in measured.series)])


@page()
def metric_picture(request: PageRequest, product: Product, key: str, form: str) -> HttpResponseBase:
    """The picture of a number as a file, `form` svg or png, on white paper."""
    found = find_metric(product, key)
    each, days = _cut(request)
    measured = measure(found, days=days, each=each)
    return as_picture(found.key, form, measure_picture(measured, form, marks_for(product, measured)))


@page(Role.MEMBER)
def new_metric(request: PageRequest, product: Product) -> HttpResponseBase:
    """Define a metric; the events come from what the product has sent."""
    if request.method != "POST":
        return _form(request, product, MetricForm.suggested(request.GET), None)
    form = MetricForm.sent(request.POST)
    try:
        made = services.create_metric(request.actor, product, key=form.key, definition=form.definition, **form.fields)
    except WhytreeError as error:
        return _form(request, product, form, None, error)
    return _shown(request, product, made)


@page(Role.MEMBER)
def edit_metric(request: PageRequest, product: Product, key: str) -> HttpResponseBase:
    """Rename it, or change what it counts while nothing locked rests on it."""
    found = find_metric(product, key)
    if request.method != "POST":
        return _form(request, product, MetricForm.of(found), found)
    form = replace(MetricForm.sent(request.POST), key=found.key)
    try:
        saved = services.edit_metric(request.actor, product, key, definition=form.definition, **form.fields)
    except WhytreeError as error:
        return _form(request, product, form, found, error)
    return _shown(request, product, saved)


@require_POST
@page(Role.MEMBER)
def delete_metric(request: PageRequest, product: Product, key: str) -> HttpResponseBase:
    services.delete_metric(request.actor, product, key)
    messages.success(request, f"{key} is gone. The events stay.")
    return redirect("numbers", product=product.slug)


@require_POST
@page(Role.MEMBER)
def metric_outcome(request: PageRequest, product: Product, key: str) -> HttpResponseBase:
    """Make an outcome of a number: today's value is where it starts."""
    found, sent = find_metric(product, key), request.POST
    target = optional_number(sent.get("target", ""), "Target")
    if target is None:
        raise Invalid("An outcome needs a target: where should this number go?")
    outcome = create_outcome(
        request.actor,
        product,
        title=sent.get("title", "").strip() or found.name,
        metric_key=found.key,
        baseline=optional_number(sent.get("baseline", ""), "Baseline"),
        target=target,
        due=optional_day(sent.get("due", "")),
    )
    messages.success(request, f"{outcome.ref} aims at {amount(target, found.unit)}.")
    return redirect(f"/p/{product.slug}/{outcome.ref}")


def _form(
    request: PageRequest, product: Product, form: MetricForm, found: Metric | None, error: WhytreeError | None = None
) -> HttpResponse:
    events = known_events(product, MOST_OFFERED + 1)
    context: dict[str, Any] = {
        "here": "numbers",
        "form": form,
        "metric": found,
        "kinds": KINDS.items(),
        "directions": Direction.choices,
        "categories": Category.choices,
        "roles": MetricRole.choices,
        "properties": property_names(product, most=MOST_OFFERED) if events else [],
        "events": events[:MOST_OFFERED],
        "sent": min(len(events), MOST_OFFERED),
        "is_more_sent": len(events) > MOST_OFFERED,
        "error": error,
    }
    return render(request, "analytics/metric_form.html", context, status=error.status if error else 200)


def _shown(request: PageRequest, product: Product, saved: Metric) -> HttpResponseBase:
    for warning in warnings(definition_of(saved), known_events(product), property_names(product)):
        messages.warning(request, warning)
    return redirect("metric", product=product.slug, key=saved.key)


def _days(request: PageRequest) -> int:
    said = request.GET.get("days", "")
    return int(said) if said.isdecimal() and int(said) in PERIODS else USUAL_DAYS


def _cut(request: PageRequest) -> tuple[Interval, int]:
    """By what, and over how many days, a metric's page shows it."""
    each: Interval = next((one for one in INTERVALS if one == request.GET.get("each")), "day")
    said = request.GET.get("days", "")
    return each, int(said) if said in map(str, PERIODS_OF[each]) else PERIODS_OF[each][0]


def _typed(value: float) -> str:
    """A number as one types it: four digits of a small one, all of a large one."""
    return f"{value:.0f}" if abs(value) >= 1_000 else f"{float(f'{value:.4g}'):f}".rstrip("0").rstrip(".")


def _rights(request: PageRequest, product: Product) -> dict[str, bool]:
    return {"may_edit": may(request.actor, product, Role.MEMBER)}
