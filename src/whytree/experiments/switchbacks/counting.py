"""From what people did in each period to a comparison of blocks: what a switchback counts, in place of people in two arms.

A person counts anew in each period, from meeting the flag in it to its end; the period is worth the mean over its people,
or one sum over another, and counts once. A block counts when each of its periods ran as planned and had somebody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np

from whytree.engines.stats import LEVEL, Floats, NoAnswer
from whytree.engines.stats.blocks import compare_within_blocks, drawn_again
from whytree.engines.stats.effects import Effect
from whytree.engines.stats.moments import Moments
from whytree.experiments.judgement.design import Design
from whytree.experiments.models import Experiment
from whytree.experiments.underway.countings import Counting
from whytree.experiments.underway.trial import Counted, Trial, constant_stretches
from whytree.flags.queries import Period
from whytree.stores.exposed.exposures import MOST_CELLS, ArmSums, Sums, Switched

from .schedule import Schedule, moment, schedule_of

TOO_MANY_REGIONS = (
    "There are more regions than a switchback can have: “{by}” tells people apart, and not places. Plan with an attribute that "
    "has some dozens of values, as city."
)


@dataclass(frozen=True)
class Met:
    """What became of the periods so far. `people` are counted once for each period they came in."""

    people: int = 0
    astray: int = 0
    """People who met another arm than that of the period, or two; left out."""
    blocks: int = 0
    """Blocks that are over, in all regions."""
    whole: int = 0
    changed: int = 0
    """Blocks in which the flag was off, or had other weights than planned."""
    empty: int = 0
    """Blocks with a period in which nobody came."""
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PeriodsCounted(Counted):
    """One metric, with a value a period. `values` has each arm's, a row a whole block; units are periods throughout."""

    values: Mapping[str, Floats]
    met: Met
    refused: str = ""

    @property
    def waiting(self) -> int:
        return 0

    def moments(self, arm: str) -> Moments:
        return Moments.of(self.values[arm].ravel()) if arm in self.values else Moments.of(np.zeros(0))

    def value(self, arm: str) -> float | None:
        return float(self.values[arm].mean()) if arm in self.values and self.values[arm].size else None

    def compare(
        self, control: str, treatment: str, *, level: float = LEVEL, nothing_tells: bool = False
    ) -> Effect | NoAnswer:
        if self.refused:
            return NoAnswer(self.refused)
        return compare_within_blocks(self.values[control], self.values[treatment], level=level)

    def drawn_again(self, control: str, treatment: str) -> float | None:
        """The exact test over all orders in which the blocks could have been drawn; None without a block."""
        if not self.met.whole:
            return None
        return drawn_again(self.values[control], self.values[treatment])


