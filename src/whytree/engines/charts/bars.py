"""Bars below each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .drawing import CONFIG, INK, LEAF, SANS


@dataclass(frozen=True)
class Bar:
    """One bar, with what stands at its end."""

    name: str
    value: float
    text: str = ""


def bars_spec(bars: Sequence[Bar], *, numbered: bool = True) -> dict[str, Any]:
    """Bars below each other in their order, as a Vega-Lite specification."""
    rows = [
        {"name": f"{at}. {bar.name}" if numbered else bar.name, "value": bar.value, "text": bar.text}
        for at, bar in enumerate(bars, 1)
    ]
    if not rows:
        return {}
    y = {"field": "name", "type": "nominal", "sort": None, "axis": {"title": None, "labelLimit": 260, "ticks": False}}
    x = {
        "field": "value",
        "type": "quantitative",
        "axis": {"title": None, "format": ",d", "tickCount": 5, "grid": False},
    }
    words = {"type": "text", "align": "left", "dx": 5, "color": INK, "fontSize": 12, "font": SANS}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": 560,
        "height": {"step": 34},
        "data": {"values": rows},
        "encoding": {"y": y, "x": x},
        "layer": [{"mark": {"type": "bar", "color": LEAF}}, {"mark": words, "encoding": {"text": {"field": "text"}}}],
        "config": CONFIG,
    }
