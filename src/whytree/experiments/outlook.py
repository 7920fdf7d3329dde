"""What an experiment could show, from this product's own traffic and the spread of its own metric, before it starts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np

from whytree.analytics.definitions import Mean, Quantile, Ratio, Share, TimeTo, Unique, label
from whytree.analytics.models import Metric
from whytree.analytics.queries import definition_of
from whytree.analytics.queries import people as people_text
from whytree.analytics.resolving import ready
from whytree.engines.figures import number
from whytree.engines.stats import NoAnswer
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.power import Outline, power, smallest_effect
from whytree.flags.models import BucketBy, Flag
from whytree.stores import flag_exposures, past_units
from whytree.stores.past_units import Asked, DayOfUnits, Entry
from whytree.tree.models import ForecastUnit, Hypothesis
from whytree.workspace.models import Product

from .countings import Counting, counting, not_judged
from .design import Looks
from .team import team_hashes

#: Days of the past that are looked at: four of each weekday, twice.
LOOK_BACK = 56
#: Weeks for which it is said what they can show.
WEEKS = 8
#: People who met the flag and had their time, from which on they stand for those who will; below, whoever does the
#: metric's first event.
ENOUGH_EXPOSED = 1_000
#: People whose window is over, below which the past says nothing about spread.
FEWEST_MEASURED = 50
#: Weeks beyond which waiting for a result is no answer.
MOST_WEEKS = 26
#: Points of the power curve.
POINTS = 41


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

    @cached_property
    def counting(self) -> Counting:
        return counting(self.metric, timedelta(days=self.days))

    @cached_property
    def asked(self) -> Asked:
        """Of the store: who would have entered, and what they did."""
        return Asked(
            self.product.pk,
            self._entry,
            self.counting.goal,
            self.counting.window,
            self.now - timedelta(days=LOOK_BACK),
            self.now,
            team_hashes(self.product),
        )

    @property
    def _entry(self) -> Entry:
        if self.flag is not None:
            since, until = self.now - timedelta(days=LOOK_BACK), self.now - self.counting.window
            met = flag_exposures.by_variant(self.product.pk, self.flag.key, since, until)
            if sum(met.values()) >= ENOUGH_EXPOSED:
                return Entry(flag=self.flag.key)
        definition = definition_of(self.metric)
        if not isinstance(definition, Share):
            return Entry()
        return Entry(did=ready(self.product, definition.selections[:1])[0])

    @property
    def refusal(self) -> str:
        """Why the past cannot tell what an experiment on this metric would show; empty where it can."""
        definition = definition_of(self.metric)
        if isinstance(definition, Quantile | TimeTo):
            return (
                "What an experiment could show is not told of a percentile yet. Ask it of the share of people beyond a bound, which "
                "needs about as many."
            )
        if self.flag is not None and self.flag.unit == BucketBy.COMPANY:
            return (
                "What an experiment could show is not told where companies are drawn. Fewer than 15 of like size an arm give no answer "
                "on people, and beyond that the number of companies counts, not of people."
            )
        if isinstance(definition, Ratio | Mean):
            return (
                f"What an experiment could show is not told of a {definition.kind} yet. Ask it of what stands above the line, "
                "as a sum or a count of its own."
            )
        return not_judged(definition)

    @property
    def who(self) -> str:
        """What makes a person enter, as a verb."""
        entry = self.asked.entry
        if entry.flag:
            return f"meet {entry.flag}"
        return f"do “{label(entry.did)}”" if entry.did else "do anything at all"


@dataclass(frozen=True)
class Week:
    """What so many weeks can show: people whose time would be over in all arms, and the smallest effect found."""

    weeks: int
    people: int
    smallest: float | None


@dataclass(frozen=True)
class Outlook:
    """Effects are in people's units: points for shares. `smallest` is found in four of five experiments."""

    metric_key: str
    metric_name: str
    unit: str
    who: str
    per_week: float
    measured: int
    baseline: float
    deviation: float
    days: int
    smallest: float | None
    weeks: list[Week]
    curve: list[tuple[float, float]]
    predicted: float | None
    chance: float | None
    """Of finding the predicted effect."""
    weeks_needed: int | None
    enough: bool
    sentence: str
    instead: list[str]


