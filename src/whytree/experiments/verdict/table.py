"""An experiment's figures as a table for a spreadsheet or a notebook: a line for each metric and arm."""

from whytree.engines import spreadsheet

from ..judgement.results import Comparison, Interval, MetricResult
from .reading import Reading

COLUMNS = (
    *("metric", "role", "kind", "arm", "control", "treatment", "difference", "low", "high", "level", "method"),
    *("relative", "relative_low", "relative_high", "p", "p_adjusted", "margin", "n_control", "n_treatment"),
    *("standing", "reason"),
)


def as_csv(reading: Reading | None) -> str:
    """Shares are shares, not per cent. Texts that a spreadsheet would compute are quoted with an apostrophe."""
    metrics = reading.analysis.metrics if reading is not None else []
    return spreadsheet.as_csv(COLUMNS, (_row(metric, one) for metric in metrics for one in metric.comparisons))


def _row(metric: MetricResult, one: Comparison) -> list[object]:
    difference, relative = _ends(one.difference), _ends(one.relative)
    level = [one.difference.level, one.difference.method] if one.difference is not None else ["", ""]
    known = [one.p, one.p_adjusted, one.margin, one.n_control, one.n_treatment]
    head = [metric.name, metric.role, metric.kind, one.arm, one.control, one.treatment]
    return [*head, *difference, *level, *relative, *known, one.standing, one.reason]


def _ends(interval: Interval | None) -> list[object]:
    return ["", "", ""] if interval is None else [interval.value, interval.low, interval.high]
