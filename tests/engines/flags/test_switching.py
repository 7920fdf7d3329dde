"""Everybody gets the arm of the period: drawn fairly over the hours of the day, and the same in every process."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from whytree.engines.flags import Context, Evaluator, Rules, Switching, evaluate
from whytree.engines.flags.explaining import explain
from whytree.engines.flags.flagd_file import as_flagd
from whytree.engines.flags.posthog import can_be_local
from whytree.engines.flags.switching import length_text, places_of

START = 1_767_600_000  # 5 January 2026, 8:00 UTC
HOURLY = Switching(minutes=60, washout=10, by="city", seed="pricing/EXP-1", start=START)
EVEN = {"off": 50, "on": 50}
FIRST_DAY = "nfnfnfnfffnfnfnnfnnnffnn"  # each arm by its second letter


def rules(**changes: Any) -> Rules:
    known: dict[str, Any] = {
        "key": "pricing",
        "variants": {"on": True, "off": False},
        "default_variant": "off",
        "off_variant": "off",
        "weights": EVEN,
        "coverage": 10_000,
        "is_on": True,
        "switching": HOURLY,
    }
    return Rules(**known | changes)


def at(period: float, **attributes: Any) -> Context:
    return Context(attributes, START + 3_600 * period)


def test_every_process_draws_the_same() -> None:
    """Written down once: another order would move everybody in the middle of an experiment."""
    assert "".join(HOURLY.arm(EVEN, period)[1] for period in range(24)) == FIRST_DAY
    assert [evaluate(rules(), f"p{n}", at(n)).variant[1] for n in range(24)] == list(FIRST_DAY)


@pytest.mark.parametrize("weights", [EVEN, {"a": 2, "b": 1}, {"a": 1, "b": 1, "c": 1}, {"on": 9, "off": 1, "gone": 0}])
def test_each_hour_of_the_day_meets_each_arm_in_its_share(weights: dict[str, int]) -> None:
    places = places_of(weights)
    days = 2 * len(places)
    for hour in range(24):
        met = Counter(HOURLY.arm(weights, 24 * day + hour) for day in range(days))
        assert met == {arm: 2 * share for arm, share in Counter(places).items()}


def test_neighbouring_periods_and_regions_are_drawn_apart() -> None:
    arms = {city: [HOURLY.arm(EVEN, period, city) for period in range(24 * 200)] for city in ("riga", "berlin", "")}
    for mine in arms.values():
        same = sum(one == next for one, next in pairwise(mine)) / len(mine)
        assert 0.45 < same < 0.55
    alike = sum(one == other for one, other in zip(arms["riga"], arms["berlin"], strict=True)) / len(arms["riga"])
    assert 0.45 < alike < 0.55


def test_a_person_has_the_arm_of_the_period_and_of_the_region() -> None:
    evaluator = Evaluator(rules())
    for period in range(48):
        for city in ("riga", "berlin"):
            given = {evaluator.evaluate(f"p{n}", at(period + n / 50, city=city)).variant for n in range(50)}
            assert given == {HOURLY.arm(EVEN, period, city)}
    answer = evaluator.evaluate("maria", at(3.5, city="riga"))
    assert (answer.reason, answer.in_rollout, answer.unit, answer.says) == ("SPLIT", True, "maria", "3/riga")
    assert evaluator.evaluate(None, at(3.5, city="riga")).variant == answer.variant, "no id is needed"
    for odd in (None, ["riga"], {"x": 1}, True, 3.5):
        assert evaluator.evaluate("maria", at(3, city=odd)).says == "3/"


def test_before_the_first_period_and_outside_the_rollout_it_is_the_default() -> None:
    early = evaluate(rules(), "maria", at(-0.1))
    assert (early.variant, early.reason, early.in_rollout) == ("off", "DEFAULT", False)
    assert "first period has not begun" in explain(rules(), early)[-1]
    half = Evaluator(rules(coverage=5_000))
    answers = [half.evaluate(f"p{n}", at(1)) for n in range(400)]
    covered = [one for one in answers if one.in_rollout]
    assert 150 < len(covered) < 250
    assert {one.variant for one in covered} == {HOURLY.arm(EVEN, 1)}
    assert half.evaluate(None, at(1)).error == "TARGETING_KEY_MISSING"


def test_it_says_why() -> None:
    answer = evaluate(rules(), "maria", at(3.2, city="riga"))
    last = explain(rules(), answer)[-1]
    assert last == (
        f"It switches: for the period from 5 Jan 2026 11:00 until 5 Jan 2026 12:00 UTC in riga, {answer.variant} was drawn for "
        "everybody."
    )


def test_no_client_can_answer_it_by_itself() -> None:
    flag, _ = as_flagd(rules())
    assert flag["state"] == "DISABLED"
    assert "by period" in str(flag["metadata"])
    assert not can_be_local(rules(bucketing="posthog", variants={"on": "x", "off": "y"}))
    assert Evaluator(rules()).sees_the_clock, "so that no answer is remembered beyond its period"
    assert not rules().asks_only_for_the_id


@pytest.mark.parametrize(
    ("switching", "words"),
    [
        ({"minutes": 30}, "an hour to a week"),
        ({"minutes": 7 * 60}, "a whole part of a day"),
        ({"minutes": 36 * 60}, "whole days"),
        ({"minutes": 8 * 1_440}, "an hour to a week"),
        ({"washout": 31}, "half of a period"),
        ({"washout": -1}, "half of a period"),
    ],
)
def test_a_period_that_cannot_be_is_refused(switching: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Evaluator(rules(switching=replace(HOURLY, **switching)))


def test_weights_that_fill_no_block_are_refused() -> None:
    with pytest.raises(ValueError, match="block of 100 periods, and 12 are the most"):
        Evaluator(rules(weights={"on": 1, "off": 99}))


def test_lengths_as_people_say_them() -> None:
    assert [length_text(one) for one in (60, 90, 120, 1_440, 10_080)] == [
        "hour",
        "90 minutes",
        "2 hours",
        "day",
        "7 days",
    ]
