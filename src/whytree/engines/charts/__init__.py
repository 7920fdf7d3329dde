"""Charts, drawn on the server: one SVG serves light and dark, phone and desk.

Colours are the stylesheet's tokens (``var(--leaf)``), fonts are the page's, sizes follow the container. Long series go
through Vega-Lite (drawn by vl-convert, in this process, without network); the small pictures that stand in a line of
text or a table are written by hand. Nothing in them needs a script, so our content policy lets them through.

    timelines   values through time, or along numbered places
    curves      one number over another
    bars        bars below each other
    intervals   estimates with their intervals on one scale
    sparks      a line the size of a word
    sankey      where things flow
    treemap     rectangles whose areas are in proportion
    drawing     how all of them look, and how they become SVG or a file
"""

from .bars import Bar, bars_spec
from .drawing import as_file, draw, svg_file
from .sparks import spark
from .timelines import Mark, NamedLine, Point, lines, lines_spec, series, series_spec

__all__ = [
    "Bar",
    "Mark",
    "NamedLine",
    "Point",
    "as_file",
    "bars_spec",
    "draw",
    "lines",
    "lines_spec",
    "series",
    "series_spec",
    "spark",
    "svg_file",
]
