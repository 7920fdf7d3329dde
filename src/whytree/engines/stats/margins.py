"""Not worse by more than was allowed: the question of a guardrail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from whytree.engines.stats.answers import Estimate, upper_tail

Standing = Literal["not worse", "harm", "no answer yet"]


@dataclass(frozen=True)
class NonInferiority:
    """``standing`` reads the two-sided interval against the margin; ``p`` is one-sided, of "worse by the margin"."""

    standing: Standing
    margin: float
    p: float


def non_inferior(
    difference: Estimate, error: float, freedom: float, margin: float, *, up_is_good: bool = True
) -> NonInferiority:
    """Whether the whole interval lies on the good side of the margin (Blackwelder, Controlled Clinical Trials 3, 1982).

    The interval is the two-sided one of the page, so a change that is worse by exactly the margin passes in
    (1 - level) / 2 of experiments. "Harm" is the whole interval beyond the margin. Claiming "not worse" of all of
    several guardrails needs no correction: each must pass (intersection-union; Berger, Technometrics 24, 1982).
    """
    low, high, value = difference.low, difference.high, difference.value
    if not up_is_good:
        low, high, value = -high, -low, -value
    standing: Standing = "not worse" if low > -margin else "harm" if high < -margin else "no answer yet"
    return NonInferiority(standing, margin, upper_tail((value + margin) / error, freedom))
