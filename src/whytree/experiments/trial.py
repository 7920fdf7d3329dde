"""From exposures and events to a comparison: who is compared with whom, on what. The one rule of experiments and reviews.

A person's clock starts with the first exposure. A conversion's first event is replaced by it (whether somebody *starts*
may be just what the change alters, so starters of two arms are not alike), and metrics without a window of their own
follow people for a week. A metric of unique people becomes the share of exposed people,
a count or sum one of each exposed person; a mean or ratio keeps what it is divided by, which the change may move too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TypedDict

import numpy as np

from whytree.analytics import queries as metrics
from whytree.analytics.definitions import (
    FOLLOW_DAYS,
    Conversion,
    Count,
    Definition,
    Mean,
    Quantile,
    Ratio,
    Retention,
    Sum,
    TimeTo,
    Unique,
)
from whytree.analytics.models import Metric
from whytree.analytics.resolving import ready
from whytree.engines.stats import LEVEL, Assigned, NoAnswer, Share, Stratum
from whytree.engines.stats.effects import Effect, compare_ratios, stratified_means, stratified_proportions
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.strata import nobody_to_compare
from whytree.errors import Invalid
from whytree.flags.models import Flag
from whytree.flags.queries import Period, periods
from whytree.stores import exposures
from whytree.stores.amounts import Part
from whytree.stores.exposures import ArmSums, Goal, Span, Sums
from whytree.stores.filters import Selection
from whytree.workspace.models import Product

from .constants import FEWEST_PEOPLE
from .team import team_hashes


@dataclass(frozen=True)
class Counting:
    """What is counted of a person after exposure, and for how long."""

    metric: Metric
    goal: Goal
    window: timedelta

    @property
    def is_share(self) -> bool:
        return self.goal.once and not self.is_ratio

    @property
    def is_ratio(self) -> bool:
        return self.goal.under is not None

    @property
    def kind(self) -> str:
        return "proportion" if self.is_share else "ratio" if self.is_ratio else "mean"

    @property
    def unit(self) -> str:
        if self.is_share:
            return "%"
        if self.is_ratio:
            return self.metric.unit
        return f"{self.metric.unit or self.goal.amount or 'times'} per person"

    @property
    def difference_unit(self) -> str:
        return "pp" if self.is_share else self.unit

    @property
    def scale(self) -> float:
        """Shares are said in percent."""
        return 100.0 if self.is_share else 1.0


def counting(metric: Metric, horizon: timedelta) -> Counting:
    """What a metric's definition means for people in an experiment of that length. `Invalid` for what cannot be judged."""
    definition, product = metrics.definition_of(metric), metric.product
    if reason := not_judged(definition):
        raise Invalid(f"{metric.key}: {reason}")
    follow = min(timedelta(days=FOLLOW_DAYS), horizon)
    match definition:
        case Conversion():
            return Counting(metric, replace(_goal(product, definition.goal), once=True), definition.window)
        case Retention():
            goal = replace(_goal(product, definition.back), once=True, after=definition.lead)
            return Counting(metric, goal, definition.window)
        case Count() | Unique():
            return Counting(
                metric, replace(_goal(product, definition.did), once=isinstance(definition, Unique)), follow
            )
        case Sum():
            return Counting(metric, _part_goal(product, definition.top), follow)
        case Mean() | Ratio():
            under = _part_goal(product, definition.bottom)
            return Counting(metric, replace(_part_goal(product, definition.top), under=under), follow)
    raise TypeError(definition)  # `not_judged` lets no other kind through


def not_judged(definition: Definition) -> str:
    """Why an experiment cannot judge it, and what to take instead; empty where it can."""
    if definition.by_company:
        return "An experiment compares people. Take the same metric with people as its unit."
    if isinstance(definition, Quantile):
        return (
            "An experiment does not compare percentiles yet. Take the sum or mean of the same number with a cap, or the share "
            "of people who did it where the number is above a bound."
        )
    if isinstance(definition, TimeTo):
        return (
            "An experiment cannot compare how long only those took who got there: they are other people in each arm. Take "
            "the share who got there within a shorter time."
        )
    return ""


def _goal(product: Product, did: Selection) -> Goal:
    plain = len(did.events) == 1 and not did.filters
    return Goal(did.events[0]) if plain else Goal(did.events[0], did=ready(product, [did])[0])


def _part_goal(product: Product, part: Part) -> Goal:
    goal = replace(_goal(product, part.selection), amount=part.field)
    once = part.measure in ("people", "carriers")
    return replace(goal, once=once, bearing=part.measure in ("numbers", "carriers"))


