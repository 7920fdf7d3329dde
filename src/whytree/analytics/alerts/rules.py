"""When a value is to be told of, as data: versioned JSON, checked here and nowhere else. Pure.

{"version": 1, "kind": "band", "low": 30, "high": null}
{"version": 1, "kind": "change", "percent": 30, "weeks": 4, "way": "both", "each": "week"}

`each` is what a metric is cut into: days, where it is left out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any, ClassVar, Literal, get_args

from whytree.engines.figures import number
from whytree.errors import Invalid

VERSION = 1
Way = Literal["both", "up", "down"]
Each = Literal["day", "week", "month"]
#: At most so many days are in one.
_DAYS_OF: dict[str, int] = {"day": 1, "week": 7, "month": 31}
WEEKS = (3, 12)
MOST_PERCENT = 1_000
#: Earlier stretches without which nothing is usual.
FEWEST_EARLIER = 3


@dataclass(frozen=True)
class Point:
    """A whole stretch from `start` on; its interval where it has one."""

    start: date
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Looked:
    """Whether the last point is outside; None where it has no value, or nothing to be held against."""

    outside: bool | None
    says: str


@dataclass(frozen=True)
class Band:
    """Between two values, or on the good side of one. `unit` is what the values are told in."""

    low: float | None
    high: float | None
    each: Each = "day"
    unit: str = ""
    kind: ClassVar = "band"

    @property
    def sentence(self) -> str:
        return self._ends + _cut(self.each)

    @property
    def _ends(self) -> str:
        if self.low is None:
            return f"above {self._told(self.high or 0.0)}"
        return f"below {self._told(self.low)}" + ("" if self.high is None else f" or above {self._told(self.high)}")

    def _told(self, value: float) -> str:
        return f"{number(value)} {self.unit}".rstrip()

    @property
    def json(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high} | _said(self.each)

    @property
    def days(self) -> int:
        return 2 * _DAYS_OF[self.each] + 1

    def look(self, points: Sequence[Point], step: str) -> Looked:
        value = points[-1].value
        if value is None:
            return Looked(None, "There is no value to look at.")
        if self.low is not None and value < self.low:
            return Looked(True, f"{self._told(value)} is below {self._told(self.low)}")
        if self.high is not None and value > self.high:
            return Looked(True, f"{self._told(value)} is above {self._told(self.high)}")
        return Looked(False, f"{self._told(value)} is not {self._ends}")


@dataclass(frozen=True)
class Change:
    """Against the median of the same weekday in the weeks before; of weeks and months, of the ones before.

    Where the value has an interval, that must not reach the median: what chance alone brings is not told.
    """

    percent: float
    weeks: int
    way: Way
    each: Each = "day"
    kind: ClassVar = "change"

    @property
    def sentence(self) -> str:
        way = {"both": "away from", "up": "above", "down": "below"}[self.way]
        usual = "the same weekday in the last {} weeks" if self.each == "day" else f"the {{}} {self.each}s before"
        return (
            f"more than {number(self.percent)} % {way} the median of {usual.format(self.weeks)}, and by more than chance "
            f"brings{_cut(self.each)}"
        )

    @property
    def json(self) -> dict[str, Any]:
        return {"percent": self.percent, "weeks": self.weeks, "way": self.way} | _said(self.each)

    @property
    def days(self) -> int:
        return 7 * self.weeks + 3 if self.each == "day" else _DAYS_OF[self.each] * (self.weeks + 2)

    def look(self, points: Sequence[Point], step: str) -> Looked:
        last = points[-1]
        if last.value is None:
            return Looked(None, "There is no value to look at.")
        earlier = self._earlier(points, step)
        if len(earlier) < FEWEST_EARLIER:
            what = "weekdays like it" if step == "day" else f"{step}s before it"
            return Looked(None, f"There are {len(earlier)} {what} to compare with; {FEWEST_EARLIER} are the least.")
        usual = median(earlier)
        same = f"the median of {len(earlier)} {f'{last.start:%A}s' if step == 'day' else f'{step}s'} before"
        if usual == 0:
            return Looked(last.value != 0 and self._is_told(last, usual), f"{number(last.value)} after {same} of 0")
        moved = 100 * (last.value - usual) / abs(usual)
        outside = abs(moved) > self.percent and self._is_told(last, usual)
        if round(moved) == 0:
            return Looked(outside, f"{number(last.value)} is as usual: {number(usual)} is {same}")
        sign = "+" if moved > 0 else "−"
        chance = "; chance alone may bring that" if abs(moved) > self.percent and _holds(last, usual) else ""
        return Looked(
            outside, f"{number(last.value)} is {sign}{number(abs(moved))} % from {number(usual)}, {same}{chance}"
        )

    def _earlier(self, points: Sequence[Point], step: str) -> list[float]:
        last, before = points[-1], points[:-1]
        if step == "day":
            days = {last.start - timedelta(days=7 * week) for week in range(1, self.weeks + 1)}
            before = [one for one in before if one.start in days]
        return [one.value for one in before[-self.weeks :] if one.value is not None]

    def _is_told(self, last: Point, usual: float) -> bool:
        """In the way that is asked for, and not within chance of the usual."""
        assert last.value is not None  # noqa: S101 - for the type checker
        if self.way != "both" and (last.value > usual) != (self.way == "up"):
            return False
        return not _holds(last, usual)


def _holds(point: Point, usual: float) -> bool:
    """Whether its interval, where it has one, reaches the usual."""
    return point.low is not None and point.high is not None and point.low <= usual <= point.high


def _cut(each: Each) -> str:
    return "" if each == "day" else f", {each} by {each}"


def _said(each: Each) -> dict[str, Any]:
    return {} if each == "day" else {"each": each}


Rule = Band | Change


def checked_rule(raw: object) -> Rule:
    """The rule that this JSON means; `Invalid` says what to write instead."""
    if not isinstance(raw, Mapping) or raw.get("version") != VERSION:
        raise Invalid(
            'A rule is {"version": 1, "kind": "band", "low": 30} or {"version": 1, "kind": "change", "percent": 30}.'
        )
    given = set(raw) - {"version", "kind", "each"}
    each = raw.get("each", "day")
    if each not in get_args(Each):
        raise Invalid("“each” is day, week or month: what the number is cut into.")
    if raw.get("kind") == Band.kind and given <= {"low", "high"}:
        low, high = (_number(raw.get(name), name) for name in ("low", "high"))
        if low is None and high is None:
            raise Invalid("A band has a low end, a high end, or both.")
        if low is not None and high is not None and low >= high:
            raise Invalid("The low end of a band lies below its high end.")
        return Band(low, high, each)
    if raw.get("kind") == Change.kind and given <= {"percent", "weeks", "way"}:
        percent = _number(raw.get("percent"), "percent")
        if percent is None or not 0 < percent <= MOST_PERCENT:
            raise Invalid(f"“percent” is above 0 and at most {MOST_PERCENT:,}.")
        weeks, way = raw.get("weeks", 4), raw.get("way", "both")
        if isinstance(weeks, bool) or not isinstance(weeks, int) or not WEEKS[0] <= weeks <= WEEKS[1]:
            raise Invalid(f"“weeks” is a whole number from {WEEKS[0]} to {WEEKS[1]}.")
        if way not in get_args(Way):
            raise Invalid("“way” is both, up or down.")
        return Change(percent, weeks, way, each)
    raise Invalid("A rule is a band with low and high, or a change with percent, weeks and way.")


def as_json(rule: Rule) -> dict[str, Any]:
    """The form that is stored and sent."""
    return {"version": VERSION, "kind": rule.kind} | rule.json


def _number(value: object, name: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Invalid(f"“{name}” is a number.")
    return float(value)
