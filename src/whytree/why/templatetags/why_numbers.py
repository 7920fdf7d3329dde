"""Numbers as an answer writes them: {% load why_numbers %}."""

from django import template

from whytree.engines import figures
from whytree.why.answer import LinkJson, provenance_words

register = template.Library()


@register.filter
def number(value: float | None) -> str:
    """31.2, 1,234, "unknown"."""
    return "unknown" if value is None else figures.number(value)


@register.filter
def signed(value: float | None) -> str:
    """+2.6, −0.4, 0: a difference."""
    if value is None:
        return "unknown"
    return f"+{figures.number(value)}" if value > 0 else figures.number(value)


@register.filter
def between(low: float | None, high: float | None) -> str:
    """0.64 to 0.80; "unknown to 40" where one end is."""
    if low is None or high is None:
        return f"{number(low)} to {number(high)}"
    return figures.between(low, high)


@register.filter
def percent(share: float) -> str:
    return figures.percent(share)


@register.filter
def width(share: float) -> str:
    """For a style: always a point, never a comma."""
    return f"{100 * share:.2f}%"


@register.filter
def provenance(step: LinkJson) -> str:
    """How a step was found: "stated: trailer", "inferred: closing keyword (0.9)"."""
    return f"stated: {step['rule']}" if step["provenance"] == "stated" else provenance_words(step)
