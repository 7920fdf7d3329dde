"""The effect among those whom the change could reach at all, and what that is over everybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from whytree.analytics.measures.resolving import ready
from whytree.engines.stats import NoAnswer, Share, Stratum
from whytree.engines.stats.effects import Effect, stratified_proportions
from whytree.errors import Invalid
from whytree.experiments.judgement.parts import among_triggered
from whytree.experiments.judgement.results import TriggeredFigure
from whytree.experiments.models import Experiment
from whytree.experiments.underway.trial import Counted
from whytree.stores.exposed.exposures import REACHED
from whytree.stores.pieces.filters import Selection

from .asking import comparable, not_plain

EVENT_LENGTH = 200


@dataclass(frozen=True)
class Reaching:
    """`arms` each against control; differences in the metric's own unit, shares as shares."""

    event: str
    name: str
    is_share: bool
    reason: str
    arms: list[TriggeredFigure]


def reaching_of(experiment: Experiment, event: str, now: datetime) -> Reaching:
    """Of those who did `event` within the metric's time after their exposure."""
    event = event.strip()
    if not event or len(event) > EVENT_LENGTH:
        raise Invalid("Which event says that the change could reach somebody? Name one, as opened_form.")
    ran = comparable(experiment, now)
    asked, control = ran.heads.counting, ran.design.control
    if reason := not_plain(ran):
        return Reaching(event, asked.metric.name, asked.is_share, reason, [])
    parts = ran.trial.count_reached(asked, ready(experiment.product, [Selection((event,))])[0])
    reached, others = parts[REACHED], parts[""]
    if not any(cell.seen for cell in reached.cells):
        reason = f"Nobody who met the flag did “{event}” in that time. Check its name."
        return Reaching(event, asked.metric.name, asked.is_share, reason, [])

    def compared(arm: str) -> TriggeredFigure:
        among = reached.compare(control, arm, level=ran.rules.level)
        return among_triggered(arm, among, _shares(reached, others, control, arm), ran.rules)

    arms = [compared(arm) for arm in ran.design.arms[1:]]
    return Reaching(event, asked.metric.name, asked.is_share, "", arms)


def _shares(reached: Counted, others: Counted, control: str, arm: str) -> Effect | NoAnswer:
    """How many of each arm were reached, within periods of constant weights."""

    def cell(place: int, name: str) -> Share:
        there, rest = reached.closed_in(place, name), others.closed_in(place, name)
        return Share(there + rest, there)

    strata = [Stratum(cell(place, control), cell(place, arm)) for place in range(reached.strata)]
    return stratified_proportions(strata)
