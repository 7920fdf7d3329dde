"""What a switchback could show: the product's past, cut into its periods, says how far they swing by themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

import msgspec
import numpy as np

from whytree.engines.figures import number
from whytree.engines.flags.switching import length_text
from whytree.engines.stats import Floats, NoAnswer
from whytree.engines.stats.blocks import (
    FEWEST_DRAWN,
    BlocksOutline,
    deviation_under_the_draw,
    power_of_blocks,
    smallest_of_blocks,
)
from whytree.experiments.preparing.outlook import MOST_WEEKS, POINTS, WEEKS, Outlook, Week
from whytree.experiments.preparing.past import LOOK_BACK, Question
from whytree.stores.exposed import past_units
from whytree.stores.exposed.exposures import Switched
from whytree.stores.exposed.past_units import PeriodOfUnits

from .schedule import Schedule, moment


def outlook_of_blocks(question: Question) -> Outlook | NoAnswer:
    """The same answer as of people, in blocks; none where the past has too few of them."""
    if question.refusal:
        return NoAnswer(question.refusal)
    past = _Past(question)
    if len(past.blocks) < FEWEST_DRAWN:
        return NoAnswer(
            f"Of the last {LOOK_BACK} days only {len(past.blocks)} whole blocks had people who {question.who} in every period; "
            f"{FEWEST_DRAWN} are the least to know how far periods swing. Longer periods would lose less."
        )
    scale, predicted = question.counting.scale, question.predicted
    outline = past.outline(question.days)
    smallest = past.smallest(question.days)
    weeks = [Week(week, past.expected(7 * week), past.smallest(7 * week)) for week in range(1, WEEKS + 1)]
    chance = None if predicted is None else power_of_blocks(outline, predicted / scale)
    needed = next((week for week in range(1, MOST_WEEKS + 1) if _shows(past.smallest(7 * week), predicted)), None)
    found = Outlook(
        question.metric.key,
        question.metric.name,
        question.counting.difference_unit,
        "blocks",
        f"of {past.places} periods",
        past.expected(70) / 10,
        len(past.blocks),
        float(past.blocks.mean()) * scale,
        past.deviation * scale,
        question.days,
        smallest,
        weeks,
        _curve(outline, smallest, predicted, scale),
        predicted,
        chance,
        needed,
        smallest is not None and (predicted is None or abs(predicted) >= smallest),
        "",
        [],
    )
    told = _told(found, question, past.expected(question.days))
    return replace(told, sentence=f"{told.sentence}{past.together}")


def _shows(smallest: float | None, predicted: float | None) -> bool:
    return smallest is not None and predicted is not None and smallest <= abs(predicted)


@dataclass(frozen=True)
class _Past:
    """The last weeks in the periods of the switchback, as if nothing had been switched."""

    question: Question

    @cached_property
    def _schedule(self) -> Schedule:
        switchback = self.question.switchback
        assert switchback is not None  # noqa: S101 - for the type checker: only asked of switchbacks
        begin = self.question.now - timedelta(days=LOOK_BACK)
        start = int(begin.replace(minute=0, second=0, microsecond=0).timestamp())
        weights = {str(at): weight for at, weight in enumerate(self.question.weights)}
        return Schedule(msgspec.structs.replace(switchback, start=start, seed="past"), weights, LOOK_BACK, start)

    @property
    def places(self) -> int:
        return self._schedule.places

    @cached_property
    def _cells(self) -> list[PeriodOfUnits]:
        switching = self._schedule.switching
        switched = Switched(
            moment(switching.start),
            timedelta(seconds=switching.seconds),
            timedelta(minutes=switching.washout),
            switching.by,
        )
        return past_units.by_period(replace(self.question.asked, switched=switched, start=moment(switching.start)))

    @property
    def _regions(self) -> list[str]:
        return sorted({cell.region for cell in self._cells})

    @property
    def together(self) -> str:
        """That places were to switch apart and the past does not tell them apart, as a sentence to add."""
        by = self._schedule.switching.by
        return (
            f" No event of the past says its {by}, so this is of all places together."
            if by and self._regions == [""]
            else ""
        )

    @cached_property
    def blocks(self) -> Floats:
        """A row a block of the past in which each period had somebody, a column a period."""
        worth = {(one.period, one.region): self._worth(one) for one in self._cells}
        rows = [
            [worth.get((period, region)) for period in self._schedule.block(number)]
            for region in self._regions
            for number in self._schedule.block_numbers
        ]
        whole = [row for row in rows if None not in row]
        return np.array(whole, dtype=np.float64) if whole else np.zeros((0, self.places))

    def _worth(self, cell: PeriodOfUnits) -> float | None:
        if not self.question.counting.is_ratio:
            return cell.top
        return cell.top / cell.bottom if cell.bottom else None

    @cached_property
    def deviation(self) -> float:
        control, *others = self._sizes
        return deviation_under_the_draw(self.blocks, (control, min(others)))

    @property
    def _sizes(self) -> list[int]:
        """Places of each arm in a block, control's first."""
        share = sum(self.question.weights) / self.places
        return [round(weight / share) for weight in self.question.weights]

    def expected(self, days: int) -> int:
        """Blocks of an experiment of that length, were as many of them whole as in the past."""
        whole = len(self.blocks) / max(1, self._schedule.blocks * len(self._regions))
        planned = replace(self._schedule, days=days).blocks * len(self._regions)
        return round(planned * whole)

    def outline(self, days: int) -> BlocksOutline:
        asked = self.question
        others = len(asked.weights) - 1
        return BlocksOutline(
            self.expected(days), self.places, self.deviation, asked.level, others, asked.looks == "always"
        )

    def smallest(self, days: int) -> float | None:
        effect, counting = smallest_of_blocks(self.outline(days)), self.question.counting
        if effect is None or (counting.is_share and effect > 1 - float(self.blocks.mean())):
            return None
        return effect * counting.scale


