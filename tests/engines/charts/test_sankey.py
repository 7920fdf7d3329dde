"""Flows drawn by hand: as wide as they are large, in columns, with names that cannot break the page."""

import re

from whytree.engines.charts.sankey import Flow, sankey


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
