"""A result in words: the sentence at the top, what a careful reader adds to it, and figures as people read them."""

from __future__ import annotations

from collections.abc import Sequence

from whytree.engines.stats.tails import Tail

from .plan import MetricPlan
from .results import Analysis, Comparison, Interval, MetricResult, Standing

#: Metrics that one sentence names.
MOST_NAMED = 6


def figure(value: float) -> str:
    """Four digits that say something; thousands apart."""
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 1000:
        return _minus(f"{value:,.0f}")
    if size >= 0.001:
        digits = 1 if size >= 100 else 2 if size >= 1 else 3 if size >= 0.1 else 4 if size >= 0.01 else 5
        text = f"{value:.{digits}f}"
        return _minus(f"{value:.0f}" if float(text) == round(value) else text)
    return _minus(f"{value:.2e}")


def chance(share: float) -> str:
    """A probability nobody should take for certain."""
    return "< 1 %" if share < 0.01 else "> 99 %" if share > 0.99 else in_percent(share, 0)


def in_percent(share: float, digits: int = 2) -> str:
    return f"{_minus(f'{100 * share:.{digits}f}')} %"


def p_text(p: float) -> str:
    return f"{p:.2g}" if p >= 1e-4 else f"{p:.0e}"


def level_value(value: float | None, metric: MetricResult) -> str:
    if value is None:
        return "–"
    return in_percent(value) if metric.unit == "%" else figure(value)


def difference_value(value: float, metric: MetricResult, *, signed: bool = True) -> str:
    """A difference in points or in the metric's own unit."""
    text = f"{100 * value:.2f}" if metric.unit == "%" else figure(value)
    sign = "+" if signed and value > 0 else ""
    return sign + _minus(text)


def points(metric: MetricResult) -> str:
    return " points" if metric.unit == "%" else ""


