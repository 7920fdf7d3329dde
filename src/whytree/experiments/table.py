"""An experiment's figures as a table for a spreadsheet or a notebook: a line for each metric and arm."""

import csv
from io import StringIO

from .reading import Reading
from .results import Comparison, Interval, MetricResult

COLUMNS = (
    *("metric", "role", "kind", "arm", "control", "treatment", "difference", "low", "high", "level", "method"),
    *("relative", "relative_low", "relative_high", "p", "p_adjusted", "margin", "n_control", "n_treatment"),
    *("standing", "reason"),
)


def as_csv(reading: Reading | None) -> str:
    """Shares are shares, not per cent. Texts that a spreadsheet would compute are quoted with an apostrophe."""
    out = StringIO()
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for metric in reading.analysis.metrics if reading is not None else []:
        for one in metric.comparisons:
            table.writerow([_inert(cell) for cell in _row(metric, one)])
    return out.getvalue()


def _row(metric: MetricResult, one: Comparison) -> list[object]:
    difference, relative = _ends(one.difference), _ends(one.relative)
    level = [one.difference.level, one.difference.method] if one.difference is not None else ["", ""]
    known = [one.p, one.p_adjusted, one.margin, one.n_control, one.n_treatment]
    head = [metric.name, metric.role, metric.kind, one.arm, one.control, one.treatment]
    return [*head, *difference, *level, *relative, *known, one.standing, one.reason]


def _ends(interval: Interval | None) -> list[object]:
    return ["", "", ""] if interval is None else [interval.value, interval.low, interval.high]


def _inert(cell: object) -> object:
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{cell}"
    return "" if cell is None else cell
