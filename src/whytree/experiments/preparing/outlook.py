"""What an experiment could show, from this product's own traffic and the spread of its own metric, before it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from whytree.analytics.definitions import Share, Unique
from whytree.analytics.models import Metric
from whytree.analytics.queries import definition_of
from whytree.engines.figures import number
from whytree.engines.stats import NoAnswer
from whytree.engines.stats.power import Outline, power, smallest_effect
from whytree.stores.exposed import past_units
from whytree.stores.exposed.past_units import DayOfUnits
from whytree.tree.models import ForecastUnit, Hypothesis

from ..constants import FEWEST_COMPANIES
from .past import Level, Question, level_of

#: Weeks for which it is said what they can show.
WEEKS = 8
#: Weeks beyond which waiting for a result is no answer.
MOST_WEEKS = 26
#: Points of the power curve.
POINTS = 41


@dataclass(frozen=True)
class Week:
    """What so many weeks can show: people (or companies, where they are drawn) whose time would be over in all arms, and the
    smallest effect found."""

    weeks: int
    people: int
    smallest: float | None


@dataclass(frozen=True)
class Outlook:
    """Effects are in people's units: points for shares. `smallest` is found in four of five experiments."""

    metric_key: str
    metric_name: str
    unit: str
    whom: str
    """Who would be drawn, as many."""
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
    level = level_of(question, days)
    if isinstance(level, NoAnswer):
        return level
    crowd = _Crowd(question, days, level)
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
        question.whom,
        question.who,
        crowd.per_week,
        level.n,
        level.value * scale,
        level.deviation * scale,
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


class _Crowd:
    """Who would come, as they came: an experiment begun with the first of these days would have met the same."""

    def __init__(self, question: Question, days: Sequence[DayOfUnits], level: Level) -> None:
        self._question = question
        self._level = level
        first = days[0].day
        length = max((question.now.date() - first).days, 1)
        came = np.zeros(length + 1)
        for one in days:
            came[(one.day - first).days] += one.units
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
        fewest = FEWEST_COMPANIES / self._level.even if self._question.unit == "company" else 2
        if min(control, smallest) < fewest:
            return None
        is_plain = self._question.counting.is_share and not self._question.is_gathered
        return Outline(
            control,
            smallest,
            self._level.value,
            None if is_plain else self._level.deviation,
            self._question.level,
            len(weights) - 1,
            self._question.looks == "always",
        )

    def smallest(self, days: int) -> float | None:
        outline = self.outline(days)
        effect = smallest_effect(outline) if outline is not None else None
        if effect is not None and self._question.counting.is_share and effect > 1 - self._level.value:
            return None
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
    came = f"{round(found.per_week):,} {found.whom} a week {found.who}"
    if found.smallest is None:
        sentence = f"{came}. {_length(found.days)} of them can show nothing: {_nothing_why(found, question)}."
        return replace(found, sentence=sentence, instead=_instead(found))
    shown = f"{came}. {_length(found.days)} of them can show {_size(found.smallest, found)}"
    if found.predicted is None:
        return replace(found, sentence=f"{shown}, four times in five.")
    predicted = _size(abs(found.predicted), found)
    if found.enough:
        return replace(found, sentence=f"{shown}; {predicted} were predicted, and would be found {_chance(found)}.")
    sentence = f"{shown}; only {predicted} were predicted, and would be found {_chance(found)}."
    return replace(found, sentence=sentence, instead=_instead(found))


def _nothing_why(found: Outlook, question: Question) -> str:
    if found.whom == "companies":
        return f"an arm needs {FEWEST_COMPANIES} companies of like size whose time is over, and more where sizes differ"
    return f"{found.metric_name} gives people {question.counting.window.days} days, and hardly anybody's would be over"


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