def outlook(question: Question) -> Outlook | NoAnswer:
    """What it could show; no answer where the past is too thin to tell."""
    if question.refusal:
        return NoAnswer(question.refusal)
    days = past_units.by_day(question.asked)
    whole = _whole(days)
    if whole.n < FEWEST_MEASURED:
        return NoAnswer(
            f"Of those who {question.who}, only {people_text(whole.n)} had their time in the last {LOOK_BACK} days: the past "
            "says too little about the future. Import old events, or let them come in for some weeks."
        )
    crowd = _Crowd(question, days, whole)
    outline = crowd.outline(question.days)
    smallest = crowd.smallest(question.days)
    scale = question.counting.scale
    predicted = question.predicted
    chance = power(outline, predicted / scale) if predicted is not None and outline is not None else None
    needed = crowd.weeks_needed(predicted) if predicted is not None else None
    enough = smallest is not None and (predicted is None or abs(predicted) >= smallest)
    found = Outlook(
        question.metric.key,
        question.metric.name,
        question.counting.difference_unit,
        question.who,
        crowd.per_week,
        whole.n,
        float(whole.mean[0]) * scale,
        math.sqrt(whole.variance) * scale,
        question.days,
        smallest,
        [Week(week, crowd.counted(7 * week), crowd.smallest(7 * week)) for week in range(1, WEEKS + 1)],
        _curve(outline, smallest, predicted, scale),
        predicted,
        chance,
        needed,
        enough,
        "",
        [],
    )
    return _told(found, question)


def _whole(days: Sequence[DayOfUnits]) -> Moments:
    whole = Moments(0, np.zeros(1), np.zeros((1, 1)))
    for day in days:
        whole = whole.merged(Moments(day.closed, np.array([day.mean]), np.array([[day.m2]])))
    return whole


class _Crowd:
    """Who would come, as they came: an experiment begun with the first of these days would have met the same."""

    def __init__(self, question: Question, days: Sequence[DayOfUnits], whole: Moments) -> None:
        self._question = question
        self._whole = whole
        first = days[0].day
        length = max((question.now.date() - first).days, 1)
        came = np.zeros(length + 1)
        for one in days:
            came[(one.day - first).days] += one.people
        self._sum = np.concatenate([[0.0], np.cumsum(came)])
        last = min(7, length)
        self._rate = float(self._sum[length] - self._sum[length - last]) / last
        self._length = length

    @property
    def per_week(self) -> float:
        return 7 * self._rate

    def counted(self, days: int) -> int:
        """Of all arms, those whose window is over after so many days."""
        window = self._question.counting.window / timedelta(days=1)
        until = max(0.0, days - window)
        known = min(until, float(self._length))
        people = float(np.interp(known, np.arange(self._length + 1), self._sum[: self._length + 1]))
        return int((people + self._rate * (until - known)) * self._share)

    @property
    def _share(self) -> float:
        """Those who met the flag met it under its coverage of then."""
        flag = self._question.flag
        if self._question.asked.entry.flag and flag is not None and flag.coverage:
            return min(1.0, self._question.coverage * 10_000 / flag.coverage)
        return self._question.coverage

    def outline(self, days: int) -> Outline | None:
        people, weights = self.counted(days), self._question.weights
        control, smallest = people * weights[0] / sum(weights), people * min(weights[1:]) / sum(weights)
        if min(control, smallest) < 2:
            return None
        is_share = self._question.counting.is_share
        return Outline(
            control,
            smallest,
            float(self._whole.mean[0]),
            None if is_share else math.sqrt(self._whole.variance),
            self._question.level,
            len(weights) - 1,
            self._question.looks == "always",
        )

    def smallest(self, days: int) -> float | None:
        outline = self.outline(days)
        effect = smallest_effect(outline) if outline is not None else None
        return None if effect is None else effect * self._question.counting.scale

    def weeks_needed(self, predicted: float) -> int | None:
        for weeks in range(1, MOST_WEEKS + 1):
            smallest = self.smallest(7 * weeks)
            if smallest is not None and smallest <= abs(predicted):
                return weeks
        return None


