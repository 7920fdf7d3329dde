"""Where learning shows and listens: the solution's page, Today, the tree, the box; flags that open, people who are exposed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from whytree.experiments.models import Experiment
from whytree.flags.models import Flag
from whytree.stores.usage.catalogue import refused_before
from whytree.stores.writing.capture import put_aside
from whytree.tree.models import Hypothesis, Solution
from whytree.workspace.models import Product
from whytree.workspace.rights.actors import Actor
from whytree.workspace.sockets import (
    Chip,
    Difference,
    Figure,
    Hit,
    Panel,
    Tone,
    on_fact,
    plug_figure,
    plug_panel,
    plug_search,
    plug_since,
)

from . import queries, services
from .debts import plugs as debts
from .debts.queries import REF as DEBT
from .guards import plugs as guards
from .models import Debt, OutcomeReview
from .predictions import plugs as predictions
from .priors import plugs as priors
from .reviews.pictures import review_bar
from .reviews.proposing import proposed_verdict
from .reviews.results import Result
from .reviews.sentences import business, forecast_text, headline, measured_text, subline


def plug() -> None:
    on_fact("flag_opened", lock_when_opened)
    on_fact("exposure_received", lock_when_exposed)
    on_fact("experiment_due", due_with_experiment)
    on_fact("experiment_decided", decide_with_experiment)
    plug_panel("solution", solution_panel, order=8)
    plug_panel("experiment", experiment_panel, order=10)
    plug_panel("today", today_panel, order=0)
    plug_figure("solution", solution_figures)
    plug_since(reviews_since)
    plug_search(find_by_words)
    predictions.plug()
    priors.plug()
    debts.plug()
    guards.plug()


def lock_when_opened(actor: Actor, product: Product, flag_key: str, hypothesis_id: int | None, at: datetime) -> None:
    """A flag reaches people: its prediction locks in the same transaction."""
    if hypothesis_id is None:
        return
    hypothesis = (
        Hypothesis.objects.filter(product=product, pk=hypothesis_id).select_related("product", "solution").first()
    )
    if hypothesis is not None and not hypothesis.is_locked:
        services.lock_prediction(actor, hypothesis, at=at)


def lock_when_exposed(product_id: int, flag_key: str, at: datetime, trusted: bool) -> None:
    """The first exposure came in from elsewhere. Told again after a restart, so it bears that.

    Its time is a client's word: nobody was exposed before the prediction was written, or later. And with a public key
    anybody may claim it: where we serve the flag ourselves, to nobody, that closes no prediction.
    """
    flags = Flag.objects.filter(product_id=product_id, key=flag_key, archived_at=None)
    flag = flags.select_related("hypothesis__product").first()
    if flag is None or flag.hypothesis is None or flag.hypothesis.is_locked:
        return
    if not trusted and not flag.is_open:
        _show_claim(flag)
        return
    moment = max(flag.hypothesis.created_at, min(at, timezone.now()))
    services.lock_prediction(Actor.system("First exposure"), flag.hypothesis, at=moment)


def due_with_experiment(actor: Actor, product: Product, hypothesis_id: int, due_at: datetime) -> None:
    """An experiment says when it is read: its prediction is locked and its review is due on that day."""
    hypothesis = (
        Hypothesis.objects.filter(product=product, pk=hypothesis_id).select_related("product", "solution").get()
    )
    review = queries.review_of(hypothesis) or services.lock_prediction(actor, hypothesis)
    if not review.is_decided:
        services.set_due(actor, review, due_at=due_at)


#: What became of an experiment, as a review says it.
DECIDES = {"ship": "keep", "stay": "roll_back", "iterate": "iterate"}


def decide_with_experiment(
    actor: Actor,
    product: Product,
    hypothesis_id: int,
    verdict: str,
    decision: str,
    learning: str,
    arm: str,
    move_flag: bool,
    despite: str,
) -> None:
    """An experiment was decided, and its review with the same words; without a verdict, by what the data propose."""
    hypothesis = (
        Hypothesis.objects.filter(product=product, pk=hypothesis_id).select_related("product", "solution").get()
    )
    review = queries.review_of(hypothesis)
    if review is None or review.is_decided:
        return
    verdict = verdict or proposed_verdict(queries.result_of(review))
    services.decide_review(
        actor,
        review,
        verdict=verdict,
        decision=DECIDES[decision],
        learning=learning,
        arm=arm,
        move_flag=move_flag,
        despite=despite,
    )


def _show_claim(flag: Flag) -> None:
    """Once per flag, beside what was put aside; the events themselves are kept and counted."""
    name = f"claim:{flag.key}"
    if refused_before(flag.product_id, [name], kind="claim"):
        return
    reason = (
        f"A public key says that people meet {flag.key}, which is closed here. The events are kept, the prediction "
        f"{flag.hypothesis.ref if flag.hypothesis else ''} stays open. If another service opens this flag, send exposures with "
        "a server key, or lock the prediction by hand."
    )
    row = {"kind": "claim", "reason": reason, "event": "$exposure", "message_id": name, "source": "capture"}
    put_aside([{**row, "product": flag.product_id, "received_at": timezone.now(), "distinct_id": "", "body": ""}])


def solution_panel(actor: Actor, product: Product, solution: Any) -> Panel | None:
    """Predicted and measured, on the solution's page; silent before there is a review."""
    reviews = queries.reviews_of_one(solution)
    if not reviews:
        return None
    review = reviews[0]
    result = queries.result_of(review)
    context = {
        "predicted": forecast_text(result.forecast),
        "review": review,
        "result": result,
        "bar": review_bar(result),
        "measured": measured_text(result),
        "earlier": reviews[1:],
    }
    wants = result.is_measured and not review.is_decided and services.may_be_decided(review, timezone.now())
    return Panel(
        f"Review {review.ref}",
        "learning/_solution_panel.html",
        context,
        tone=tone_of(review, result),
        headline=business(result),
        action=_decide(product, review) if wants else None,
    )


