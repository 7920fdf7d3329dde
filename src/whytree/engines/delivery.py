"""DORA's five delivery metrics (dora.dev, 2026): pure, from lists of what happened. Never about a person.

Throughput: `change_lead_time`, `deployment_frequency`, `failed_deployment_recovery_time`; instability:
`change_fail_rate`, `deployment_rework_rate`. No bands and no badges: DORA itself warns of comparing unlike teams.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median, quantiles

from whytree.engines.stats.answers import NoAnswer
from whytree.engines.stats.groups import proportion

WEEK = timedelta(days=7)
#: Below this the middle half of some durations is noise; their median alone is said.
FEWEST_FOR_SPREAD = 4


@dataclass(frozen=True)
class Out:
    """A successful deployment to production. What it brought is told by `written_at`, one time a commit that was neither
    a merge nor in production before; None while that is not known, or where it was the first one known.
    """

    finished_at: datetime
    failed: bool = False
    rework: bool = False
    written_at: Sequence[datetime] | None = None


@dataclass(frozen=True)
class Failure:
    """An incident that a deployment caused; `restored_at` is None while it is open."""

    deployed_at: datetime
    restored_at: datetime | None


@dataclass(frozen=True)
class Measure:
    """One metric. `low` to `high`: the middle half of durations, the 95 % interval of a rate. Without a `value`, `reason`."""

    key: str
    unit: str  # per week, hours, share
    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""


def measure(
    deployments: Sequence[Out], failures: Sequence[Failure], start: datetime, end: datetime, *, told: bool
) -> list[Measure]:
    """The five, for what was deployed from `start` to `end`. `told`: somebody tells us of incidents at all."""
    untold = "" if told else "No incident was ever told here, and none told is not none there was."
    known = [one for one in deployments if one.written_at is not None]
    failed = sum(one.failed for one in deployments)
    return [
        _frequency([one.finished_at for one in deployments], start, end),
        _lead_time(known),
        _rate("change_fail_rate", failed, len(deployments), untold, "deployment in this time"),
        _recovery(failures, untold),
        _rate(
            "deployment_rework_rate",
            sum(one.rework for one in known),
            len(known),
            "",
            "deployment in this time whose commits are known",
        ),
    ]


def _frequency(moments: Sequence[datetime], start: datetime, end: datetime) -> Measure:
    """Median number a week, over whole weeks back from `end`; a week without any counts as none."""
    weeks = (end - start) // WEEK
    if not moments or not weeks:
        reason = "No deployment in this time." if not moments else "Not a whole week since the first one."
        return Measure("deployment_frequency", "per week", len(moments), reason=reason)
    counts = Counter((end - moment) // WEEK for moment in moments)
    each = [counts[week] for week in range(weeks)]
    low, high = _middle_half(each)
    return Measure("deployment_frequency", "per week", len(moments), median(each), low, high)


def _lead_time(deployments: Sequence[Out]) -> Measure:
    """Median from a commit being written to its being out, over commits; a clock that runs backwards is left out."""
    hours = [
        _hours(one.finished_at - written)
        for one in deployments
        for written in one.written_at or ()
        if written <= one.finished_at
    ]
    if not hours:
        reason = "No commit is known to have gone out in this time; the first deployment known is no measure of any."
        return Measure("change_lead_time", "hours", 0, reason=reason)
    low, high = _middle_half(hours)
    return Measure("change_lead_time", "hours", len(hours), median(hours), low, high)


def _recovery(failures: Sequence[Failure], untold: str) -> Measure:
    """Median from a deployment that failed to its repair; what is open counts as longer than all that is repaired."""
    key, open_ones = "failed_deployment_recovery_time", sum(one.restored_at is None for one in failures)
    hours = sorted(_hours(one.restored_at - one.deployed_at) for one in failures if one.restored_at)
    if not failures:
        return Measure(key, "hours", 0, reason=untold or "No deployment in this time is known to have failed.")
    if 2 * open_ones >= len(failures):
        return Measure(key, "hours", len(failures), reason=f"{open_ones} of {len(failures)} have no time of repair.")
    return Measure(key, "hours", len(failures), median([*hours, *[float("inf")] * open_ones]))


def _rate(key: str, hits: int, n: int, untold: str, of_what: str) -> Measure:
    share = proportion(hits, n)
    if isinstance(share, NoAnswer) or untold:
        return Measure(key, "share", n, reason=untold if n else f"No {of_what}.")
    return Measure(key, "share", n, share.value, share.low, share.high)


def _middle_half(values: Sequence[float]) -> tuple[float | None, float | None]:
    if len(values) < FEWEST_FOR_SPREAD:
        return None, None
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high


def _hours(span: timedelta) -> float:
    return span / timedelta(hours=1)
