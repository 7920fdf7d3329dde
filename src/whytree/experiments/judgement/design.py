"""An experiment's plan, as it is stored: everything that is decided before anybody is exposed.

Margins are in people's units: percentage points for shares, the metric's own unit for counts.
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

import msgspec

from whytree.engines.flags import FULL_COVERAGE, Switching
from whytree.engines.flags.switching import DAY, places_of, switching_fault
from whytree.errors import Invalid

from .plan import read_cap

VERSION = 1
MOST_DAYS = 366
MOST_METRICS = 40
MOST_DECIMALS = 4
#: Days before the exposure that a covariate may look back.
MOST_DAYS_BEFORE = 90
#: Characters of the name of an attribute that says the region.
LONGEST_ATTRIBUTE = 100

Role = Literal["primary", "secondary", "guardrail"]
Looks = Literal["once", "always"]
Correction = Literal["holm", "bh", "none"]
Rule = Literal["better", "not_worse"]

LOOKS: dict[Looks, str] = {
    "once": "once, on its last day",
    "always": "on any day, with intervals that bear it",
}
RULES: dict[Rule, str] = {
    "better": "ship what is better, if no guardrail got worse by more than its margin",
    "not_worse": "ship what is not worse by more than its margin, if no guardrail is either",
}


#: Who is drawn, as many.
WHOM = {"person": "people", "company": "companies", "period": "periods"}


class MetricDesign(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of the plan. `definition` is what it counts, copied at the start.

    `harms`: the way that is worse, where that is not the metric's own. `amount`: a property whose sum is compared in
    place of how often it happened. `cap`: as `p99.9` or a number. `days_before`: the same of that many days before the
    exposure is taken out of the noise (CUPED).
    """

    key: str
    role: Role = "secondary"
    margin: float | None = None
    harms: Literal["", "up", "down"] = ""
    amount: str = ""
    cap: str = ""
    days_before: int = 0
    definition: dict[str, Any] | None = None


class Design(msgspec.Struct, frozen=True, kw_only=True):
    """The whole plan. `weights` are of the rollout, `coverage` its part of all people in basis points at the start."""

    version: int = VERSION
    control: str
    weights: dict[str, int]
    metrics: list[MetricDesign]
    days: int
    looks: Looks = "once"
    correction: Correction = "holm"
    level: float = 0.95
    coverage: int = FULL_COVERAGE
    rule: Rule = "better"
    unit: Literal["person", "company", "period"] = "person"
    """Who is drawn: the flag says it; periods in a switchback."""
    switchback: Switching | None = None
    """Periods are drawn in place of people. `start` and `seed` come with the start."""

    @property
    def arms(self) -> list[str]:
        """Control first."""
        # By name: PostgreSQL keeps no order of a JSON object's keys.
        return [self.control, *sorted(arm for arm in self.weights if arm != self.control)]

    @property
    def primary(self) -> MetricDesign:
        return next(metric for metric in self.metrics if metric.role == "primary")

    @property
    def whom(self) -> str:
        """Who is drawn, as many."""
        return WHOM[self.unit]

    @property
    def rule_text(self) -> str:
        return RULES[self.rule]


def as_json(design: Design) -> dict[str, Any]:
    """The form that is stored and sent."""
    loaded: dict[str, Any] = msgspec.to_builtins(design)
    return loaded


def design_from(stored: Mapping[str, Any]) -> Design:
    """The design that was stored."""
    return msgspec.convert(dict(stored), Design)


def read_design(said: Mapping[str, Any]) -> Design:
    """What somebody said, checked; every fault is an `Invalid` that says what to do."""
    try:
        design = msgspec.convert(dict(said), Design)
    except msgspec.ValidationError as error:
        raise Invalid(
            f"The plan cannot be read: {error}. `whytree experiment create --help` tells what goes where."
        ) from error
    for check in (_check_arms, _check_length, _check_metrics, _check_switchback):
        check(design)
    alive = {arm: weight for arm, weight in design.weights.items() if weight > 0}
    return msgspec.structs.replace(design, weights=alive)


