"""Beside a hypothesis that is being written, and on the solution's page until it locks."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from whytree.engines.charts.intervals import Measured, Range, Scale, interval_row
from whytree.tree.models import Hypothesis, Solution
from whytree.tree.queries import prediction_of
from whytree.workspace.models import Product
from whytree.workspace.pages.vouched import vouched
from whytree.workspace.rights.actors import Actor
from whytree.workspace.sockets import Panel, plug_panel

from .queries import MOST_SHOWN, Asked, Effect, Known, known_before, sentences

WIDTH = 220


@dataclass(frozen=True)
class Row:
    effect: Effect
    picture: SafeString


def plug() -> None:
    plug_panel("hypothesis", beside_hypothesis)
    plug_panel("solution", beside_prediction, order=40)


def beside_hypothesis(actor: Actor, product: Product, hypothesis: Hypothesis) -> Panel | None:
    """`hypothesis` may be half written and stored nowhere."""
    asked = Asked(
        metric_key=hypothesis.metric_key.strip(),
        unit=hypothesis.forecast_unit,
        words=f"{hypothesis.change} {hypothesis.who} {hypothesis.behaviour}",
        low=hypothesis.forecast_low,
        likely=hypothesis.forecast_likely,
        high=hypothesis.forecast_high,
        hypothesis_id=hypothesis.pk,
    )
    known = known_before(product, asked)
    said = sentences(known)
    if not said and not known.similar:
        return None
    context = {"known": known, "said": said, "rows": _rows(known, asked)}
    return Panel(
        "What such changes did before",
        "learning/_prior_panel.html",
        context,
        column="aside",
        tone="amber" if known.outside else "",
        headline=" ".join(said),
    )


def beside_prediction(actor: Actor, product: Product, solution: Solution) -> Panel | None:
    """While its prediction may still change."""
    hypothesis = prediction_of(solution)
    if hypothesis is None or hypothesis.is_locked:
        return None
    return beside_hypothesis(actor, product, hypothesis)


def _rows(known: Known, asked: Asked) -> list[Row]:
    """Each past effect with its interval; what is predicted lies behind them as a band."""
    shown = known.effects[:MOST_SHOWN]
    predicted = None
    if asked.low is not None and asked.high is not None and asked.low < asked.high:
        predicted = Range(asked.low, asked.high)
    ends = [end for one in shown for end in (one.low, one.high)]
    scale = Scale.over([*ends, *([predicted.low, predicted.high] if predicted else [])], WIDTH)
    return [
        Row(
            one,
            vouched(interval_row(scale, predicted, Measured(one.value, one.low, one.high), unit=known.unit)),
        )
        for one in shown
    ]
