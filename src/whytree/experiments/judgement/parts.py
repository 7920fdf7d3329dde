"""One comparison in parts of the units: do the parts differ, what is left of each, all of them weighed; and those triggered."""

from __future__ import annotations

from collections.abc import Sequence

from whytree.engines.stats import NoAnswer, Stratum
from whytree.engines.stats.effects import Effect
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.parts import post_stratified, shrink, triggered
from whytree.engines.stats.shrinkage import Measured

from .plan import Rules
from .results import ArmInParts, Interval, PartFigure, TriggeredFigure

#: p of "all parts have the same effect" below which they are said to differ.
PARTS_DIFFER = 0.05

PEEKED = "It is looked at before its end, and this bears one look. Read it on its last day."


def in_parts(
    arm: str,
    names: Sequence[str],
    effects: Sequence[Effect | NoAnswer],
    strata: Sequence[Stratum[Moments]] | NoAnswer,
    rules: Rules,
) -> ArmInParts:
    """One arm against control in each part; `strata` are both arms' sums by part, or why they cannot be weighed."""
    answered = [(name, one) for name, one in zip(names, effects, strict=True) if isinstance(one, Effect)]
    shrunk = shrink([Measured(one.difference.value, one.error) for _, one in answered], level=rules.level)
    weighed = _weighed(strata, rules)
    figures: list[PartFigure] = []
    if not isinstance(shrunk, NoAnswer):
        pairs = zip(answered, shrunk.parts, strict=True)
        figures = [PartFigure(name, part.value, part.low, part.high) for (name, _), part in pairs]
    return ArmInParts(
        arm,
        _told(shrunk.p if not isinstance(shrunk, NoAnswer) else None),
        None if isinstance(shrunk, NoAnswer) else shrunk.p,
        None if isinstance(shrunk, NoAnswer) else shrunk.between,
        figures,
        shrunk.reason if isinstance(shrunk, NoAnswer) else "",
        None if isinstance(weighed, NoAnswer) else interval_of(weighed, rules.level),
        None if isinstance(weighed, NoAnswer) else weighed.variance_reduction,
        weighed.reason if isinstance(weighed, NoAnswer) else "",
    )


def _told(p: float | None) -> str:
    if p is None:
        return ""
    if p < PARTS_DIFFER:
        return "The parts differ by more than chance. Shrunken, each part's effect is what to expect of it next time."
    return "That the parts differ can be chance alone. Shrunken towards each other, they say what to expect of each."


def _weighed(strata: Sequence[Stratum[Moments]] | NoAnswer, rules: Rules) -> Effect | NoAnswer:
    if isinstance(strata, NoAnswer):
        return strata
    if rules.sequential or rules.look is not None:
        return NoAnswer(PEEKED)
    return post_stratified(strata, level=rules.level)


def among_triggered(arm: str, among: Effect | NoAnswer, shares: Effect | NoAnswer, rules: Rules) -> TriggeredFigure:
    """One arm against control among those whom the change could reach, and what that is over everybody."""
    peeked = rules.sequential or rules.look is not None
    answer = NoAnswer(PEEKED) if peeked else triggered(among, shares, level=rules.level)
    if isinstance(answer, NoAnswer):
        return TriggeredFigure(arm, answer.reason)
    return TriggeredFigure(
        arm,
        "",
        answer.share,
        answer.p,
        interval_of(answer.among, rules.level),
        interval_of(answer.diluted, rules.level),
    )


def interval_of(effect: Effect, level: float) -> Interval:
    """As it is shown."""
    one = effect.difference
    return Interval(one.value, one.low, one.high, level, one.method)
