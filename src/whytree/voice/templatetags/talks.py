"""How a talk's moments look."""

from django import template

from whytree.voice.interviews import media

register = template.Library()

register.filter("moment", media.moment)


@register.filter
def at(url: str, milliseconds: int | None) -> str:
    """The recording's address at this moment; empty where either is not known."""
    return media.at(url, milliseconds)