def _check_arms(design: Design) -> None:
    alive = [arm for arm, weight in design.weights.items() if weight > 0]
    if any(weight < 0 for weight in design.weights.values()):
        raise Invalid("A weight is 0 or more. Give each arm its share, as in control=50, treatment=50.")
    if len(alive) < 2:
        raise Invalid(
            "An experiment compares two arms at least. Give a weight above 0 to control and to one other arm."
        )
    if design.control not in alive:
        raise Invalid(f"Control “{design.control}” gets nobody. The arms with a weight are {', '.join(alive)}.")
    if not 0 < design.coverage <= FULL_COVERAGE:
        raise Invalid("The rollout covers more than 0 % and at most 100 % of the people.")


def _check_length(design: Design) -> None:
    if not 1 <= design.days <= MOST_DAYS:
        raise Invalid(f"An experiment runs 1 to {MOST_DAYS} days. Two or three full weeks are usual.")
    if not 0.5 <= design.level < 1:
        raise Invalid(f"A level of {design.level:g} makes no interval. Use a share such as 0.95 (from 0.5, below 1).")


def _check_metrics(design: Design) -> None:
    if len(design.metrics) > MOST_METRICS:
        raise Invalid(f"An experiment has {MOST_METRICS} metrics at most. What decides is one of them.")
    if [metric.role for metric in design.metrics].count("primary") != 1:
        raise Invalid("Exactly one metric decides: name one as primary.")
    keys = [metric.key for metric in design.metrics]
    twice = [key for at, key in enumerate(keys) if key in keys[:at]]
    if twice:
        raise Invalid(f"{twice[0]} is named twice. A metric decides, is looked at, or guards: choose one.")
    for metric in design.metrics:
        _check_metric(metric, design.rule)


def _check_metric(metric: MetricDesign, rule: Rule) -> None:
    needs_margin = metric.role == "guardrail" or (metric.role == "primary" and rule == "not_worse")
    if needs_margin and metric.margin is None:
        raise Invalid(f"By how much may {metric.key} get worse? A {metric.role} needs its margin before the start.")
    if metric.margin is not None and not needs_margin:
        raise Invalid(f"{metric.key} has a margin, and is no guardrail. Make it one, or leave the margin out.")
    if metric.margin is not None and not (math.isfinite(metric.margin) and metric.margin >= 0):
        raise Invalid(f"The margin of {metric.key} is no amount. Write how much worse it may get, as 0.5.")
    if not 0 <= metric.days_before <= MOST_DAYS_BEFORE:
        raise Invalid(f"A covariate looks back {MOST_DAYS_BEFORE} days at most.")
    if metric.cap:
        read_cap(metric.cap)


def _check_switchback(design: Design) -> None:
    switchback = design.switchback
    if switchback is None:
        return
    fault = switching_fault(switchback, design.weights)
    if fault is None and (len(switchback.by) > LONGEST_ATTRIBUTE or "\x00" in switchback.by):
        fault = f"A region is told by an attribute's name, {LONGEST_ATTRIBUTE} plain characters at most, as city."
    if fault is not None:
        raise Invalid(fault)
    row = max(1, switchback.minutes // DAY)
    whole = row * len(places_of(design.weights))
    if design.days % whole:
        before = design.days // whole * whole
        nearest = " or ".join(str(days) for days in (before, before + whole) if days)
        raise Invalid(
            f"Each block of periods takes {whole} days, so that every time of day meets every arm. Run it {nearest} days, and "
            f"not {design.days}."
        )
    if any(metric.days_before for metric in design.metrics):
        raise Invalid("In a switchback each period is its own before and after. Leave the days before out.")


def whole_weights(weights: Mapping[str, float]) -> dict[str, int]:
    """Whole numbers in the same proportions, as flags keep them: 33.3 and 66.7 become 333 and 667."""
    for value in weights.values():
        if not math.isfinite(value) or value < 0:
            raise Invalid("A weight is a number of 0 or more. Write 50:50, or control=50,treatment=50.")
    digits = max((-int(Decimal(repr(value)).as_tuple().exponent) for value in map(float, weights.values())), default=0)
    if digits > MOST_DECIMALS:
        raise Invalid(f"A weight has {MOST_DECIMALS} decimals at most.")
    whole = {arm: round(value * 10 ** max(digits, 0)) for arm, value in weights.items()}
    common = math.gcd(*whole.values()) or 1
    return {arm: value // common for arm, value in whole.items()}
