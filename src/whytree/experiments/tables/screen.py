"""An analysis on one terminal screen: the sentence, one interval line with zero drawn, a table, and the checks.

Names of arms, units and columns are somebody's text: their control characters are shown, never obeyed.
"""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from whytree.workspace.terminal import printing
from whytree.workspace.terminal.printing import plain

from ..judgement.results import Analysis, ArmInParts, Comparison, MetricResult
from ..judgement.sentences import chance, deciding, difference_value, in_percent, level_value, p_text, points

_COLOURS = {
    "better": "green",
    "not worse": "green",
    "worse": "red",
    "harm": "red",
    "ok": "green",
    "look": "yellow",
    "broken": "red",
}
_SIGNS = {"ok": "✓", "look": "!", "broken": "✗"}

#: Columns of a terminal below which the table leaves out what the sentence and the JSON tell.
WIDE = 100
LEAST_LINE, MOST_LINE = 20, 60


def print_reading(found: dict[str, Any]) -> None:
    """An experiment of the product, as the API tells it: the same screen, under its own sentences."""
    from msgspec import convert

    console = printing.console()
    result = found["result"]
    console.print(Text(plain(found["headline"]), style="bold"))
    console.print(Text(plain(f"{found['ref']} · {found['setting']} · {found['standing']}"), style="dim"))
    console.print(Text(plain(found["summary"])))
    if result["proposal"] is not None and not found["decision"]:
        console.print(Text(plain(f"By the rule: {result['proposal']['sentence']}")))
    if found["learning"]:
        console.print(Text(plain(f"{found['standing']}. {found['learning']}")))
    if found["despite"]:
        for doubt in found["doubts"]:
            console.print(Text(plain(f"  although   {doubt}")))
        console.print(Text(plain(f"  because    {found['despite']}")))
    _print_depth(convert(result["analysis"], Analysis))


def print_schedule(shifts: list[dict[str, Any]]) -> None:
    """What a switchback has in force, and next."""
    console = printing.console()
    for one in shifts:
        arms = ", ".join(f"{region}: {arm}" if region else arm for region, arm in one["arms"].items())
        mark = "now " if one["is_now"] else "    "
        begins, ends = (one[end][:16].replace("T", " ") for end in ("begins_at", "ends_at"))
        console.print(Text(plain(f"{mark}{begins} to {ends} UTC  {arms}"), style="default" if one["is_now"] else "dim"))


def print_analysis(analysis: Analysis) -> None:
    """Print it, as wide as the terminal is."""
    console = printing.console()
    console.print(Text(plain(analysis.headline), style="bold"))
    for sentence in analysis.verdict:
        console.print(Text(plain(sentence)))
    _print_depth(analysis)


def _print_depth(analysis: Analysis) -> None:
    console = printing.console()
    for drawn in interval_lines(analysis, console.width):
        console.print(drawn)
    console.print()
    if analysis.metrics:
        console.print(_table(analysis, wide=console.width >= WIDE))
    for metric in analysis.metrics:
        for line in _notes(metric):
            console.print(Text(f"  {plain(line)}", style="dim"))
    _print_parts(analysis)
    for line in triggered_lines(analysis):
        console.print(Text(plain(line)))
    console.print()
    for check in analysis.health:
        console.print(
            Text.assemble(
                (f"{_SIGNS[check.standing]} ", _COLOURS[check.standing]),
                (f"{plain(check.name)}  ", "dim"),
                plain(check.sentence),
            )
        )


