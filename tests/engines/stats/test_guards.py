"""A guard is held to its simulated rates: it seldom cries, however often one looks, and a real fall it sees."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engines.stats import guarding
from whytree.engines.stats import NoAnswer
from whytree.engines.stats.guards import Look, look, look_at_level
from whytree.engines.stats.moments import Moments

DAYS, PEOPLE = 28, 100


def alarms(true_share: float, *, floor: float, up: bool = True, watches: int = 1_500, swing: float = 0.0) -> float:
    """How many watches ever raise an alarm, looked at every day. `swing`: weekends differ by that much."""
    draw = np.random.default_rng(8)
    weekly = np.array([swing if day % 7 >= 5 else -swing * 2 / 5 for day in range(DAYS)])
    happened = draw.binomial(PEOPLE, true_share + weekly, (watches, DAYS)).cumsum(axis=1)
    raised = 0
    for successes in happened:
        looks = (
            look(int(count), (day + 1) * PEOPLE, floor=floor, up_is_good=up, tightest_at=DAYS * PEOPLE)
            for day, count in enumerate(successes)
        )
        raised += any(isinstance(one, Look) and one.is_broken for one in looks)
    return raised / watches


@pytest.mark.parametrize("share", [0.03, 0.3, 0.8])
def test_a_share_on_the_line_raises_an_alarm_in_at_most_one_of_forty_watches(share: float) -> None:
    assert alarms(share, floor=share) <= 0.03
    assert alarms(share, floor=share, up=False) <= 0.03


def test_weekends_do_not_raise_it() -> None:
    assert alarms(0.3, floor=0.3, swing=0.05) <= 0.035


def test_a_share_above_the_line_raises_none_and_a_fall_is_seen() -> None:
    assert alarms(0.33, floor=0.3) <= 0.005
    assert alarms(0.25, floor=0.3) > 0.9
    assert alarms(0.35, floor=0.3, up=False) > 0.9


def test_too_few_people_are_no_answer_and_extremes_have_an_interval() -> None:
    assert isinstance(look(50, 150, floor=0.3, up_is_good=True, tightest_at=1_000), NoAnswer)
    nothing = look(0, 900, floor=0.3, up_is_good=True, tightest_at=1_000)
    assert isinstance(nothing, Look)
    assert nothing.is_broken
    assert nothing.low == 0 < nothing.high
    everything = look(900, 900, floor=0.3, up_is_good=True, tightest_at=1_000)
    assert isinstance(everything, Look)
    assert not everything.is_broken
    with pytest.raises(ValueError, match="no share"):
        look(3, 2, floor=0.3, up_is_good=True, tightest_at=1_000)


ROWS = {f"{what} | {world}": run for what, world, _, run in guarding.ROWS}


@pytest.mark.slow  # simulated watches
@pytest.mark.parametrize(
    ("row", "least", "most"),
    [
        ("guard cries | counts a day, people unlike, on the line", 0.0, 0.05),
        ("guard cries | sums a day, few pay, on the line", 0.0, 0.05),
        ("guard cries | counts a day, people unlike, fell by a third below it", 0.8, 1.0),
    ],
)
def test_what_people_do_a_day_is_watched_alike(row: str, least: float, most: float) -> None:
    rng = np.random.default_rng(3)
    assert least <= sum(bool(ROWS[row](rng)) for _ in range(200)) / 200 <= most


def test_a_level_is_one_sum_over_another_with_the_error_of_people() -> None:
    rng = np.random.default_rng(1)
    days = 1.0 + rng.poisson(5, 900)
    done = rng.poisson(2 * days).astype(float)
    units = Moments.of(done, days)
    found = look_at_level(units, 900, floor=1.9, up_is_good=True, tightest_at=900)
    assert isinstance(found, Look)
    assert found.value == pytest.approx(done.sum() / days.sum())
    again = [done[at].sum() / days[at].sum() for at in rng.integers(0, 900, (400, 900))]
    assert (found.high - found.low) / 2 == pytest.approx(3.03 * np.std(again), rel=0.1), "tightest: 3.03 errors"
    assert not found.is_broken
    below = look_at_level(units, 900, floor=2.5, up_is_good=True, tightest_at=900)
    assert isinstance(below, Look)
    assert below.is_broken
    assert isinstance(
        look_at_level(Moments.of(done[:100], days[:100]), 100, floor=1, up_is_good=True, tightest_at=900), NoAnswer
    )
