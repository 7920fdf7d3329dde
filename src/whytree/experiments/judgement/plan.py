"""What is asked of a table: which column is the unit, which the arm, which numbers are compared, and how.

Everything here is decided before the numbers are looked at; `Plan` is the whole of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeVar

from whytree.errors import Invalid

from ..constants import MOST_LOOKS

Kind = Literal["auto", "mean", "proportion", "count", "ratio", "quantile"]
Correction = Literal["holm", "bh", "none"]
Repeat = Literal["", "sum", "mean", "max", "last", "rows"]
Measure = Literal["", "pp", "%"]
Value = TypeVar("Value")

CORRECTIONS: tuple[Correction, ...] = ("holm", "bh", "none")
REPEATS: tuple[Repeat, ...] = ("", "sum", "mean", "max", "last", "rows")
KIND_WORDS: dict[str, Kind] = {"mean": "mean", "proportion": "proportion", "share": "proportion", "count": "count"}

_QUANTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)$")
_AMOUNT = re.compile(r"([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*(pp|%|)$", re.IGNORECASE)


@dataclass(frozen=True)
class Amount:
    """A size in the metric's own unit (``""``), in percentage points, or relative to control in per cent."""

    value: float
    measure: Measure

    def of(self, baseline: float) -> float:
        """In the metric's own unit; shares are kept between 0 and 1."""
        if self.measure == "pp":
            return self.value / 100
        return self.value / 100 * abs(baseline) if self.measure == "%" else self.value

    def __str__(self) -> str:
        return f"{self.value:g}{' ' if self.measure else ''}{self.measure}"


@dataclass(frozen=True)
class Cap:
    """Values beyond are set to it: at a percentile of all arms together, or at a number."""

    percentile: float | None
    value: float | None

    def __str__(self) -> str:
        return f"the {self.percentile:g}th percentile" if self.percentile is not None else f"{self.value:g}"


@dataclass(frozen=True)
class Belief:
    """What past effects were like: around ``mean``, two thirds of them within ``deviation``."""

    mean: Amount
    deviation: Amount


@dataclass(frozen=True)
class MetricPlan:
    """One number to compare."""

    column: str
    kind: Kind = "auto"
    per: str = ""
    """A ratio's denominator."""
    share: float = 0.5
    """Which quantile."""
    up_is_good: bool = True
    cap: Cap | None = None
    margin: Amount | None = None
    """By how much it may get worse: this makes it a guardrail."""
    prior: Belief | None = None

    @property
    def name(self) -> str:
        """As the metric was asked for."""
        if self.kind == "ratio":
            return f"{self.column}/{self.per}"
        if self.kind == "quantile":
            return f"{self.column}:{'median' if self.share == 0.5 else f'p{100 * self.share:g}'}"
        return self.column

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column, self.per) if self.per else (self.column,)


@dataclass(frozen=True)
class Rules:
    """How answers are judged: their level, the correction over questions, and whether somebody looks before the end."""

    level: float = 0.95
    correction: Correction = "holm"
    sequential: bool = False
    look: tuple[int, int] | None = None
    """Which of how many planned looks this is; None: the only one."""


@dataclass(frozen=True)
class Plan:
    unit: str
    arm: str
    metrics: tuple[MetricPlan, ...]
    control: str = ""
    weights: str = ""
    covariates: tuple[str, ...] = ()
    segment: str = ""
    correction: Correction = "holm"
    sequential: bool = False
    look: tuple[int, int] | None = None
    """Which of how many planned looks this is; None: the only one."""
    repeat: Repeat = ""
    level: float = 0.95
    cluster: str = ""
    """Column of the groups that were drawn, where a unit was not drawn by itself."""
    trigger: str = ""
    """Column of 0 and 1: whether the change could reach the unit."""
    switchback: bool = False
    """Units are periods, each counting once with the mean of its rows."""
    time: str = ""
    burn_in: float = 0.0
    """How much of a period, by the column `time`, what was before it may still show in."""

    @property
    def rules(self) -> Rules:
        return Rules(self.level, self.correction, self.sequential, self.look)

    @property
    def numbers(self) -> list[str]:
        """Every column that has to hold numbers."""
        columns = [column for metric in self.metrics for column in metric.columns]
        more = [name for name in (self.trigger, self.time) if name]
        return [*dict.fromkeys([*columns, *self.covariates, *more])]

    @property
    def texts(self) -> list[str]:
        more = [name for name in (self.segment, self.cluster) if name]
        return [*dict.fromkeys([self.unit, self.arm, *more])]