@dataclass(frozen=True)
class Counted:
    """One metric of all arms and periods, ready to be compared."""

    counting: Counting
    cells: Sequence[ArmSums]
    at: int
    """Where this metric's sums stand in each cell."""
    strata: int

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
        whole = _moments(None, self.counting)
        for cell in self.of(arm):
            whole = whole.merged(_moments((cell, self.sums(cell)), self.counting))
        return whole

    def value(self, arm: str) -> float | None:
        """What the arm comes to; None where it has nobody, or nothing to divide by."""
        whole = self.moments(arm)
        if not whole.n:
            return None
        if not self.counting.is_ratio:
            return float(whole.mean[0])
        return float(whole.mean[0] / whole.mean[1]) if whole.mean[1] else None

    def largest(self, arm: str) -> float:
        return max((self.sums(cell).largest for cell in self.of(arm) if cell.closed), default=0.0)

    def converted(self, arm: str) -> int:
        return sum(self.sums(cell).converted for cell in self.of(arm))

    def compare(
        self, control: str, treatment: str, *, level: float = LEVEL, nothing_tells: bool = False
    ) -> Effect | NoAnswer:
        """Each period of constant weights is a stratum. `nothing_tells`: none in both arms is an answer, as of a guardrail."""
        fewest = min(self.closed(control), self.closed(treatment))
        if fewest < FEWEST_PEOPLE:
            return NoAnswer(f"The smaller arm has {fewest} of the {FEWEST_PEOPLE} people it needs.")
        pairs = [(self._cell(place, control), self._cell(place, treatment)) for place in range(self.strata)]
        if self.counting.is_share and not self.counting.goal.before:
            shares = [Stratum(_share(one), _share(other)) for one, other in pairs]
            return stratified_proportions(shares, level=level, nothing_tells=nothing_tells)
        means = [Stratum(_moments(one, self.counting), _moments(other, self.counting)) for one, other in pairs]
        if self.counting.is_ratio:
            return _compare_ratio(means, level)
        return stratified_means(means, level=level)

    def _cell(self, place: int, arm: str) -> tuple[ArmSums, Sums] | None:
        return next(((cell, self.sums(cell)) for cell in self.cells if (cell.period, cell.arm) == (place, arm)), None)


def _compare_ratio(strata: Sequence[Stratum[Moments]], level: float) -> Effect | NoAnswer:
    """A ratio within one period of constant weights. Over several, what both parts do with time would look like an effect."""
    used = [one for one in strata if one.control.n and one.treatment.n]
    if len(used) > 1:
        return NoAnswer(
            f"The arms' weights changed, so there are {len(used)} periods, and a ratio is compared within one only. What "
            "stands above the line, as a sum or count of its own, gives an answer."
        )
    if not used:
        return nobody_to_compare(strata)
    return compare_ratios(used[0].control, used[0].treatment, level=level)


def _share(cell: tuple[ArmSums, Sums] | None) -> Share:
    return Share(cell[0].closed, cell[1].converted) if cell is not None else Share(0, 0)


def _moments(cell: tuple[ArmSums, Sums] | None, counted: Counting) -> Moments:
    with_covariate = counted.goal.before is not None or counted.is_ratio
    if cell is None or not cell[0].closed:
        size = 2 if with_covariate else 1
        return Moments(0, np.zeros(size), np.zeros((size, size)))
    head, sums = cell
    if not with_covariate:
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

    @cached_property
    def _internal(self) -> list[int]:
        """The team's own people, under every id of theirs."""
        return team_hashes(self.product)

    @property
    def _known(self) -> Known:
        return {"as_of": self.now, "without": self._internal, "since": self.since}

    @property
    def _spans(self) -> list[Span]:
        return [Span(stretch.start, stretch.end) for stretch in self.stretches]

    def count(self, asked: Sequence[Counting]) -> list[Counted]:
        """The metrics' sums in the order asked for: one pass over the events for each length of window."""
        by_window: dict[timedelta, list[int]] = defaultdict(list)
        for place, one in enumerate(asked):
            by_window[one.window].append(place)
        found: dict[int, Counted] = {}
        for window, places in by_window.items():
            goals = [asked[place].goal for place in places]
            cells = exposures.by_period_and_arm(
                self.product.pk, self.flag_key, self._spans, goals, window, **self._known
            )
            for at, place in enumerate(places):
                found[place] = Counted(asked[place], cells, at, len(self.stretches))
        return [found[place] for place in range(len(asked))]

    def count_by(self, asked: Counting, by: str) -> dict[str, Counted]:
        """One metric in the parts that a column of the first exposure makes, the largest first."""
        cells = exposures.by_period_and_arm(
            self.product.pk, self.flag_key, self._spans, [asked.goal], asked.window, **self._known, by=by
        )
        parts: dict[str, list[ArmSums]] = defaultdict(list)
        for cell in cells:
            parts[cell.part].append(cell)
        largest = sorted(parts.items(), key=lambda item: -sum(cell.seen for cell in item[1]))
        return {part: Counted(asked, mine, 0, len(self.stretches)) for part, mine in largest}

    def capped(self, asked: Counting, percentile: float) -> Counting:
        """With a cap at that percentile of all arms together, found in a pass of its own."""
        (top,) = exposures.percentiles(
            self.product.pk,
            self.flag_key,
            self._spans,
            [(asked.goal, percentile / 100)],
            asked.window,
            **self._known,
        )
        return replace(asked, goal=replace(asked.goal, cap=top))

    def entries(self, window: timedelta) -> dict[tuple[date, str], int]:
        """How many people entered each arm on each day of the product's calendar."""
        zone = self.product.timezone
        return exposures.entries_by_day(self.product.pk, self.flag_key, self._spans, window, zone=zone, **self._known)

    def assigned(self, counted: Counted) -> list[Assigned]:
        """Who was seen in each period, and the weights that were in force."""
        return [
            Assigned({cell.arm: cell.seen for cell in counted.cells if cell.period == place}, stretch.weights)
            for place, stretch in enumerate(self.stretches)
        ]


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
