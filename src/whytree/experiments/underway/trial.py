"""From exposures and events to a comparison: who is compared with whom, on what. The one rule of experiments and reviews.

A person's clock starts with the first exposure. A conversion's first event is replaced by it (whether somebody *starts*
may be just what the change alters, so starters of two arms are not alike), and metrics without a window of their own
follow people for a week. A metric of unique people becomes the share of exposed people,
a count or sum one of each exposed person; a mean or ratio keeps what it is divided by, which the change may move too.
A time runs from the exposure too, over all who are exposed: who does not get there took longer than the window, so that
both arms hold everybody and not only those who got there.

Where a flag is drawn by company, companies are the units. What is counted of people is then a mean over people whose error
is that between companies; what is counted of companies counts each company once.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TypedDict

import numpy as np

from whytree.analytics.measures.resolving import companies_of
from whytree.engines.stats import LEVEL, Assigned, NoAnswer, Share, Stratum
from whytree.engines.stats.answers import z
from whytree.engines.stats.effects import Effect, stratified_means, stratified_proportions
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.quantiles import Quantile as Quantiled
from whytree.engines.stats.quantiles import quantile_between, stratified_quantiles
from whytree.engines.stats.ratios import stratified_clusters, stratified_ratios
from whytree.flags.models import BucketBy, Flag
from whytree.flags.queries import Period, periods
from whytree.stores.exposed import exposures
from whytree.stores.exposed.exposures import ArmSums, Drawn, Span, Sums, Switched
from whytree.stores.pieces.companies import Companies
from whytree.stores.pieces.filters import Selection
from whytree.stores.questions.amounts import Placed
from whytree.workspace.models import Product

from ..constants import FEWEST_COMPANIES, FEWEST_PEOPLE
from .countings import Counting, Unit
from .team import team_hashes


@dataclass(frozen=True)
class Counted:
    """One metric of all arms and periods, ready to be compared."""

    counting: Counting
    cells: Sequence[ArmSums]
    at: int
    """Where this metric's sums stand in each cell."""
    strata: int
    placed: Mapping[tuple[int, str, str], Placed] = field(default_factory=dict)
    """Of a quantile: its value and interval by period, arm and part."""
    drawn: Drawn | None = None
    """Where companies are drawn."""
    part: str = ""

    @property
    def is_gathered(self) -> bool:
        """Whether people are counted in companies that were drawn."""
        return self.drawn is not None and self.drawn.gathered

    def sums(self, cell: ArmSums) -> Sums:
        return cell.sums[self.at]

    def of(self, arm: str) -> list[ArmSums]:
        return [cell for cell in self.cells if cell.arm == arm]

    def closed(self, arm: str) -> int:
        return sum(cell.closed for cell in self.of(arm))

    @property
    def waiting(self) -> int:
        """Seen, and still within their window."""
        return sum(cell.seen - cell.closed for cell in self.cells)

    def moments(self, arm: str) -> Moments:
        """All periods of an arm in one heap: for looking at one arm, never for comparing two."""
        whole = self._moments(None)
        for cell in self.of(arm):
            whole = whole.merged(self._moments((cell, self.sums(cell))))
        return whole

    def value(self, arm: str) -> float | None:
        """What the arm comes to; None where it has nobody, or nothing to divide by."""
        if self.counting.placing is not None:
            return self._quantile_of(arm)
        whole = self.moments(arm)
        if not whole.n:
            return None
        if not self.counting.is_ratio and not self.is_gathered:
            return float(whole.mean[0])
        return float(whole.mean[0] / whole.mean[1]) if whole.mean[1] else None

    def _quantile_of(self, arm: str) -> float | None:
        """The periods' quantiles by their people; None where one of them is not known."""
        mine = [one for place in range(self.strata) if (one := self.placed.get((place, arm, self.part))) is not None]
        people = sum(one.people for one in mine)
        value = sum(one.people * one.value for one in mine) / people if people else math.nan
        return value / self.counting.per if math.isfinite(value) else None

    def largest(self, arm: str) -> float:
        return max((self.sums(cell).largest for cell in self.of(arm) if cell.closed), default=0.0)

    def converted(self, arm: str) -> int:
        return sum(self.sums(cell).converted for cell in self.of(arm))

    def compare(
        self, control: str, treatment: str, *, level: float = LEVEL, nothing_tells: bool = False
    ) -> Effect | NoAnswer:
        """Each period of constant weights is a stratum. `nothing_tells`: none in both arms is an answer, as of a guardrail."""
        fewest = min(self.closed(control), self.closed(treatment))
        needed, whom = (FEWEST_PEOPLE, "people") if self.drawn is None else (FEWEST_COMPANIES, "companies")
        if fewest < needed:
            return NoAnswer(f"The smaller arm has {fewest} of the {needed} {whom} it needs.")
        if self.counting.placing is not None:
            found = [[self._quantile(place, arm) for arm in (control, treatment)] for place in range(self.strata)]
            return stratified_quantiles([(one, other) for one, other in found], level=level)
        pairs = [(self._cell(place, control), self._cell(place, treatment)) for place in range(self.strata)]
        if self.is_gathered:
            return stratified_clusters(
                [Stratum(self._moments(one), self._moments(other)) for one, other in pairs], level=level
            )
        if self.counting.is_share and not self.counting.goal.before:
            shares = [Stratum(_share(one), _share(other)) for one, other in pairs]
            return stratified_proportions(shares, level=level, nothing_tells=nothing_tells)
        means = [Stratum(self._moments(one), self._moments(other)) for one, other in pairs]
        if self.counting.is_ratio:
            return stratified_ratios(means, level=level)
        return stratified_means(means, level=level)

    def _moments(self, cell: tuple[ArmSums, Sums] | None) -> Moments:
        return _moments(cell, two=self.counting.goal.before is not None or self.counting.is_ratio or self.is_gathered)

    def _quantile(self, place: int, arm: str) -> Quantiled | NoAnswer:
        placing, one = self.counting.placing, self.placed.get((place, arm, self.part))
        assert placing is not None  # noqa: S101 - for the type checker: only such countings are placed
        if one is None:
            return NoAnswer(f"Nobody in {arm} has such a number.")
        value, low, high = (end / self.counting.per for end in (one.value, one.low, one.high))
        return quantile_between(value, low, high, placing.share, one.people, one.rows)

    def shares(self, place: int, arms: Sequence[str]) -> list[Share]:
        """Who is counted of each arm in one period, and how many did it."""
        return [_share(self._cell(place, arm)) for arm in arms]

    def cell_moments(self, place: int, arm: str) -> Moments:
        """One arm's sums in one period of constant weights."""
        return self._moments(self._cell(place, arm))

    def closed_in(self, place: int, arm: str) -> int:
        """Units of one arm and period whose window is over."""
        cell = self._cell(place, arm)
        return cell[0].closed if cell is not None else 0

    def comparable(self, control: str, treatment: str) -> int:
        """Units of both arms in the periods that have both: of a percentile, those with such a number."""

        def units(place: int, arm: str) -> int:
            if self.counting.placing is None:
                return self.closed_in(place, arm)
            placed = self.placed.get((place, arm, self.part))
            return placed.people if placed is not None else 0

        pairs = [(units(place, control), units(place, treatment)) for place in range(self.strata)]
        return sum(one + other for one, other in pairs if one and other)

    def _cell(self, place: int, arm: str) -> tuple[ArmSums, Sums] | None:
        return next(((cell, self.sums(cell)) for cell in self.cells if (cell.period, cell.arm) == (place, arm)), None)