def make_plan(
    columns: Sequence[str],
    *,
    unit: str,
    arm: str,
    metrics: Sequence[str],
    control: str = "",
    weights: str = "",
    caps: Sequence[str] = (),
    margins: Sequence[str] = (),
    priors: Sequence[str] = (),
    down: Sequence[str] = (),
    covariates: Sequence[str] = (),
    segment: str = "",
    correction: str = "holm",
    sequential: bool = False,
    look: str = "",
    repeat: str = "",
    level: float = 0.95,
    cluster: str = "",
    trigger: str = "",
    switchback: bool = False,
    time: str = "",
    burn_in: float = 0.0,
) -> Plan:
    """Read what was asked; raises :class:`Invalid` with a sentence where it cannot be."""
    if not metrics:
        raise Invalid(f"Which number is compared? Say --metric COLUMN. {_listed(columns)}")
    if correction not in CORRECTIONS:
        raise Invalid(f"“{correction}” is no correction. Use one of: {', '.join(CORRECTIONS)}.")
    if repeat not in REPEATS:
        raise Invalid(f"“{repeat}” cannot be done with a unit's rows. Use one of: {', '.join(REPEATS[1:])}.")
    if not 0.5 <= level < 1:
        raise Invalid(f"A level of {level:g} makes no interval. Use a share such as 0.95 (from 0.5, below 1).")
    if sequential and look:
        raise Invalid(
            "--look is for looks on planned days, --sequential for looks on any day. Choose the one that was planned."
        )
    planned = [read_metric(text, columns) for text in metrics]
    for name in dict.fromkeys(down):
        planned = _changed(planned, "--down", name, lambda metric: replace(metric, up_is_good=False))
    for name, cap in _pairs(caps, "--cap", "revenue=p99.9", read_cap):
        planned = _changed(planned, "--cap", name, partial(_capped, cap=cap))
    for name, margin in _pairs(margins, "--margin", "retention=0.5pp", read_margin):
        planned = _changed(planned, "--margin", name, partial(replace, margin=margin))
    for name, prior in _pairs(priors, "--prior", "retention=0:1pp", read_prior):
        planned = _changed(planned, "--prior", name, partial(replace, prior=prior))
    twice = [metric.name for at, metric in enumerate(planned) if metric.name in {one.name for one in planned[:at]}]
    if twice:
        raise Invalid(f"“{twice[0]}” is asked for twice. Name each metric once.")
    plan = Plan(
        unit=unit,
        arm=arm,
        metrics=tuple(planned),
        control=control,
        weights=weights,
        covariates=tuple(dict.fromkeys(covariates)),
        segment=segment,
        correction=correction,
        sequential=sequential,
        look=read_look(look),
        repeat="mean" if switchback else repeat,
        level=level,
        cluster=cluster,
        trigger=trigger,
        switchback=switchback,
        time=time,
        burn_in=burn_in,
    )
    _check_draw(plan, repeat)
    _check(plan, columns)
    return plan


def _check_draw(plan: Plan, repeat: str) -> None:
    """What was drawn, if not each unit by itself."""
    if plan.switchback and (plan.cluster or plan.covariates or plan.trigger or repeat not in ("", "mean")):
        raise Invalid(
            "In a switchback the periods are the units, each with the mean of its rows. Leave --cluster, --covariate, --trigger and "
            "--repeat out."
        )
    if not (math.isfinite(plan.burn_in) and plan.burn_in >= 0):
        raise Invalid(
            f"A burn-in of {plan.burn_in:g} is no length. Say how much of each period to leave out, as --burn-in 30."
        )
    if bool(plan.burn_in) != bool(plan.time) or (plan.time and not plan.switchback):
        raise Invalid(
            "--burn-in N leaves out each period's first N of --time COLUMN, with --switchback. Say all three, or none."
        )
    if plan.cluster and (plan.covariates or plan.trigger or plan.repeat == "rows"):
        raise Invalid(
            "Where groups were drawn, units are compared by the groups' spread. "
            "Leave --covariate, --trigger and --repeat rows out."
        )
    if plan.cluster and plan.cluster in (plan.unit, plan.arm):
        raise Invalid(
            "The group is a column of its own, beside the unit and the arm. If the unit itself was drawn, leave --cluster out."
        )
    if plan.trigger and plan.repeat == "rows":
        raise Invalid("A trigger belongs to a unit, and rows stay rows here. Leave --trigger or --repeat rows out.")


def _check(plan: Plan, columns: Sequence[str]) -> None:
    for name in (*plan.texts, *plan.numbers):
        if name not in columns:
            raise Invalid(f"There is no column “{name}”. {_listed(columns)}")
    if plan.unit == plan.arm:
        raise Invalid("The unit and the arm are one column. The unit says who, the arm which version they got.")
    for name in plan.numbers:
        if name in (plan.unit, plan.arm):
            raise Invalid(f"“{name}” is the {'unit' if name == plan.unit else 'arm'} and cannot be a metric too.")
    for name in plan.covariates:
        if name in {column for metric in plan.metrics for column in metric.columns}:
            raise Invalid(
                f"“{name}” is a metric and cannot be a covariate too: a covariate is measured before the exposure."
            )


