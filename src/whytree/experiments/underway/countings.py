"""What a metric's definition means for those who are exposed: which events are counted of them, in which unit, for how long."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from whytree.analytics import queries as metrics
from whytree.analytics.definitions import (
    FOLLOW_DAYS,
    SECONDS_IN,
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
from whytree.analytics.measures.resolving import ready
from whytree.analytics.models import Metric
from whytree.errors import Invalid
from whytree.stores.exposed.exposures import Goal, Placing
from whytree.stores.pieces.filters import Selection
from whytree.stores.questions.amounts import Part
from whytree.workspace.models import Product

Unit = Literal["person", "company", "period"]


@dataclass(frozen=True)
class Counting:
    """What is counted of a person after exposure, and for how long."""

    metric: Metric
    goal: Goal
    window: timedelta
    placing: Placing | None = None
    """The quantile that is compared; `goal` says then whether somebody has such a number at all."""
    per: float = 1.0
    """What the quantile is divided by: seconds in an hour."""
    of_companies: bool = False
    """Whether companies are counted, and not people."""

    @property
    def is_share(self) -> bool:
        return self.goal.once and not self.is_ratio and self.placing is None

    @property
    def is_ratio(self) -> bool:
        return self.goal.under is not None

    @property
    def kind(self) -> str:
        if self.placing is not None:
            return "quantile"
        return "proportion" if self.is_share else "ratio" if self.is_ratio else "mean"

    @property
    def unit(self) -> str:
        if self.is_share:
            return "%"
        if self.placing is not None:
            return self.metric.unit or self.placing.amount
        if self.is_ratio:
            return self.metric.unit
        return f"{self.metric.unit or self.goal.amount or 'times'} per {'company' if self.of_companies else 'person'}"

    @property
    def difference_unit(self) -> str:
        return "pp" if self.is_share else self.unit

    @property
    def scale(self) -> float:
        """Shares are said in percent."""
        return 100.0 if self.is_share else 1.0


def counting(metric: Metric, horizon: timedelta, unit: Unit = "person") -> Counting:
    """What a metric's definition means in an experiment of that length. `Invalid` for what cannot be judged."""
    definition = metrics.definition_of(metric)
    if reason := not_judged(definition, unit):
        raise Invalid(f"{metric.key}: {reason}")
    return replace(_counting(metric, definition, horizon), of_companies=definition.by_company)


def _counting(metric: Metric, definition: Definition, horizon: timedelta) -> Counting:
    # A short experiment takes people in for half of its days, so that somebody's time is over when it is read.
    product, follow = metric.product, min(timedelta(days=FOLLOW_DAYS), horizon / 2)
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
        case Quantile():
            placing = Placing(ready(product, [definition.did])[0], definition.percentile / 100, definition.field)
            goal = replace(_goal(product, definition.did), once=True)
            return Counting(metric, goal, follow, placing)
        case TimeTo():
            placing = Placing(ready(product, [definition.goal])[0], definition.percentile / 100)
            goal = replace(_goal(product, definition.goal), once=True)
            return Counting(metric, goal, definition.window, placing, float(SECONDS_IN[definition.unit]))
    raise TypeError(definition)


def not_judged(definition: Definition, unit: Unit = "person") -> str:
    """Why an experiment cannot judge it, and what to take instead; empty where it can."""
    if unit == "period" and (definition.by_company or isinstance(definition, Quantile | TimeTo | Retention)):
        return (
            "A switchback compares what each period comes to by itself. Take a share, a count, a sum, a mean or a ratio of people, "
            "which happens within a period."
        )
    if definition.by_company and unit == "person":
        return (
            "This experiment draws people, so that people of one company are in both arms, and a company in neither. Take the same "
            "metric with people as its unit, or draw companies: `whytree flag set KEY --by company`."
        )
    return ""


def _goal(product: Product, did: Selection) -> Goal:
    plain = len(did.events) == 1 and not did.filters
    return Goal(did.events[0]) if plain else Goal(did.events[0], did=ready(product, [did])[0])


def _part_goal(product: Product, part: Part) -> Goal:
    goal = replace(_goal(product, part.selection), amount=part.field)
    once = part.measure in ("people", "carriers")
    return replace(goal, once=once, bearing=part.measure in ("numbers", "carriers"))