def _share(cell: tuple[ArmSums, Sums] | None) -> Share:
    return Share(cell[0].closed, cell[1].converted) if cell is not None else Share(0, 0)


def _moments(cell: tuple[ArmSums, Sums] | None, *, two: bool) -> Moments:
    if cell is None or not cell[0].closed:
        size = 2 if two else 1
        return Moments(0, np.zeros(size), np.zeros((size, size)))
    head, sums = cell
    if not two:
        return Moments(head.closed, np.array([sums.mean]), np.array([[sums.m2]]))
    products = np.array([[sums.m2, sums.together], [sums.together, sums.before_m2]])
    return Moments(head.closed, np.array([sums.mean, sums.before]), products)


class Known(TypedDict):
    """What every question to the store says the same way."""

    as_of: datetime
    without: Sequence[int]
    since: datetime | None


@dataclass(frozen=True)
class Trial:
    """A flag's exposures in periods of constant weights, as known at `now`, ready to be asked about any metric."""

    product: Product
    flag_key: str
    stretches: Sequence[Period]
    now: datetime
    since: datetime | None = None
    """When the flag was first open, where that was before the first stretch: who met it then is no new person."""
    unit: Unit = "person"
    """Who was drawn."""

    @cached_property
    def _internal(self) -> list[int]:
        """The team's own people, under every id of theirs."""
        return team_hashes(self.product)

    @property
    def _known(self) -> Known:
        return {"as_of": self.now, "without": self._internal, "since": self.since}

    @cached_property
    def _companies(self) -> Companies:
        return companies_of(self.product)

    def _drawn(self, asked: Counting | None) -> Drawn | None:
        if self.unit != "company":
            return None
        return Drawn(self._companies, gathered=asked is None or not asked.of_companies)

    @property
    def _switched(self) -> Switched | None:
        """Where periods are drawn (`switchbacks`)."""
        return None

    @property
    def _spans(self) -> list[Span]:
        return [Span(stretch.start, stretch.end) for stretch in self.stretches]

    def count(self, asked: Sequence[Counting]) -> Sequence[Counted]:
        """The metrics' sums in the order asked for: one pass over the events for each length of window."""
        passes: dict[tuple[timedelta, bool], list[int]] = defaultdict(list)
        for place, one in enumerate(asked):
            passes[one.window, one.of_companies].append(place)
        found: dict[int, Counted] = {}
        for (window, _), places in passes.items():
            goals, drawn = [asked[place].goal for place in places], self._drawn(asked[places[0]])
            cells = exposures.by_period_and_arm(
                self.product.pk,
                self.flag_key,
                self._spans,
                goals,
                window,
                **self._known,
                drawn=drawn,
                switched=self._switched,
            )
            for at, place in enumerate(places):
                placed = self._placed(asked[place])
                found[place] = Counted(asked[place], cells, at, len(self.stretches), placed, drawn)
        return [found[place] for place in range(len(asked))]

    def _placed(self, asked: Counting, by: str = "") -> dict[tuple[int, str, str], Placed]:
        """Of a quantile, in a pass of its own."""
        if asked.placing is None:
            return {}
        return exposures.placings(
            self.product.pk,
            self.flag_key,
            self._spans,
            asked.placing,
            z(LEVEL),
            asked.window,
            **self._known,
            by=by,
            drawn=self._drawn(asked),
        )

    def count_by(self, asked: Counting, by: str) -> dict[str, Counted]:
        """One metric in the parts that a column of the first exposure makes, the largest first."""
        drawn, placed = self._drawn(asked), self._placed(asked, by)
        cells = exposures.by_period_and_arm(
            self.product.pk, self.flag_key, self._spans, [asked.goal], asked.window, **self._known, by=by, drawn=drawn
        )
        parts: dict[str, list[ArmSums]] = defaultdict(list)
        for cell in cells:
            parts[cell.part].append(cell)
        largest = sorted(parts.items(), key=lambda item: -sum(cell.seen for cell in item[1]))
        return {part: Counted(asked, mine, 0, len(self.stretches), placed, drawn, part) for part, mine in largest}

    def count_reached(self, asked: Counting, reached: Selection) -> dict[str, Counted]:
        """One metric of those who did something within the window (`exposures.REACHED`), and of the others (empty)."""
        cells = exposures.by_period_and_arm(
            self.product.pk, self.flag_key, self._spans, [asked.goal], asked.window, **self._known, reached=reached
        )
        return {
            part: Counted(asked, [cell for cell in cells if cell.part == part], 0, len(self.stretches))
            for part in (exposures.REACHED, "")
        }

    def capped(self, asked: Counting, percentile: float) -> Counting:
        """With a cap at that percentile of all arms together, found in a pass of its own."""
        (top,) = exposures.percentiles(
            self.product.pk,
            self.flag_key,
            self._spans,
            [(asked.goal, percentile / 100)],
            asked.window,
            **self._known,
            drawn=self._drawn(asked),
            switched=self._switched,
        )
        return replace(asked, goal=replace(asked.goal, cap=top))

    def entries(self, window: timedelta) -> dict[tuple[date, str], int]:
        """How many people entered each arm on each day of the product's calendar."""
        zone = self.product.timezone
        return exposures.entries_by_day(
            self.product.pk, self.flag_key, self._spans, window, zone=zone, **self._known, drawn=self._drawn(None)
        )

    def assigned(self, counted: Counted) -> list[Assigned]:
        """Who was seen in each period, and the weights that were in force."""
        return [
            Assigned({cell.arm: cell.seen for cell in counted.cells if cell.period == place}, stretch.weights)
            for place, stretch in enumerate(self.stretches)
        ]