def experiment_panel(actor: Actor, product: Product, experiment: Experiment) -> Panel | None:
    """Where it is decided: the review of the prediction that an experiment tests."""
    hypothesis = experiment.hypothesis
    review = queries.review_of(hypothesis) if hypothesis is not None and experiment.is_started else None
    if review is None:
        return None
    ripe = not review.is_decided and services.may_be_decided(review, timezone.now())
    action = _decide(product, review) if ripe else None
    return Panel("Review", "learning/_experiment_panel.html", {"review": review}, column="aside", action=action)


def _decide(product: Product, review: OutcomeReview) -> tuple[str, str]:
    return "Decide", f"/p/{product.slug}/{review.ref}"


def tone_of(review: OutcomeReview, result: Result) -> Tone:
    """Red where harm is seen, green where it moved the right way, amber where somebody is waited for."""
    if any(rail.verdict == "harmed" for rail in result.guardrails) or not result.is_trusted:
        return "red"
    contrast = result.contrast
    if contrast is None or contrast.difference is None:
        return "amber"
    wanted = 1 if result.forecast.likely >= 0 else -1
    low, high = sorted((contrast.difference.low * wanted, contrast.difference.high * wanted))
    if low > 0:
        return "leaf"
    return "red" if high < 0 else "amber"


def today_panel(actor: Actor, product: Product, subject: Any) -> Panel | None:
    """The results that want a verdict."""
    due = list(queries.due_reviews(product))
    if not due:
        return None
    shown = [_card(review) for review in due[:5]]
    one = len(due) == 1
    says = "One result wants your verdict." if one else f"{len(due)} results want your verdict."
    context = {"reviews": shown, "more": len(due) - len(shown)}
    return Panel("Wants your verdict", "learning/_today_panel.html", context, tone="amber", headline=says)


def _card(review: OutcomeReview) -> dict[str, Any]:
    result = queries.result_of(review)
    return {
        "review": review,
        "result": result,
        "headline": headline(review, result),
        "subline": subline(result),
        "measured": measured_text(result),
    }


def reviews_since(product: Product, start: datetime, nodes: Sequence[Any]) -> dict[str, list[Difference]]:
    """Predictions that fell due or were decided since then."""
    found: dict[str, list[Difference]] = {}
    for review in queries.turned_since(product, start):
        said = Difference("due", now=review.ref)
        if review.is_decided:
            verdict = f"{review.ref} {review.get_verdict_display()}, {review.get_decision_display()}"
            said = Difference("decided", now=verdict, words=review.learning)
        found.setdefault(review.hypothesis.ref, []).append(said)
    return found


def solution_figures(product: Product, solutions: Sequence[Solution]) -> dict[int, Figure]:
    """What the last look found, as a chip on the tree. Reads what was written down: no store is asked."""
    now = timezone.now()
    return {
        pk: figure
        for pk, reviews in queries.reviews_of(solutions).items()
        if (figure := _figure(reviews[0], now)) is not None
    }


def _figure(review: OutcomeReview, now: datetime) -> Figure | None:
    result = queries.last_result(review)
    if result is not None and result.is_measured:
        text = measured_text(result).split(" (")[0]
        return Figure(
            tone=tone_of(review, result),
            note=f"Measured {measured_text(result)}.",
            chips=(Chip(text, tone_of(review, result), "result"),),
        )
    if not review.is_decided and review.due_at <= now:
        return Figure(chips=(Chip("review due", "amber", "result"),))
    return None


def find_by_words(actor: Actor, product: Product, words: str, limit: int) -> list[Hit]:
    """A review or a debt by its id."""
    if owed := DEBT.fullmatch(words.strip()):
        found = Debt.objects.filter(product=product, number=int(owed[1])).select_related("solution")
        return [Hit("debt", one.ref, one.text, f"/p/{product.slug}/{one.solution.ref}#debts", 1.0) for one in found]
    if not queries.REF.fullmatch(words.strip()):
        return []
    review = OutcomeReview.objects.filter(product=product, number=int(words.strip().split("-")[1])).first()
    if review is None:
        return []
    return [Hit("review", review.ref, review.hypothesis.title, f"/p/{product.slug}/{review.ref}", 1.0)]
