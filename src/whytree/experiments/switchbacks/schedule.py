"""When which arm is in force: the periods of a switchback, their blocks, and what is now and next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from whytree.engines.flags import Switching
from whytree.engines.flags.switching import DAY, places_of
from whytree.experiments.models import Experiment

#: Periods that a page shows after the one in force.
SHOWN_NEXT = 11


@dataclass(frozen=True)
class Schedule:
    """The periods that count are `first` to before `end`, by their numbers; `blocks` many blocks of `places`."""

    switching: Switching
    weights: Mapping[str, int]
    days: int
    since: float
    """When it started, in seconds since 1970."""

    @cached_property
    def places(self) -> int:
        return len(places_of(self.weights))

    @property
    def blocks(self) -> int:
        """In each region."""
        return self.days * DAY // self.switching.minutes // self.places

    @property
    def first(self) -> int:
        """The first period of the first block that lies after the start."""
        size = self.switching.cycle * self.places
        late = max(0, -(-(self.since - self.switching.start) // self.switching.seconds))
        return int(-(-late // size)) * size

    @property
    def end(self) -> int:
        return self.first + self.blocks * self.places

    @property
    def starts_at(self) -> datetime:
        return moment(self.switching.begins(self.first))

    @property
    def ends_at(self) -> datetime:
        return moment(self.switching.begins(self.end))

    def block(self, number: int) -> list[int]:
        """Its periods."""
        group, slot = divmod(number, self.switching.cycle)
        return [(group * self.places + place) * self.switching.cycle + slot for place in range(self.places)]

    @property
    def block_numbers(self) -> range:
        return range(self.first // self.places, self.end // self.places)

    def arm(self, period: int, region: str = "") -> str:
        return self.switching.arm(self.weights, period, region)


def schedule_of(experiment: Experiment) -> Schedule | None:
    """None where people or companies are drawn, or before the start."""
    design, started = experiment.design, experiment.started_at
    if design.switchback is None or started is None:
        return None
    return Schedule(design.switchback, design.weights, design.days, started.timestamp())


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True)
class Shift:
    """One period: when it is, how long nobody counts, and each region's arm ("": no regions)."""

    begins_at: datetime
    counts_from: datetime
    ends_at: datetime
    arms: dict[str, str]
    is_now: bool


def shifts(schedule: Schedule, now: datetime, regions: list[str]) -> list[Shift]:
    """The period in force and those after it, as far as it is planned."""
    switching = schedule.switching
    at = max(schedule.first, switching.period_at(now.timestamp()) or 0)
    found = []
    for period in range(at, min(schedule.end, at + 1 + SHOWN_NEXT)):
        begins = moment(switching.begins(period))
        ends = moment(switching.begins(period + 1))
        arms = {region: schedule.arm(period, region) for region in regions or [""]}
        found.append(Shift(begins, begins + timedelta(minutes=switching.washout), ends, arms, begins <= now < ends))
    return found


def coming(experiment: Experiment, now: datetime, regions: list[str]) -> list[Shift]:
    """Of a switchback that runs; else nothing."""
    schedule = schedule_of(experiment)
    if schedule is None or experiment.stopped_at is not None or experiment.is_decided:
        return []
    return shifts(schedule, now, regions if schedule.switching.by else [])
