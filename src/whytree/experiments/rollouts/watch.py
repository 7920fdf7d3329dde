"""What the guardrails of a running rollout say now, by intervals that bear being looked at every hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from whytree.analytics.definitions import Retention
from whytree.analytics.models import Metric
from whytree.analytics.queries import definition_of, metrics_by_key
from whytree.engines.figures import number
from whytree.engines.stats import NoAnswer, SampleRatio, sample_ratio
from whytree.engines.stats.margins import Standing, non_inferior
from whytree.engines.stats.sequential import always_valid
from whytree.engines.stats.tails import RULED_BY_ONE
from whytree.errors import Invalid
from whytree.events.shaping.rows import SERVER
from whytree.experiments.constants import RATIO_BROKEN
from whytree.experiments.models import Rollout
from whytree.experiments.underway.countings import Counting, Unit, counting, not_judged
from whytree.experiments.underway.trial import Counted, Trial, constant_stretches, unit_of
from whytree.flags.models import Flag
from whytree.flags.queries import periods
from whytree.stores.questions import metrics as store

#: Guardrails are read soon: over a day after the first exposure, however long the metric itself gives people.
SOON = timedelta(days=1)


@dataclass(frozen=True)
class Rail:
    """One guardrail. `doubt`: why somebody outside could have made it up, so that a person has to look; else empty."""

    metric_key: str
    name: str
    standing: Standing
    text: str
    doubt: str


@dataclass(frozen=True)
class Watched:
    """Everything a step is decided by."""

    people: int
    rails: list[Rail]

    @property
    def harmed(self) -> list[Rail]:
        return [rail for rail in self.rails if rail.standing == "harm"]


def watch(rollout: Rollout, now: datetime) -> Watched:
    """Everybody exposed since it began, and what became of them; several guardrails share the error between them."""
    stretches, unit = constant_stretches(rollout.flag, rollout.started_at, now), unit_of(rollout.flag)
    trial = Trial(rollout.product, rollout.flag.key, stretches, now, given_before(rollout), unit)
    known = metrics_by_key(rollout.product, [rail["metric_key"] for rail in rollout.guardrails])
    rails = [
        (rail, known[rail["metric_key"]])
        for rail in rollout.guardrails
        if rail["metric_key"] in known and not unwatchable(known[rail["metric_key"]], unit)
    ]
    counted = trial.count([_soon(metric, unit) for _, metric in rails])
    control = rollout.flag.default_variant
    seen = max((sum(cell.seen for cell in one.cells) for one in counted), default=0)
    level = 1 - 0.05 / max(len(rails), 1)
    pairs = zip(rails, counted, strict=True)
    return Watched(seen, [_rail(rollout, rail, metric, one, control, level, trial) for (rail, metric), one in pairs])


def given_before(rollout: Rollout) -> datetime | None:
    """Since when people had the variant, where that was before this rollout.

    Whoever met the flag from then on is left out of both arms: those who came back to the variant are those whom it did not
    drive away, so that harm would look smaller than it is. Where everybody had what there was before, all count: what they
    have now was drawn by lot.
    """
    flag = rollout.flag
    before = periods(flag, flag.created_at, rollout.started_at)
    return next((one.start for one in before if one.coverage and one.weights.get(rollout.variant)), None)


def unwatchable(metric: Metric, unit: Unit) -> str:
    """Why it cannot guard a rollout, and what to take instead; empty where it can."""
    definition = definition_of(metric)
    if isinstance(definition, Retention) and definition.lead >= SOON:
        return f"Guardrails are read within a day, and nobody comes back on day {definition.after_days} by then. Take a count."
    return not_judged(definition, unit)


def refuse_unwatchable(metric: Metric, flag: Flag) -> None:
    reason = unwatchable(metric, unit_of(flag))
    if reason:
        raise Invalid(f"{metric.key}: {reason}")


def _soon(metric: Metric, unit: Unit) -> Counting:
    meant = counting(metric, 2 * SOON, unit)
    return replace(meant, window=min(meant.window, SOON))


def _rail(
    rollout: Rollout,
    rail: Mapping[str, Any],
    metric: Metric,
    counted: Counted,
    control: str,
    level: float,
    trial: Trial,
) -> Rail:
    doubt = _doubt(rollout, counted, trial)
    answer = counted.compare(control, rollout.variant, nothing_tells=True)
    answer = _carried_by_one(counted, control, rollout.variant) or answer
    if isinstance(answer, NoAnswer):
        return Rail(metric.key, metric.name, "no answer yet", answer.reason, doubt)
    sequence = always_valid(answer.difference.value, answer.error, answer.difference.n, level=level)
    if isinstance(sequence, NoAnswer):
        return Rail(metric.key, metric.name, "no answer yet", sequence.reason, doubt)
    scale, found = counted.counting.scale, sequence.difference
    judged = non_inferior(
        found, answer.error, answer.freedom, rail["margin"] / scale, up_is_good=rail["direction"] == "down"
    )
    unit = "points" if counted.counting.is_share else counted.counting.difference_unit
    low, high = (("+" if end > 0 else "") + number(end * scale) for end in (found.low, found.high))
    text = f"{low} to {high} {unit}, {number(rail['margin'])} allowed"
    return Rail(metric.key, metric.name, judged.standing, text, doubt)


def _carried_by_one(counted: Counted, *arms: str) -> NoAnswer | None:
    """Whether one person makes what looks like harm. Of the larger arm only: that hardly anybody does it in the other is no
    reason to look away."""
    meant = counted.counting
    if meant.is_share or meant.placing is not None or counted.is_gathered:
        return None
    larger = max(arms, key=lambda arm: float(counted.moments(arm).mean[0]))
    whole, largest = counted.moments(larger), counted.largest(larger)
    spread = float(whole.m2[0, 0])
    share = (largest - float(whole.mean[0])) ** 2 / spread if spread > 0 else 0.0
    if share <= RULED_BY_ONE:
        return None
    return NoAnswer(
        f"One person ({number(largest)}) makes {100 * share:.0f} % of the spread in {larger}. How many people do it at all tells more."
    )


def _doubt(rollout: Rollout, counted: Counted, trial: Trial) -> str:
    goal = counted.counting.goal
    events = {event for one in (goal, goal.under) if one is not None for event in one.selection.events}
    if store.sources_of(rollout.product_id, sorted(events), rollout.started_at, trial.now) != [SERVER]:
        return "these events come in with a public key, which anybody can forge"
    # Exposures come in with a public key too: people made up for one arm alone, who do nothing, move its share.
    ratio = sample_ratio(trial.assigned(counted))
    if isinstance(ratio, SampleRatio) and ratio.p < RATIO_BROKEN:
        return "one arm has more people than its weight promises, whom somebody may have made up"
    return ""
