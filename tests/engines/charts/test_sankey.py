"""Flows drawn by hand: as wide as they are large, in columns, with names that cannot break the page."""

import re

from whytree.engines.charts import svg_file
from whytree.engines.charts.sankey import Flow, sankey


def test_a_file_says_what_it_shows_above_it() -> None:
    svg = sankey([Flow(0, "a", "b", 30)], label="ways")
    height = float(svg.split('viewBox="')[1].split('"')[0].split()[3])
    drawn = svg_file(svg, "svg", ["Most went on <to> b.", "n = 30"])
    assert drawn is not None
    box = drawn.decode().split('viewBox="')[1].split('"')[0].split()
    assert (box[:2], float(box[3])) == (["-16", "-76"], height + 60 + 2 * 16)
    assert "Most went on &lt;to&gt; b." in drawn.decode()


def test_bands_are_as_thick_as_what_flows() -> None:
    svg = sankey([Flow(0, "a", "b", 30), Flow(0, "a", "c", 10)], label="ways")
    thick = [float(width) for width in re.findall(r'stroke-width="([\d.]+)"', svg)]
    assert thick[0] == 3 * thick[1]
    assert 'aria-label="ways"' in svg


def test_names_are_escaped_and_cut() -> None:
    svg = sankey([Flow(0, "<script>alert(1)</script>", "x" * 300, 5)], label='"<b>')
    assert "<script>" not in svg
    assert "x" * 200 not in re.sub(r"<title>.*?</title>", "", svg)


def test_nothing_is_no_picture() -> None:
    assert sankey([], label="") == sankey([Flow(0, "a", "b", 0)], label="") == ""
