"""When a value is told of: by table, without a store."""

from datetime import date, timedelta
from typing import Any

import pytest

from whytree.analytics.alerts.rules import Band, Change, Point, as_json, checked_rule
from whytree.errors import Invalid

FRIDAY = date(2026, 11, 27)


def days(*values: float | None, last: Point | None = None) -> list[Point]:
    """A Friday a value, the last one week before FRIDAY; other days are 1,000, which must not matter."""
    points = []
    for back in range(7 * len(values), 0, -1):
        value = values[len(values) - back // 7] if back % 7 == 0 else 1_000.0
        points.append(Point(FRIDAY - timedelta(days=back), value))
    return [*points, last or Point(FRIDAY, 100.0)]


@pytest.mark.parametrize(
    ("rule", "value", "outside"),
    [
        (Band(30, None), 29.9, True),
        (Band(30, None), 30.0, False),
        (Band(None, 60), 60.1, True),
        (Band(30, 60), 45.0, False),
        (Band(30, 60), None, None),
    ],
)
def test_a_band_holds_its_ends(rule: Band, value: float | None, outside: bool | None) -> None:
    assert rule.look([Point(FRIDAY, value)], "day").outside is outside


def test_a_change_is_against_the_median_of_the_same_weekday() -> None:
    rule = Change(30, 4, "both")
    looked = rule.look(days(100, 100, 900, 100), "day")
    assert looked.outside is False  # one odd week moves no median
    looked = rule.look(days(100, 100, 900, 100, last=Point(FRIDAY, 60)), "day")
    assert (looked.outside, looked.says) == (True, "60 is −40 % from 100, the median of 4 Fridays before")
    assert Change(30, 4, "up").look(days(100, 100, 100, 100, last=Point(FRIDAY, 60)), "day").outside is False


def test_what_chance_brings_is_not_told() -> None:
    rule = Change(30, 4, "both")
    looked = rule.look(days(4, 4, 4, 4, last=Point(FRIDAY, 2, 0.2, 7.2)), "day")
    assert (looked.outside, looked.says.endswith("; chance alone may bring that")) == (False, True)
    assert rule.look(days(400, 400, 400, 400, last=Point(FRIDAY, 200, 173, 230)), "day").outside is True


def test_with_too_little_before_there_is_no_answer() -> None:
    looked = Change(30, 4, "both").look(days(None, 100, 100), "day")
    assert looked.outside is None
    assert "3 are the least" in looked.says


def test_from_nothing_something_is_told() -> None:
    rule = Change(30, 4, "both")
    assert rule.look(days(0, 0, 0, 0, last=Point(FRIDAY, 50, 37, 66)), "day").outside is True
    assert rule.look(days(0, 0, 0, 0, last=Point(FRIDAY, 0, 0, 3.7)), "day").outside is False


def test_weeks_are_held_against_the_weeks_before() -> None:
    points = [Point(FRIDAY - timedelta(weeks=back), 10.0 if back else 20.0) for back in range(6, -1, -1)]
    assert Change(30, 4, "both").look(points, "week").says == "20 is +100 % from 10, the median of 4 weeks before"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"kind": "band", "low": 1}, "A rule is"),
        ({"version": 1, "kind": "band"}, "a low end, a high end, or both"),
        ({"version": 1, "kind": "band", "low": 5, "high": 5}, "below its high end"),
        ({"version": 1, "kind": "band", "low": "5"}, "“low” is a number"),
        ({"version": 1, "kind": "band", "low": float("inf")}, "“low” is a number"),
        ({"version": 1, "kind": "band", "low": True}, "“low” is a number"),
        ({"version": 1, "kind": "change"}, "“percent” is above 0"),
        ({"version": 1, "kind": "change", "percent": 0}, "“percent” is above 0"),
        ({"version": 1, "kind": "change", "percent": 10, "weeks": 2}, "from 3 to 12"),
        ({"version": 1, "kind": "change", "percent": 10, "way": "sideways"}, "both, up or down"),
        ({"version": 1, "kind": "change", "percent": 10, "low": 3}, "A rule is a band"),
        ({"version": 1, "kind": "band", "low": 1, "each": "hour"}, "day, week or month"),
        ([], "A rule is"),
    ],
)
def test_it_says_what_to_write_instead(raw: Any, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        checked_rule(raw)


def test_a_rule_is_a_sentence_and_reads_back() -> None:
    for rule in (Band(30, 60), Band(None, 60), Band(30, None), Change(30, 4, "down"), Band(30, 60, "month")):
        assert checked_rule(as_json(rule)) == rule
    assert Band(30, 60).sentence == "below 30 or above 60"
    assert Band(30, None, unit="%").look([Point(date(2026, 3, 2), 29.0)], "day").says == "29 % is below 30 %"
    assert Band(30, None, "week").sentence == "below 30, week by week"
    assert "the median of the 4 months before" in Change(30, 4, "down", "month").sentence
    assert Change(30, 4, "down").sentence.startswith(
        "more than 30 % below the median of the same weekday in the last 4 weeks"
    )
