"""Values through time, or along numbered places: one with its interval, or several to compare.

series([Point(date(2026, 5, 1), 31.2, 29.8, 32.7, 4100), ...], unit="%", label="Activated in 7 days, by day")
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from whytree.engines.figures import number

from .drawing import AMBER, CONFIG, INK, LEAF, NARROW, SANS, WIDE, draw

#: So much of the width is for words right of it, where there are some: letters keep their size.
BESIDE = 84
#: More days than this and dots only thicken the line.
MOST_DOTS = 45
#: Marks stand in so many lines above each other.
MARK_LINES = 4


@dataclass(frozen=True)
class Point:
    """One day, or the hour of a day: its value with interval and n; ``value`` is None where nothing can be said."""

    day: date
    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Mark:
    """Something that happened on a day, or in an hour: a flag opened, a target was set."""

    day: date
    text: str


def series(
    points: Sequence[Point],
    *,
    unit: str,
    label: str,
    target: float | None = None,
    baseline: float | None = None,
    marks: Sequence[Mark] = (),
) -> str:
    """A line with its interval as a band, the target as a rule, and what happened as flags on the time axis."""
    if not any(point.value is not None for point in points):
        return ""
    spec = series_spec(points, unit=unit, target=target, baseline=baseline, marks=marks)
    return draw(spec, label, "wide") + draw(_narrow(spec), label, "narrow")


#: Lines that can be told apart in one picture; each also has a dash of its own.
MOST_LINES = 6
_HUES = ["var(--leaf)", "var(--blue)", "var(--plum)", "var(--amber)", "var(--red)", "var(--ink-2)"]
_DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3]]


@dataclass(frozen=True)
class NamedLine:
    """A line through moments, or through numbered places; None where there is no answer."""

    name: str
    points: Sequence[tuple[date | int, float | None]]


def lines(named: Sequence[NamedLine], *, label: str, unit: str = "", marks: Sequence[Mark] = ()) -> str:
    """The first `MOST_LINES` lines in one picture, with a legend, and what happened as flags on the time axis."""
    spec = lines_spec(named, unit=unit, marks=marks)
    return draw(spec, label, "wide") + draw(_narrow(spec), label, "narrow") if spec else ""


def lines_spec(named: Sequence[NamedLine], *, unit: str = "", marks: Sequence[Mark] = ()) -> dict[str, Any]:
    """The same as a Vega-Lite specification; empty where there is nothing to draw."""
    shown = named[:MOST_LINES]
    rows = [
        {"day": moment if isinstance(moment, int) else _at(moment), "value": value, "name": line.name}
        for line in shown
        for moment, value in line.points
        if value is not None
    ]
    if not rows:
        return {}
    names = [line.name for line in shown]
    legend = {
        "title": None,
        "orient": "bottom",
        "columns": 3,
        "labelColor": INK,
        "labelFont": SANS,
        "symbolType": "stroke",
        "labelLimit": 220,
        "labelFontSize": 11,
    }
    y = {**_y("value", unit), "scale": {"zero": unit != "%", "nice": True}}
    days = [moment for line in shown for moment, value in line.points if value is not None and isinstance(moment, date)]
    x = {**_x(days), "scale": {"type": "utc"}} if days else _after_axis()
    inside = [mark for mark in marks if days and min(days) <= mark.day <= max(days)]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDE[0],
        "height": WIDE[1],
        "data": {"values": rows},
        "encoding": {"x": x},
        "layer": [
            {
                "mark": {"type": "line", "strokeWidth": 2, "point": {"size": 22} if len(rows) <= MOST_DOTS else False},
                "encoding": {
                    "y": y,
                    "color": {
                        "field": "name",
                        "type": "nominal",
                        "scale": {"domain": names, "range": _HUES},
                        "legend": legend,
                    },
                    "strokeDash": {
                        "field": "name",
                        "type": "nominal",
                        "scale": {"domain": names, "range": _DASHES},
                        "legend": legend,
                    },
                },
            },
            *(_marks(inside, min(days), max(days)) if days else ()),
        ],
        "config": CONFIG,
    }


def _after_axis() -> dict[str, Any]:
    """Places along a curve instead of days."""
    axis = {"grid": False, "title": None, "tickMinStep": 1, "format": "d"}
    return {"field": "day", "type": "quantitative", "axis": axis}


def _narrow(spec: dict[str, Any]) -> dict[str, Any]:
    width, height = NARROW[0] - (WIDE[0] - spec["width"]), NARROW[1]
    axis = {**spec["encoding"]["x"]["axis"], "tickCount": 4}
    if "values" in axis:
        axis["values"] = axis["values"][:: -(-len(axis["values"]) // 4)]
    return {**spec, "width": width, "height": height, "encoding": {"x": {**spec["encoding"]["x"], "axis": axis}}}


def series_spec(
    points: Sequence[Point],
    *,
    unit: str,
    target: float | None = None,
    baseline: float | None = None,
    marks: Sequence[Mark] = (),
) -> dict[str, Any]:
    """The same as a Vega-Lite specification, for whoever wants to draw it elsewhere."""
    rows = _rows(points)
    runs = {"field": "run", "type": "ordinal"}
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "area", "color": LEAF, "opacity": 0.16},
            "encoding": {"y": _y("low", unit), "y2": {"field": "high"}, "detail": runs},
        },
        {
            "mark": {"type": "line", "color": LEAF, "strokeWidth": 2},
            "encoding": {"y": _y("value", unit), "detail": runs},
        },
    ]
    if len(rows) <= MOST_DOTS:
        dot = {"type": "point", "color": LEAF, "filled": True, "size": 26, "opacity": 1}
        layers.append({"mark": dot, "encoding": {"y": _y("value", unit)}})
    days = [point.day for point in points]
    rules = _rules({"target": (target, [6, 4]), "baseline": (baseline, [2, 3])}, unit) if days else []
    layers += rules
    if days:
        layers += _marks([mark for mark in marks if days[0] <= mark.day <= days[-1]], days[0], days[-1])
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDE[0] - (BESIDE if rules else 0),
        "height": WIDE[1],
        "data": {"values": rows},
        "encoding": {"x": _x(days)},
        "layer": layers,
        "config": CONFIG,
    }


def _rows(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Days with an answer; ``run`` counts the stretches between days without one, so that no line bridges them."""
    rows: list[dict[str, Any]] = []
    run = 0
    for point in points:
        if point.value is None:
            run += 1
        else:
            numbers = {"value": point.value, "low": point.low, "high": point.high, "n": point.n}
            rows.append({"day": _at(point.day), "run": run, **numbers})
    return rows