def _curve(
    outline: BlocksOutline, smallest: float | None, predicted: float | None, scale: float
) -> list[tuple[float, float]]:
    most = max(2 * (smallest or 0.0), 1.3 * abs(predicted or 0.0))
    if outline.blocks < FEWEST_DRAWN or not most:
        return []
    effects = np.linspace(0, most, POINTS)
    return [(float(effect), 100 * power_of_blocks(outline, float(effect) / scale)) for effect in effects]


# --- in words --------------------------------------------------------------------------------------------------------


def _told(found: Outlook, question: Question, count: int) -> Outlook:
    switchback = question.switchback
    every = length_text(switchback.minutes) if switchback is not None else ""
    head = f"{found.days} days of switching every {every} make {count:,} blocks"
    if found.smallest is None:
        least = "200 periods are the least for an interval that may be looked at" if question.looks == "always" else ""
        reason = least or f"{FEWEST_DRAWN} are the least for an interval"
        return replace(found, sentence=f"{head}, which show nothing: {reason}.", instead=_instead(found))
    shown = f"{head}, which can show {_size(found.smallest, found)}"
    if found.predicted is None:
        return replace(found, sentence=f"{shown}, four times in five.")
    times = f"{_size(abs(found.predicted), found)} were predicted, and would be found {round(100 * (found.chance or 0.0))} times of 100"
    if found.enough:
        return replace(found, sentence=f"{shown}; {times}.")
    return replace(found, sentence=f"{shown}; only {times}.", instead=_instead(found))


def _instead(found: Outlook) -> list[str]:
    ways = []
    if found.weeks_needed is not None and 7 * found.weeks_needed > found.days:
        ways.append(f"Run it {found.weeks_needed} weeks: so many blocks are needed for the predicted effect.")
    return [
        *ways,
        "Switch more often: shorter periods make more blocks, as long as what one leaves behind has died down within the washout.",
        "Switch places apart (by city, say): each has blocks of its own.",
        "Draw people, if what one of them gets changes nothing for the others: that needs far less.",
    ]


def _size(value: float, found: Outlook) -> str:
    return f"{number(value)} points" if found.unit == "pp" else f"{number(value)} {found.unit}".rstrip()
