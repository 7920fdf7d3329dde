"""How every chart looks, and how a specification becomes an SVG of ours or a file of its own."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from textwrap import wrap
from typing import Any

import vl_convert

#: Drawn twice, since text in a picture shrinks with it: for the desk, and for a phone.
WIDE, NARROW = (760, 220), (330, 200)

INK = "var(--ink-3)"
LINE = "var(--line)"
LEAF = "var(--leaf)"
AMBER = "var(--amber)"
SANS = "var(--sans)"

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


def svg_file(svg: str, form: str, title: Sequence[str] = ()) -> bytes | None:
    """A picture drawn by hand, as an SVG or PNG file on white, with what it says above it; None where there is nothing."""
    if not svg:
        return None
    if title:
        svg = _below_its_title(svg, title)
    for token, colour in {**_ON_PAPER, "var(--ink)": "#1d2320"}.items():
        svg = svg.replace(token, colour)
    svg = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" style="background: #ffffff" ', 1)
    return bytes(vl_convert.svg_to_png(svg, scale=2)) if form == "png" else svg.encode()


_VIEW = re.compile(r'viewBox="0 0 (\S+) ([^"]+)"([^>]*>)')
_EDGE, _LINE_HEIGHT = 16, 20
_HEAD, _FOOT = (15, "bold", "var(--ink)", 80), (12, "normal", "var(--ink-2)", 110)  # size, weight, colour, characters


def _below_its_title(svg: str, title: Sequence[str]) -> str:
    """Room around and above the picture, and the lines in it."""
    head, *rest = title
    lines = [(line, _HEAD) for line in wrap(head, _HEAD[3])]
    lines += [(line, _FOOT) for each in rest for line in wrap(each, _FOOT[3])]
    room = _LINE_HEIGHT * (len(lines) + 1)
    rows = "".join(
        f'<text x="0" y="{_LINE_HEIGHT * at - room}" font-family="{SANS}" font-size="{size}" font-weight="{weight}" '
        f'fill="{colour}">{escape(line)}</text>'
        for at, (line, (size, weight, colour, _)) in enumerate(lines, 1)
    )

    def widened(found: re.Match[str]) -> str:
        width, height = float(found[1]) + 2 * _EDGE, float(found[2]) + room + 2 * _EDGE
        return f'viewBox="-{_EDGE} -{room + _EDGE} {width:g} {height:g}"{found[3]}{rows}'

    return _VIEW.sub(widened, svg, count=1)


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
