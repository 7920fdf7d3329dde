"""Estimates with their intervals, drawn on one scale with zero, beside what was predicted or is allowed.

    interval_bar(Range(1, 7), Measured(2.6, 1.2, 4.0), unit="pp")

Small pictures, written by hand as SVG; rows of one table share a `Scale`, and the words stand in the other cells.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from whytree.engines.figures import between, number

from .drawing import INK


@dataclass(frozen=True)
class Range:
    """A forecast from its 10 % to its 90 % point, or what a guardrail allows."""

    low: float
    high: float


@dataclass(frozen=True)
class Measured:
    """A measured difference with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Scale:
    """From the metric's unit to pixels, always with zero on it."""

    low: float
    high: float
    width: float

    @classmethod
    def over(cls, values: Iterable[float], width: float) -> Scale:
        """Wide enough for all of them and zero, with air at both ends. Several pictures may share one."""
        known = [0.0, *(value for value in values if math.isfinite(value))]
        low, high = min(known), max(known)
        air = (high - low) * 0.08 or 1.0
        return cls(low - air, high + air, width)

    def x(self, value: float) -> float:
        return min(self.width, max(0.0, (value - self.low) / (self.high - self.low) * self.width))

    @property
    def ticks(self) -> list[float]:
        """Round numbers, some six of them, zero among them."""
        rough = (self.high - self.low) / 6
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
        return [i * step for i in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]


def interval_bar(predicted: Range | None, measured: Measured | None, unit: str) -> str:
    """What was predicted above what was measured, on one scale with zero: the picture of a review."""
    values = [*_ends(predicted), *_ends(measured)]
    if not values:
        return ""
    scale = Scale.over(values, 560)
    parts = ['<line x1="0" x2="560" y1="44" y2="44" stroke="var(--line-strong)"/>']
    if predicted:
        left, width = scale.x(predicted.low), scale.x(predicted.high) - scale.x(predicted.low)
        words = f"predicted {between(predicted.low, predicted.high)}"
        parts.append(
            f'<rect x="{left:.1f}" y="14" width="{width:.1f}" height="14" rx="7" fill="var(--blue-wash)"/>'
            f'<text x="{min(left + 4, 440):.1f}" y="24.5" fill="var(--blue)">{words}</text>'
        )
    if measured:
        parts.append(_whisker(scale, measured, 36, "leaf"))
    parts.append(_zero(scale, 8, 48))
    parts.append(_axis(scale, 60, unit))
    return (
        '<svg viewBox="0 0 560 66" width="100%" style="max-width:560px" font-family="var(--sans)" font-size="11" '
        f'role="img" aria-label="{escape(describe(predicted, measured, unit))}">{"".join(parts)}</svg>'
    )


def interval_row(
    scale: Scale,
    shaded: Range | None,
    measured: Measured | None,
    *,
    unit: str,
    tone: str = "ink-3",
    wash: str = "blue-wash",
) -> str:
    """The same in a table's row; rows of one table share a scale. Words stand in the row's other cells."""
    parts = []
    if shaded:
        left, width = scale.x(shaded.low), scale.x(shaded.high) - scale.x(shaded.low)
        parts.append(f'<rect x="{left:.1f}" y="1" width="{width:.1f}" height="20" rx="4" fill="var(--{wash})"/>')
    parts.append(_zero(scale, 0, 22))
    if measured:
        parts.append(_whisker(scale, measured, 11, tone))
    parts.append(f'<g font-size="9" font-family="var(--sans)">{_axis(scale, 29, unit)}</g>')
    head = f'<svg viewBox="0 0 {scale.width:g} 32" width="100%" style="max-width:{scale.width:g}px" aria-hidden="true">'
    return f"{head}{''.join(parts)}</svg>"


def describe(predicted: Range | None, measured: Measured | None, unit: str) -> str:
    """The picture in words."""
    suffix = f" {unit}" if unit else ""
    parts = []
    if predicted:
        parts.append(f"predicted {between(predicted.low, predicted.high)}{suffix}")
    if measured:
        interval = f"interval {between(measured.low, measured.high)}"
        parts.append(f"measured {number(measured.value)}{suffix}, {interval}")
    return ", ".join(parts)


def _ends(interval: Range | Measured | None) -> list[float]:
    return [] if interval is None else [interval.low, interval.high]


def _whisker(scale: Scale, measured: Measured, y: float, tone: str) -> str:
    colour = f"var(--{tone})"
    return (
        f'<line x1="{scale.x(measured.low):.1f}" x2="{scale.x(measured.high):.1f}" y1="{y}" y2="{y}" '
        f'stroke="{colour}" stroke-width="5" stroke-linecap="round"/>'
        f'<circle cx="{scale.x(measured.value):.1f}" cy="{y}" r="6" fill="{colour}"/>'
    )


def _zero(scale: Scale, top: float, bottom: float) -> str:
    x = scale.x(0)
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}" stroke="{INK}" stroke-dasharray="2 3"/>'


_HALF_A_LETTER = 3.5  # of an axis' words, in the picture's units


def _axis(scale: Scale, y: float, unit: str) -> str:
    ticks = scale.ticks
    labels = []
    for tick in ticks:
        words = number(tick) + (f" {unit}" if unit and tick == ticks[-1] else "")
        x = scale.x(tick)
        anchor = "end" if x + _HALF_A_LETTER * len(words) > scale.width else "middle"
        x = scale.width if anchor == "end" else x
        labels.append(f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>')
    return f'<g fill="{INK}">{"".join(labels)}</g>'
