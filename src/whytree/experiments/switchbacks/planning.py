"""A switchback before it starts: what a flag must not be for it, when its first period begins, and what its blocks can show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from whytree.engines.flags import Switching
from whytree.engines.flags.rules import draws
from whytree.engines.flags.switching import DAY, length_text
from whytree.engines.stats.blocks import FEWEST_DRAWN
from whytree.errors import Conflict
from whytree.experiments.judgement.design import Design
from whytree.experiments.models import Experiment
from whytree.flags.evaluation.assembling import rules_of, shared_of
from whytree.flags.models import BucketBy, Flag

from .schedule import Schedule


def refuse_switchback(flag: Flag, design: Design) -> None:
    """Raise where the flag gives people an arm by something that outlasts a period."""
    if design.switchback is None:
        return
    if flag.is_sticky:
        raise Conflict(f"{flag.key} is sticky: people would keep an arm beyond its period. Turn that off first.")
    if flag.unit == BucketBy.COMPANY:
        raise Conflict(
            f"{flag.key} is given by company, and a switchback gives everybody the arm of the period. Give it by person first."
        )
    targeting = rules_of(flag, shared_of(flag.product_id)).targeting
    if targeting is not None and draws(targeting):
        raise Conflict(
            f"The rule of {flag.key} draws people itself, with “fractional”, and they would not switch. Take that out of it first."
        )


def begun(experiment: Experiment, design: Design, now: datetime) -> Design:
    """The plan with the moment from which periods are counted, and the seed of their draw.

    The next full hour; of whole days the next midnight where the product is. Where another maintainer has approved the
    flag as it switches already, that stands.
    """
    wanted = design.switchback
    if wanted is None:
        return design
    seed = f"{experiment.flag.key}/{experiment.ref}"
    stands = experiment.flag.switches if experiment.flag.is_on else None
    if stands is not None and stands == msgspec.structs.replace(wanted, seed=seed, start=stands.start):
        return msgspec.structs.replace(design, switchback=stands)
    start = int(_first_moment(wanted, now, ZoneInfo(experiment.product.timezone)).timestamp())
    return msgspec.structs.replace(design, switchback=msgspec.structs.replace(wanted, seed=seed, start=start))


def _first_moment(switchback: Switching, now: datetime, zone: ZoneInfo) -> datetime:
    if switchback.minutes < DAY:
        hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return hour if hour == now else hour + timedelta(hours=1)
    here = now.astimezone(zone)
    return datetime(here.year, here.month, here.day, tzinfo=zone) + timedelta(days=1)


def ends_at(design: Design, started: datetime) -> datetime:
    """When it is read: after its last period, where periods are drawn."""
    if design.switchback is None:
        return started + timedelta(days=design.days)
    return Schedule(design.switchback, design.weights, design.days, started.timestamp()).ends_at


def foreseen(switchback: Switching, weights: Mapping[str, int], days: int) -> str:
    """How many blocks there will be, and whether that many can say anything."""
    schedule = Schedule(switchback, weights, days, 0)
    blocks = schedule.blocks
    each = f" in each {switchback.by}" if switchback.by else ""
    told = (
        f"{blocks * schedule.places:,} periods, every {length_text(switchback.minutes)}, in {blocks:,} blocks{each}: a block is the "
        "same time of day on days in a row, and holds every arm in its share. "
    )
    if blocks < FEWEST_DRAWN and not switchback.by:
        return told + (
            f"{FEWEST_DRAWN} blocks are the least for an interval; with fewer there is only how often a draw differs as much. "
            "Shorter periods or more days give more blocks."
        )
    return told + "How far the metric swings from period to period decides what they show."
