"""What an experiment says at a moment, as data: computed, stored when decided, sent and drawn from the same shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import msgspec

from ..constants import MOST_SET_ASIDE
from ..judgement import sentences
from ..judgement.design import Design
from ..judgement.draws import ratio_figure
from ..judgement.results import Analysis, Comparison, MetricResult, RatioFigure
from ..models import Experiment
from ..switchbacks.counting import PeriodsCounted
from ..underway.running import Run, run
from ..underway.trusting import checks_of
from .voices import count_by_variant

VERSION = 1

State = Literal["draft", "running", "ended", "stopped", "decided"]
Advice = Literal["ship", "stay", "wait"]


@dataclass(frozen=True)
class Stretch:
    """A period of constant weights and how many of its people are counted, by arm."""

    start: datetime
    end: datetime
    weights: dict[str, int]
    closed: dict[str, int]


@dataclass(frozen=True)
class Proposal:
    """What the decision rule, fixed before the start, makes of the result. A person decides."""

    advice: Advice
    arm: str
    sentence: str


@dataclass(frozen=True)
class Reading:
    """Everything an experiment says at `as_of`. Before its day `may_compare` is false and only guardrails are in it."""

    ref: str
    state: State
    as_of: datetime
    started_at: datetime
    ends_at: datetime
    day: int
    days: int
    may_compare: bool
    sequential: bool
    analysis: Analysis
    seen: dict[str, int]
    waiting: int
    quarantined: int
    moved: int
    stretches: list[Stretch]
    voices: dict[str, int]
    proposal: Proposal | None
    version: int = VERSION
    exposed_by_day: list[tuple[str, dict[str, int]]] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)
    """Of a switchback: where people came from so far."""

    @property
    def primary(self) -> MetricResult | None:
        return sentences.deciding(self.analysis)

    @property
    def people(self) -> int:
        return sum(self.seen.values())


def as_json(reading: Reading) -> dict[str, Any]:
    """For the database and the API."""
    loaded: dict[str, Any] = msgspec.to_builtins(reading)
    return loaded | {"trust": reading.analysis.trust}


def from_json(stored: Mapping[str, Any]) -> Reading:
    """The reading that was stored."""
    return msgspec.convert({name: value for name, value in stored.items() if name != "trust"}, Reading)


def state_of(experiment: Experiment, now: datetime) -> State:
    """What it waits for."""
    if experiment.decided_at is not None:
        return "decided"
    if experiment.started_at is None or experiment.ends_at is None:
        return "draft"
    if experiment.stopped_at is not None:
        return "stopped"
    return "ended" if now >= experiment.ends_at else "running"


def read(experiment: Experiment, now: datetime) -> Reading:
    """Measure it and say what it says."""
    return reading_of(run(experiment, now), now)


def reading_of(ran: Run, now: datetime) -> Reading:
    """What a measured experiment says."""
    experiment, design, trial = ran.experiment, ran.design, ran.trial
    started, ends, _ = experiment.times
    cells = ran.heads.cells
    ratio = ratio_of(ran)
    quarantined = sum(cell.quarantined for cell in cells)
    analysis = _analysis(ran, ratio)
    by_day: dict[str, dict[str, int]] = {}
    for (day, arm), people in trial.entries(ran.heads.counting.window).items():
        by_day.setdefault(day.isoformat(), {})[arm] = people
    return Reading(
        experiment.ref,
        state_of(experiment, now),
        trial.now,
        started,
        ends,
        min((trial.now - started).days + 1, design.days),
        design.days,
        ran.may_compare,
        ran.rules.sequential,
        analysis,
        {arm: sum(cell.seen for cell in ran.heads.of(arm)) for arm in design.arms},
        ran.heads.waiting,
        quarantined,
        sum(cell.moved for cell in cells),
        [
            Stretch(
                one.start,
                one.end,
                dict(one.weights),
                {cell.arm: cell.closed for cell in cells if cell.period == place},
            )
            for place, one in enumerate(trial.stretches)
        ],
        count_by_variant(experiment.product, trial.flag_key, started),
        propose(design, analysis) if ran.may_compare else None,
        exposed_by_day=sorted(by_day.items()),
        regions=list(ran.heads.met.regions) if isinstance(ran.heads, PeriodsCounted) else [],
    )


def ratio_of(ran: Run) -> RatioFigure:
    """Its arms against the weights that were in force."""
    return ratio_figure("", ran.trial.assigned(ran.heads), ran.design.arms, looked_at=ran.rules.sequential)


def _analysis(ran: Run, ratio: RatioFigure) -> Analysis:
    design = ran.design
    units = {arm: ran.heads.closed(arm) for arm in design.arms}
    checks = checks_of(ran, ratio, most_aside=MOST_SET_ASIDE)
    analysis = Analysis(
        ran.experiment.ref,
        design.unit,
        design.control,
        sum(units.values()),
        units,
        design.level,
        design.correction,
        ran.rules.sequential,
        "",
        list(ran.metrics.values()),
        [ratio],
        checks,
    )
    if not analysis.metrics:
        return analysis
    return replace(analysis, headline=sentences.headline(analysis), verdict=sentences.verdict(analysis))


# --- what the rule makes of it ---------------------------------------------------------------------------------------


def propose(design: Design, analysis: Analysis) -> Proposal:
    """The rule that was fixed before the start, applied."""
    if analysis.trust == "broken":
        broken = next(check for check in analysis.health if check.standing == "broken")
        return Proposal("wait", "", f"Decide nothing from it before this is cleared: {broken.name}.")
    harmed = rails_in(analysis, "harm")
    if harmed:
        return Proposal(
            "stay",
            design.control,
            f"Stay with {design.control}: {sentences.listed(harmed)} got worse by more than its margin.",
        )
    metric = sentences.deciding(analysis)
    wanted = "not worse" if design.rule == "not_worse" else "better"
    passed = [one for one in metric.comparisons if one.standing == wanted] if metric is not None else []
    if metric is None or all(one.difference is None for one in metric.comparisons):
        reason = metric.comparisons[0].reason if metric is not None else ""
        return Proposal("wait", "", f"There is no answer to decide from. {reason}".strip())
    if not passed:
        return Proposal("stay", design.control, f"Stay with {design.control}: {_not_passed(metric, design)}")
    best = max(passed, key=lambda one: _gain(one, metric))
    still = rails_in(analysis, "no answer yet", "no answer")
    doubt = (
        f" {sentences.listed(still)} {'has' if len(still) == 1 else 'have'} no answer yet: nobody knows that it did not get worse."
        if still
        else ""
    )
    return Proposal(
        "ship", best.arm, f"Ship “{best.arm}”: {metric.name} is {wanted}, and no guardrail shows harm.{doubt}"
    )


def rails_in(analysis: Analysis, *standings: str) -> list[str]:
    """The names of the guardrails that stand so in any arm."""
    rails = [metric for metric in analysis.metrics if metric.role == "guardrail"]
    return [rail.name for rail in rails if any(one.standing in standings for one in rail.comparisons)]


def _not_passed(metric: MetricResult, design: Design) -> str:
    if any(one.standing in ("worse", "harm") for one in metric.comparisons):
        return f"{metric.name} got worse."
    if design.rule == "not_worse":
        return f"that {metric.name} is not worse by more than its margin was not shown."
    return f"no difference beyond chance was seen in {metric.name}, which is not the same as none."


def _gain(one: Comparison, metric: MetricResult) -> float:
    value = one.difference.value if one.difference is not None else 0.0
    return value if metric.up_is_good else -value
