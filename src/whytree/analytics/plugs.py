"""What the numbers show on the tree: a live value on each outcome, and its chart on the outcome's page."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from whytree.errors import NotFound, Unavailable
from whytree.people.identity import person_hash
from whytree.people.queries import PeopleRef, find_person, keys_among
from whytree.stores.pieces.cohorts import forget_listed, listed_in
from whytree.tree.models import Outcome, Solution
from whytree.tree.queries import evidence_of, hypotheses_of
from whytree.workspace.models import Product
from whytree.workspace.rights.actors import Actor
from whytree.workspace.sockets import (
    Difference,
    Figure,
    Hit,
    Panel,
    Tone,
    on_fact,
    plug_erase,
    plug_export,
    plug_figure,
    plug_panel,
    plug_search,
    plug_since,
)

from .alerts.queries import outside
from .answers.code_behind import lines_behind
from .asking.links import address_of
from .cohorts.services import refuse_undo
from .drawing.charts import marks_for, measure_chart
from .models import Cohort, Metric, SavedQuestion
from .queries import Measure, amount, difference_unit, measure, measure_before, metrics_by_key
from .saved.queries import struggle_of
from .silent import silent, silent_predictions


def plug() -> None:
    plug_figure("outcome", outcome_figures)
    plug_since(numbers_since)
    plug_panel("outcome", outcome_panel, order=10)
    plug_panel("opportunity", struggle_panel, order=10)
    plug_panel("today", alerts_panel, order=4)
    plug_panel("solution", silent_panel, order=11)
    plug_search(find_by_words)
    on_fact("act_undone", refuse_undo)
    plug_erase(erase_person)
    plug_export(export_person)


def outcome_figures(product: Product, outcomes: Sequence[Outcome]) -> dict[int, Figure]:
    """The measured value of each outcome's metric."""
    metrics = metrics_by_key(product, [outcome.metric_key for outcome in outcomes if outcome.metric_key])
    measured = {key: measure(metric) for key, metric in metrics.items()}
    return {
        outcome.pk: outcome_figure(outcome, metrics[outcome.metric_key], measured[outcome.metric_key])
        for outcome in outcomes
        if outcome.metric_key in metrics
    }


def outcome_figure(outcome: Outcome, metric: Metric, measured: Measure) -> Figure:
    if measured.value is None:
        return Figure(
            value="no answer yet", note=" · ".join(part for part in (measured.reason, _aim(outcome, metric)) if part)
        )
    return Figure(
        value=measured.text,
        change=_change(outcome, metric, measured.value),
        note=_aim(outcome, metric),
        spark=measured.spark,
        tone=_tone(outcome, metric, measured),
    )


def numbers_since(product: Product, start: datetime, nodes: Sequence[Any]) -> dict[str, list[Difference]]:
    """Outcomes whose number moved by more than chance: the interval of the four weeks before that day lies apart from today's."""
    outcomes = [node for node in nodes if isinstance(node, Outcome) and node.metric_key and not node.is_closed]
    metrics = metrics_by_key(product, [outcome.metric_key for outcome in outcomes])
    found = {}
    for outcome in outcomes:
        metric = metrics.get(outcome.metric_key)
        if metric is not None and (moved := _moved(measure_before(metric, start), measure(metric))):
            found[outcome.ref] = [moved]
    return found


def _moved(was: Measure, now: Measure) -> Difference | None:
    if was.low is None or was.high is None or now.low is None or now.high is None:
        return None
    if now.low <= was.high and was.low <= now.high:
        return None
    return Difference("number", _with_interval(was), _with_interval(now))


def _with_interval(found: Measure) -> str:
    """34.1 % (33.2 to 35.0, n = 6,405)"""
    return f"{found.text} ({found.interval_text}, n = {found.n:,})"


def _change(outcome: Outcome, metric: Metric, value: float) -> str:
    if outcome.baseline is None:
        return ""
    change = value - outcome.baseline
    sign = "+" if change > 0 else ""
    return f"{sign}{amount(change, difference_unit(metric.unit))}"


def _aim(outcome: Outcome, metric: Metric) -> str:
    """from 31.2 % · target 40 %, 30 Sep"""
    parts = []
    if outcome.baseline is not None:
        parts.append(f"from {amount(outcome.baseline, metric.unit)}")
    if outcome.target is not None:
        parts.append(
            f"target {amount(outcome.target, metric.unit)}" + (f", {_day(outcome.due)}" if outcome.due else "")
        )
    return " · ".join(parts)


def _day(day: date) -> str:
    return f"{day.day} {day:%b}" + ("" if day.year == date.today().year else f" {day.year}")


def _tone(outcome: Outcome, metric: Metric, measured: Measure) -> Tone:
    """Coloured only where the interval leaves the baseline behind: a move within chance is no news."""
    if outcome.baseline is None or measured.low is None or measured.high is None:
        return ""
    if measured.low <= outcome.baseline <= measured.high:
        return ""
    rose = measured.low > outcome.baseline
    return "leaf" if rose == (metric.direction == "up") else "red"


