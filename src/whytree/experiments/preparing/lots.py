"""An A/A test on the product's own past: lots drawn again and again where nothing was different, judged as an experiment is.

A metric that claims an effect too often, or a draw that is not even, shows here, before anybody is exposed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from whytree.engines.stats import LEVEL, Assigned, NoAnswer, SampleRatio, proportion, sample_ratio
from whytree.engines.stats.answers import z
from whytree.engines.stats.effects import Effect, compare_means, compare_proportions
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.quantiles import Quantile, stratified_quantiles
from whytree.engines.stats.ratios import compare_clusters, compare_ratios
from whytree.stores.exposed import past_units

from ..constants import RATIO_BROKEN
from ..underway.countings import Unit
from .past import Question, moments_of, quantile_of

#: Drawings; the rate of false claims is known to about two points.
DRAWINGS = 500
#: Units among whom lots are drawn; more tell nothing new, and take longer. A percentile needs all numbers of all of them.
MOST_UNITS = 20_000
MOST_PLACED = 4_000
FEWEST: dict[Unit, int] = {"person": 200, "company": 60}


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
    drawings = _placed(question) if question.counting.placing is not None else _summed(question)
    units = sum(one.n for one in next(iter(drawings.values()), []))
    if units < FEWEST[question.unit]:
        return NoAnswer(f"Lots among {units:,} {question.whom} say nothing; {FEWEST[question.unit]} are the least.")
    answers = [drawing for drawing in drawings.values() if len(drawing) == len(question.weights)]
    p_values = [one.p for drawn in answers if isinstance(one := drawn[1].against(drawn[0], question), Effect)]
    if not p_values:
        return NoAnswer(
            f"{question.metric.name} has no spread among {question.whom} of the past, so no drawing can be judged."
        )
    promised = 1 - question.level
    claimed = sum(p < promised for p in p_values)
    rate = proportion(claimed, len(p_values))
    assert not isinstance(rate, NoAnswer)  # noqa: S101 - for the type checker: there is at least one
    uneven = sum(_is_uneven(drawn, question) for drawn in answers)
    ok = rate.low <= promised <= rate.high and uneven <= 2
    told = (
        f"Lots were drawn {len(p_values)} times among {units:,} {question.whom} of the last weeks, where nothing was different: "
        f"{claimed} drawings claimed an effect ({100 * rate.value:.1f} %, {100 * rate.low:.1f} to {100 * rate.high:.1f})."
    )
    verdict = (
        f" Promised are {100 * promised:.3g} %: metric and draw behave."
        if ok
        else f" Promised are {100 * promised:.3g} %: {_fault(rate.low > promised, rate.high < promised)}"
    )
    return AaTest(len(p_values), units, claimed, rate.value, rate.low, rate.high, promised, uneven, ok, told + verdict)


def _fault(too_often: bool, too_rarely: bool) -> str:
    if too_often:
        return "this metric claims too much. A few people may carry it: cap it, or ask whether they did it at all."
    if too_rarely:
        return "this metric claims too little, so it will also miss effects."
    return "but the draw was uneven more often than chance allows. Are ids spread well?"


@dataclass(frozen=True)
class Arm:
    """One arm of one drawing: its units, and their sums or their percentile."""

    n: int
    sums: Moments | None = None
    placed: Quantile | NoAnswer | None = None

    def against(self, control: Arm, question: Question) -> Effect | NoAnswer:
        """As an experiment of one period would compare them."""
        meant, level = question.counting, question.level
        if self.sums is None or control.sums is None:
            pair = [(control.placed or _NOTHING, self.placed or _NOTHING)]
            return stratified_quantiles(pair, level=level)
        if question.is_gathered:
            return compare_clusters(control.sums, self.sums, level=level)
        if meant.is_ratio:
            return compare_ratios(control.sums, self.sums, level=level)
        if meant.is_share:
            did = [round(float(one.sums.mean[0]) * one.n) for one in (control, self) if one.sums is not None]
            return compare_proportions(did[0], control.n, did[1], self.n, level=level)
        return compare_means(*(one.combined([1.0, 0.0]) for one in (control.sums, self.sums)), level=level)


_NOTHING = NoAnswer("Nobody in an arm has such a number.")


def _summed(question: Question) -> dict[int, list[Arm]]:
    found: dict[int, list[Arm]] = {}
    for one in past_units.drawn(question.asked, question.weights, drawings=DRAWINGS, most=MOST_UNITS):
        found.setdefault(one.drawing, []).append(Arm(one.sums.n, moments_of(one.sums)))
    return found


def _placed(question: Question) -> dict[int, list[Arm]]:
    placing, found = question.counting.placing, defaultdict[int, list[Arm]](list)
    assert placing is not None  # noqa: S101 - for the type checker: only percentiles come here
    arms = past_units.placed_drawn(question.asked, question.weights, z(LEVEL), drawings=DRAWINGS, most=MOST_PLACED)
    for (drawing, _), one in sorted(arms.items()):
        found[drawing].append(Arm(one.people, placed=quantile_of(one, placing.share)))
    return found


def _is_uneven(drawn: list[Arm], question: Question) -> bool:
    seen = {str(at): one.n for at, one in enumerate(drawn)}
    weights = {str(at): float(weight) for at, weight in enumerate(question.weights)}
    answer = sample_ratio([Assigned(seen, weights)])
    return isinstance(answer, SampleRatio) and answer.p < RATIO_BROKEN