def _print_parts(analysis: Analysis) -> None:
    """The deciding metric by segment: as measured, and what is left of it beside the others."""
    if not analysis.parts:
        return
    console = printing.console()
    console.print()
    shrunk = {(one.arm, part.part): part for one in analysis.over_parts for part in one.shrunk}
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column(analysis.parts[0].metric.name, overflow="fold")
    for heading in ("units", "difference", "interval", "shrunken"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for part in analysis.parts:
        metric = part.metric
        for one in metric.comparisons:
            name = part.segment if len(metric.comparisons) == 1 else f"{part.segment}, {one.arm}"
            left = shrunk.get((one.arm, part.segment))
            row = [name, f"{part.units:,}", "–", "–", "–" if left is None else difference_value(left.value, metric)]
            if one.difference is not None:
                row[2] = difference_value(one.difference.value, metric)
                row[3] = (
                    f"{difference_value(one.difference.low, metric)} to {difference_value(one.difference.high, metric)}"
                )
            table.add_row(
                *(Text(plain(cell)) for cell in row), Text(one.standing, style=_COLOURS.get(one.standing, "dim"))
            )
    console.print(table)
    metric = analysis.parts[0].metric
    for over in analysis.over_parts:
        for line in over_lines(over, metric):
            console.print(Text(f"  {plain(line)}", style="dim"))


def over_lines(over: ArmInParts, metric: MetricResult) -> list[str]:
    """Whether the parts differ, and all of them weighed by their size."""
    arm = f"{over.arm}: "
    lines = [f"{arm}{over.sentence} (p = {p_text(over.p)})" if over.p is not None else f"{arm}{over.no_shrunk}"]
    if over.weighed is not None:
        low, high = difference_value(over.weighed.low, metric), difference_value(over.weighed.high, metric)
        less = "" if over.variance_reduction is None else f", {in_percent(over.variance_reduction, 0)} less variance"
        lines.append(
            f"{arm}weighed by their size {difference_value(over.weighed.value, metric)} ({low} to {high}){less}."
        )
    return lines


def triggered_lines(analysis: Analysis) -> list[str]:
    """Among those whom the change could reach, and over everybody."""
    metric = deciding(analysis)
    if metric is None:
        return []
    lines = []
    for one in analysis.triggered:
        if one.among is None or one.diluted is None or one.share is None:
            lines.append(f"{one.arm}, triggered: {one.reason}")
            continue
        told = [
            f"{difference_value(each.value, metric)} ({difference_value(each.low, metric)} to {difference_value(each.high, metric)})"
            for each in (one.among, one.diluted)
        ]
        unit = points(metric)
        lines.append(
            f"{one.arm}: {told[0]}{unit} among the {in_percent(one.share, 1)} whom it could reach; {told[1]}{unit} over everybody."
        )
    return lines


def interval_lines(analysis: Analysis, columns: int) -> list[Text]:
    """The metric that decides, one line an arm on one scale; zero is always on it."""
    metric = deciding(analysis) or next(iter(analysis.metrics), None)
    if metric is None:
        return []
    drawn = [(one, one.difference) for one in metric.comparisons if one.difference is not None]
    if not drawn:
        return []
    ends = [end for _, interval in drawn for end in (interval.low, interval.high, 0.0)]
    margin = [-one.margin if metric.up_is_good else one.margin for one, _ in drawn if one.margin is not None]
    low, high = min(ends + margin), max(ends + margin)
    room = (high - low) * 0.06 or 1.0
    low, high = low - room, high + room

    width = max(len(plain(one.arm)) for one, _ in drawn)
    told = {
        one.arm: f"{difference_value(interval.low, metric)} to {difference_value(interval.high, metric)}{points(metric)}"
        for one, interval in drawn
    }
    length = min(MOST_LINE, max(LEAST_LINE, columns - width - max(map(len, told.values())) - 8))

    def place(value: float) -> int:
        return round((value - low) / (high - low) * (length - 1))

    lines = [Text("")]
    for one, interval in drawn:
        cells = [" "] * length
        for at in range(place(interval.low), place(interval.high) + 1):
            cells[at] = "─"
        cells[place(0.0)] = "┼" if cells[place(0.0)] == "─" else "│"
        cells[place(interval.low)], cells[place(interval.high)] = "├", "┤"
        if interval.low == 0 or interval.high == 0:
            cells[place(0.0)] = "│"
        cells[place(interval.value)] = "●"
        drawing = ("".join(cells), _COLOURS.get(one.standing, "default"))
        lines.append(Text.assemble(f"  {plain(one.arm):{width}}  ", drawing, f"  {told[one.arm]}"))
    zero = [" "] * length
    zero[place(0.0)] = "0"
    lines.append(Text(f"  {'':{width}}  {''.join(zero).rstrip()}", style="dim"))
    return lines


def _table(analysis: Analysis, *, wide: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    arms = len(analysis.units) > 2
    table.add_column("metric", overflow="fold", min_width=10)
    if arms:
        table.add_column("arm", no_wrap=wide, overflow="fold", min_width=6)
    for heading in (
        "control",
        "treatment",
        *(("difference",) if wide else ()),
        "interval",
        *(("relative",) if wide else ()),
        *(("p",) if wide or not arms else ()),
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for metric in analysis.metrics:
        for one in metric.comparisons:
            figures = _figures(metric, one, wide=wide)
            if arms and not wide:
                figures.pop()  # its p: the standing tells
            cells = [_name(metric, one), *([Text(plain(one.arm))] if arms else []), *figures]
            table.add_row(*cells, Text(one.standing, style=_COLOURS.get(one.standing, "dim")))
    return table


def _name(metric: MetricResult, one: Comparison) -> Text:
    name = Text(plain(metric.name), style="bold" if metric.role == "primary" else "default")
    if metric.role == "guardrail":
        allowed = (
            "" if one.margin is None else f", {difference_value(one.margin, metric, signed=False)}{points(metric)}"
        )
        name.append(f" guardrail{allowed}", style="dim")
    return name


def _figures(metric: MetricResult, one: Comparison, *, wide: bool) -> list[Text]:
    values = {figure.arm: figure.value for figure in metric.arms}
    control = one.control if one.control is not None else next(iter(values.values()))
    treatment = one.treatment if one.treatment is not None else values[one.arm]
    cells = [level_value(control, metric), level_value(treatment, metric)]
    if one.difference is None:
        return [Text(cell) for cell in [*cells, *["–"] * (4 if wide else 2)]]
    low, high = difference_value(one.difference.low, metric), difference_value(one.difference.high, metric)
    if wide:
        cells.append(difference_value(one.difference.value, metric))
    cells.append(f"{low} to {high}")
    if wide:
        change = None if one.relative is None else one.relative.value
        cells.append("–" if change is None else f"{'+' if change > 0 else ''}{in_percent(change, 1)}")
    p = one.p_adjusted if one.p_adjusted is not None else one.p
    return [Text(cell) for cell in [*cells, "–" if p is None else p_text(p)]]


def _notes(metric: MetricResult) -> list[str]:
    """What stands behind a row: why there is no answer, a cap, what covariates gave, who is probably best."""
    notes = []
    reasons = dict.fromkeys(one.reason for one in metric.comparisons if one.reason)
    notes += [f"{metric.name}: {reason}" for reason in reasons]
    if metric.cap is not None:
        notes.append(f"{metric.name}: values above {metric.cap:g} count as {metric.cap:g}.")
    reductions = [one.variance_reduction for one in metric.comparisons if one.variance_reduction is not None]
    if reductions:
        notes.append(f"{metric.name}: covariates took away {in_percent(min(reductions), 0)} of the variance.")
    notes += [
        f"{metric.name}: {reason}"
        for reason in dict.fromkeys(one.no_relative for one in metric.comparisons if one.no_relative)
    ]
    if metric.best:
        chances = ", ".join(f"{one.arm} {chance(one.best)}" for one in metric.best)
        notes.append(f"{metric.name}: chance of being the best: {chances}.")
    for one in metric.comparisons:
        if one.belief is not None and one.belief.prior != "flat":
            after = one.belief
            notes.append(
                f"{metric.name}, {one.arm}: after the prior {after.prior}, {difference_value(after.low, metric)} to "
                f"{difference_value(after.high, metric)}{points(metric)}; chance of being better {chance(after.chance_better)}."
            )
    return notes
