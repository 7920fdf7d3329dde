"""Reviews, what is on its way (Changes), and what we know now (Learned)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from whytree.engines.typed import day_of
from whytree.errors import WhytreeError
from whytree.experiments.early.before_code import dropped_before_code
from whytree.experiments.queries import find_experiment, reading_of
from whytree.experiments.verdict import voices
from whytree.experiments.verdict.deciding import flag_follows
from whytree.flags.models import Flag
from whytree.flags.queries import flags_by_solution
from whytree.tree.models import Solution, State
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.roles import Role

from . import queries, services
from .debts.queries import open_debts_of
from .models import Decision, OutcomeReview, Verdict
from .predictions.plugs import shown_table
from .predictions.queries import table_of
from .reviews.cost import cost_of
from .reviews.doubting import doubts_shown
from .reviews.pictures import forecast_range, review_bar, rows
from .reviews.proposing import proposed_verdict
from .reviews.results import Result
from .reviews.sentences import exposure, forecast_text, headline, held_text, likely_text, measured_text, subline
from .reviews.tagged import tagged_since

#: Where a change waits, in the order in which it needs a person.
WAITING = (
    ("Wants your verdict", "amber", frozenset[State]()),
    ("Measured, not decided", "amber", frozenset({State.MEASURED})),
    ("Out, being measured", "blue", frozenset({State.LIVE})),
    ("Being built", "", frozenset({State.BUILDING})),
    ("Being tested before code", "", frozenset({State.TESTING})),
    ("Ideas", "", frozenset({State.IDEA})),
)
SETTLED = frozenset({State.KEPT, State.ROLLED_BACK, State.DROPPED})
MOST_SETTLED = 20
POSTPONE_DAYS = 7
#: Checks of an experiment that a review's own lines say.
SAID_BY_TRUST = frozenset({"sample ratio", "seen in two arms", "arm without weight"})


@page()
def review(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """One review: the sentence, the interval beside zero and the prediction, whether to trust it, the verdict."""
    return _show(request, product, queries.find_review(product, f"REV-{number}"))


@require_POST
@page(Role.MEMBER)
def decide(request: PageRequest, product: Product, number: int) -> HttpResponseBase:
    found = queries.find_review(product, f"REV-{number}")
    sent = {
        name: request.POST.get(name, "")
        for name in ("verdict", "decision", "learning", "loved", "corners", "arm", "move_flag", "despite")
    }
    try:
        decided = services.decide_review(
            request.actor,
            found,
            verdict=sent["verdict"],
            decision=sent["decision"],
            learning=sent["learning"],
            loved=sent["loved"],
            corners=sent["corners"],
            arm=sent["arm"],
            move_flag=sent["move_flag"] == "1",
            despite=sent["despite"],
        )
    except WhytreeError as error:
        return _show(request, product, found, sent=sent, error=error)
    flag = services.carrier_of(decided)[0]
    follows = flag_follows(flag) if flag is not None else ""
    messages.success(request, f"{decided.ref} is decided: {Decision(decided.decision).label}.{follows}")
    return redirect(decided.url)


@require_POST
@page(Role.MEMBER)
def postpone(request: PageRequest, product: Product, number: int) -> HttpResponseBase:
    found = queries.find_review(product, f"REV-{number}")
    try:
        moved = services.postpone_review(request.actor, found, due_on=day_of(request.POST.get("due_on", "")))
    except WhytreeError as error:
        return _show(request, product, found, error=error)
    messages.success(request, f"{moved.ref} waits until {product.there(moved.due_at):%-d %b %Y}.")
    return redirect(moved.url)


def _show(
    request: PageRequest,
    product: Product,
    found: OutcomeReview,
    *,
    sent: dict[str, str] | None = None,
    error: WhytreeError | None = None,
) -> HttpResponse:
    result = queries.result_of(found)
    now = timezone.now()
    carrier = services.carrier_of(found)
    writes = may_write(request.actor, product)
    ripe = services.may_be_decided(found, now)
    context: dict[str, Any] = {
        "here": "changes",
        "review": found,
        "hypothesis": found.hypothesis,
        "result": result,
        "headline": headline(found, result),
        "subline": subline(result),
        "rows": rows(result),
        "bar": _bar(result),
        "predicted": forecast_text(result.forecast),
        "likely": likely_text(result.forecast),
        "held": held_text(result.forecast),
        "exposure": exposure(result.trust) if result.trust else "",
        "expected": shown_table(table_of(request.actor, found.hypothesis, result), result),
        "debts": open_debts_of([found.hypothesis.solution]),
        "voices": voices.latest(product, result.flag_key, result.opened_at) if result.flag_key else [],
        "shipped": queries.shipped_since(found, result),
        "cost": cost_of(found),
        "tagged": tagged_since(found, result),
        "written": sum(result.voices.values()),
        "verdicts": Verdict.choices if ripe else [(Verdict.HARM.value, Verdict.HARM.label)],
        "decisions": Decision.choices,
        "flag_key": carrier[0].key if carrier[0] else "",
        "arms": carrier[1],
        "is_due": now >= found.due_at,
        "may_decide": ripe and writes and not found.is_decided,
        "proposed": proposed_verdict(result) if ripe and result.is_measured else "",
        "may_postpone": now >= found.due_at and not result.is_measured,
        "next_look": product.there(now + timedelta(days=POSTPONE_DAYS)).date(),
        "sent": sent or {},
        "error": error,
        "may_write": writes,
        **_of_experiment(product, result),
        **doubts_shown(found, result),
    }
    return render(request, "learning/review.html", context, status=error.status if error else 200)


def _bar(result: Result) -> SafeString | str:
    """Predicted beside measured, where the table does not draw it: it counts in another unit than was predicted in."""
    drawn = result.contrast is not None and forecast_range(result, result.contrast) is not None
    return "" if drawn or result.forecast.measured is None else review_bar(result)


def _of_experiment(product: Product, result: Result) -> dict[str, Any]:
    """What its own page checks beside the draw, as far as it is in doubt, and what its rule says."""
    if not result.experiment:
        return {}
    experiment = find_experiment(product, result.experiment)
    reading = reading_of(experiment)
    if reading is None:
        return {}
    checks = [one for one in reading.analysis.health if one.standing != "ok"]
    return {
        "broken": [one for one in checks if one.standing == "broken"],
        "concerns": [one for one in checks if one.name not in SAID_BY_TRUST],
        "proposal": reading.proposal.sentence if reading.proposal else "",
        "rule": experiment.design.rule_text,
    }


@dataclass(frozen=True)
class Change:
    """One solution on its way, with what one wants to know at a glance."""

    solution: Solution
    flags: list[Flag]
    review: OutcomeReview | None
    result: Result | None
    measured: str


@dataclass(frozen=True)
class Waiting:
    """Changes that wait for the same thing."""

    title: str
    tone: str
    changes: list[Change]


@page()
def changes(request: PageRequest, product: Product) -> HttpResponse:
    """Every solution, by what it waits for."""
    found = _changes(product)
    now = timezone.now()
    due = [one for one in found if one.review is not None and not one.review.is_decided and one.review.due_at <= now]
    groups = [Waiting(WAITING[0][0], WAITING[0][1], due)]
    groups += [
        Waiting(title, tone, [one for one in found if one.solution.state in states and one not in due])
        for title, tone, states in WAITING[1:]
    ]
    settled = [one for one in found if one.solution.state in SETTLED and one not in due]
    settled.sort(key=lambda one: one.solution.updated_at, reverse=True)
    context = {
        "here": "changes",
        "groups": [group for group in groups if group.changes],
        "settled": settled[:MOST_SETTLED],
        "settled_more": max(0, len(settled) - MOST_SETTLED),
        "sentence": _on_the_way(groups, settled),
        "before_code": dropped_before_code(product),
        "may_write": may_write(request.actor, product),
    }
    return render(request, "learning/changes.html", context)


def _changes(product: Product) -> list[Change]:
    solutions = list(
        Solution.objects.filter(product=product).select_related("product", "opportunity__product").order_by("number")
    )
    flags = flags_by_solution(product, [one.pk for one in solutions])
    reviews = queries.reviews_of(solutions)
    return [_change(one, flags.get(one.pk, []), reviews.get(one.pk, [])) for one in solutions]


def _change(solution: Solution, flags: list[Flag], reviews: list[OutcomeReview]) -> Change:
    review = reviews[0] if reviews else None
    result = queries.last_result(review) if review is not None else None
    return Change(solution, flags, review, result, measured_text(result) if result is not None else "")


def _on_the_way(groups: list[Waiting], settled: list[Change]) -> str:
    """The first thing one wants to know of all changes."""
    counts = {group.title: len(group.changes) for group in groups}
    due, out = counts["Wants your verdict"], counts["Out, being measured"]
    building = counts["Being built"]
    if not any(counts.values()):
        return "Nothing is on its way." if settled else "Nothing has been proposed yet."
    parts = [
        _counted(due, "result wants your verdict", "results want your verdict"),
        _counted(out, "change is out and being measured", "changes are out and being measured"),
        _counted(building, "is being built", "are being built"),
    ]
    told = [part for part in parts if part]
    return f"{', '.join(told)}." if told else "Nothing is out yet."


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}" if number else ""


@page()
def learned(request: PageRequest, product: Product) -> HttpResponse:
    """What we know now that we did not know before: decided reviews, and how good our predictions were."""
    decided = [
        {
            "review": one,
            "result": result,
            "bar": review_bar(result),
            "measured": measured_text(result),
            "predicted": forecast_text(result.forecast),
            "held": held_text(result.forecast),
        }
        for one in queries.decided_reviews(product)
        if (result := queries.last_result(one)) is not None
    ]
    context = {"here": "learned", "decided": decided, "record": queries.track_record(product)}
    return render(request, "learning/learned.html", context)
