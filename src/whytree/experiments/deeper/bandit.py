"""Share people out by what is known so far, for what needs no inference: a greeting, a picture, an order of a list.

A flag's weights follow each arm's chance of being best. They move with the results, so no experiment or rollout may hold the
flag, and nobody may read a difference off it afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from whytree.analytics.queries import find_metric
from whytree.engines.stats import Share
from whytree.engines.stats.bandit import LEAST_SHARE, standardised, thompson
from whytree.errors import Conflict, Invalid
from whytree.experiments.models import OPEN_STATES, Bandit, Experiment, Rollout
from whytree.experiments.underway.countings import counting
from whytree.experiments.underway.trial import Trial, constant_stretches, unit_of
from whytree.flags.models import Flag
from whytree.flags.services import set_rollout
from whytree.workspace.rights.actors import Actor

NOT_FOR_INFERENCE = (
    "Not for inference: the shares follow the results, so intervals and p-values made of them afterwards are wrong. To learn "
    "whether and how much an arm is better, run an experiment."
)

#: Days that are looked at: what was best in spring need not be best now.
LOOK_BACK = timedelta(days=28)

#: People an arm, before which shares stay as they are: the first few say nothing.
FEWEST_PEOPLE = 50

#: Weights are whole; a thousandth is fine enough.
PARTS = 1_000


@dataclass(frozen=True)
class Arm:
    """One arm: its people whose time is over, how many did it, its weight now and the one that its chance of being best asks for.

    The chance goes by the periods of constant weights (`engines.stats.bandit.standardised`), not by these sums.
    """

    arm: str
    people: int
    converted: int
    share_now: float
    share: float


@dataclass(frozen=True)
class Allocation:
    flag: str
    metric: str
    arms: list[Arm]
    reason: str
    least: float = LEAST_SHARE
    warning: str = NOT_FOR_INFERENCE


def allocation_of(flag: Flag, metric_key: str, now: datetime) -> Allocation:
    """What the weights should be by now. Without enough people they stay.

    While an experiment or a rollout holds the flag nothing is told: looking early is what a plan forbids.
    """
    _refuse_held(flag)
    metric = find_metric(flag.product, metric_key)
    asked = counting(metric, LOOK_BACK, unit_of(flag))
    if not asked.is_share or unit_of(flag) == "company":
        raise Invalid(
            f"{metric.key} is no share of people, and a bandit goes by those. Take a conversion, retention or unique metric."
        )
    weights = {arm: weight for arm, weight in flag.weights.items() if weight > 0}
    if len(weights) < 2:
        raise Invalid(f"{flag.key} has fewer than two arms with a weight, so there is nothing to share out.")
    stretches = constant_stretches(flag, now - LOOK_BACK, now)
    (counted,) = Trial(flag.product, flag.key, stretches, now).count([asked])
    seen = [Share(counted.closed(arm), counted.converted(arm)) for arm in weights]
    arms = standardised([counted.shares(place, list(weights)) for place in range(counted.strata)]) or seen
    total = sum(weights.values())
    fewest = min(arm.n for arm in arms)
    reason = ""
    shares = [weight / total for weight in weights.values()]
    if fewest < FEWEST_PEOPLE:
        reason = (
            f"The smallest arm has {fewest} of the {FEWEST_PEOPLE} people it needs, so the shares stay as they are."
        )
    else:
        shares = thompson(arms, up_is_good=metric.direction != "down")
    pairs = zip(weights.items(), seen, shares, strict=True)
    return Allocation(
        flag.key,
        metric.key,
        [Arm(name, arm.n, arm.converted, weight / total, share) for (name, weight), arm, share in pairs],
        reason,
    )


def allocate(actor: Actor, flag: Flag, metric_key: str, now: datetime) -> Allocation:
    """Set the flag's weights so. Refused while an experiment, a rollout or a daily job holds them."""
    refuse_bandit(flag)
    found = allocation_of(flag, metric_key, now)
    if not found.reason:
        set_rollout(actor, flag.product, flag.key, weights=weights_of(found), switching={}, verb="allocate_flag")
    return found


def weights_of(found: Allocation) -> dict[str, int]:
    """Whole, as flags keep them."""
    return {one.arm: max(1, round(PARTS * one.share)) for one in found.arms}


def refuse_bandit(flag: Flag) -> None:
    """Whoever wants the weights for themselves: they move with the results every day."""
    if Bandit.objects.filter(flag=flag, ended_at=None).exists():
        raise Conflict(
            f"{flag.key} shares its people out by results every day, which moves its weights. End that first: "
            f"`whytree flag allocate {flag.key} --end`."
        )


def _refuse_held(flag: Flag) -> None:
    running = Experiment.objects.filter(flag=flag, started_at__isnull=False, decided_at=None, stopped_at=None).first()
    if running is not None:
        raise Conflict(
            f"{running.ref} runs on {flag.key}: its weights are fixed, and nothing is read early. Decide or stop it first."
        )
    if Rollout.objects.filter(flag=flag, state__in=OPEN_STATES).exists():
        raise Conflict(f"{flag.key} is being rolled out step by step, which sets its weights. End that first.")
