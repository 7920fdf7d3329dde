"""How a talk's moments look."""

from collections.abc import Iterable
from typing import Any

from django import template

from whytree.voice.interviews import media

register = template.Library()

register.filter("moment", media.moment)


@register.filter
def at(url: str, milliseconds: int | None) -> str:
    """The recording's address at this moment; empty where either is not known."""
    return media.at(url, milliseconds)


@register.filter
def questions(findings: Iterable[Any]) -> int:
    """How many questions of a guide are pointed at: one may break several rules, and a finding of line 0 is about the whole guide."""
    return len({one.line for one in findings if one.line})
