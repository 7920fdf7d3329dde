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
def provenance(step: LinkJson) -> str:
    """How a step was found: "stated: trailer", "inferred: closing keyword (0.9)"."""
    return f"stated: {step['rule']}" if step["provenance"] == "stated" else provenance_words(step)