def several(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _minus(text: str) -> str:
    return text.replace("-", "−", 1) if text.startswith("-") else text


# --- the sentence and the verdict ------------------------------------------------------------------------------------


def headline(analysis: Analysis) -> str:
    """What the change did to the metric that decides, and first of all whether that can be trusted."""
    return f"{'Not to be trusted yet. ' if analysis.trust == 'broken' else ''}{_moved(analysis)}"


def _moved(analysis: Analysis) -> str:
    metric = deciding(analysis)
    if metric is None:
        return _rails_alone(analysis)
    moved = [one for one in metric.comparisons if one.standing in ("better", "worse")]
    if not moved:
        answered = [one for one in metric.comparisons if one.difference is not None]
        if not answered:
            return f"{metric.name} gives no answer. {metric.comparisons[0].reason}"
        if len(answered) == 1 and len(metric.comparisons) == 1:
            return f"No effect of {answered[0].arm} on {metric.name} can be seen: {became(answered[0], metric)}."
        return f"No effect of any arm on {metric.name} can be seen."
    return " ".join(
        f"{one.arm} {'raised' if (one.treatment or 0) > (one.control or 0) else 'lowered'} {metric.name}: {became(one, metric)}."
        for one in moved
    )


def deciding(analysis: Analysis) -> MetricResult | None:
    return next((metric for metric in analysis.metrics if metric.role == "primary"), None)


def became(one: Comparison, metric: MetricResult) -> str:
    return f"{level_value(one.control, metric)} became {level_value(one.treatment, metric)}"


def verdict(analysis: Analysis) -> list[str]:
    """What a careful analyst adds: how sure, what else moved, whether to trust it, and what follows."""
    metric = deciding(analysis)
    said: list[str] = []
    if metric is not None:
        for one in metric.comparisons:
            if one.difference is not None:
                said.append(_compatible(one, one.difference, metric, analysis))
        said += [
            f"{one.arm}: no answer. {one.reason}"
            for one in metric.comparisons
            if one.difference is None and len(metric.comparisons) > 1
        ]
    said += _others(analysis)
    said += _doubts(analysis)
    said.append(_what_follows(analysis, metric))
    return [sentence for sentence in said if sentence]


def _compatible(one: Comparison, difference: Interval, metric: MetricResult, analysis: Analysis) -> str:
    low, high = difference.low, difference.high
    arm = f"{one.arm}: the" if len(metric.comparisons) > 1 else "The"
    if low >= 0:
        what = f"a rise of {_size(low, metric)} to {_size(high, metric)}{points(metric)}"
    elif high <= 0:
        what = f"a fall of {_size(high, metric)} to {_size(low, metric)}{points(metric)}"
    else:
        what = f"anything from a fall of {_size(low, metric)} to a rise of {_size(high, metric)}{points(metric)}"
    p = one.p_adjusted if one.p_adjusted is not None else one.p
    always = ", at every look" if analysis.sequential else f", at look {analysis.look}" if analysis.look else ""
    known = "" if p is None else f", p = {p_text(p)}"
    return f"{arm} data are compatible with {what} ({100 * difference.level:.4g} % interval{always}{known})."


def _size(value: float, metric: MetricResult) -> str:
    return difference_value(abs(value), metric, signed=False)


def _others(analysis: Analysis) -> list[str]:
    """Guardrails and what moved in a sentence each; what did not move together, where it is more than two."""
    said: list[str] = []
    quiet: dict[str, str] = {}
    for metric in analysis.metrics:
        if metric.role == "primary":
            continue
        for one in metric.comparisons:
            name = metric.name if len(metric.comparisons) == 1 else f"{metric.name} in {one.arm}"
            if one.standing == "no answer yet" and metric.role == "secondary":
                quiet[name] = f"{name} shows no difference beyond chance: {became(one, metric)}."
            elif one.standing != "no answer" or len(metric.comparisons) == 1:
                said.append(_other(name, one, metric))
    if len(quiet) <= 2:
        return said + list(quiet.values())
    shown, more = list(quiet)[:MOST_NAMED], len(quiet) - MOST_NAMED
    return [*said, f"No difference beyond chance in {listed([*shown, *([f'{more} more'] if more > 0 else [])])}."]


def _other(name: str, one: Comparison, metric: MetricResult) -> str:
    if one.standing in ("better", "worse"):
        return f"{name} moved too: {became(one, metric)}."
    if one.standing == "harm":
        return f"{name} got worse by more than was allowed: {became(one, metric)}."
    if one.standing == "not worse":
        return f"{name} is not worse by more than was allowed."
    if one.standing == "no answer yet":
        return f"Whether {name} stayed within its margin cannot be told yet."
    return f"{name} gives no answer (why: below the table)."


def _doubts(analysis: Analysis) -> list[str]:
    broken = [check for check in analysis.health if check.standing == "broken"]
    if broken:
        return [f"Do not trust this yet: {broken[0].name}. {broken[0].sentence}"]
    ratio = analysis.sample_ratio[0]
    if ratio.standing == "look" and ratio.p is not None:
        return [
            f"The split itself is off (p = {p_text(ratio.p)}): suspicious, not conclusive. Find out why before this becomes a lesson."
        ]
    return []


def _what_follows(analysis: Analysis, metric: MetricResult | None) -> str:
    if analysis.trust == "broken":
        return "Decide nothing from it before that is cleared."
    if harmed := _standing(analysis.metrics, "harm"):
        return f"Do not ship: {listed(harmed)} was to be protected."
    if metric is None:
        return ""
    better = [one for one in metric.comparisons if one.standing == "better"]
    worse = [one for one in metric.comparisons if one.standing == "worse"]
    if better:
        best = max(better, key=lambda one: abs(one.difference.value if one.difference else 0))
        unsettled = _standing([one for one in analysis.metrics if one.role == "guardrail"], "no answer yet")
        after = f" {listed(unsettled)} should be settled first." if unsettled else ""
        return f"What was asked speaks for {best.arm}.{after}"
    if worse and len(worse) == len(metric.comparisons):
        return f"Stay with {analysis.control}: nothing here speaks for {listed([one.arm for one in worse])}."
    if all(one.difference is None for one in metric.comparisons):
        return ""
    if fell := _standing([one for one in analysis.metrics if one is not metric], "worse"):
        return f"{listed(fell)} got worse and nothing got better: stay with {analysis.control}, or say first which decides."
    return (
        f"No difference seen is not the same as none: if the larger end of the interval would matter, it needs more units; "
        f"if not, treat {listed(list(analysis.units))} as alike, and keep the one that costs less."
    )


def _standing(metrics: Sequence[MetricResult], standing: Standing) -> list[str]:
    """Names of those that stand so in any arm."""
    return sorted({one.name for one in metrics if any(c.standing == standing for c in one.comparisons)})


def _rails_alone(analysis: Analysis) -> str:
    if harmed := _standing(analysis.metrics, "harm"):
        return f"{listed(harmed)} got worse by more than was allowed."
    unclear = sorted({one.name for one in analysis.metrics if any(c.standing != "not worse" for c in one.comparisons)})
    if not unclear:
        return f"Nothing got worse by more than was allowed: {listed([one.name for one in analysis.metrics])}."
    return f"More units would tell about {listed(unclear)}; until then this speaks for nothing."


def no_mean(metric: MetricPlan, worst: Tail) -> str:
    """Why a mean has no interval, and what would give one."""
    column = metric.column
    if worst.few_carry_it:
        return (
            f"Only {several(worst.away or 0, 'unit')} of an arm have another {column} than {figure(worst.usual)}: too few for the mean. "
            "More units would give an answer; so does a column that says who did it at all."
        )
    why = (
        "its tail is so heavy that its spread may have no bound"
        if worst.infinite_variance_in_sight
        else f"one unit ({figure(worst.value)}) makes {in_percent(worst.share, 0)} of the spread in its arm"
    )
    return (
        f"The mean of {column} is at the mercy of its largest values: {why}. --cap {column}=p99.9 would give an answer about "
        f"everybody else, {column}:median or p90 one about the typical or the keen unit."
    )
