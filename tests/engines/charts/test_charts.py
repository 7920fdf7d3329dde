from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from xml.etree import ElementTree

import pytest

from whytree.engines.charts import Mark, Point, draw, series, series_spec, spark
from whytree.engines.charts.intervals import Measured, Range, Scale, describe, interval_bar, interval_row
from whytree.engines.figures import between, number, places

MAY = date(2026, 5, 1)


def days(*values: float | None) -> list[Point]:
    return [
        Point(
            MAY + timedelta(i), value, None if value is None else value - 1, None if value is None else value + 1, 100
        )
        for i, value in enumerate(values)
    ]


def split(pictures: str) -> list[str]:
    return [f"<svg{part}" for part in pictures.split("<svg") if part]


def test_a_series_is_drawn_for_the_desk_and_for_a_phone() -> None:
    wide, narrow = split(series(days(30, 31, 32), unit="%", label="Activated"))
    assert 'class="chart wide"' in wide
    assert 'class="chart narrow"' in narrow
    for svg in (wide, narrow):
        ElementTree.fromstring(svg)
        assert 'role="img" aria-label="Activated"' in svg


def test_colours_and_fonts_are_the_pages_own_so_one_picture_serves_light_and_dark() -> None:
    svg = series(days(30, 31, 32), unit="%", label="x", target=40, baseline=30, marks=[Mark(MAY, "opened")])
    colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg))
    assert {colour for colour in colours if not colour.startswith("var(--")} <= {"none", "transparent"}
    assert set(re.findall(r'font-family="([^"]+)"', svg)) == {"var(--sans)"}


def test_nothing_in_it_needs_a_script_a_style_sheet_or_another_host() -> None:
    hostile = "<script>alert(1)</script><style>*{}</style> onload=x http://example.org"
    for svg in split(series(days(1, 2), unit="", label=hostile, marks=[Mark(MAY, hostile)])):
        elements = list(ElementTree.fromstring(svg).iter())
        assert {element.tag for element in elements} <= {
            "svg",
            "g",
            "path",
            "line",
            "rect",
            "text",
            "circle",
            "defs",
            "clipPath",
        }
        names = {name for element in elements for name in element.attrib}
        assert not [name for name in names if name.startswith("on") or "href" in name]
        assert sum("role" in element.attrib for element in elements) == 1  # the picture's own


def test_it_fetches_nothing() -> None:
    spec = {
        "data": {"url": "http://127.0.0.1:9/x.csv"},
        "mark": "point",
        "encoding": {"x": {"field": "a", "type": "nominal"}},
    }
    with pytest.raises(ValueError, match="not allowed"):
        draw(spec, "x")


def test_no_line_bridges_a_day_without_an_answer() -> None:
    rows = series_spec(days(30, None, 32), unit="%")["data"]["values"]
    assert [(row["value"], row["run"]) for row in rows] == [(30, 0), (32, 1)]


def test_without_a_single_answer_there_is_no_picture() -> None:
    assert series(days(None, None), unit="%", label="x") == ""
    assert series([], unit="%", label="x") == ""


def test_what_happened_outside_the_days_shown_is_not_marked() -> None:
    spec = series_spec(days(1, 2), unit="", marks=[Mark(MAY - timedelta(9), "before"), Mark(MAY, "within")])
    texts = [row["text"] for layer in spec["layer"] for row in layer.get("data", {}).get("values", [])]
    assert set(texts) == {"within"}


def test_words_of_marks_cover_no_number_and_end_inside() -> None:
    points = days(*range(10))
    marks = [Mark(MAY + timedelta(days=day), f"day {day}") for day in (1, 3, 8, 9)]
    layers = series_spec(points, unit="", marks=marks)["layer"]
    texts = [layer for layer in layers if layer["mark"]["type"] == "text"]
    told = {row["text"]: (layer["mark"]["align"], row["y"]) for layer in texts for row in layer["data"]["values"]}
    assert told == {"day 9": ("right", -52), "day 8": ("right", -39), "day 1": ("left", -26), "day 3": ("left", -13)}


def test_hours_are_drawn_by_the_clock_they_are_told_by() -> None:
    hours = [Point(datetime(2026, 5, 1, hour), 1, 0, 2, 9) for hour in (8, 9)]
    spec = series_spec(
        hours, unit="", marks=[Mark(datetime(2026, 5, 1, 9), "out"), Mark(datetime(2026, 5, 2, 9), "no")]
    )
    assert [row["day"] for row in spec["data"]["values"]] == ["2026-05-01T08:00:00Z", "2026-05-01T09:00:00Z"]
    assert "out" in str(spec)
    assert "'no'" not in str(spec)
    assert ">1 May 08:00<" in series(hours, unit="", label="x")