def _curve(
    outline: Outline | None, smallest: float | None, predicted: float | None, scale: float
) -> list[tuple[float, float]]:
    """Chance in per cent of seeing effects from none to twice what is seen surely."""
    if outline is None:
        return []
    most = max(2 * (smallest or 0.0), 1.3 * abs(predicted or 0.0))
    if not most:
        return []
    effects = np.linspace(0, most, POINTS)
    return [(float(effect), 100 * power(outline, float(effect) / scale)) for effect in effects]


# --- in words --------------------------------------------------------------------------------------------------------


def _told(found: Outlook, question: Question) -> Outlook:
    came = f"{round(found.per_week):,} people a week {found.who}"
    if found.smallest is None:
        sentence = (
            f"{came}. {_length(found.days)} of them can show nothing: {found.metric_name} gives people "
            f"{question.counting.window.days} days, and hardly anybody's would be over."
        )
        return replace(found, sentence=sentence, instead=_instead(found))
    shown = f"{came}. {_length(found.days)} of them can show {_size(found.smallest, found)}"
    if found.predicted is None:
        return replace(found, sentence=f"{shown}, four times in five.")
    predicted = _size(abs(found.predicted), found)
    if found.enough:
        return replace(found, sentence=f"{shown}; {predicted} were predicted, and would be found {_chance(found)}.")
    sentence = f"{shown}; only {predicted} were predicted, and would be found {_chance(found)}."
    return replace(found, sentence=sentence, instead=_instead(found))


def _instead(found: Outlook) -> list[str]:
    """What too few users can do instead: an answer, and no error."""
    ways = []
    if found.weeks_needed is not None and 7 * found.weeks_needed > found.days:
        ways.append(
            f"Run it {found.weeks_needed} weeks: that is how long so many people need for the predicted effect."
        )
    ways += [
        "Watch five people use it. What stops one in three of all is met at least once, 87 times of 100; and if all five manage, "
        "at least 48 of 100 people would (exact, 95 %).",
        "Ask for a step nearer to the change: more people reach it, and the change moves it further.",
        "Make the bolder version: a bigger difference needs far fewer people; half the size needs four times as many.",
        "Fake the door, or ask the data you have: both answer in days whether anybody wants it at all.",
    ]
    return ways


def _length(days: int) -> str:
    weeks = ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight")
    if days % 7 == 0 and days // 7 <= len(weeks):
        return f"{weeks[days // 7 - 1]} week{'' if days == 7 else 's'}"
    return f"{days} day{'' if days == 1 else 's'}"


def _size(value: float, found: Outlook) -> str:
    return f"{number(value)} points" if found.unit == "pp" else f"{number(value)} {found.unit}".rstrip()


def _chance(found: Outlook) -> str:
    times = round(100 * (found.chance or 0.0))
    return "nearly always" if times >= 99 else f"{times} times of 100"


# --- from a plan -----------------------------------------------------------------------------------------------------


def predicted_of(hypothesis: Hypothesis | None, metric: Metric, baseline: float | None = None) -> float | None:
    """What a hypothesis holds most likely, in the units of an experiment; None where its unit is another."""
    if hypothesis is None or hypothesis.metric_key != metric.key:
        return None
    is_share = isinstance(definition_of(metric), Share | Unique)
    if hypothesis.forecast_unit == ForecastUnit.PERCENT:
        return None if baseline is None else hypothesis.forecast_likely / 100 * baseline
    if hypothesis.forecast_unit == ForecastUnit.POINTS and not is_share:
        return None
    return hypothesis.forecast_likely


def weights_of(weights: Mapping[str, int], control: str) -> tuple[int, ...]:
    """Control's first; arms that get nobody left out."""
    others = [weight for arm, weight in weights.items() if arm != control and weight > 0]
    return (weights.get(control, 0), *others)
