"""A started experiment, measured: what its plan asks, counted in the store and judged by the plan's rules.

Reviews take their numbers from here too, so an experiment and its review say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from whytree.analytics.models import Direction, Metric
from whytree.analytics.queries import metrics_by_key
from whytree.engines.stats import NoAnswer
from whytree.engines.stats.effects import Effect
from whytree.engines.stats.tails import Tail
from whytree.flags.models import Flag
from whytree.stores.questions import metrics as store

from ..constants import FEWEST_PEOPLE
from ..judgement.design import Design, MetricDesign
from ..judgement.judging import Compare, Measured, correct, result_of
from ..judgement.plan import Amount, MetricPlan, Rules, read_cap
from ..judgement.results import ArmFigure, MetricResult
from ..judgement.sentences import figure
from ..models import Experiment
from ..switchbacks.counting import PeriodsCounted, period_trial
from .countings import Counting, counting
from .trial import Counted, Trial, constant_stretches


@dataclass(frozen=True)
class Run:
    """The experiment as known at `trial.now`. `metrics` holds what may be shown then, in the plan's order.

    Before its day an experiment that is read once shows guardrails only, and those with intervals that bear being
    looked at every day; so does one that was stopped before its day, for all it shows.
    """

    experiment: Experiment
    design: Design
    trial: Trial
    heads: Counted
    counted: dict[str, Counted]
    metrics: dict[str, MetricResult]
    rules: Rules
    may_compare: bool
    last_seen: dict[str, datetime]

    @property
    def primary(self) -> MetricResult | None:
        return self.metrics.get(self.design.primary.key)

    @property
    def treatment(self) -> str:
        """The arm beside control that one looks at where there is room for one: the largest."""
        others = self.design.arms[1:]
        return self.experiment.shipped or max(others, key=lambda arm: (self.design.weights[arm], arm))


def run(experiment: Experiment, now: datetime) -> Run:
    """Measure a started experiment as of `now`, or as of the day on which it is read."""
    started, _, read_at = experiment.times
    design, flag = experiment.design, experiment.flag
    as_of = min(now, read_at)
    if design.switchback is not None:
        trial: Trial = period_trial(experiment, design, as_of)
    else:
        stretches = constant_stretches(flag, started, as_of)
        trial = Trial(experiment.product, flag.key, stretches, as_of, _first_open(flag), design.unit)
    is_over = now >= read_at
    may_compare = design.looks == "always" or is_over
    stopped_early = experiment.stopped_at is not None and experiment.ends_at != read_at
    peeks = design.looks == "always" or not is_over or stopped_early
    rules = Rules(level=design.level, correction=design.correction, sequential=peeks)
    asked = [one for one in design.metrics if may_compare or one.role != "secondary"]
    metrics = _metrics(experiment, asked)
    meant = [_capped(trial, one, _counting(metrics[one.key], one, design)) for one in asked]
    counted = dict(zip((one.key for one in asked), trial.count(meant), strict=True))
    seen = store.last_seen_each(
        experiment.product_id, list({one.counting.goal.event for one in counted.values()}), as_of=as_of
    )
    judged = {
        one.key: _measured(one, counted[one.key], design, rules, seen)
        for one in asked
        if may_compare or one.role == "guardrail"
    }
    correct(list(judged.values()), rules)
    shown = {key: result_of(one, rules) for key, one in judged.items()}
    heads = counted[design.primary.key]
    return Run(experiment, design, trial, heads, counted, shown, rules, may_compare, seen)


def _first_open(flag: Flag) -> datetime | None:
    first = flag.changes.filter(is_on=True, coverage__gt=0).order_by("at", "pk").first()
    return first.at if first is not None else None


def _metrics(experiment: Experiment, asked: Sequence[MetricDesign]) -> dict[str, Metric]:
    """As they counted when it started, whatever became of them since."""
    known = metrics_by_key(experiment.product, [one.key for one in asked])
    found = {}
    for one in asked:
        metric = known.get(one.key) or Metric(product=experiment.product, key=one.key, name=one.key)
        if one.definition is not None:
            metric.definition = one.definition
        found[one.key] = metric
    return found


def _counting(metric: Metric, planned: MetricDesign, design: Design) -> Counting:
    meant = counting(metric, timedelta(days=design.days), design.unit)
    goal = meant.goal
    if planned.amount:
        goal = replace(goal, once=False, amount=planned.amount)
    if planned.days_before:
        goal = replace(goal, before=timedelta(days=planned.days_before))
    return replace(meant, goal=goal)


def _capped(trial: Trial, planned: MetricDesign, meant: Counting) -> Counting:
    if not planned.cap or meant.is_share or meant.placing is not None:
        return meant
    cap = read_cap(planned.cap)
    if cap.percentile is not None:
        return trial.capped(meant, cap.percentile)
    return replace(meant, goal=replace(meant.goal, cap=cap.value))


def _measured(
    planned: MetricDesign, counted: Counted, design: Design, rules: Rules, seen: dict[str, datetime]
) -> Measured:
    meant = counted.counting
    margin = None if planned.margin is None else Amount(planned.margin, "pp" if meant.is_share else "")
    up_is_good = planned.harms != "up" if planned.harms else meant.metric.direction != Direction.DOWN
    asked = MetricPlan(meant.metric.name, up_is_good=up_is_good, margin=margin)
    figures = []
    for arm in design.arms:
        figures.append(ArmFigure(arm, counted.closed(arm), counted.value(arm)))
    compare = [_compare(planned, counted, design.control, arm, seen) for arm in design.arms[1:]]
    return Measured.of(asked, planned.role, meant.kind, figures, compare, rules, cap=meant.goal.cap)


def _compare(planned: MetricDesign, counted: Counted, control: str, arm: str, seen: dict[str, datetime]) -> Compare:
    missing = _nobody(counted, control, arm, seen) if planned.role != "guardrail" else None
    ruled = _ruled(counted, control, arm)

    def compare(level: float) -> Effect | NoAnswer:
        if missing is not None:
            return missing
        answer = counted.compare(control, arm, level=level, nothing_tells=planned.role == "guardrail")
        return ruled if ruled is not None and isinstance(answer, Effect) else answer

    return compare


def _nobody(counted: Counted, control: str, arm: str, seen: dict[str, datetime]) -> NoAnswer | None:
    """A metric that no exposed person has; whether its event comes in at all makes the difference."""
    if (
        counted.converted(control)
        or counted.converted(arm)
        or min(counted.closed(control), counted.closed(arm)) < FEWEST_PEOPLE
    ):
        return None
    event = counted.counting.goal.event
    last = seen.get(event)
    if last is None:
        return NoAnswer(
            f"No exposed person has this metric: the event “{event}” has never come in. Check its name and key."
        )
    return NoAnswer(
        f"No exposed person has this metric: “{event}” last came in on {last:%-d %b %Y}, from nobody who met the flag. "
        "Check that both name people by the same id."
    )


def _ruled(counted: Counted, control: str, arm: str) -> NoAnswer | None:
    """Whether one person makes an arm's mean (`engines.stats.tails`), from the sums alone."""
    if counted.counting.is_share or counted.counting.placing is not None or counted.is_gathered:
        return None  # a share and a quantile are moved by nobody far; companies are weighed by their size
    if isinstance(counted, PeriodsCounted):
        return None  # a period is the mean of its people, and compared within its block
    for name in (control, arm):
        whole, largest = counted.moments(name), counted.largest(name)
        spread = float(whole.m2[0, 0])
        if whole.n < 2 or spread <= 0:
            continue
        did = counted.converted(name)
        share = (largest - float(whole.mean[0])) ** 2 / spread
        tail = Tail(share, 0, largest, None, did if did < whole.n / 5 else None)
        if tail.few_carry_it and share > 0.01:
            return NoAnswer(
                f"Only {did} of {whole.n:,} people in {name} did it at all: too few for a mean. More people would give one, "
                "or whether they did it."
            )
        if tail.ruled:
            return NoAnswer(
                f"One person ({figure(largest)}) makes {100 * share:.0f} % of the spread in {name}, so the mean is theirs. "
                "A cap fixed before the start, as p99.9, gives an answer about everybody else."
            )
    return None
