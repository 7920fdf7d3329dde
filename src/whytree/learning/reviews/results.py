"""What a review finds, as data: computed, stored, sent and drawn from the same shapes.

Numbers are as people say them: shares in percent, their differences in percentage points (`pp`).
"""

from datetime import datetime
from typing import Any, Literal

import msgspec

from whytree.engines.forecasts import scoring

VERSION = 1

State = Literal["early", "too_little", "measured", "no_metric", "no_comparison"]
RatioVerdict = Literal["fair", "doubtful", "broken", "unknown"]
RailVerdict = Literal["held", "harmed", "open"]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int
    method: str


class ArmValue(msgspec.Struct, frozen=True, kw_only=True):
    """One arm: its variant's name, what its people did, and how many of them are counted.

    The value is that of the compared periods under the comparison's weights, so that both arms differ by exactly the
    difference shown.
    """

    variant: str
    value: float
    n: int


class Contrast(msgspec.Struct, frozen=True, kw_only=True):
    """Both arms on one metric."""

    metric_key: str
    metric_name: str
    unit: str
    difference_unit: str
    window_days: int
    control: ArmValue | None = None
    treatment: ArmValue | None = None
    difference: Figure | None = None
    reason: str = ""


class Guardrail(msgspec.Struct, frozen=True, kw_only=True):
    """A metric that must not move by more than `margin` in the direction that harms."""

    direction: Literal["up", "down"]
    margin: float
    verdict: RailVerdict
    contrast: Contrast


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What was predicted; and what was measured, in the same unit. `holds`: it lies between the 10 % and the 90 % point."""

    low: float
    likely: float
    high: float
    unit: str
    measured: Figure | None = None
    holds: bool | None = None
    reason: str = ""

    @property
    def score(self) -> scoring.Score | None:
        """How good it was against what was measured, whose own error is counted; None before."""
        if self.measured is None:
            return None
        said = scoring.Forecast(self.low, self.likely, self.high)
        return scoring.score(said, scoring.Observed(self.measured.value, self.measured.low, self.measured.high))

    @property
    def held(self) -> bool | None:
        """As `holds`, and also what the error of the measurement leaves open; None where nothing can be judged."""
        score = self.score
        return self.holds if self.holds is None or score is None else score.held


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the draw was fair and who is not counted."""

    seen: dict[str, int]
    expected: dict[str, float]
    ratio_p: float | None
    ratio: RatioVerdict
    waiting: int
    quarantined: int
    moved: int
    unexpected: int
    both_share: float
    both_is_much: bool

    @property
    def is_broken(self) -> bool:
        return self.ratio == "broken"


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A period of constant weights and how many of its people are counted, by arm."""

    start: datetime
    end: datetime
    weights: dict[str, int]
    closed: dict[str, int]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """The metric over everybody in a period, where there was nobody to compare with."""

    text: str
    interval: str
    n: int
    start: datetime
    end: datetime


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a review knows at `as_of`. Without a difference, `reason` says why; `doubts` speak against deciding from it;
    `unmet`: why nobody new meets its flag."""

    version: int = VERSION
    state: State
    as_of: datetime
    opened_at: datetime
    due_at: datetime
    flag_key: str
    forecast: Forecast
    reason: str = ""
    contrast: Contrast | None = None
    trust: Trust | None = None
    guardrails: list[Guardrail] = []
    stretches: list[Stretch] = []
    before: Side | None = None
    after: Side | None = None
    voices: dict[str, int] = {}
    experiment: str = ""
    doubts: list[str] = []
    unmet: str = ""

    @property
    def is_measured(self) -> bool:
        return self.state == "measured"

    @property
    def is_trusted(self) -> bool:
        """False where the draw was broken: such a number is shown, and nothing is learned from it."""
        return self.trust is None or not self.trust.is_broken


def as_json(result: Result) -> dict[str, Any]:
    """For the database and the API."""
    loaded: dict[str, Any] = msgspec.to_builtins(result)
    return loaded


def from_json(stored: dict[str, Any]) -> Result:
    """The result that was stored."""
    return msgspec.convert(stored, Result)
