"""From a reading to what its page draws: interval rows on one scale, the decision metric's bar, exposure over time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from textwrap import wrap

from django.utils.safestring import SafeString

from whytree.analytics.definitions import Share, Unique
from whytree.analytics.models import Metric
from whytree.analytics.queries import definition_of, metrics_by_key
from whytree.engines import charts
from whytree.engines.charts import NamedLine
from whytree.engines.charts.curves import Along, At, Axes, curve
from whytree.engines.charts.intervals import Measured, Range, Scale, interval_row
from whytree.engines.figures import number
from whytree.tree.models import Hypothesis
from whytree.workspace.pages.vouched import vouched

from ..judgement.design import Design, MetricDesign
from ..judgement.results import Comparison, MetricResult
from ..judgement.sentences import p_text
from ..models import Experiment
from ..preparing.planning import Prospect
from ..underway.segments import Segments
from .reading import Reading

TONES = {"better": "leaf", "not worse": "leaf", "worse": "red", "harm": "red"}
#: The interval's colour where nothing can be said: ink.
QUIET = "ink-3"
#: Whole days that make a line.
FEWEST_DAYS = 2


@dataclass(frozen=True)
class Row:
    """One metric and arm of the table, every part ready to show."""

    name: str
    about: str
    arm: str
    control: str
    treatment: str
    difference: str
    picture: SafeString
    standing: str
    tone: str
    note: str


@dataclass(frozen=True)
class Depth:
    """The same metric and arm, with what a statistician asks next."""

    name: str
    arm: str
    people: str
    interval: str
    relative: str
    p: str
    adjusted: str
    chance: str
    method: str
    reduction: str


def rows(experiment: Experiment, reading: Reading | None) -> list[Row]:
    """The deciding metric, then the others; what may not be shown yet stands with its prediction alone."""
    design = experiment.design
    named = metrics_by_key(experiment.product, [one.key for one in design.metrics])
    results = _results(design, reading)
    scales = _scales(experiment, design, results, named)
    found = []
    for planned in design.metrics:
        result, metric = results.get(planned.key), named.get(planned.key)
        comparisons = result.comparisons if result is not None else []
        if result is None or not comparisons:
            found.append(_waiting(experiment, planned, metric, scales))
        found += [_row(experiment, planned, result, one, metric, scales) for one in comparisons if result is not None]
    return found


def _results(design: Design, reading: Reading | None) -> dict[str, MetricResult]:
    """By the metric's key: a reading keeps the plan's order, and leaves out what may not be shown yet."""
    if reading is None:
        return {}
    shown = [one for one in design.metrics if reading.may_compare or one.role == "guardrail"]
    return dict(zip((one.key for one in shown), reading.analysis.metrics, strict=True))


def _waiting(experiment: Experiment, planned: MetricDesign, metric: Metric | None, scales: dict[str, Scale]) -> Row:
    unit = _unit(planned, metric)
    shaded = _shaded(experiment.hypothesis, planned, unit)
    picture = interval_row(scales[unit], shaded, None, unit=unit, wash=_wash(planned))
    when = f"read on {experiment.product.there(experiment.ends_at):%-d %b}" if experiment.ends_at else "not started"
    name = metric.name if metric is not None else planned.key
    return Row(name, _about(planned, unit), "", "", "", "", vouched(picture), when, "", "")


def _row(
    experiment: Experiment,
    planned: MetricDesign,
    result: MetricResult,
    one: Comparison,
    metric: Metric | None,
    scales: dict[str, Scale],
) -> Row:
    unit = _unit(planned, metric)
    tone = TONES.get(one.standing, "")
    measured = _measured(one, unit)
    picture = interval_row(
        scales[unit],
        _shaded(experiment.hypothesis, planned, unit),
        measured,
        unit=unit,
        tone=tone or QUIET,
        wash=_wash(planned),
    )
    values = {figure.arm: figure.value for figure in result.arms}
    control = one.control if one.control is not None else next(iter(values.values()))
    treatment = one.treatment if one.treatment is not None else values[one.arm]
    return Row(
        result.name,
        _about(planned, unit),
        one.arm,
        _value(control, unit),
        _value(treatment, unit),
        f"{_signed(measured.value)} {unit}".rstrip() if measured is not None else "",
        vouched(picture),
        one.standing,
        tone,
        one.reason,
    )


#: The poster's width, where its intervals stand and how wide they are, and how high a line is.
POSTER, POSTER_ROW = 760, 48
_PICTURE = re.compile(r'^<svg viewBox="([^"]+)"[^>]*>')


def poster(head: str, foot: str, drawn: Sequence[Row]) -> str:
    """The result as one picture for a slide or a chat: what it says, an interval a line, and where the numbers come from."""
    top = [
        f'<text x="16" y="{26 + 22 * at}" font-size="16" font-weight="600">{escape(line)}</text>'
        for at, line in enumerate(wrap(head, 84)[:3])
    ]
    y = 22 + 22 * len(top)
    arms = {row.arm for row in drawn if row.arm}
    body = []
    for row in drawn:
        name = row.name if len(row.name) <= 40 else f"{row.name[:39]}…"
        words = " · ".join(part for part in (row.arm if len(arms) > 1 else "", row.difference, row.standing) if part)
        body.append(f'<text x="16" y="{y + 18}" font-size="13" font-weight="600">{escape(name)}</text>')
        body.append(f'<text x="16" y="{y + 35}" font-size="12" fill="var(--ink-3)">{escape(words)}</text>')
        body.append(
            _PICTURE.sub(rf'<svg x="320" y="{y + 4}" width="420" height="42" viewBox="\1">', row.picture, count=1)
        )
        y += POSTER_ROW
    under = [
        f'<text x="16" y="{y + 20 + 16 * at}" font-size="11" fill="var(--ink-3)">{escape(line)}</text>'
        for at, line in enumerate(wrap(foot, 130)[:3])
    ]
    height = y + 16 * len(under) + 20
    return (
        f'<svg viewBox="0 0 {POSTER} {height}" width="{POSTER}" height="{height}" font-family="var(--sans)" fill="var(--ink)">'
        f"{''.join([*top, *body, *under])}</svg>"
    )


def depth(reading: Reading) -> list[Depth]:
    """What stands behind each row."""
    found = []
    for metric in reading.analysis.metrics:
        times = 100.0 if metric.unit == "%" else 1.0
        unit = "pp" if metric.unit == "%" else ""
        for one in metric.comparisons:
            interval = one.difference
            found.append(
                Depth(
                    metric.name,
                    one.arm,
                    f"{one.n_control:,} : {one.n_treatment:,}" if one.n_control is not None else "",
                    f"{_signed(interval.low * times)} to {_signed(interval.high * times)} {unit} ({100 * interval.level:.4g} %)"
                    if interval is not None
                    else "",
                    f"{_signed(100 * one.relative.value)} % ({_signed(100 * one.relative.low)} to {_signed(100 * one.relative.high)})"
                    if one.relative is not None
                    else one.no_relative,
                    p_text(one.p) if one.p is not None else "",
                    p_text(one.p_adjusted) if one.p_adjusted is not None else "",
                    f"{100 * one.belief.chance_better:.0f} %" if one.belief is not None else "",
                    interval.method if interval is not None else one.reason,
                    f"{100 * one.variance_reduction:.0f} %" if one.variance_reduction is not None else "",
                )
            )
    return found


def segment_rows(found: Segments) -> list[Row]:
    """A row a part and arm, on one scale."""
    unit = "pp" if any(one.metric.unit == "%" for one in found.segments) else ""
    scale = Scale.over([end for one in found.segments for end in _ends(one.metric, unit)], 300)
    rows = []
    for segment in found.segments:
        for one in segment.metric.comparisons:
            measured, tone = _measured(one, unit), TONES.get(one.standing, "")
            odd = "" if segment.ratio.standing == "ok" else f" · sample ratio p = {p_text(segment.ratio.p or 0.0)}"
            rows.append(
                Row(
                    segment.value,
                    f"{segment.people:,} people{odd}",
                    one.arm,
                    _value(one.control, unit),
                    _value(one.treatment, unit),
                    f"{_signed(measured.value)} {unit}".rstrip() if measured is not None else "",
                    vouched(interval_row(scale, None, measured, unit=unit, tone=tone or QUIET)),
                    one.standing,
                    tone,
                    one.reason,
                )
            )
    return rows


def exposure_chart(reading: Reading) -> SafeString:
    """People who entered each arm on each whole day: a line that breaks away is a draw that broke."""
    days = reading.exposed_by_day[1:-1]  # the first and the last have only a part of their hours
    if len(days) < FEWEST_DAYS:
        return vouched("")
    lines = [
        NamedLine(arm, [(date.fromisoformat(day), float(people.get(arm, 0))) for day, people in days])
        for arm in reading.seen
    ]
    return vouched(charts.lines(lines, label="People who entered each arm, by day"))


def drawn_prospect(told: Prospect) -> dict[str, SafeString]:
    """The power curve, with what was predicted marked on it."""
    found = told.outlook
    if found is None or not found.curve:
        return {}
    unit = "points" if found.unit == "pp" else found.unit
    points = [Along(effect, chance) for effect, chance in found.curve]
    predicted = [At(abs(found.predicted), f"predicted {number(abs(found.predicted))}")] if found.predicted else []
    label = f"Chance of seeing an effect on {found.metric_name} in {found.days} days, by its size"
    axes = Axes(f"true effect, {unit}", "%", 100)
    return {"curve": vouched(curve(points, axes, label=label, level=80, at=predicted))}


# --- units and scales ------------------------------------------------------------------------------------------------


def _unit(planned: MetricDesign, metric: Metric | None) -> str:
    """Shares differ by points; what is counted, by its own unit."""
    if planned.amount:
        return planned.amount
    if metric is None:
        return ""
    return "pp" if isinstance(definition_of(metric), Share | Unique) else metric.unit


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{number(100 * value)} %" if unit == "pp" else number(value)


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(value)


def _about(planned: MetricDesign, unit: str) -> str:
    if planned.role == "guardrail" and planned.margin is not None:
        move = {"up": "rise by", "down": "fall by"}.get(planned.harms, "get worse by")
        return f"guardrail, may {move} {number(planned.margin)} {unit}".rstrip()
    if planned.margin is not None:
        return f"{planned.role}, may get worse by {number(planned.margin)} {unit}".rstrip()
    return planned.role


def _wash(planned: MetricDesign) -> str:
    return "amber-wash" if planned.role == "guardrail" else "blue-wash"


def _shaded(hypothesis: Hypothesis | None, planned: MetricDesign, unit: str) -> Range | None:
    """What was predicted, where it is in the table's unit; what a guardrail allows."""
    if planned.role == "guardrail" and planned.margin is not None:
        return Range(-planned.margin, 0) if planned.harms == "down" else Range(0, planned.margin)
    if planned.role != "primary" or hypothesis is None:
        return None
    same = hypothesis.forecast_unit == unit or (hypothesis.forecast_unit == "" and unit != "")
    return Range(hypothesis.forecast_low, hypothesis.forecast_high) if same else None


def _measured(one: Comparison, unit: str) -> Measured | None:
    if one.difference is None:
        return None
    times = 100.0 if unit == "pp" else 1.0
    return Measured(one.difference.value * times, one.difference.low * times, one.difference.high * times)


def _scales(
    experiment: Experiment, design: Design, results: dict[str, MetricResult], named: dict[str, Metric]
) -> dict[str, Scale]:
    """Rows counted in one unit share a scale."""
    ends: dict[str, list[float]] = {}
    for planned in design.metrics:
        unit = _unit(planned, named.get(planned.key))
        values = ends.setdefault(unit, [])
        shaded = _shaded(experiment.hypothesis, planned, unit)
        values += [shaded.low, shaded.high] if shaded is not None else []
        values += _ends(results.get(planned.key), unit)
    return {unit: Scale.over(values, 300) for unit, values in ends.items()}


def _ends(result: MetricResult | None, unit: str) -> Sequence[float]:
    measured = [_measured(one, unit) for one in result.comparisons] if result is not None else []
    return [end for one in measured if one is not None for end in (one.low, one.high)]
