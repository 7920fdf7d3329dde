"""Deeper questions on an experiment's page: asked for by its address, so that nobody waits for what they did not ask."""

from datetime import date
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import SafeString

from whytree.analytics.models import Metric
from whytree.engines import charts
from whytree.engines.charts import Mark, NamedLine
from whytree.engines.charts.intervals import Measured, Scale, interval_row
from whytree.engines.typed import day_of
from whytree.errors import WhytreeError
from whytree.experiments.judgement.results import ArmInParts, Comparison, Interval, MetricResult
from whytree.experiments.judgement.sentences import difference_value, in_percent, level_value, p_text, points
from whytree.experiments.models import Experiment
from whytree.experiments.underway.segments import Segments
from whytree.experiments.verdict.pictures import QUIET, TONES, Row
from whytree.flags.models import Flag
from whytree.flags.queries import find_flag, list_flags
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.pages.vouched import vouched
from whytree.workspace.rights.access import may_write, require
from whytree.workspace.rights.roles import Role

from .bandit import NOT_FOR_INFERENCE, allocate, allocation_of
from .before_after import BeforeAfter
from .metric_before_after import before_after
from .novelty import Novelty, novelty_of
from .reaching import Reaching, reaching_of
from .sharing import bandits, end_bandit, find_bandit, start_bandit


def deeper(request: HttpRequest, experiment: Experiment) -> dict[str, Any]:
    """What the address asks; an answer that cannot be given is told in place of it."""
    now = timezone.now()
    try:
        if "novelty" in request.GET:
            found = novelty_of(experiment, now)
            return {"novelty": found, "novelty_rows": novelty_rows(found)}
        if "reached" in request.GET:
            reaching = reaching_of(experiment, request.GET["reached"], now)
            return {"reaching": reaching, "reached_lines": reached_lines(reaching)}
    except WhytreeError as error:
        return {"deeper_reason": error.message}
    return {}


@page()
def before_and_after(request: PageRequest, product: Product) -> HttpResponse:
    """A change that nobody drew. Without a metric and a day the form alone."""
    said = {name: request.GET.get(name, "").strip() for name in ("metric", "at", "against")}
    context: dict[str, Any] = {"here": "changes", "said": said, "metrics": list(Metric.objects.filter(product=product))}
    if not said["metric"]:
        return render(request, "experiments/before_after.html", context)
    try:
        found = before_after(product, said["metric"], day_of(said["at"]), timezone.now(), against=said["against"])
    except WhytreeError as error:
        return render(request, "experiments/before_after.html", context | {"error": error}, status=error.status)
    return render(request, "experiments/before_after.html", context | {"found": found, "chart": _daily(found)})


@page()
def bandit(request: PageRequest, product: Product) -> HttpResponseBase:
    """GET shows what the shares would be; POST, by a member, sets them."""
    sent = request.POST if request.method == "POST" else request.GET
    said = {name: sent.get(name, "").strip() for name in ("flag", "metric")}
    context: dict[str, Any] = {
        "here": "changes",
        "said": said,
        "warning": NOT_FOR_INFERENCE,
        "flags": [flag for flag in list_flags(product) if len(flag.weights) > 1],
        "metrics": list(Metric.objects.filter(product=product)),
        "may_write": may_write(request.actor, product),
        "running": bandits(product),
    }
    if not said["flag"]:
        return render(request, "experiments/bandit.html", context)
    try:
        flag = find_flag(product, said["flag"])
        if request.method == "POST":
            require(request.actor, product, Role.MEMBER)
            messages.success(request, _shared_out(request, product, flag, said["metric"]))
            return redirect(f"{request.path}?flag={quote(said['flag'])}&metric={quote(said['metric'])}")
        context["found"] = allocation_of(flag, said["metric"], timezone.now())
    except WhytreeError as error:
        return render(request, "experiments/bandit.html", context | {"error": error}, status=error.status)
    return render(request, "experiments/bandit.html", context)


def _shared_out(request: PageRequest, product: Product, flag: Flag, metric: str) -> str:
    """What was done, in a sentence."""
    how = request.POST.get("how")
    if how == "end":
        end_bandit(request.actor, find_bandit(product, flag.key))
        return f"{flag.key} keeps its weights from now on."
    if how == "daily":
        started = start_bandit(request.actor, product, flag.key, metric)
        return f"{flag.key} shares its people out every day from now on. {started.says}"
    found = allocate(request.actor, flag, metric, timezone.now())
    return found.reason or f"{flag.key} shares its people out so from now on."


