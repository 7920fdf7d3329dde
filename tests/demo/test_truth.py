"""The analysis recovers what is known to be true: the same engine that fills reviews, on the generator's events."""

from datetime import datetime, timedelta

import pytest

from whytree.demo import story, world
from whytree.demo.story import Calendar
from whytree.demo.world import World

from .measuring import compare

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`

# A sample ratio below this is an alarm (Fabijan et al., KDD 2019, use 0.0005; pages warn earlier).
ALARM = 0.01


def due(calendar: Calendar, opened: int, horizon: int) -> datetime:
    """What a review looks at ends on the day it falls due."""
    return calendar.at(opened, story.OPENED_AT_HOUR) + timedelta(days=horizon)


def deferral_due(world: World) -> datetime:
    return due(world.calendar, story.DEFER_OPENED, story.DEFER_HORIZON)


def test_the_interval_of_the_deferral_covers_its_true_effect(whole: World) -> None:
    compared, ratio = compare(whole, "defer_phone", "sign_up_started", "first_booking", until=deferral_due(whole))
    effect = compared.difference
    assert effect.low < story.TRUE_EFFECTS["defer_phone"] < effect.high
    assert effect.low > 0, "the visitor is to find that it helped"
    assert compared.control == pytest.approx(story.ACTIVATED, abs=0.015)
    assert ratio.p > ALARM
    assert effect.n > 10_000


def test_it_stays_so_when_one_looks_later(whole: World) -> None:
    tonight = whole.calendar.today + timedelta(days=1)
    compared, _ = compare(whole, "defer_phone", "sign_up_started", "first_booking", until=tonight)
    assert 0 < compared.difference.low < story.TRUE_EFFECTS["defer_phone"] < compared.difference.high


def test_the_prediction_for_the_deferral_holds_what_is_measured(whole: World) -> None:
    compared, _ = compare(whole, "defer_phone", "sign_up_started", "first_booking", until=deferral_due(whole))
    low, _, high = story.FORECASTS["defer_phone"]
    assert low < 100 * compared.difference.value < high


def test_the_explanation_has_no_answer_yet(whole: World) -> None:
    compared, ratio = compare(whole, "explain_phone", "sign_up_started", "first_booking")
    effect = compared.difference
    assert effect.low < 0 < effect.high
    assert effect.low < story.TRUE_EFFECTS["explain_phone"] < effect.high
    assert ratio.p > ALARM


def test_the_interval_of_the_reminder_covers_its_true_effect(whole: World) -> None:
    until = due(whole.calendar, story.REMINDER_OPENED, story.REMINDER_HORIZON)
    compared, ratio = compare(whole, "evening_reminder", "first_booking", "class_attended", until=until)
    assert compared.difference.low < story.TRUE_EFFECTS["evening_reminder"] < compared.difference.high
    assert compared.difference.low > 0
    assert ratio.p > ALARM


def test_the_struggle_falls_as_told(whole: World) -> None:
    compared, _ = compare(whole, "defer_phone", "sign_up_started", "phone_struggled")
    assert compared.control == pytest.approx(story.STRUGGLED, abs=0.006)
    assert compared.treatment == pytest.approx(story.STRUGGLED_DEFERRED, abs=0.004)


def test_spam_stays_within_its_margin(whole: World) -> None:
    compared, _ = compare(whole, "defer_phone", "sign_up_started", "account_flagged_spam")
    assert compared.difference.value < 0.005


@pytest.mark.slow
@pytest.mark.parametrize("day", range(7))
def test_it_is_so_on_every_day_of_the_week(calendar: Calendar, day: int) -> None:
    moved = world.build(Calendar(calendar.today + timedelta(days=day)))
    compared, ratio = compare(moved, "defer_phone", "sign_up_started", "first_booking", until=deferral_due(moved))
    assert 0 < compared.difference.low < story.TRUE_EFFECTS["defer_phone"] < compared.difference.high
    assert ratio.p > ALARM


@pytest.mark.slow
def test_over_many_seeds_the_intervals_cover_the_truth_as_often_as_they_say(calendar: Calendar) -> None:
    effects = [
        compare(world.build(calendar, people=4_000, seed=seed), "defer_phone", "sign_up_started", "first_booking")[0]
        for seed in range(40)
    ]
    covered = [effect.difference.low < story.TRUE_EFFECTS["defer_phone"] < effect.difference.high for effect in effects]
    mean = sum(effect.difference.value for effect in effects) / len(effects)
    assert sum(covered) >= 34, "of 40 intervals at 95 %, fewer than 34 cover the truth once in 2,000 worlds"
    assert mean == pytest.approx(story.TRUE_EFFECTS["defer_phone"], abs=0.012)
