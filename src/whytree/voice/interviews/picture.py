"""The joined experience map as one picture: steps from left to right, good feelings above the line and bad ones below."""

import textwrap
from html import escape

from django.utils.safestring import SafeString

from whytree.workspace.pages.vouched import vouched

from .maps import JoinedMap, Stage

COLUMN, MARGIN, SWING = 132, 34, 62
LETTERS, LINES, LEADING = 18, 6, 16


def draw_stages(joined: JoinedMap) -> SafeString:
    """A circle a step, its area how many talks tell it; its height how they felt there, where somebody noted it."""
    stages = joined.stages
    if not stages:
        return SafeString("")
    width, most = COLUMN * len(stages), max(stage.told for stage in stages)
    feelings = [stage.feeling or 0 for stage in stages]
    middle = MARGIN + SWING * max(0, *feelings)  # room is left only where the line goes
    words_at = middle - SWING * min(0, *feelings) + MARGIN + LEADING
    written = [_lines(stage.words) for stage in stages]
    height = words_at + LEADING * max(map(len, written))
    parts = [
        f'<line class="middle" x1="0" x2="{width}" y1="{middle:.1f}" y2="{middle:.1f}"/>',
        *(_way(stages, line, middle) for line in sorted({stage.line for stage in stages})),
        *(_stage(at, stage, most, middle) for at, stage in enumerate(stages)),
        *(_words(at, lines, words_at) for at, lines in enumerate(written)),
    ]
    svg = (
        f'<svg class="experience-map" width="{width}" height="{height:.0f}" viewBox="0 0 {width} {height:.0f}" role="img" '
        f'aria-label="Experience map of {joined.talks} talks; the table below says the same">{"".join(parts)}</svg>'
    )
    return vouched(svg)


def _way(stages: list[Stage], line: int, middle: float) -> str:
    points = " ".join(f"{_x(at)},{_y(stage, middle):.1f}" for at, stage in enumerate(stages) if stage.line == line)
    return f'<polyline class="way" points="{points}"/>'


def _x(at: int) -> int:
    return COLUMN * at + COLUMN // 2


def _y(stage: Stage, middle: float) -> float:
    return middle - SWING * (stage.feeling or 0)


def _lines(words: str) -> list[str]:
    lines = textwrap.wrap(words, LETTERS)
    return lines if len(lines) <= LINES else [*lines[: LINES - 1], lines[LINES - 1][: LETTERS - 1] + "…"]


def _words(at: int, lines: list[str], top: float) -> str:
    return "".join(
        f'<text class="words" x="{_x(at)}" y="{top + LEADING * row:.1f}">{escape(line)}</text>'
        for row, line in enumerate(lines)
    )


def _stage(at: int, stage: Stage, most: int, middle: float) -> str:
    x, y = _x(at), _y(stage, middle)
    radius = 8 + 12 * (stage.told / most) ** 0.5
    kind = (
        "unknown" if stage.feeling is None else "high" if stage.feeling > 0 else "low" if stage.feeling < 0 else "both"
    )
    said = f"{stage.words}: told in {stage.told}, felt good {stage.high}, felt bad {stage.low}"
    return (
        f"<g><title>{escape(said)}</title>"
        f'<circle class="{kind}" cx="{x}" cy="{y:.1f}" r="{radius:.1f}"/>'
        f'<text class="count" x="{x}" y="{y + 4.5:.1f}">{stage.told}</text></g>'
    )
