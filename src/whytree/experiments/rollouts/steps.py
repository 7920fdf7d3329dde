"""The steps of a guarded rollout, and what each means for a flag.

While fewer than all get the change there must be others to compare with. So a step to 5 % covers 10 % of the people and
gives half of them the change: the same people stay in it when it is widened (`engines.flags` hashes coverage and
variant apart), and both halves are drawn alike.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from whytree.engines.flags import FULL_COVERAGE
from whytree.errors import Invalid

#: Usual steps: per cent, days at least, people at least.
USUAL: tuple[tuple[float, int, int], ...] = ((5, 1, 200), (25, 2, 500), (50, 3, 1_000), (100, 0, 0))
MOST_STEPS = 20
MOST_DAYS = 90
MOST_GUARDRAILS = 10


def read_steps(said: Sequence[Mapping[str, Any]]) -> list[dict[str, int]]:
    """`{"percent": 5, "days": 1, "people": 200}` each, rising, the last one 100 %."""
    steps = said or [{"percent": percent, "days": days, "people": people} for percent, days, people in USUAL]
    if len(steps) > MOST_STEPS:
        raise Invalid(f"A rollout has {MOST_STEPS} steps at most.")
    read = [_step(step) for step in steps]
    shares = [step["share"] for step in read]
    if any(after <= before for before, after in pairwise(shares)):
        raise Invalid("Each step reaches more people than the one before, as 5, 25, 50, 100.")
    if shares[-1] != FULL_COVERAGE:
        raise Invalid("The last step is 100 %: a rollout that ends before is an experiment.")
    return read


def _step(said: Mapping[str, Any]) -> dict[str, int]:
    percent, days, people = said.get("percent"), said.get("days", 0), said.get("people", 0)
    if not isinstance(percent, int | float) or isinstance(percent, bool) or not 0 < percent <= 100:
        raise Invalid("A step reaches more than 0 % and at most 100 % of the people.")
    share = round(percent * 100)
    if abs(share - percent * 100) > 1e-6:
        raise Invalid("A step has two decimals at most, as in 0.25 %.")
    for name, value, most in (("days", days, MOST_DAYS), ("people", people, 10**9)):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise Invalid(f"A step's {name} are a whole number from 0 to {most:,}.")
    return {"share": share, "days": days, "people": people}


def read_guardrails(said: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """`{"metric_key", "direction", "margin"}` as a hypothesis names them; direction is the way that harms."""
    if not said:
        raise Invalid("What must not get worse? A guarded rollout watches one metric at least.")
    if len(said) > MOST_GUARDRAILS:
        raise Invalid(f"A rollout watches {MOST_GUARDRAILS} metrics at most.")
    read = []
    for rail in said:
        key, way, margin = rail.get("metric_key"), rail.get("direction"), rail.get("margin")
        sound = (
            isinstance(margin, int | float) and not isinstance(margin, bool) and math.isfinite(margin) and margin >= 0
        )
        if not key or way not in ("up", "down") or not sound:
            raise Invalid(
                "A guardrail needs a metric, the direction that harms (up or down) and a margin of 0 or more."
            )
        read.append({"metric_key": key, "direction": way, "margin": margin})
    return read


def rollout_of(share: int, variant: str, other: str) -> tuple[int, dict[str, int]]:
    """Coverage in basis points and weights, so that `share` of the people get the variant."""
    if share == FULL_COVERAGE:
        return FULL_COVERAGE, {variant: 1, other: 0}
    if share <= FULL_COVERAGE // 2:
        return 2 * share, {variant: 1, other: 1}
    whole = math.gcd(share, FULL_COVERAGE)
    return FULL_COVERAGE, {variant: share // whole, other: (FULL_COVERAGE - share) // whole}
