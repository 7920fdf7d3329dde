"""An experiment in words: the sentence its page begins with, the one below it, and where it stands."""

from datetime import datetime

from whytree.analytics.queries import people
from whytree.engines.figures import between, number
from whytree.engines.flags import Switching
from whytree.engines.flags.switching import length_text
from whytree.flags.models import Flag
from whytree.tree.sentences import short

from ..judgement.design import WHOM
from ..judgement.results import Comparison, Interval, MetricResult
from ..judgement.sentences import listed, several
from ..models import Decision, Experiment
from .reading import Reading, state_of


def standing(experiment: Experiment, now: datetime) -> str:
    """Where it stands, in a few words, without asking the event store."""
    state = state_of(experiment, now)
    if state == "decided":
        return f"decided: {Decision(experiment.decision).label}"
    if state == "draft" or experiment.started_at is None:
        return "planned, not started"
    if state == "running":
        day = (now - experiment.started_at).days + 1
        away = unmet(experiment.flag)
        return f"day {day} of {experiment.design.days}{f', but {away}' if away else ''}"
    return "stopped, wants a decision" if state == "stopped" else "wants a decision"


def unmet(flag: Flag) -> str:
    """Why nobody new meets it: "ask_later is archived"; empty while somebody does."""
    if flag.is_open:
        return ""
    return f"{flag.key} is {'archived' if flag.archived_at is not None else 'off' if not flag.is_on else 'at 0 %'}"


def setting(experiment: Experiment) -> str:
    """2 arms · people · fixed at 21 days, read once"""
    design = experiment.design
    looks = "read once" if design.looks == "once" else "may be looked at on any day"
    whom = design.whom if design.switchback is None else _periods(design.switchback)
    return f"{len(design.arms)} arms · {whom} · fixed at {several(design.days, 'day')}, {looks}"


def _periods(switchback: Switching) -> str:
    """Switches every 2 hours in each city"""
    where = f" in each {switchback.by}" if switchback.by else ""
    return f"switches every {length_text(switchback.minutes)}{where}"


def headline(experiment: Experiment, reading: Reading | None) -> str:
    """What it did, in one sentence."""
    title = f"“{short(experiment.title, 70)}”"
    if reading is None:
        return f"{title} is planned, and has not started."
    metric = reading.primary
    if not reading.may_compare:
        harmed = [one.name for one in reading.analysis.metrics if any(c.standing == "harm" for c in one.comparisons)]
        if harmed:
            return f"{title} does harm: {listed(harmed)} got worse by more than its margin."
        away = unmet(experiment.flag) if reading.state == "running" else ""
        if away:
            return f"{title} stands still on day {reading.day} of {reading.days}: {away}."
        return f"{title} is running: day {reading.day} of {reading.days}."
    if reading.analysis.trust == "broken":
        return f"What {title} did is not to be trusted yet."
    if metric is None:
        return reading.analysis.headline
    answered = [one for one in metric.comparisons if one.difference is not None]
    if not answered:
        return f"Too little to say yet what {title} did."
    return _effect(title, metric, answered)


def _effect(title: str, metric: MetricResult, answered: list[Comparison]) -> str:
    name = f"“{short(metric.name, 60)}”"
    moved = [one for one in answered if one.standing in ("better", "worse")]
    if not moved:
        return f"No effect of {title} on {name} can be seen."
    if len(answered) > 1:
        best = max(moved, key=lambda one: abs(_value(one)))
        return f"{best.arm} {_raised(best)} {name} by {size(metric, _value(best))}."
    return f"{title} {_raised(moved[0])} {name} by {size(metric, _value(moved[0]))}."


def _value(one: Comparison) -> float:
    return one.difference.value if one.difference is not None else 0.0


def _raised(one: Comparison) -> str:
    return "raised" if _value(one) > 0 else "lowered"


def size(metric: MetricResult, value: float) -> str:
    """2.6 points; 0.3"""
    return f"{number(abs(value) * scale(metric))} points" if metric.unit == "%" else number(abs(value))


def scale(metric: MetricResult) -> float:
    """Shares are said in percent."""
    return 100.0 if metric.unit == "%" else 1.0


def summary(experiment: Experiment, reading: Reading | None) -> str:
    """What the data are compatible with, what was predicted, and whether something else moved."""
    if reading is None:
        return "Nothing is counted before the start. What decides, and by which rule, is fixed by it."
    if not reading.may_compare:
        return (
            f"{_people(reading)} so far. It is read once, on {experiment.product.there(reading.ends_at):%-d %b}; "
            "until then only guardrails are watched, with intervals that bear it."
        )
    metric = reading.primary
    parts = []
    if metric is not None:
        parts += [_became(one, metric) for one in metric.comparisons if one.difference is not None]
        parts += [one.reason for one in metric.comparisons if one.difference is None][:1]
    parts += [predicted(experiment), _rails(reading)]
    return " ".join(part for part in parts if part)


def _people(reading: Reading) -> str:
    if reading.analysis.unit == "person":
        return people(reading.people)
    unit = reading.analysis.unit
    return f"{reading.people:,} {unit if reading.people == 1 else WHOM[unit]}"


def _became(one: Comparison, metric: MetricResult) -> str:
    if one.difference is None or one.control is None or one.treatment is None:
        return ""
    unit = " %" if metric.unit == "%" else ""
    values = f"{number(one.control * scale(metric))}{unit} became {number(one.treatment * scale(metric))}{unit}"
    arm = f" in {one.arm}" if len(metric.comparisons) > 1 else ""
    return f"{values}{arm}. {compatible(one.difference, metric)}"


def compatible(difference: Interval, metric: MetricResult) -> str:
    """The data are compatible with gains of 1.2 to 4.0 points."""
    low, high = difference.low * scale(metric), difference.high * scale(metric)
    unit = " points" if metric.unit == "%" else ""
    if low >= 0:
        return f"The data are compatible with a rise of {between(low, high)}{unit}."
    if high <= 0:
        return f"The data are compatible with a fall of {between(-high, -low)}{unit}."
    return f"The data are compatible with anything from a fall of {number(-low)} to a rise of {number(high)}{unit}."


def predicted(experiment: Experiment) -> str:
    """The team predicted 1 to 7 pp."""
    hypothesis = experiment.hypothesis
    if hypothesis is None:
        return ""
    unit = f" {hypothesis.forecast_unit}" if hypothesis.forecast_unit else ""
    return f"The team predicted {between(hypothesis.forecast_low, hypothesis.forecast_high)}{unit}."


def _rails(reading: Reading) -> str:
    rails = [metric for metric in reading.analysis.metrics if metric.role == "guardrail"]
    if not rails:
        return ""
    harmed = [rail.name for rail in rails if any(one.standing == "harm" for one in rail.comparisons)]
    if harmed:
        return f"A guardrail broke: {listed(harmed)}."
    if all(one.standing == "not worse" for rail in rails for one in rail.comparisons):
        return "No guardrail broke."
    return "Not every guardrail has an answer yet."
