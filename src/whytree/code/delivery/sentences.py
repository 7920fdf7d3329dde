"""Delivery metrics in words, the same at every door."""

from collections.abc import Callable

from whytree.engines.delivery import Measure
from whytree.engines.figures import number

#: By DORA's key: what people call it, and what is counted.
WORDS = {
    "deployment_frequency": ("Deployment frequency", "deployment"),
    "change_lead_time": ("Lead time for changes", "commit"),
    "change_fail_rate": ("Change fail rate", "deployment"),
    "failed_deployment_recovery_time": ("Time to restore", "incident"),
    "deployment_rework_rate": ("Rework rate", "deployment"),
}


def title(measure: Measure) -> str:
    return WORDS[measure.key][0]


def figure(measure: Measure) -> str:
    """ "14 h", "3 a week", "20 %"; "no answer" where the data cannot say."""
    return "no answer" if measure.value is None else _SPELLED[measure.unit](measure.value)


def beside(measure: Measure) -> str:
    """How sure, of how many, or why there is no answer."""
    what = WORDS[measure.key][1]
    counted = f"n = {measure.n:,} {what}{'' if measure.n == 1 else 's'}"
    if measure.value is None:
        return f"{measure.reason} {counted}" if measure.n else measure.reason
    if measure.low is None or measure.high is None:
        return f"median, {counted}"
    low, high = _SPELLED[measure.unit](measure.low), _SPELLED[measure.unit](measure.high)
    return (
        f"95 % interval {low} to {high}, {counted}"
        if measure.unit == "share"
        else f"median, middle half {low} to {high}, {counted}"
    )


def span(hours: float) -> str:
    """In the unit people would say it in."""
    if hours < 1:
        return f"{60 * hours:.0f} min"
    return f"{number(hours)} h" if hours < 48 else f"{number(round(hours / 24, 1))} d"


_SPELLED: dict[str, Callable[[float], str]] = {
    "hours": span,
    "share": lambda value: f"{100 * value:.0f} %",
    "per week": lambda value: f"{number(value)} a week",
}