def _daily(found: BeforeAfter) -> SafeString:
    lines = [NamedLine(found.name, [(date.fromisoformat(day), value) for day, value in found.days])]
    if found.days_against:
        lines.append(NamedLine(found.against, [(date.fromisoformat(day), value) for day, value in found.days_against]))
    unit = "%" if found.unit == "points" else found.unit
    drawn = charts.lines(lines, label=f"{found.name} by day", unit=unit, marks=[Mark(found.at, "changed")])
    return vouched(drawn)


def novelty_rows(found: Novelty) -> list[Row]:
    """A row a stretch and arm, on one scale."""
    rows = [(f"days {one.start + 1} to {one.end}", one.metric) for one in found.stretches]
    return _rows([(name if not name.startswith("days 1 to 1") else "day 1", metric) for name, metric in rows])


def _rows(named: list[tuple[str, MetricResult]]) -> list[Row]:
    unit = "pp" if any(metric.unit == "%" for _, metric in named) else ""
    answered = [one.difference for _, metric in named for one in metric.comparisons if one.difference is not None]
    times = 100.0 if unit else 1.0
    scale = Scale.over([end * times for one in answered for end in (one.low, one.high)], 300)
    return [_row(name, metric, one, scale, unit) for name, metric in named for one in metric.comparisons]


def _row(name: str, metric: MetricResult, one: Comparison, scale: Scale, unit: str) -> Row:
    times, tone = (100.0 if unit else 1.0), TONES.get(one.standing, "")
    interval = one.difference
    measured = (
        None if interval is None else Measured(interval.value * times, interval.low * times, interval.high * times)
    )
    difference = "" if interval is None else f"{difference_value(interval.value, metric)}{points(metric)}"
    return Row(
        name,
        "" if interval is None else ends(interval, metric),
        one.arm,
        level_value(one.control, metric),
        level_value(one.treatment, metric),
        difference,
        vouched(interval_row(scale, None, measured, unit=unit, tone=tone or QUIET)),
        one.standing,
        tone,
        one.reason,
    )


def ends(interval: Interval, metric: MetricResult) -> str:
    """From where to where."""
    return f"{difference_value(interval.low, metric)} to {difference_value(interval.high, metric)}"


def reached_lines(found: Reaching) -> list[str]:
    """One sentence an arm."""
    lines = []
    times, unit = (100.0, " points") if found.is_share else (1.0, "")
    for one in found.arms:
        if one.among is None or one.diluted is None or one.share is None:
            lines.append(f"{one.arm}: {one.reason}")
            continue
        among, over = (
            f"{times * each.value:+.3g}{unit} ({times * each.low:+.3g} to {times * each.high:+.3g})"
            for each in (one.among, one.diluted)
        )
        lines.append(
            f"{one.arm}: {among} among the {in_percent(one.share, 1)} who did “{found.event}”; {over} over everybody."
        )
    return [line.replace("-", "−") for line in lines]


def part_lines(found: Segments) -> list[dict[str, Any]]:
    """What follows of the parts together, an arm each: ready to show."""
    if not found.segments:
        return []
    metric = found.segments[0].metric
    return [_over(one, metric) for one in found.over]


def _over(one: ArmInParts, metric: MetricResult) -> dict[str, Any]:
    shrunk = [
        {
            "part": part.part,
            "value": f"{difference_value(part.value, metric)}{points(metric)}",
            "ends": _between(part, metric),
        }
        for part in one.shrunk
    ]
    weighed = "" if one.weighed is None else f"{difference_value(one.weighed.value, metric)}{points(metric)}"
    return {
        "arm": one.arm,
        "sentence": f"{one.sentence} p = {p_text(one.p)}." if one.p is not None else one.no_shrunk,
        "shrunk": shrunk,
        "weighed": weighed,
        "weighed_ends": "" if one.weighed is None else ends(one.weighed, metric),
        "reduction": "" if one.variance_reduction is None else in_percent(one.variance_reduction, 0),
        "no_weighed": one.no_weighed,
    }


def _between(part: Any, metric: MetricResult) -> str:
    return f"{difference_value(part.low, metric)} to {difference_value(part.high, metric)}"