def _at(moment: date) -> str:
    """As Vega reads it: a moment by the clock that it is told by, which the picture shows whatever the reader's own."""
    return f"{moment.replace(tzinfo=None).isoformat()}Z" if isinstance(moment, datetime) else moment.isoformat()


def _x(days: Sequence[date]) -> dict[str, Any]:
    scale: dict[str, Any] = {"type": "utc"}
    if days:
        scale["domain"] = [_at(days[0]), _at(days[-1])]
    axis: dict[str, Any] = {
        "format": "%-d %b %H:%M" if days and isinstance(days[0], datetime) else "%-d %b",
        "grid": False,
        "title": None,
        "tickCount": 7,
        "labelFlush": True,
    }
    some = sorted(set(days))
    step = min((later - day for day, later in pairwise(some)), default=timedelta(0))
    if step >= timedelta(days=7):  # left to itself the axis marks Sundays, between weeks that begin on Mondays
        axis["values"] = [_at(day) for day in some[:: -(-len(some) // 8)]]
    if step > timedelta(days=27):
        axis["format"] = "%b %Y"
    return {"field": "day", "type": "temporal", "scale": scale, "axis": axis}


def _y(field: str, unit: str) -> dict[str, Any]:
    text = f"format(datum.value, ',') + {json.dumps(' ' + unit if unit else '')}"
    axis = {"title": None, "tickCount": 5, "labelExpr": text, "domain": False, "ticks": False}
    # a share may stand on its own range, where a point matters; a count begins at zero
    return {"field": field, "type": "quantitative", "axis": axis, "scale": {"zero": unit != "%", "nice": True}}


def _rules(levels: Mapping[str, tuple[float | None, list[int]]], unit: str) -> list[dict[str, Any]]:
    """Dashed lines with their words right of the picture, where they cross neither a line nor each other.

    Of two the upper one's words stand on its line and the lower one's below: however near these are.
    """
    drawn = sorted((value, name, dash) for name, (value, dash) in levels.items() if value is not None)
    layers: list[dict[str, Any]] = []
    for at, (value, name, dash) in enumerate(drawn):
        y = _y("level", unit)
        words = {"type": "text", "align": "left", "dx": 6, "color": INK, "fontSize": 11, "font": SANS}
        words["baseline"] = "middle" if len(drawn) == 1 else "top" if at == 0 else "bottom"
        text = f"{name} {number(value)}{' ' + unit if unit else ''}"
        layers += [
            {
                "data": {"values": [{"level": value}]},
                "mark": {"type": "rule", "color": INK, "strokeDash": dash},
                "encoding": {"y": y, "x": None},
            },
            {
                "data": {"values": [{"level": value, "text": text}]},
                "mark": words,
                "encoding": {"y": y, "x": {"value": "width"}, "text": {"field": "text"}},
            },
        ]
    return layers


def _marks(marks: Sequence[Mark], first: date, last: date) -> list[dict[str, Any]]:
    """Dashed lines with their words above the picture, where they cover no number; in its right part they end at their line."""
    if not marks:
        return []
    lines = min(MARK_LINES, len(marks))
    x = {"field": "day", "type": "temporal"}
    y = {"field": "y", "type": "quantitative", "scale": None, "axis": None}
    middle = first + (last - first) * 0.6
    # From the top down, so that no words are crossed by another one's line: the later half backwards, then the earlier half.
    order = [*(mark for mark in reversed(marks) if mark.day > middle), *(mark for mark in marks if mark.day <= middle)]
    rows = [
        {"day": _at(mark.day), "text": mark.text, "y": (at % lines - lines) * 13, "ends": mark.day > middle}
        for at, mark in enumerate(order)
    ]
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": rows},
            "mark": {"type": "rule", "color": AMBER, "strokeDash": [2, 3]},
            "encoding": {"x": x, "y": y, "y2": {"value": "height"}},
        }
    ]
    for ends, align, dx in ((False, "left", 4), (True, "right", -4)):
        words = {
            "type": "text",
            "align": align,
            "baseline": "top",
            "dx": dx,
            "color": INK,
            "fontSize": 11,
            "font": SANS,
        }
        some = [row for row in rows if row["ends"] is ends]
        if some:
            layers.append(
                {"data": {"values": some}, "mark": words, "encoding": {"x": x, "y": y, "text": {"field": "text"}}}
            )
    return layers
