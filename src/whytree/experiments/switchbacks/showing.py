"""The schedule of a switchback on its page, in the product's own time."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from whytree.engines.flags import Switching
from whytree.engines.flags.switching import length_text
from whytree.experiments.judgement.sentences import listed
from whytree.experiments.models import Experiment
from whytree.experiments.verdict.reading import Reading

from .schedule import Shift, coming

#: Regions that have a column; the API tells all.
MOST_COLUMNS = 5


def switches_text(switchback: Switching | None) -> str:
    """every 2 hours, each city apart; the first 20 minutes count for nobody"""
    if switchback is None:
        return ""
    apart = f", each {switchback.by} apart" if switchback.by else ""
    washout = f"; the first {switchback.washout} minutes count for nobody" if switchback.washout else ""
    return f"every {length_text(switchback.minutes)}{apart}{washout}"


def shown_schedule(experiment: Experiment, reading: Reading, now: datetime) -> dict[str, Any]:
    """What `experiments/_switchback.html` asks for; nothing where people are drawn or the switching is over."""
    shifts, switchback = coming(experiment, now, reading.regions), experiment.design.switchback
    if not shifts or switchback is None:
        return {}
    zone = ZoneInfo(experiment.product.timezone)
    regions = list(shifts[0].arms)[:MOST_COLUMNS]
    left = len(shifts[0].arms) - len(regions)
    return {
        "now_in_force": _now(shifts, zone, switchback),
        "shift_regions": regions if any(regions) else [""],
        "shifts": [
            {
                "begins": _clock(one.begins_at, zone),
                "arms": [one.arms[region] for region in regions],
                "is_now": one.is_now,
            }
            for one in shifts
        ],
        "shift_notes": _notes(switchback, left, experiment.product.timezone),
    }


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %-d %b, %H:%M}"


def _now(shifts: list[Shift], zone: ZoneInfo, switchback: Switching) -> str:
    first = shifts[0]
    if not first.is_now:
        return f"The first period begins {_clock(first.begins_at, zone)}. Until then everybody gets what they had."
    arms = sorted(set(first.arms.values()))
    if switchback.by and len(first.arms) > 1:
        return f"By {switchback.by}, until {_clock(first.ends_at, zone)}: {listed(arms)}."
    return f"Everybody gets {listed(arms)} until {_clock(first.ends_at, zone)}."


def _notes(switchback: Switching, left: int, zone: str) -> str:
    told = [f"It switches every {length_text(switchback.minutes)}, times are {zone}."]
    if switchback.washout:
        told.append(f"Nobody counts for the first {switchback.washout} minutes of a period.")
    told.append("The order was drawn at the start; a block is the same time of day on days in a row.")
    if left:
        told.append(f"{left} more {switchback.by} values are in the JSON.")
    return " ".join(told)
