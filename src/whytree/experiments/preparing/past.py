"""What is to be known of a metric before an experiment, and what the past says of it: its value, and how one unit spreads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np

from whytree.analytics.definitions import Following, label
from whytree.analytics.measures.resolving import companies_of, ready
from whytree.analytics.models import Metric
from whytree.analytics.queries import definition_of
from whytree.engines.flags import Switching
from whytree.engines.stats import LEVEL, NoAnswer
from whytree.engines.stats.answers import z
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.quantiles import Quantile as Quantiled
from whytree.engines.stats.quantiles import quantile_between
from whytree.engines.stats.ratios import linearised
from whytree.flags.models import Flag
from whytree.stores.exposed import flag_exposures, past_units
from whytree.stores.exposed.exposures import Drawn
from whytree.stores.exposed.past_units import Asked, DayOfUnits, Entry, Sums
from whytree.stores.questions.amounts import Placed
from whytree.workspace.models import Product

from ..judgement.design import Looks
from ..underway.countings import Counting, Unit, counting, not_judged
from ..underway.team import team_hashes
from ..underway.trial import unit_of

#: Days of the past that are looked at: four of each weekday, twice.
LOOK_BACK = 56
#: People who met the flag and had their time, from which on they stand for those who will; below, whoever does the
#: metric's first event.
ENOUGH_EXPOSED = 1_000
#: Units whose window is over, below which the past says nothing about spread.
FEWEST_MEASURED: dict[Unit, int] = {"person": 50, "company": 30}


@dataclass(frozen=True)
class Question:
    """What is to be known: a metric, and how the experiment would run."""

    product: Product
    metric: Metric
    now: datetime
    flag: Flag | None = None
    weights: tuple[int, ...] = (1, 1)
    """Control's first."""
    coverage: float = 1.0
    days: int = 28
    looks: Looks = "once"
    level: float = 0.95
    predicted: float | None = None
    """The effect that is hoped for, in people's units."""
    switchback: Switching | None = None
    """Periods would be drawn in place of people."""

    @property
    def unit(self) -> Unit:
        """Who would be drawn."""
        if self.switchback is not None:
            return "period"
        return "person" if self.flag is None else unit_of(self.flag)

    @property
    def whom(self) -> str:
        return "companies" if self.unit == "company" else "people"

    @cached_property
    def counting(self) -> Counting:
        return counting(self.metric, timedelta(days=self.days), self.unit)

    @property
    def is_gathered(self) -> bool:
        """Whether people are counted in companies that are drawn."""
        return self.unit == "company" and not self.counting.of_companies

    @cached_property
    def asked(self) -> Asked:
        """Of the store: who would have entered, and what they did."""
        drawn = Drawn(companies_of(self.product), self.is_gathered) if self.unit == "company" else None
        return Asked(
            self.product.pk,
            self._entry,
            self.counting.goal,
            self.counting.window,
            self.now - timedelta(days=LOOK_BACK),
            self.now,
            team_hashes(self.product),
            self.counting.placing,
            drawn,
        )

    @property
    def _entry(self) -> Entry:
        if self.flag is not None:
            since, until = self.now - timedelta(days=LOOK_BACK), self.now - self.counting.window
            met = flag_exposures.by_variant(self.product.pk, self.flag.key, since, until)
            if sum(met.values()) >= ENOUGH_EXPOSED:
                return Entry(flag=self.flag.key)
        definition = definition_of(self.metric)
        if not isinstance(definition, Following):
            return Entry()
        return Entry(did=ready(self.product, definition.selections[:1])[0])

    @property
    def refusal(self) -> str:
        """Why the past cannot tell what an experiment on this metric would show; empty where it can."""
        return not_judged(definition_of(self.metric), self.unit)

    @property
    def who(self) -> str:
        """What makes somebody enter, as a verb."""
        entry = self.asked.entry
        if entry.flag:
            return f"meet {entry.flag}"
        return f"do “{label(entry.did)}”" if entry.did else "do anything at all"


@dataclass(frozen=True)
class Level:
    """What the metric was: its value, and how far one unit's share in it spreads, so that the value of `n` units has an error of
    `deviation` / sqrt(n). `even`: the part of the units that as many of equal size would be worth."""

    n: int
    value: float
    deviation: float
    even: float = 1.0


def level_of(question: Question, days: Sequence[DayOfUnits]) -> Level | NoAnswer:
    whole = Moments(0, np.zeros(2), np.zeros((2, 2)))
    for day in days:
        whole = whole.merged(moments_of(day.closed))
    if whole.n < FEWEST_MEASURED[question.unit]:
        return NoAnswer(
            f"Of {question.whom} who {question.who}, only {whole.n:,} had their time in the last {LOOK_BACK} days: the past "
            "says too little about the future. Import old events, or let them come in for some weeks."
        )
    if question.counting.placing is not None:
        return _placed(question)
    if not question.counting.is_ratio and not question.is_gathered:
        return Level(whole.n, float(whole.mean[0]), math.sqrt(whole.variance))
    if whole.mean[1] <= 0:
        return NoAnswer(f"{question.metric.name} had nothing to be divided by in the last {LOOK_BACK} days.")
    value = float(whole.mean[0] / whole.mean[1])
    # one unit's share in a ratio of sums (Deng, Knoblich and Lu, KDD 2018, eq. 4)
    deviation = math.sqrt(linearised(whole, value).variance)
    sizes = float(whole.m2[1, 1]) / whole.n + float(whole.mean[1]) ** 2
    return Level(whole.n, value, deviation, float(whole.mean[1]) ** 2 / sizes if question.is_gathered else 1.0)


def _placed(question: Question) -> Level | NoAnswer:
    placing = question.counting.placing
    assert placing is not None  # noqa: S101 - for the type checker: only percentiles come here
    found = quantile_of(past_units.placed(question.asked, z(LEVEL)), placing.share)
    if isinstance(found, NoAnswer):
        return found
    per = question.counting.per
    return Level(found.n, found.value / per, found.error / per * math.sqrt(found.n))


def quantile_of(placed: Placed | None, share: float) -> Quantiled | NoAnswer:
    """As an experiment would read it."""
    if placed is None:
        return NoAnswer("No such number came in the last weeks.")
    return quantile_between(placed.value, placed.low, placed.high, share, placed.people, placed.rows)


def moments_of(sums: Sums) -> Moments:
    """What is counted, and what that is divided by."""
    products = np.array([[sums.top_m2, sums.together], [sums.together, sums.bottom_m2]])
    return Moments(sums.n, np.array([sums.top, sums.bottom]), products)