def read_metric(text: str, columns: Sequence[str]) -> MetricPlan:
    """``column``, ``column:mean``, ``column:p90``, ``numerator/denominator``. A column's whole name always wins."""
    if text in columns:
        return MetricPlan(text)
    name, _, word = text.rpartition(":")
    if name and name in columns:
        found = _QUANTILE.match(word)
        if word == "median" or found is not None:
            share = 0.5 if found is None else float(found[1]) / 100
            if not 0 < share < 1:
                raise Invalid(f"“{word}” is no quantile. Use p1 to p99.9, or median.")
            return MetricPlan(name, "quantile", share=share)
        if word in KIND_WORDS:
            return MetricPlan(name, KIND_WORDS[word])
        raise Invalid(f"“{word}” is no kind of metric. Use mean, proportion, count, median or p90 and the like.")
    for at in [place for place, sign in enumerate(text) if sign == "/"]:
        top, bottom = text[:at], text[at + 1 :].removesuffix(":ratio")
        if top in columns and bottom in columns:
            return MetricPlan(top, "ratio", per=bottom)
    wanted = name if word in KIND_WORDS or _QUANTILE.match(word) or word == "median" else text
    raise Invalid(f"There is no column “{wanted}”. {_listed(columns)}")


def read_amount(text: str) -> Amount:
    """``0.5pp``, ``2%`` or ``0.3``."""
    found = _AMOUNT.match(text.strip())
    if found is None or not math.isfinite(float(found[1])):
        raise Invalid(f"“{text}” is no amount. Write 0.5pp (points), 2% (of control) or 0.3 (the metric's own unit).")
    unit = found[2].lower()
    return Amount(float(found[1]), "pp" if unit == "pp" else "%" if unit == "%" else "")


def read_margin(text: str) -> Amount:
    margin = read_amount(text)
    if margin.value <= 0:
        raise Invalid(
            f"A margin of {text} allows nothing. Write how much worse it may get, as 0.5pp; --down says which way is worse."
        )
    return margin


def read_cap(text: str) -> Cap:
    """``p99.9`` or a number."""
    found = _QUANTILE.match(text.strip().lower())
    if found is not None:
        percentile = float(found[1])
        if not 50 < percentile < 100:
            raise Invalid(f"A cap at p{percentile:g} would change half of the values. Use p90 to p99.99.")
        return Cap(percentile, None)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise Invalid(f"“{text}” is no cap. Write a percentile as p99.9, or a number.")
    return Cap(None, value)


def read_look(text: str) -> tuple[int, int] | None:
    """``2/5``: the second of five planned looks, in equal steps of units."""
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,3})/(\d{1,3})", text.strip())
    look, looks = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= look <= looks <= MOST_LOOKS:
        raise Invalid(f"“{text}” is no look. Write which of how many planned ones, as 2/5; at most {MOST_LOOKS}.")
    return look, looks


def read_prior(text: str) -> Belief:
    """``0:1pp``: around none, two thirds of past effects within a point."""
    mean, _, deviation = text.partition(":")
    if not deviation:
        raise Invalid(f"“{text}” is no prior. Write mean:spread of past effects, as 0:1pp.")
    spread = read_amount(deviation)
    centre = read_amount(mean if mean.strip().strip("+-.0") else f"0{spread.measure}")
    if spread.value <= 0:
        raise Invalid("A prior with no spread has nothing left to learn. Give the standard deviation of past effects.")
    if centre.measure != spread.measure:
        raise Invalid(f"In “{text}” mean and spread have different units. Write both in the same, as 0.2pp:1pp.")
    return Belief(centre, spread)


def _capped(metric: MetricPlan, cap: Cap) -> MetricPlan:
    if metric.kind in ("quantile", "proportion"):
        raise Invalid(f"“{metric.name}” needs no cap: a {metric.kind} is not moved by how far the largest values lie.")
    return replace(metric, cap=cap)


def _pairs(texts: Sequence[str], option: str, example: str, read: Callable[[str], Value]) -> list[tuple[str, Value]]:
    """``metric=value`` of an option that may be given again."""
    pairs = []
    for text in texts:
        name, _, value = text.rpartition("=")
        if not name or not value:
            raise Invalid(f"“{text}” cannot be read. Write {option} {example}.")
        pairs.append((name, read(value)))
    return pairs


def _changed(
    planned: list[MetricPlan], option: str, name: str, change: Callable[[MetricPlan], MetricPlan]
) -> list[MetricPlan]:
    """A metric's whole name means that one; a column's name all metrics of it."""
    exactly = option != "--down" and any(name == metric.name for metric in planned)
    meant = [name == metric.name or (name == metric.column and not exactly) for metric in planned]
    if not any(meant):
        known = ", ".join(metric.name for metric in planned)
        raise Invalid(f"{option} names “{name}”, which is no metric here. Metrics: {known}.")
    return [change(metric) if this else metric for metric, this in zip(planned, meant, strict=True)]


def _listed(columns: Sequence[str]) -> str:
    return f"The columns are {', '.join(f'“{name}”' for name in columns[:40])}{' …' if len(columns) > 40 else ''}."