def outcome_panel(actor: Actor, product: Product, outcome: Any) -> Panel | None:
    """Chart, and from baseline by way of now to target."""
    if not outcome.metric_key:
        return None
    metric = Metric.objects.filter(product=product, key=outcome.metric_key).first()
    if metric is None:
        return Panel("Measured", "analytics/_no_metric.html", {"outcome": outcome}, tone="amber")
    measured = measure(metric)
    context = {
        "outcome": outcome,
        "metric": metric,
        "measure": measured,
        "figure": outcome_figure(outcome, metric, measured),
        "chart": measure_chart(
            measured, target=outcome.target, baseline=outcome.baseline, marks=marks_for(product, measured)
        ),
        "silences": silent(product, [metric]),
        "baseline": None if outcome.baseline is None else amount(outcome.baseline, metric.unit),
        "target": None if outcome.target is None else amount(outcome.target, metric.unit),
    }
    return Panel("Measured", "analytics/_outcome_panel.html", context)


def struggle_panel(actor: Actor, product: Product, opportunity: Any) -> Panel | None:
    """How many have an opportunity's problem, as their events tell; how many of them wrote; and the code behind it."""
    try:
        struggle = struggle_of(product, opportunity)
    except Unavailable:
        return None
    if struggle is None:
        return None
    said = people_evidence(product, opportunity, struggle.people)
    context = {
        "product": product,
        "struggle": struggle,
        "wrote": said,
        "silent": struggle.people.total - said,
        "ask": address_of(product, struggle.signal.question, struggle.signal.part) + "#behind",
        "lines": lines_behind(product, struggle.behind.events),
    }
    return Panel("Who struggles", "analytics/_struggle_panel.html", context)


def alerts_panel(actor: Actor, product: Product, subject: Any) -> Panel | None:
    """Numbers that are outside their bands, until they are back or somebody put their alert to sleep."""
    found = outside(product)
    if not found:
        return None
    says = (
        f"{found[0].on} is outside its band." if len(found) == 1 else f"{len(found)} numbers are outside their bands."
    )
    context = {"product": product, "alerts": found[:5], "more": len(found) - 5}
    return Panel("Outside their bands", "analytics/_alerts_panel.html", context, tone="amber", headline=says)


def silent_panel(actor: Actor, product: Product, solution: Solution) -> Panel | None:
    """Predictions of this solution whose metric can say nothing."""
    try:
        found = silent_predictions(product, hypotheses_of(solution))
    except Unavailable:
        return None
    if not found:
        return None
    context = {"product": product, "silences": found}
    return Panel("Nobody sends what was predicted", "analytics/_silent_panel.html", context, tone="amber")


def people_evidence(product: Product, opportunity: Any, people: PeopleRef) -> int:
    """How many of these people speak for the opportunity in their own words."""
    keys = {link.person_key for link in evidence_of(opportunity) if link.person_key and not link.is_erased}
    return len(keys_among(product, keys, people.persons))


def erase_person(product: Product, person_key: str) -> None:
    """Take a person off every list."""
    forget_listed(product.pk, find_hashes(product, person_key))


def export_person(product: Product, person_key: str) -> dict[str, Any]:
    """The lists that they are on."""
    hashes = find_hashes(product, person_key)
    versions = {(cohort.pk, cohort.version): cohort.key for cohort in Cohort.objects.filter(product=product)}
    found = listed_in(product.pk, hashes)
    return {"cohorts": sorted(versions[one] for one in found if one in versions)}


def find_hashes(product: Product, person_key: str) -> list[int]:
    """Under which a person may stand on a list: all their ids."""
    try:
        return list(find_person(product, person_key).persons)
    except NotFound:
        return [person_hash(product.pk, person_key)]


def find_by_words(actor: Actor, product: Product, words: str, limit: int) -> list[Hit]:
    """Metrics whose key or name holds the words; the exact key comes first."""
    asked = words.strip().lower()
    hits = []
    for metric in Metric.objects.filter(product=product) if asked else ():
        if asked in metric.key.lower() or asked in metric.name.lower():
            rank = 1.0 if asked == metric.key.lower() else 0.6
            hits.append(Hit("metric", metric.key, metric.name, f"/p/{product.slug}/numbers/{metric.key}", rank))
    for cohort in Cohort.objects.filter(product=product) if asked else ():
        if asked in cohort.key.lower() or asked in cohort.name.lower():
            rank = 1.0 if asked == cohort.key.lower() else 0.55
            hits.append(Hit("cohort", cohort.key, cohort.name, f"/p/{product.slug}/cohorts/{cohort.key}", rank))
    for saved in SavedQuestion.objects.filter(product=product)[:500] if asked else ():
        if asked == saved.ref.lower() or asked in saved.title.lower():
            rank = 1.0 if asked == saved.ref.lower() else 0.5
            hits.append(Hit("question", saved.ref, saved.title, f"/p/{product.slug}/{saved.ref}", rank))
    return hits[:limit]
