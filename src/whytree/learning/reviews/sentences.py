"""A result in words: the sentence a page begins with, and the one below it."""

from collections.abc import Sequence

from whytree.engines.figures import between, number
from whytree.tree.sentences import short

from ..models import OutcomeReview
from .results import Contrast, Figure, Forecast, Guardrail, Result, Trust


def headline(review: OutcomeReview, result: Result) -> str:
    """What it did, in one sentence."""
    title = f"“{short(review.hypothesis.solution.title, 70)}”"
    contrast = result.contrast
    if result.state == "measured" and contrast is not None and contrast.difference is not None:
        return _effect(title, contrast, contrast.difference)
    if result.state == "too_little":
        return f"Too little to say yet what {title} did."
    if result.state == "no_comparison":
        return f"What {title} did cannot be told from what else happened."
    if result.state == "no_metric":
        return f"What {title} did is not measured yet."
    if review.decided_at is not None:
        return f"{title} was decided on {review.product.there(review.decided_at):%-d %b}, before its review was due."
    if result.unmet:
        return f"Nobody new gets {title}: {result.unmet}. Its review is due on {_day(review)}."
    return f"{title} is out. Its review is due on {_day(review)}."


def _effect(title: str, contrast: Contrast, difference: Figure) -> str:
    name = f"“{short(contrast.metric_name, 60)}”"
    size = f"{number(abs(difference.value))} {_points(contrast.difference_unit)}"
    if difference.low > 0:
        return f"{title} raised {name} by {size}."
    if difference.high < 0:
        return f"{title} lowered {name} by {size}."
    return f"No effect of {title} on {name} can be seen."


def _points(unit: str) -> str:
    return "points" if unit == "pp" else unit


def subline(result: Result) -> str:
    """What the data are compatible with, what was predicted, and whether something else moved."""
    contrast = result.contrast
    if not result.is_measured or contrast is None or contrast.difference is None:
        return result.reason
    parts = [_became(contrast), _compatible(contrast.difference, contrast), _predicted(result.forecast)]
    if not result.is_trusted:
        parts.insert(0, "Do not trust this: the arms are not as large as their weights promised.")
    parts.append(rails(result.guardrails))
    return " ".join(part for part in parts if part)


def _became(contrast: Contrast) -> str:
    if contrast.control is None or contrast.treatment is None:
        return ""
    return f"{amount(contrast.control.value, contrast.unit)} became {amount(contrast.treatment.value, contrast.unit)}."


def _compatible(difference: Figure, contrast: Contrast) -> str:
    unit = _points(contrast.difference_unit)
    if difference.low > 0:
        return f"The data are compatible with a rise of {between(difference.low, difference.high)} {unit}."
    if difference.high < 0:
        return f"The data are compatible with a fall of {between(-difference.high, -difference.low)} {unit}."
    fall, rise = number(max(0.0, -difference.low)), number(max(0.0, difference.high))
    return f"The data are compatible with anything from a fall of {fall} to a rise of {rise} {unit}."


def _predicted(forecast: Forecast) -> str:
    said = forecast_text(forecast)
    if forecast.holds is None:
        return f"Predicted were {said}. {forecast.reason}"
    leaves = ", within the error of the measurement" if forecast.held and not forecast.holds else ""
    return f"That is {held_text(forecast)} the predicted {said}{leaves}."


def held_text(forecast: Forecast) -> str:
    """Whether its range held, in words; empty where that cannot be judged."""
    return "" if forecast.holds is None else held_word(forecast.holds, bool(forecast.held))


def held_word(inside: bool, held: bool) -> str:
    """inside, outside; just outside: held, since the error of the measurement leaves it open."""
    if inside:
        return "inside"
    return "just outside" if held else "outside"


def rails(guardrails: Sequence[Guardrail]) -> str:
    """Whether something else got worse."""
    if not guardrails:
        return ""
    harmed = [rail.contrast.metric_name for rail in guardrails if rail.verdict == "harmed"]
    if harmed:
        return f"A guardrail broke: {', '.join(harmed)}."
    if all(rail.verdict == "held" for rail in guardrails):
        return "No guardrail broke."
    return "Not every guardrail has an answer yet."


def forecast_text(forecast: Forecast) -> str:
    """+1 to +7 pp"""
    return f"{signed(forecast.low)} to {signed(forecast.high)} {forecast.unit}".rstrip()


def likely_text(forecast: Forecast) -> str:
    return f"{signed(forecast.likely)} {forecast.unit}".rstrip()


def measured_text(result: Result) -> str:
    """+2.6 pp (1.2 to 4), n = 18,402"""
    figure, unit = result.forecast.measured, result.forecast.unit
    if figure is None and result.contrast is not None:
        figure, unit = result.contrast.difference, result.contrast.difference_unit
    if figure is None:
        return ""
    interval = between(figure.low, figure.high)
    return f"{amount(figure.value, unit, sign=True)} ({interval}), n = {figure.n:,}"


def business(result: Result) -> str:
    """For the solution's light: predicted and what came of it."""
    said = f"Predicted {forecast_text(result.forecast)}"
    if result.is_measured:
        return f"{said}; measured {measured_text(result)}. {rails(result.guardrails)}".rstrip()
    return f"{said}; {result.reason[0].lower()}{result.reason[1:]}" if result.reason else f"{said}."


def amount(value: float, unit: str, *, sign: bool = False) -> str:
    return f"{signed(value) if sign else number(value)} {unit}".rstrip()


def signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(value)


def exposure(trust: Trust) -> str:
    """9,188 : 9,214"""
    return " : ".join(f"{people:,}" for people in trust.seen.values())


def _day(review: OutcomeReview) -> str:
    return f"{review.product.there(review.due_at):%-d %b}"
