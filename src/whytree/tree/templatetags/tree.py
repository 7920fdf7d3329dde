"""How the tree's words look: tones, forecasts, sparklines."""

from collections.abc import Iterable

from django import template
from django.utils.safestring import SafeString, mark_safe

from whytree.engines import charts
from whytree.tree.models import Hypothesis
from whytree.tree.sentences import forecast, likely
from whytree.workspace.models import Activity

register = template.Library()

# Amber waits for a person, red is harm or a gap, leaf is good, blue is what we build.
_TONES = {
    "strong": "leaf",
    "moderate": "leaf",
    "weak": "amber",
    "none": "red",
    "in focus": "leaf",
    "testing": "blue",
    "building": "blue",
    "live": "blue",
    "measured": "amber",
    "kept": "leaf",
    "rolled back": "red",
    "supported": "leaf",
    "refuted": "red",
    "mixed": "amber",
    "untested": "amber",
    "validated": "leaf",
    "invalidated": "red",
    "inconclusive": "amber",
    "in progress": "blue",
    "supports": "leaf",
    "contradicts": "red",
    "challenge": "amber",
    "question": "amber",
    "constraint": "blue",
    "decision": "leaf",
}


@register.filter
def tone(word: str) -> str:
    """The chip's colour for a state, a verdict, a strength, a kind of note."""
    return _TONES.get(str(word), "")


@register.filter
def spark(values: Iterable[float]) -> SafeString:
    return mark_safe(charts.spark(values))  # noqa: S308 - drawn from numbers only


register.filter("forecast", forecast)
register.filter("likely", likely)


@register.filter
def forecast_bar(hypothesis: Hypothesis) -> SafeString:
    """The forecast as a picture, with zero on it."""
    predicted = charts.Range(hypothesis.forecast_low, hypothesis.forecast_high)
    return mark_safe(charts.interval_bar(predicted, None, hypothesis.forecast_unit))  # noqa: S308 - drawn from numbers only


@register.filter
def figure(value: float | None) -> str:
    """A number as it was typed: 31.2, 40."""
    return "" if value is None else f"{value:,.10g}"


@register.filter
def altered(activity: Activity) -> str:
    """Which fields an edit changed, in words."""
    before, after = activity.before or {}, activity.after or {}
    if not before or not after:
        return ""
    names = [name for name in after if before.get(name) != after[name] and name not in {"updated_at", "number"}]
    return ", ".join(name.removesuffix("_id").replace("_", " ") for name in names[:4])
