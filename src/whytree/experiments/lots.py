"""An A/A test on the product's own past: lots drawn again and again where nothing was different.

A metric that claims an effect too often, or a draw that is not even, shows here, before anybody is exposed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whytree.analytics.queries import people as people_text
from whytree.engines.stats import Assigned, NoAnswer, SampleRatio, proportion, sample_ratio
from whytree.engines.stats.effects import Effect, compare_means, compare_proportions
from whytree.engines.stats.moments import Moments
from whytree.stores import past_units
from whytree.stores.past_units import DrawnArm

from .constants import RATIO_BROKEN
from .outlook import Question

#: Drawings; the rate of false claims is known to about two points.
DRAWINGS = 500
#: People among whom lots are drawn; more tell nothing new, and take longer.
MOST_PEOPLE = 20_000
FEWEST_PEOPLE = 200


@dataclass(frozen=True)
class AaTest:
    """Of `drawings` in which an answer was given, `claimed` saw an effect at the level: the share with its interval."""

    drawings: int
    people: int
    claimed: int
    rate: float
    low: float
    high: float
    promised: float
    uneven: int
    ok: bool
    sentence: str


def aa_test(question: Question) -> AaTest | NoAnswer:
    """Draw lots among people of the past, with the plan's weights, and judge each drawing as an experiment is judged."""
    if question.refusal:
        return NoAnswer(question.refusal)
    arms = past_units.drawn(question.asked, question.weights, drawings=DRAWINGS, most=MOST_PEOPLE)
    drawings: dict[int, list[DrawnArm]] = {}
    for one in arms:
        drawings.setdefault(one.drawing, []).append(one)
    people = sum(one.people for one in next(iter(drawings.values()), []))
    if people < FEWEST_PEOPLE:
        return NoAnswer(f"Lots among {people_text(people)} say nothing; {FEWEST_PEOPLE} are the least.")
    p_values = [p for drawn in drawings.values() if (p := _p(drawn, question)) is not None]
    if not p_values:
        return NoAnswer(f"{question.metric.name} has no spread among people of the past, so no drawing can be judged.")
    promised = 1 - question.level
    claimed = sum(p < promised for p in p_values)
    rate = proportion(claimed, len(p_values))
    assert not isinstance(rate, NoAnswer)  # noqa: S101 - for the type checker: there is at least one
    uneven = sum(_is_uneven(drawn, question) for drawn in drawings.values())
    ok = rate.low <= promised <= rate.high and uneven <= 2
    told = (
        f"Lots were drawn {len(p_values)} times among {people_text(people)} of the last weeks, where nothing was different: "
        f"{claimed} drawings claimed an effect ({100 * rate.value:.1f} %, {100 * rate.low:.1f} to {100 * rate.high:.1f})."
    )
    verdict = (
        f" Promised are {100 * promised:.3g} %: metric and draw behave."
        if ok
        else f" Promised are {100 * promised:.3g} %: {_fault(rate.low > promised, rate.high < promised)}"
    )
    return AaTest(len(p_values), people, claimed, rate.value, rate.low, rate.high, promised, uneven, ok, told + verdict)


def _fault(too_often: bool, too_rarely: bool) -> str:
    if too_often:
        return "this metric claims too much. A few people may carry it: cap it, or ask whether they did it at all."
    if too_rarely:
        return "this metric claims too little, so it will also miss effects."
    return "but the draw was uneven more often than chance allows. Are ids spread well?"


def _p(drawn: list[DrawnArm], question: Question) -> float | None:
    by_arm = {one.arm: one for one in drawn}
    if 0 not in by_arm or 1 not in by_arm:
        return None
    control, treatment = by_arm[0], by_arm[1]
    if question.counting.is_share:
        answer: Effect | NoAnswer = compare_proportions(
            round(control.mean * control.people),
            control.people,
            round(treatment.mean * treatment.people),
            treatment.people,
            level=question.level,
        )
    else:
        answer = compare_means(_moments(control), _moments(treatment), level=question.level)
    return None if isinstance(answer, NoAnswer) else answer.p


def _moments(one: DrawnArm) -> Moments:
    return Moments(one.people, np.array([one.mean]), np.array([[one.m2]]))


def _is_uneven(drawn: list[DrawnArm], question: Question) -> bool:
    seen = {str(one.arm): one.people for one in drawn}
    weights = {str(at): float(weight) for at, weight in enumerate(question.weights)}
    answer = sample_ratio([Assigned(seen, weights)])
    return isinstance(answer, SampleRatio) and answer.p < RATIO_BROKEN
