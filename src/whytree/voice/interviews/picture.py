"""The joined experience map as one picture: steps from left to right, good feelings above the line and bad ones below."""

import textwrap
from html import escape

from django.utils.safestring import SafeString, mark_safe

from .maps import JoinedMap, Stage

COLUMN, HEIGHT, MIDDLE, SWING = 132, 300, 96, 62
LETTERS, LINES = 18, 6


def draw_stages(joined: JoinedMap) -> SafeString:
    """A circle a step, its area how many talks tell it; the bars beside it are how many felt good and bad there."""
    stages = joined.stages
    if not stages:
        return SafeString("")
    width = COLUMN * len(stages)
    most = max(stage.told for stage in stages)
    parts = [
        f'<line class="middle" x1="0" x2="{width}" y1="{MIDDLE}" y2="{MIDDLE}"/>',
        *(_way(stages, line) for line in sorted({stage.line for stage in stages})),
        *(_stage(at, stage, most) for at, stage in enumerate(stages)),
    ]
    svg = (
        f'<svg class="experience-map" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}" role="img" '
        f'aria-label="Experience map of {joined.talks} talks; the table below says the same">{"".join(parts)}</svg>'
    )
    return mark_safe(svg)  # noqa: S308 - words are escaped below, the rest is numbers


def _way(stages: list[Stage], line: int) -> str:
    points = " ".join(f"{_x(at)},{_y(stage):.1f}" for at, stage in enumerate(stages) if stage.line == line)
    return f'<polyline class="way" points="{points}"/>'


def _x(at: int) -> int:
    return COLUMN * at + COLUMN // 2


def _y(stage: Stage) -> float:
    return MIDDLE - SWING * (stage.feeling or 0)


def _stage(at: int, stage: Stage, most: int) -> str:
    x, y = _x(at), _y(stage)
    radius = 8 + 12 * (stage.told / most) ** 0.5
    kind = (
        "unknown" if stage.feeling is None else "high" if stage.feeling > 0 else "low" if stage.feeling < 0 else "both"
    )
    said = f"{stage.words}: told in {stage.told}, felt good {stage.high}, felt bad {stage.low}"
    lines = textwrap.wrap(stage.words, LETTERS)
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], lines[LINES - 1][: LETTERS - 1] + "…"]
    words = "".join(
        f'<text class="words" x="{x}" y="{204 + 16 * row}">{escape(line)}</text>' for row, line in enumerate(lines)
    )
    return (
        f"<g><title>{escape(said)}</title>"
        f'<circle class="{kind}" cx="{x}" cy="{y:.1f}" r="{radius:.1f}"/>'
        f'<text class="count" x="{x}" y="{y + 4.5:.1f}">{stage.told}</text>{words}</g>'
    )
