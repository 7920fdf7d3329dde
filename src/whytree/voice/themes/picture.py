"""The map of themes, drawn by the server: a circle a theme, its area its voices, near is alike. Works without scripts."""

import textwrap
from collections.abc import Sequence
from html import escape

from django.urls import reverse
from django.utils.safestring import SafeString

from whytree.engines.themes.drawing import Circle, circles
from whytree.workspace.models import Product
from whytree.workspace.pages.vouched import vouched

from .queries import ThemeShown

WIDE, NARROW = (760, 560), (360, 480)
"""Drawn twice, since text in a picture shrinks with it: for the desk, and for a phone."""
MOST_DRAWN = 60
LETTER = 0.6
"""Width of a letter as a share of its height, about."""
LINE = 1.22
SMALLEST, LARGEST = 10.5, 15.0


def draw_map(product: Product, themes: Sequence[ThemeShown]) -> SafeString:
    """Both pictures; the stylesheet shows one."""
    drawn = [shown for shown in themes if shown.facts.size][:MOST_DRAWN]
    if not drawn:
        return SafeString("")
    return vouched(_picture(product, drawn, WIDE, "wide") + _picture(product, drawn, NARROW, "narrow"))


def _picture(product: Product, themes: Sequence[ThemeShown], size: tuple[int, int], name: str) -> str:
    width, height = size
    places = [(shown.theme.x, shown.theme.y) for shown in themes]
    drawn = circles(places, [shown.facts.size for shown in themes], width, height)
    parts = [_bubble(product, shown, circle) for shown, circle in zip(themes, drawn, strict=True)]
    return (
        f'<svg class="theme-map {name}" viewBox="0 0 {width} {height}" role="group" aria-label="Map of themes">'
        f"{''.join(parts)}</svg>"
    )


def _bubble(product: Product, shown: ThemeShown, circle: Circle) -> str:
    theme, size = shown.theme, shown.facts.size
    said = f"{theme.title}: {size:,} {'voice' if size == 1 else 'voices'}"
    kind = "adopted" if shown.is_adopted else "found"
    url = reverse("theme", args=[product.slug, theme.number])
    return (
        f'<a href="{escape(url)}" class="bubble {kind}" aria-label="{escape(said)}"><title>{escape(said)}</title>'
        f'<circle cx="{circle.x:.1f}" cy="{circle.y:.1f}" r="{circle.radius:.1f}"/>{_words(theme.title, circle)}</a>'
    )


def _words(title: str, circle: Circle) -> str:
    """As much of the title as fits, in lines of words; a circle too small for a word stays empty: the list names it."""
    letters = max(min(circle.radius / 4.2, LARGEST), SMALLEST)
    columns = int(circle.radius * 1.75 / (letters * LETTER))
    rows = min(int(circle.radius * 1.3 / (letters * LINE)), 4)
    words = title.replace(" · ", "\n").split("\n")
    if rows < 1 or columns < 5 or len(words[0].split()[0]) > columns:
        return ""
    lines = [
        (line, at == 0)
        for at, part in enumerate(words)
        for line in textwrap.wrap(part, columns, break_long_words=False)
    ]
    lines = [(line, first) for line, first in lines[:rows] if len(line) <= columns]
    top = circle.y - (len(lines) - 1) * letters * LINE / 2
    return "".join(
        f'<text x="{circle.x:.1f}" y="{top + at * letters * LINE:.1f}" font-size="{letters:.1f}"'
        f' class="{"first" if first else "more"}">{escape(line)}</text>'
        for at, (line, first) in enumerate(lines)
    )
