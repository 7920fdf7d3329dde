"""How the tree's words look: tones, forecasts, sparklines."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.utils.safestring import SafeString

from whytree.engines import charts
from whytree.engines.charts.intervals import Range, interval_bar
from whytree.tree.measures import criterion_of
from whytree.tree.models import AssumptionTest, Hypothesis
from whytree.tree.sentences import forecast, likely
from whytree.workspace.models import Activity
from whytree.workspace.pages.vouched import vouched

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
    return vouched(charts.spark(values))


register.filter("forecast", forecast)
register.filter("likely", likely)


@register.filter
def forecast_bar(hypothesis: Hypothesis) -> SafeString:
    """The forecast as a picture, with zero on it."""
    predicted = Range(hypothesis.forecast_low, hypothesis.forecast_high)
    return vouched(interval_bar(predicted, None, hypothesis.forecast_unit))


@register.filter
def figure(value: float | None) -> str:
    """A number as it was typed: 31.2, 40."""
    return "" if value is None else f"{value:,.10g}"


# Where the verb does not say it all, which fields changed; and how, when that is short.
_TELLING = ("edit_", "set_state", "override_", "import_node")
_UNTOLD = frozenset({"updated_at", "number", "closed_at", "close_reason", "override_reason"})


@register.filter
def altered(activity: Activity) -> str:
    """What an edit changed, in words: "title, baseline 31 → 31.2"."""
    before, after = activity.before or {}, activity.after or {}
    if not before or not after or not activity.verb.startswith(_TELLING):
        return ""
    names = [name for name in after if before.get(name) != after[name] and name not in _UNTOLD]
    return ", ".join(_change(name, before.get(name), after[name]) for name in names[:4])


def _change(name: str, before: Any, after: Any) -> str:
    words = name.removesuffix("_id").replace("_", " ")
    shown = [_shown(value) for value in (before, after)]
    if name.endswith("_id") or "" in shown or max(map(len, shown)) > 24:
        return words
    return f"{words} {shown[0]} → {shown[1]}"


def _shown(value: Any) -> str:
    """A short value as people write it; empty for what is better named than shown."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return figure(value)
    return value.replace("_", " ") if isinstance(value, str) else ""


@register.filter
def draft_tone(kind: str) -> str:
    """The colour of a kind of node, as the tree draws it."""
    return {"OUT": "leaf", "OPP": "plum", "SOL": "blue"}.get(kind, "")


@register.filter
def of_key(found: Mapping[Any, Any], key: Any) -> Any:
    """What a dictionary holds of a key; nothing for nothing."""
    return found.get(key)


@register.filter
def yes_means(test: AssumptionTest) -> str:
    """What would count as a yes: as somebody wrote it, else as what is counted says it."""
    return test.success_criterion or (criterion_of(test.measure) if test.measure is not None else "")


@register.filter
def cost(days: float | None) -> str:
    """half a day, 3 days; for what a test costs."""
    if days is None:
        return ""
    named = {0.125: "an hour", 0.25: "two hours", 0.5: "half a day", 1.0: "a day"}
    return named.get(days) or f"{days:g} days"
