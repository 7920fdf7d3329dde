"""A curve over a number: how likely an effect of that size is found, how small an effect more weeks can show.

    curve([Along(0.5, 12), Along(1, 30), ...], Axes("points", "% of experiments find it"), label="...")

Drawn like the other charts (`charts`), on the server, for desk and phone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .drawing import AMBER, CONFIG, INK, LEAF, NARROW, SANS, WIDE, draw


@dataclass(frozen=True)
class Along:
    """A point of the curve."""

    x: float
    y: float


@dataclass(frozen=True)
class Axes:
    """What stands along both axes; `top` ends the upright one."""

    x: str
    y: str
    top: float | None = None


@dataclass(frozen=True)
class At:
    """A place on the x axis that is marked, as what was predicted."""

    x: float
    text: str


def curve(points: Sequence[Along], axes: Axes, *, label: str, level: float | None = None, at: Sequence[At] = ()) -> str:
    """The points joined, a level drawn across, and places marked."""
    if len(points) < 2:
        return ""
    spec = _spec(points, axes, level, [mark for mark in at if points[0].x <= mark.x <= points[-1].x])
    narrow = {**spec, "width": NARROW[0], "height": NARROW[1]}
    return draw(spec, label, "wide") + draw(narrow, label, "narrow")


def _spec(points: Sequence[Along], axes: Axes, level: float | None, at: Sequence[At]) -> dict[str, Any]:
    y_scale: dict[str, Any] = {"zero": True, "nice": True} | ({"domain": [0, axes.top]} if axes.top is not None else {})
    x = {
        "field": "x",
        "type": "quantitative",
        "axis": {"title": axes.x, "grid": False, "tickCount": 6, "titleFontWeight": "normal", "titleFont": SANS},
        "scale": {"zero": False, "nice": False},
    }
    y = {
        "field": "y",
        "type": "quantitative",
        "axis": {"title": None, "tickCount": 5, "domain": False, "ticks": False, "labelExpr": _labels(axes.y)},
        "scale": y_scale,
    }
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": [{"x": point.x, "y": point.y} for point in points]},
            "mark": {"type": "line", "color": LEAF, "strokeWidth": 2},
            "encoding": {"x": x, "y": y},
        }
    ]
    if level is not None:
        layers.append(
            {
                "data": {"values": [{"y": level}]},
                "mark": {"type": "rule", "color": INK, "strokeDash": [4, 4]},
                "encoding": {"y": y},
            }
        )
    layers += _places(at, points, x)
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDE[0],
        "height": WIDE[1],
        "layer": layers,
        "config": CONFIG,
    }


def _labels(unit: str) -> str:
    return f"format(datum.value, ',') + {json.dumps(' ' + unit if unit else '')}"


def _places(at: Sequence[At], points: Sequence[Along], x: dict[str, Any]) -> list[dict[str, Any]]:
    """A rule at each place; its words stand at the end of it that the curve is farther from, within the picture."""
    middle = (points[0].x + points[-1].x) / 2
    level = (min(point.y for point in points) + max(point.y for point in points)) / 2
    layers: list[dict[str, Any]] = []
    for mark in at:
        is_high = min(points, key=lambda point: abs(point.x - mark.x)).y > level
        words = {
            "type": "text",
            "align": "right" if mark.x > middle else "left",
            "baseline": "bottom" if is_high else "top",
            "dx": -4 if mark.x > middle else 4,
            "dy": -4 if is_high else 0,
            "color": INK,
            "fontSize": 11,
            "font": SANS,
        }
        row = {"values": [{"x": mark.x, "text": mark.text}]}
        y = {"value": "height" if is_high else 0}
        layers += [
            {"data": row, "mark": {"type": "rule", "color": AMBER, "strokeDash": [2, 3]}, "encoding": {"x": x}},
            {"data": row, "mark": words, "encoding": {"x": x, "y": y, "text": {"field": "text"}}},
        ]
    return layers


@dataclass(frozen=True)
class Reliable:
    """Of ranges meant to hold ``level`` of all truths the share that did, with its interval; all from 0 to 1."""

    level: float
    value: float
    low: float
    high: float


def reliability(points: Sequence[Reliable], *, label: str) -> str:
    """A reliability diagram: what held against what was meant to, with the diagonal on which both are the same.

    Below the diagonal ranges are too narrow, above it too wide.
    """
    if not points:
        return ""
    rows = [
        {"x": 100 * one.level, "y": 100 * one.value, "low": 100 * one.low, "high": 100 * one.high} for one in points
    ]
    percents = {"domain": False, "ticks": False, "values": [0, 20, 40, 60, 80, 100], "labelExpr": _labels("%")}
    titled = {"titleFontWeight": "normal", "titleFont": SANS}
    scale = {"domain": [0, 100], "nice": False}
    x = {"field": "x", "type": "quantitative", "axis": {**percents, "title": "meant to hold", **titled}, "scale": scale}
    y = {"field": "y", "type": "quantitative", "axis": {**percents, "title": "held", **titled}, "scale": scale}
    layers = [
        {
            "data": {"values": [{"x": 0, "y": 0}, {"x": 100, "y": 100}]},
            "mark": {"type": "line", "color": INK, "strokeDash": [4, 4], "strokeWidth": 1},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": {"values": rows},
            "mark": {"type": "rule", "color": LEAF, "strokeWidth": 4, "opacity": 0.35},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "data": {"values": rows},
            "mark": {"type": "point", "color": LEAF, "filled": True, "size": 70, "opacity": 1},
            "encoding": {"x": x, "y": y},
        },
    ]
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": NARROW[0],
        "height": NARROW[0] - 50,
        "layer": layers,
        "config": CONFIG,
    }
    return draw(spec, label)
