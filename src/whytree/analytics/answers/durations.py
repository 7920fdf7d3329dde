"""How long something took people, in words and in a picture's bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from whytree.stores.questions.funnels import Took

from ..questions import Funnel

_M, _H, _D = 60, 3_600, 86_400
_EDGES = (
    *(5, 10, 20, 30, _M, 2 * _M, 5 * _M, 10 * _M, 30 * _M, _H, 2 * _H, 6 * _H, 12 * _H),
    *(_D, 2 * _D, 3 * _D, 7 * _D, 14 * _D, 30 * _D, 60 * _D, 90 * _D, 180 * _D, 366 * _D),
)


@dataclass(frozen=True)
class Bin:
    """How many took longer than the bin before, up to this one."""

    up_to: str
    people: int
    share: float

    @property
    def width(self) -> str:
        return f"{self.share:.1f}"


@dataclass(frozen=True)
class Duration:
    """How many seconds it took from one step to another: quartiles over those who did it, and how they spread."""

    from_step: int
    to_step: int
    people: int
    quarter: float
    median: float
    three_quarters: float
    bins: tuple[Bin, ...] = ()

    @property
    def text(self) -> str:
        return seconds_words(self.median)

    @property
    def range_text(self) -> str:
        return f"{seconds_words(self.quarter)} to {seconds_words(self.three_quarters)}"


def edges_within(window: timedelta) -> list[int]:
    """Round spans up to the window, and the window itself."""
    whole = int(window.total_seconds())
    return [*(edge for edge in _EDGES if edge < whole), whole]


def durations(question: Funnel, took: Sequence[Took]) -> tuple[Duration, ...]:
    """From each step to the next, and last from the first to the last, with its bins."""
    edges = edges_within(question.within)
    return tuple(
        Duration(one.from_step, one.to_step, one.people, one.quarter, one.median, one.three_quarters, _bins(one, edges))
        for one in took
    )


def _bins(one: Took, edges: Sequence[int]) -> tuple[Bin, ...]:
    if not one.within or not one.people:
        return ()
    each = [(edge, here - before) for edge, here, before in zip(edges, one.within, (0, *one.within), strict=False)]
    used = [place for place, (_, people) in enumerate(each) if people]
    most = max(people for _, people in each)
    return tuple(
        Bin(seconds_words(edge), people, 100 * people / most)
        for edge, people in each[max(used[0] - 1, 0) : used[-1] + 1]
    )


def seconds_words(seconds: float) -> str:
    """9.4 s, 3.2 min, 5 h, 2.1 days"""
    for size, unit in ((_D, "days"), (_H, "h"), (_M, "min")):
        if seconds >= size:
            value = f"{seconds / size:.1f}".removesuffix(".0")
            return f"{value} {'day' if unit == 'days' and value == '1' else unit}"
    return f"{seconds:.1f}".removesuffix(".0") + " s"
