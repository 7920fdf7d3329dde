"""What every deeper question needs: a started experiment that may be compared, on a metric that can be asked."""

from __future__ import annotations

from datetime import datetime

from whytree.errors import Conflict
from whytree.experiments.models import Experiment
from whytree.experiments.underway.running import Run, run


def comparable(experiment: Experiment, now: datetime) -> Run:
    """Measured; `Conflict` where the plan does not let the arms be compared yet."""
    if not experiment.is_started:
        raise Conflict(f"{experiment.ref} has not started.")
    ran = run(experiment, now)
    if not ran.may_compare:
        raise Conflict(f"{experiment.ref} is read once, when its days are over; this is no way around that.")
    return ran


def not_plain(ran: Run) -> str:
    """Why the deciding metric cannot be asked; empty where it can."""
    asked = ran.heads.counting
    if ran.trial.unit != "person":
        return f"This is told where people are drawn, and not {ran.design.whom}."
    if asked.placing is not None or asked.is_ratio:
        return f"{asked.metric.name} is a {asked.kind}: this is told of shares, counts and sums."
    return ""
