"""The deciding metric in parts of the people: by what their platform, country or version was when they met the flag.

Every part is one more question, so the parts correct each other (Holm), and their intervals hold together. A part that
stands out was found by looking; it is a reason for the next experiment, and no decision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from whytree.engines.stats import NoAnswer, Stratum
from whytree.engines.stats.moments import Moments
from whytree.errors import Conflict, Invalid
from whytree.stores.pieces.filters import COLUMNS

from ..constants import MOST_PARTS
from ..judgement.draws import ratio_figure
from ..judgement.judging import Compare, Measured, correct, result_of
from ..judgement.parts import in_parts
from ..judgement.plan import MetricPlan
from ..judgement.results import ArmFigure, ArmInParts, MetricResult, RatioFigure
from ..models import Experiment
from .running import Run, run
from .trial import Counted


@dataclass(frozen=True)
class Segment:
    """One part: its people by arm, whether its draw was fair, and each arm against control."""

    value: str
    people: int
    ratio: RatioFigure
    metric: MetricResult


@dataclass(frozen=True)
class Segments:
    """`left_out` are people of parts beyond the largest `MOST_PARTS`."""

    by: str
    segments: list[Segment]
    left_out: int
    over: list[ArmInParts] = field(default_factory=list)
    """Over the parts: whether they differ, what is left of each, all weighed by their size."""


def segments_of(experiment: Experiment, by: str, now: datetime) -> Segments:
    """The deciding metric by a column of the first exposure. Not before the plan lets the arms be compared."""
    if by not in COLUMNS:
        raise Invalid(f"People are told apart by one of: {', '.join(COLUMNS)}.")
    if not experiment.is_started:
        raise Conflict(f"{experiment.ref} has not started.")
    ran = run(experiment, now)
    if not ran.may_compare:
        raise Conflict(f"{experiment.ref} is read once, when its days are over; its parts are no way around that.")
    asked = ran.heads.counting
    parts = ran.trial.count_by(asked, by)
    shown = dict(list(parts.items())[:MOST_PARTS])
    up_is_good = ran.primary.up_is_good if ran.primary is not None else True
    plan = MetricPlan(asked.metric.name, up_is_good=up_is_good)
    arms = ran.design.arms

    def measured(counted: Counted) -> Measured:
        figures = []
        for arm in arms:
            figures.append(ArmFigure(arm, counted.closed(arm), counted.value(arm)))
        compare = [_compare(counted, ran.design.control, arm) for arm in arms[1:]]
        return Measured.of(plan, "secondary", asked.kind, figures, compare, ran.rules)

    judged = {part: measured(counted) for part, counted in shown.items()}
    correct(list(judged.values()), ran.rules)
    found = [
        Segment(
            part or "(not known)",
            sum(cell.seen for cell in shown[part].cells),
            ratio_figure(part, ran.trial.assigned(shown[part]), arms, looked_at=ran.rules.sequential),
            result_of(one, ran.rules),
        )
        for part, one in judged.items()
    ]
    rest = sum(cell.seen for counted in list(parts.values())[MOST_PARTS:] for cell in counted.cells)
    over = [_over(ran, arm, at, shown, judged, rest) for at, arm in enumerate(arms[1:])]
    return Segments(by, found, rest, over)


def _over(ran: Run, arm: str, at: int, shown: dict[str, Counted], judged: dict[str, Measured], rest: int) -> ArmInParts:
    effects = [one.compare[at](ran.rules.level) for one in judged.values()]
    names = [part or "(not known)" for part in shown]
    return in_parts(arm, names, effects, _strata(list(shown.values()), ran.design.control, arm, rest), ran.rules)


def _strata(parts: list[Counted], control: str, arm: str, rest: int) -> list[Stratum[Moments]] | NoAnswer:
    """Both arms' sums by part, where all units are in one of them and a part has one number."""
    first = parts[0] if parts else None
    if first is None or first.counting.placing is not None or first.counting.is_ratio or first.is_gathered:
        return NoAnswer("Parts are weighed by their size for shares, sums and counts of single units.")
    if rest:
        return NoAnswer("People of parts beyond the largest are left out, so the parts cannot be weighed to the whole.")
    if first.strata > 1:
        return NoAnswer(
            "The arms' weights changed: the periods are combined already, and parts are not weighed beside them."
        )
    return [Stratum(one.moments(control), one.moments(arm)) for one in parts]


def _compare(counted: Counted, control: str, arm: str) -> Compare:
    return lambda level: counted.compare(control, arm, level=level)