def test_weeks_are_marked_where_they_begin() -> None:
    weeks = [Point(date(2026, 5, 4) + timedelta(weeks=at), 1, 0, 2, 9) for at in range(4)]
    svg = split(series(weeks, unit="", label="x"))[0]
    assert re.findall(r">(\d+ \w+)<", svg) == ["4 May", "11 May", "18 May", "25 May"]


def test_words_of_target_and_baseline_stand_outside_however_near_they_are() -> None:
    for svg in split(series(days(30, 31, 32), unit="%", label="x", target=31.2, baseline=31)):
        places = {
            text: (float(x), float(y))
            for x, y, text in re.findall(r'translate\(([\d.]+),([\d.]+)\)"[^>]*>((?:target|baseline)[^<]*)<', svg)
        }
        (target_x, target_y), (baseline_x, baseline_y) = places["target 31.2 %"], places["baseline 31 %"]
        assert min(target_x, baseline_x) > max(float(x) for x in re.findall(r'x2="([\d.]+)"', svg))
        assert baseline_y - target_y > 11


def test_two_pictures_on_one_page_share_no_id() -> None:
    spec = {
        "data": {"values": [{"a": 1, "b": 2}]},
        "mark": {"type": "point", "clip": True},
        "encoding": {"x": {"field": "a", "type": "quantitative"}},
    }
    other = {**spec, "data": {"values": [{"a": 1, "b": 3}, {"a": 5}]}}
    ids = [re.findall(r'\bid="([^"]+)"', draw(one, "x")) for one in (spec, other)]
    assert all(ids)
    assert not set(ids[0]) & set(ids[1])
    assert all(f"url(#{name})" in draw(spec, "x") for name in ids[0])


def test_a_review_shows_zero_the_prediction_and_what_was_measured() -> None:
    svg = interval_bar(Range(1, 7), Measured(2.6, 1.2, 4.0), "pp")
    assert 'aria-label="predicted 1 to 7 pp, measured 2.6 pp, interval 1.2 to 4.0"' in svg
    assert ">predicted 1 to 7<" in svg
    assert ">0<" in svg
    assert interval_bar(None, None, "pp") == ""


def test_zero_is_always_on_the_scale() -> None:
    for values in ([5, 6], [-6, -5], [0], []):
        scale = Scale.over(values, 300)
        assert 0 < scale.x(0) < 300
        assert 0 in scale.ticks


def test_rows_of_one_table_share_their_scale() -> None:
    scale = Scale.over([1, 7, -2], 300)
    rows = [interval_row(scale, Range(1, 7), Measured(2, 1, 3), unit="pp"), interval_row(scale, None, None, unit="pp")]
    assert {re.findall(r'stroke-dasharray|x1="([\d.]+)" x2="\1"', row)[0] for row in rows} == {f"{scale.x(0):.1f}"}


def test_one_day_is_no_trend() -> None:
    assert spark([3]) == ""
    assert spark([]) == ""
    assert spark([3, 3]).count("17.0") == 2
    assert 'points="0.0,30.0 200.0,4.0"' in spark([1, float("nan"), 2])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.04, "−0.04"),
        (0.25, "0.25"),
        (2.6, "2.6"),
        (31.2, "31.2"),
        (1234.5, "1,234"),
        (3.0, "3"),
        (-0.0, "0"),
    ],
)
def test_numbers_keep_the_digits_that_matter(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        ([0.8, None, 0.64, 0.052], ["0.80", "0.64", "0.05"]),
        ([3.0, 12.0, 1234.0], ["3", "12", "1,234"]),
        ([0.619, 8.767, 29.67], ["0.6", "8.8", "29.7"]),
        ([98.3, 134.2], ["98", "134"]),
        ([0.00001, 0.00002], ["1e−05", "2e−05"]),
        ([0.0], ["0"]),
    ],
)
def test_numbers_of_one_column_have_the_same_digits(column: list[float | None], shown: list[str]) -> None:
    digits = places(column)
    assert [number(one, digits) for one in column if one is not None] == shown


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.64, 0.8, "0.64 to 0.80"),
        (-1, 2, "−1 to 2"),
        (0.25, 1, "0.25 to 1.00"),
        (67.004, 103.996, "67 to 104"),
        (-0.04, 12.3, "−0.04 to 12.30"),
        (0, 0.8, "0.0 to 0.8"),
    ],
)
def test_both_ends_have_the_same_digits_and_neither_is_rounded_to_nothing(low: float, high: float, said: str) -> None:
    assert between(low, high) == said


def test_the_words_say_what_the_picture_shows() -> None:
    assert describe(Range(-1, 2), None, "pp") == "predicted −1 to 2 pp"
