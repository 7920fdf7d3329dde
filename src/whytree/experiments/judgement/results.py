"""What an analysis says: figures with their doubt, and whether to trust them. Everything here becomes JSON as it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from whytree.engines.stats.answers import Method

Standing = Literal["better", "worse", "not worse", "harm", "no answer yet", "no answer"]
Trust = Literal["ok", "look", "broken"]
Role = Literal["primary", "secondary", "guardrail"]


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float
    level: float
    method: Method


@dataclass(frozen=True)
class ArmFigure:
    """What one arm did: its value over the units that have the metric. None where there are none."""

    arm: str
    units: int
    value: float | None


@dataclass(frozen=True)
class Belief:
    """After the data, with the stated prior or a flat one; losses in the metric's unit."""

    mean: float
    low: float
    high: float
    chance_better: float
    loss_if_shipped: float
    loss_if_not: float
    prior: str


@dataclass(frozen=True)
class Comparison:
    """One arm against control. Without an answer `reason` says why and what would give one; figures are None."""

    arm: str
    standing: Standing
    reason: str = ""
    control: float | None = None
    treatment: float | None = None
    difference: Interval | None = None
    relative: Interval | None = None
    no_relative: str = ""
    p: float | None = None
    p_adjusted: float | None = None
    margin: float | None = None
    variance_reduction: float | None = None
    belief: Belief | None = None
    n_control: int | None = None
    n_treatment: int | None = None


@dataclass(frozen=True)
class ChanceOfBest:
    """One of three or more arms: how likely it is the best, and what choosing it loses on average."""

    arm: str
    best: float
    loss: float


@dataclass(frozen=True)
class MetricResult:
    name: str
    kind: str
    role: Role
    unit: Literal["%", ""]
    """``%``: values are shares and differences are shown in points."""
    up_is_good: bool
    cap: float | None
    arms: list[ArmFigure]
    comparisons: list[Comparison]
    best: list[ChanceOfBest] = field(default_factory=list)


@dataclass(frozen=True)
class RatioFigure:
    """Sizes against weights; `segment` is empty for all units together. `p` is None where nothing can be tested."""

    segment: str
    seen: dict[str, int]
    expected: dict[str, float]
    p: float | None
    standing: Trust


@dataclass(frozen=True)
class PartFigure:
    """A part's difference after it was drawn towards the others."""

    part: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ArmInParts:
    """One arm against control over parts: whether they differ (`p`), how far (`between`, a standard deviation), what is left
    of each (`shrunk`), and all weighed by their size (`weighed`); where there is no answer, why."""

    arm: str
    sentence: str
    p: float | None
    between: float | None
    shrunk: list[PartFigure]
    no_shrunk: str
    weighed: Interval | None
    variance_reduction: float | None
    no_weighed: str


@dataclass(frozen=True)
class TriggeredFigure:
    """One arm against control among those whom the change could reach (`share` of all; `p`: the arms alike in it), and over all."""

    arm: str
    reason: str
    share: float | None = None
    p: float | None = None
    among: Interval | None = None
    diluted: Interval | None = None


@dataclass(frozen=True)
class Check:
    """One reason to trust the result, or not to."""

    name: str
    standing: Trust
    sentence: str


@dataclass(frozen=True)
class PartOfTable:
    """The deciding metric in one segment; all segments correct each other."""

    segment: str
    units: int
    metric: MetricResult


@dataclass(frozen=True)
class Analysis:
    file: str
    unit: str
    control: str
    rows: int
    units: dict[str, int]
    level: float
    correction: str
    sequential: bool
    look: str
    """As `2/5`: the second of five planned looks; empty: the only one."""
    metrics: list[MetricResult]
    sample_ratio: list[RatioFigure]
    health: list[Check]
    headline: str = ""
    verdict: list[str] = field(default_factory=list)
    parts: list[PartOfTable] = field(default_factory=list)
    """The deciding metric by segment, where a table has one."""
    over_parts: list[ArmInParts] = field(default_factory=list)
    triggered: list[TriggeredFigure] = field(default_factory=list)

    @property
    def trust(self) -> Trust:
        standings = {check.standing for check in self.health}
        return "broken" if "broken" in standings else "look" if "look" in standings else "ok"

    def as_json(self) -> dict[str, Any]:
        loaded: dict[str, Any] = msgspec.to_builtins(self)
        return {"version": 1, **loaded, "trust": self.trust}
