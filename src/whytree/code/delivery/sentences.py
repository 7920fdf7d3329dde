"""Delivery metrics in words, the same at every door."""

from collections.abc import Callable

from whytree.engines.delivery import Measure
from whytree.engines.figures import number

#: By DORA's key: what people call it, what its value is, and what is counted.
WORDS = {
    "deployment_frequency": ("Deployment frequency", "the median week", "deployment"),
    "change_lead_time": ("Lead time for changes", "median from written to live", "commit"),
    "change_fail_rate": ("Change fail rate", "an incident followed", "deployment"),
    "failed_deployment_recovery_time": ("Time to restore", "median from live to repaired", "incident"),
    "deployment_rework_rate": ("Rework rate", "brought a revert or a repair", "deployment"),
}


def title(measure: Measure) -> str:
    return WORDS[measure.key][0]


def figure(measure: Measure) -> str:
    """ "14 h", "3 a week", "20 %"; "no answer" where the data cannot say."""
    return "no answer" if measure.value is None else _SPELLED[measure.unit](measure.value)


def beside(measure: Measure) -> str:
    """What it is, how sure, of how many; or why there is no answer."""
    _, how, what = WORDS[measure.key]
    counted = f"n = {measure.n:,} {what}{'' if measure.n == 1 else 's'}"
    if measure.value is None:
        return f"{measure.reason} {counted}" if measure.n else measure.reason
    if measure.low is None or measure.high is None:
        return f"{how}, {counted}"
    low, high = _SPELLED[measure.unit](measure.low).removesuffix(" a week"), _SPELLED[measure.unit](measure.high)
    around = "95 % interval" if measure.unit == "share" else "middle half"
    return f"{how}, {around} {low} to {high}, {counted}"


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