def unit_of(flag: Flag) -> Unit:
    """Who is drawn."""
    return "company" if flag.unit == BucketBy.COMPANY else "person"


@dataclass(frozen=True)
class Arms:
    """The two variants that are compared where no plan names them."""

    control: str
    treatment: str


def arms_of(flag: Flag, stretches: Sequence[Period]) -> Arms | None:
    """Control is what people outside the rollout get. Treatment is the other arm with the most weight beside it."""
    for control in dict.fromkeys((flag.default_variant, flag.off_variant, "control", "off")):
        beside: dict[str, int] = {}
        for stretch in stretches:
            if stretch.weights.get(control, 0) > 0:
                for variant, weight in stretch.weights.items():
                    if weight > 0 and variant != control:
                        beside[variant] = max(weight, beside.get(variant, 0))
        if beside:
            return Arms(control, max(beside, key=lambda variant: (beside[variant], variant)))
    return None


def constant_stretches(flag: Flag, start: datetime, end: datetime) -> list[Period]:
    """The periods of constant weights. A change of coverage alone moves nobody between arms, so it parts nothing.

    A flag that is served from elsewhere was never opened here: then its weights stand for the whole time.
    """
    found: list[Period] = []
    for period in periods(flag, start, end):
        last = found[-1] if found else None
        if last and last.end == period.start and last.weights == period.weights:
            found[-1] = Period(last.start, period.end, last.coverage, last.weights)
        else:
            found.append(period)
    return found or [Period(start, end, flag.coverage, flag.weights)]
