"""Does the effect last? The deciding metric by days since the exposure, of people who all had the whole time.

What is new is tried because it is new, and what is changed is resented because it is changed (Hohnhold, O'Brien and Tang,
KDD 2015, section 3). Each stretch compares the same people, so what differs between stretches is the time and not who is
left. Whether the effect changed is asked of each person's own change, so that no stretch is taken for independent news.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from whytree.engines.stats import NoAnswer, Stratum
from whytree.engines.stats.effects import Effect, stratified_means
from whytree.experiments.judgement.judging import Compare, Measured, correct, result_of
from whytree.experiments.judgement.plan import MetricPlan
from whytree.experiments.judgement.results import ArmFigure, Comparison, MetricResult
from whytree.experiments.judgement.sentences import p_text
from whytree.experiments.models import Experiment
from whytree.experiments.underway.countings import Counting
from whytree.experiments.underway.running import Run
from whytree.experiments.underway.trial import Counted

from .asking import comparable, not_plain

#: Where stretches end, in days since the exposure.
ENDS = (1, 3, 7, 14, 28)

#: People must have had the whole time: at most this part of the days that have passed.
OF_THE_DAYS = 0.5

#: Days below which there is no early and late.
FEWEST_DAYS = 3


ONCE = (
    "{name} counts each person once, and most who get there get there early: where its effect arose stands below. Whether an effect "
    "lasts is asked of what people do again and again, a count."
)


@dataclass(frozen=True)
class Stretch:
    """The metric on days `start` to `end` after the exposure, a day, each arm against control."""

    start: int
    end: int
    metric: MetricResult


@dataclass(frozen=True)
class Novelty:
    """`change`: by arm, the effect a day from half of the time on, less the effect before; None where that says nothing: a
    share counts each person once, and most who get there get there early, so its effect falls off by itself.
    """

    name: str
    unit: str
    days: int
    people: int
    sentence: str
    reason: str
    stretches: list[Stretch] = field(default_factory=list)
    change: MetricResult | None = None


def novelty_of(experiment: Experiment, now: datetime) -> Novelty:
    """Of an experiment that may be compared."""
    ran = comparable(experiment, now)
    asked = ran.heads.counting
    if reason := not_plain(ran):
        return _none(asked, reason)
    passed = (ran.trial.now - experiment.times.started_at).days
    ends = [end for end in ENDS if end <= OF_THE_DAYS * passed]
    if len(ends) < 2 or ends[-1] < FEWEST_DAYS:
        least = int(FEWEST_DAYS / OF_THE_DAYS)
        return _none(asked, f"{passed} days have passed; {least} are the least for an early and a late.")
    cuts = list(zip((0, *ends[:-1]), ends, strict=True))
    early = (0, ends[-2])
    window = timedelta(days=ends[-1])
    goals = [replace(_in(asked, *cut), window=window) for cut in cuts]
    late = replace(_in(asked, ends[-2], ends[-1]), window=window)
    pair = replace(late, goal=replace(late.goal, under=_in(asked, *early).goal))
    *counted, both = ran.trial.count([*goals, pair])
    judged = [_stretch(ran, one, end - start) for one, (start, end) in zip(counted, cuts, strict=True)]
    correct(judged, ran.rules)
    told = None
    if not asked.is_share:
        change = _change(ran, both, early, (ends[-2], ends[-1]))
        correct([change], ran.rules)
        told = result_of(change, ran.rules)
    return Novelty(
        asked.metric.name,
        _unit(asked),
        ends[-1],
        sum(cell.closed for cell in counted[0].cells),
        _sentence(told.comparisons, early, (ends[-2], ends[-1]))
        if told is not None
        else ONCE.format(name=asked.metric.name),
        "",
        [Stretch(start, end, result_of(one, ran.rules)) for one, (start, end) in zip(judged, cuts, strict=True)],
        told,
    )


def _none(asked: Counting, reason: str) -> Novelty:
    return Novelty(asked.metric.name, _unit(asked), 0, 0, "", reason)


def _unit(asked: Counting) -> str:
    return "%" if asked.is_share else f"{asked.metric.unit or asked.goal.amount or 'times'} a day"


def _in(asked: Counting, start: int, end: int) -> Counting:
    """The metric on those days; what counts once counts once in each stretch."""
    goal = replace(asked.goal, after=timedelta(days=start), until=timedelta(days=end), before=None)
    return replace(asked, goal=goal)


def _stretch(ran: Run, counted: Counted, days: int) -> Measured:
    """Shares are of the whole stretch, sums a day."""
    arms, share = ran.design.arms, counted.counting.is_share
    times = 1.0 if share else 1.0 / days
    figures = []
    for arm in arms:
        value = counted.value(arm)
        figures.append(ArmFigure(arm, counted.closed(arm), None if value is None else value * times))
    compare = [_compared(counted, ran.design.control, arm, times) for arm in arms[1:]]
    return Measured.of(_plan(ran), "secondary", counted.counting.kind, figures, compare, ran.rules)


def _plan(ran: Run) -> MetricPlan:
    up_is_good = ran.primary.up_is_good if ran.primary is not None else True
    return MetricPlan(ran.heads.counting.metric.name, up_is_good=up_is_good)


def _compared(counted: Counted, control: str, arm: str, times: float) -> Compare:
    if counted.counting.is_share:
        return lambda level: counted.compare(control, arm, level=level)
    return lambda level: _means(counted, control, arm, np.array([times]), level)


def _means(counted: Counted, control: str, arm: str, weights: np.ndarray, level: float) -> Effect | NoAnswer:
    strata = [
        Stratum(*(counted.cell_moments(place, one).combined(weights) for one in (control, arm)))
        for place in range(counted.strata)
    ]
    return stratified_means(strata, level=level)


def _change(ran: Run, both: Counted, early: tuple[int, int], late: tuple[int, int]) -> Measured:
    """Each person's late less their early, a day."""
    weights = np.array([1.0 / (late[1] - late[0]), -1.0 / (early[1] - early[0])])
    arms, control = ran.design.arms, ran.design.control
    figures = [ArmFigure(arm, both.closed(arm), float(_pooled(both, arm) @ weights)) for arm in arms]

    def against(arm: str) -> Compare:
        return lambda level: _means(both, control, arm, weights, level)

    plan = replace(_plan(ran), column=f"{_plan(ran).column}, late less early")
    return Measured.of(plan, "primary", "mean", figures, [against(arm) for arm in arms[1:]], ran.rules)


def _pooled(both: Counted, arm: str) -> np.ndarray:
    whole = both.moments(arm)
    return whole.mean if whole.n else np.zeros(2)


def _sentence(change: Sequence[Comparison], early: tuple[int, int], late: tuple[int, int]) -> str:
    when = f"days {late[0] + 1} to {late[1]} and days {early[0] + 1} to {early[1]}"
    moved = [one for one in change if one.standing in ("better", "worse")]
    if not moved:
        if all(one.difference is None for one in change):
            return f"Whether the effect changes with time cannot be told. {change[0].reason}"
        return f"No change of the effect between {when} beyond chance; that is not the same as none."
    one = moved[0]
    p = p_text(one.p_adjusted if one.p_adjusted is not None else one.p or 0.0)
    if one.standing == "better":
        return f"The effect grew between {when} (p = {p}): people may have had to learn it, so that the whole understates it."
    return f"The effect faded between {when} (p = {p}): part of it was novelty. Expect of it what the late days show."