@dataclass(frozen=True, kw_only=True)
class PeriodTrial(Trial):
    """A flag's exposures in the periods of a schedule. `held` are the stretches in which the flag was as planned."""

    schedule: Schedule
    arms: Sequence[str]
    held: Sequence[Period] = field(default_factory=tuple)

    @property
    def _switched(self) -> Switched:
        switching = self.schedule.switching
        start = moment(switching.begins(self.schedule.first))
        return Switched(start, timedelta(seconds=switching.seconds), timedelta(minutes=switching.washout), switching.by)

    def count(self, asked: Sequence[Counting]) -> list[PeriodsCounted]:
        return [self._in_blocks(one) for one in super().count(asked)]

    def count_by(self, asked: Counting, by: str) -> dict[str, Counted]:
        return {}

    def entries(self, window: timedelta) -> dict[tuple[date, str], int]:
        """Periods are not entered day by day: they are drawn beforehand."""
        return {}

    def _in_blocks(self, counted: Counted) -> PeriodsCounted:
        schedule = self.schedule
        refused = TOO_MANY_REGIONS.format(by=schedule.switching.by) if len(counted.cells) >= MOST_CELLS else ""
        cells = [] if refused else counted.cells
        # the store counts periods from the first that counts
        known = {(schedule.first + cell.period, cell.part): cell for cell in cells if self._is_own(cell)}
        regions = sorted({part for _, part in known})
        rows: list[tuple[list[int], list[float], str]] = []
        over = changed = empty = 0
        for region in regions:
            for periods in self._blocks_over():
                over += 1
                worth = [_worth(counted, known.get((period, region))) for period in periods]
                if not all(map(self._was_held, periods)):
                    changed += 1
                elif None in worth:
                    empty += 1
                else:
                    rows.append((periods, [value for value in worth if value is not None], region))
        met = Met(
            sum(cell.seen for cell in known.values()),
            sum(cell.quarantined for cell in cells) + sum(cell.seen for cell in cells if not self._is_own(cell)),
            over,
            len(rows),
            changed,
            empty,
            tuple(regions),
        )
        values = {arm: self._of_arm(rows, arm) for arm in self.arms}
        return PeriodsCounted(
            counted.counting,
            [self._cell(arm, values[arm], known, counted) for arm in self.arms],
            0,
            1,
            values=values,
            met=met,
            refused=refused,
        )

    def _is_own(self, cell: ArmSums) -> bool:
        """Of the arm that was drawn for the period."""
        period = self.schedule.first + cell.period
        return period < self.schedule.end and cell.arm == self.schedule.arm(period, cell.part)

    def _blocks_over(self) -> Iterator[list[int]]:
        for number in self.schedule.block_numbers:
            periods = self.schedule.block(number)
            if self.schedule.switching.begins(periods[-1] + 1) <= self.now.timestamp():
                yield periods

    def _was_held(self, period: int) -> bool:
        begins, ends = (moment(self.schedule.switching.begins(one)) for one in (period, period + 1))
        return any(one.start <= begins and ends <= one.end for one in self.held)

    def _of_arm(self, rows: Sequence[tuple[list[int], list[float], str]], arm: str) -> Floats:
        found = [
            [value for period, value in zip(periods, values, strict=True) if self.schedule.arm(period, region) == arm]
            for periods, values, region in rows
        ]
        return np.array(found, dtype=np.float64) if found else np.zeros((0, 1))

    def _cell(self, arm: str, values: Floats, known: Mapping[tuple[int, str], ArmSums], counted: Counted) -> ArmSums:
        own = [cell for cell in known.values() if cell.arm == arm and cell.closed]
        size = Moments.of(values.ravel()) if values.size else None
        sums = Sums(
            sum(counted.sums(cell).converted for cell in own),
            float(size.mean[0]) if size else 0.0,
            float(size.m2[0, 0]) if size else 0.0,
            float(values.max()) if values.size else 0.0,
            sum(counted.sums(cell).unreadable for cell in own),
        )
        return ArmSums(0, arm, len(own), values.size, 0, 0, (sums,))


def _worth(counted: Counted, cell: ArmSums | None) -> float | None:
    """What a period comes to; None where nobody came, or nothing was there to divide by."""
    if cell is None or not cell.closed:
        return None
    sums = counted.sums(cell)
    if not counted.counting.is_ratio:
        return sums.mean
    return sums.mean / sums.before if sums.before else None


def period_trial(experiment: Experiment, design: Design, as_of: datetime) -> PeriodTrial:
    """Of a switchback that has started."""
    schedule, flag = schedule_of(experiment), experiment.flag
    assert schedule is not None  # noqa: S101 - for the type checker: only started switchbacks are measured
    start = min(schedule.starts_at, as_of)
    alive = {arm: weight for arm, weight in design.weights.items() if weight > 0}
    held = [
        one
        for one in constant_stretches(flag, start, as_of)
        if {arm: weight for arm, weight in one.weights.items() if weight > 0} == alive
    ]
    whole = Period(start, held[-1].end if held else start, design.coverage, alive)
    return PeriodTrial(
        experiment.product,
        flag.key,
        [whole],
        as_of,
        None,
        design.unit,
        schedule=schedule,
        arms=design.arms,
        held=held,
    )
