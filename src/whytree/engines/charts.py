"""Charts, drawn on the server: one SVG serves light and dark, phone and desk.

Colours are the stylesheet's tokens (``var(--leaf)``), fonts are the page's, sizes follow the container. Long series go
through Vega-Lite (drawn by vl-convert, in this process, without network); the small pictures that stand in a line of
text or a table are written by hand. Nothing in them needs a script, so our content policy lets them through.

    series([Point(date(2026, 5, 1), 31.2, 29.8, 32.7, 4100), ...], unit="%", label="Activated in 7 days, by day")
    spark([3, 4, 4, 6])

Estimates with their intervals are drawn in `engines.intervals`.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from html import escape
from itertools import pairwise
from typing import Any

import vl_convert

from whytree.engines.figures import number

#: Drawn twice, since text in a picture shrinks with it: for the desk, and for a phone.
WIDE, NARROW = (760, 220), (330, 200)
#: So much of the width is for words right of it, where there are some: letters keep their size.
BESIDE = 84
#: More days than this and dots only thicken the line.
MOST_DOTS = 45
#: Marks stand in so many lines above each other.
MARK_LINES = 4

INK = "var(--ink-3)"
LINE = "var(--line)"
LEAF = "var(--leaf)"
AMBER = "var(--amber)"
SANS = "var(--sans)"


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


# --- a series through time ------------------------------------------------------------------------------------------


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


CONFIG: dict[str, Any] = {
    "background": None,
    "font": SANS,
    "aria": False,
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "gridColor": LINE,
        "domainColor": LINE,
        "tickColor": LINE,
        "labelFontSize": 12,
        "labelFont": SANS,
    },
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


def draw(spec: dict[str, Any], label: str, variant: str = "") -> str:
    """A Vega-Lite specification as an SVG of ours; ``label`` is read out by screen readers, ``variant`` is its class."""
    return _drawn(json.dumps(spec, sort_keys=True), label, variant)


@lru_cache(maxsize=256)
def _drawn(spec: str, label: str, variant: str) -> str:
    # no base URL is allowed, so a specification cannot make the server fetch anything
    svg = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    return _cleaned(svg, label, f"chart {variant}".strip())


# The stylesheet's light tokens: a file has no stylesheet of ours, and is looked at on white.
_ON_PAPER = {
    "var(--leaf)": "#1f7a4d",
    "var(--blue)": "#2a5ea8",
    "var(--plum)": "#74408f",
    "var(--amber)": "#855500",
    "var(--red)": "#b3362b",
    "var(--ink-2)": "#55605a",
    "var(--ink-3)": "#5f6a63",
    "var(--line)": "#e4e0d8",
    "var(--line-strong)": "#cfc9bd",
    "var(--blue-wash)": "#e7eef8",
    "var(--amber-wash)": "#fbf0d9",
    "var(--sans)": "Helvetica, Arial, sans-serif",
}


def as_file(spec: dict[str, Any], form: str, title: Sequence[str]) -> bytes:
    """The picture as an SVG or PNG file on white, with what it says, its n and its period above it."""
    text = json.dumps({**spec, "background": "#ffffff", "padding": 16, "title": _title(title)}, sort_keys=True)
    for token, colour in _ON_PAPER.items():
        text = text.replace(token, colour)
    if form == "png":
        return bytes(vl_convert.vegalite_to_png(text, scale=2, allowed_base_urls=[]))
    return str(vl_convert.vegalite_to_svg(text, allowed_base_urls=[])).encode()


def svg_file(svg: str, form: str) -> bytes | None:
    """A picture drawn by hand, as an SVG or PNG file on white; None where there is nothing."""
    if not svg:
        return None
    for token, colour in {**_ON_PAPER, "var(--ink)": "#1d2320"}.items():
        svg = svg.replace(token, colour)
    svg = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" style="background: #ffffff" ', 1)
    return bytes(vl_convert.svg_to_png(svg, scale=2)) if form == "png" else svg.encode()


def _title(lines_: Sequence[str]) -> dict[str, Any]:
    head, *rest = lines_ or [""]
    return {
        "text": head,
        "subtitle": list(rest),
        "anchor": "start",
        "fontSize": 15,
        "subtitleColor": "#55605a",
        "offset": 12,
    }


_TAG = re.compile(r'<(?:"[^"]*"|[^">])+>')
_ARIA = re.compile(r'\s(?:role|aria-[a-z]+)="[^"]*"')


def _cleaned(svg: str, label: str, classes: str) -> str:
    """Without what our content policy refuses, and as wide as its container."""
    box = re.search(r'viewBox="([^"]+)"', svg)
    body = re.sub(r"^<svg[^>]*>", "", svg.strip(), count=1)
    body = re.sub(r"<(style|script|foreignObject)\b.*?</\1>", "", body, flags=re.DOTALL)
    # the picture has one role and one label; parts that claim roles of their own are noise to a screen reader
    body = _TAG.sub(lambda tag: _ARIA.sub("", tag.group()), body)
    # ids are counted anew in every picture, and a page may hold several
    prefix = f"c{zlib.crc32(body.encode()):x}-"
    body = re.sub(r'\bid="', f'id="{prefix}', body).replace("url(#", f"url(#{prefix}")
    head = f'<svg class="{classes}" viewBox="{box.group(1) if box else ""}" width="100%"'
    return f'{head} role="img" aria-label="{escape(label)}">{body}'


# --- a picture the size of a word -----------------------------------------------------------------------------------


def spark(values: Iterable[float]) -> str:
    """A line the size of a word. Nothing below two values: one day is no trend."""
    numbers = [value for value in values if math.isfinite(value)]
    if len(numbers) < 2:
        return ""
    low, high = min(numbers), max(numbers)
    step = 200 / (len(numbers) - 1)
    points = " ".join(f"{i * step:.1f},{_height(value, low, high):.1f}" for i, value in enumerate(numbers))
    return (
        '<svg class="spark" viewBox="0 0 200 34" preserveAspectRatio="none" aria-hidden="true">'
        f'<polyline points="{points}" fill="none" stroke="{LEAF}" stroke-width="1.8" '
        'vector-effect="non-scaling-stroke"/></svg>'
    )


def _height(value: float, low: float, high: float) -> float:
    return 17.0 if high == low else 30 - 26 * (value - low) / (high - low)
