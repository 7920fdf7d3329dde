"""How far one person came, followed event by event: for what `windowFunnel` cannot say.

A person's events that matter are put in a row, each as (moment, first step it does, last step it does, a bit for every step
it does, a bit for every step at which it ends a try), in this order: what happened at one moment counts in the order of the
steps, and what ends a try comes after them. One fold goes along the row. For every step it remembers when the latest try
that came so far began; a later beginning has more time left, so no earlier one can do better. With times it also
remembers when that try came to each step, and keeps those of the try that came furthest first.

Each number of the fold is a column of its own, so that the engine folds thousands of people at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

#: Events of one person that are followed; whoever has more is a machine, and would cost all memory.
MOST_EVENTS = 20_000
_NO_STEP = 99
#: Longer than any window: from when a person with nothing behind them would have to have begun.
WINDOW = "toInt64({window:UInt64})"


@dataclass(frozen=True)
class Folding:
    """`before` is, for each step, the step that a try comes from: 0 for the first. Steps count from 1."""

    before: tuple[int, ...]
    times: bool = False
    #: Any other event between two steps ends the try.
    strict: bool = False

    @property
    def steps(self) -> range:
        return range(1, len(self.before) + 1)

    def comes_from(self, step: int) -> list[int]:
        """The steps of a try that came to `step`, in order, with it."""
        path = [step]
        while self.before[path[0] - 1]:
            path.insert(0, self.before[path[0] - 1])
        return path


def rows_sql(conditions: Sequence[str], ends: Sequence[str]) -> str:
    """The columns `mask` and `ends` of one event: `conditions` say which steps it does, `ends` which tries it ends."""
    return f"{_bits(conditions)} AS mask, {_bits(ends)} AS ends"


def _bits(conditions: Sequence[str]) -> str:
    bits = [f"bitShiftLeft(toUInt32(ifNull({one}, 0)), {place})" for place, one in enumerate(conditions) if one != "0"]
    return " + ".join(["toUInt32(0)", *bits])


def gathered_sql(steps: int) -> str:
    """A person's events in their order, as an aggregate over the columns `t`, `mask` and `ends`."""
    first = ", ".join(f"bitTest(mask, {step - 1}), {step}" for step in range(1, steps + 1))
    last = ", ".join(f"bitTest(mask, {step - 1}), {step}" for step in range(steps, 0, -1))
    row = f"(t, multiIf({first}, {_NO_STEP}), multiIf({last}, {_NO_STEP}), mask, ends)"
    return f"groupArraySorted({MOST_EVENTS})({row})"


def fold_sql(folding: Folding, rows: str = "rows") -> str:
    """A tuple: a bit for every step that somebody came to; with times, when the furthest try came to each (0: never)."""
    steps = folding.steps
    names = _Names(folding)
    moves = {step: _moves(folding, names, step) for step in steps}
    state = []
    for step in steps:
        kept = "toInt64(-1)" if folding.strict else names.alive(step)
        state.append(f"if({moves[step]}, {names.begun(step)}, {kept})")
    came = " + ".join(f"bitShiftLeft(toUInt32(bitTest(s.{names.came}, {k - 1}) OR {moves[k]}), {k - 1})" for k in steps)
    state.append(f"toUInt32({came})")
    if folding.times:
        state += _arrivals(folding, names, moves)
    folded = f"arrayFold((s, r) -> tuple({', '.join(state)}), {rows}, tuple({', '.join(_nothing(folding))}))"
    if not folding.times:
        return f"tuple(tupleElement({folded}, {names.came}))"
    # once more through a lambda, so that the fold is written, and done, once
    picked = ", ".join(f"f.{index}" for index in (names.came, *(names.best(step) for step in steps)))
    return f"arrayMap(f -> tuple({picked}), [{folded}])[1]"


class _Names:
    """Where in the fold's tuple each number stands."""

    def __init__(self, folding: Folding) -> None:
        n = len(folding.before)
        self._folding = folding
        self.came = n + 1
        self._arrived: dict[tuple[int, int], int] = {}
        place = n + 2
        for step in folding.steps:
            for passed in folding.comes_from(step)[1:]:
                self._arrived[step, passed] = place
                place += 1
        self._best = place

    def alive(self, step: int) -> str:
        """When the latest try at this step began, -1 for none, after what this event ends."""
        return f"if(bitTest(r.5, {step - 1}), toInt64(-1), s.{step})"

    def begun(self, step: int) -> str:
        """When the try began that this event brings to `step`."""
        before = self._folding.before[step - 1]
        if not before:
            return "toInt64(r.1)"
        return f"s.{before}" if self._folding.strict else self.alive(before)

    def arrived(self, step: int, passed: int) -> str:
        """When the try at `step` came to an earlier one, or to itself. The first is where it began."""
        return f"s.{step}" if not self._folding.before[passed - 1] else f"s.{self._arrived[step, passed]}"

    def best(self, step: int) -> int:
        return self._best + step - 1


def _moves(folding: Folding, names: _Names, step: int) -> str:
    """Whether this event brings a try to `step` that is better than the one that is there."""
    does = f"bitTest(r.4, {step - 1})"
    if not folding.before[step - 1]:
        return does
    begun = names.begun(step)
    in_time = f"{begun} >= 0 AND toInt64(r.1) <= {begun} + {WINDOW}"
    better = "" if folding.strict else f" AND {begun} > {names.alive(step)}"
    return f"({does} AND {in_time}{better})"


def _arrivals(folding: Folding, names: _Names, moves: dict[int, str]) -> list[str]:
    """When the tries came to their steps, and when the best one did."""
    state = []
    for step in folding.steps:
        for passed in folding.comes_from(step)[1:]:
            source = "toInt64(r.1)" if passed == step else names.arrived(folding.before[step - 1], passed)
            state.append(f"if({moves[step]}, {source}, {names.arrived(step, passed)})")
    # a try is the best once it comes to a required step that none came to before
    required = [step for step in folding.steps if step in set(folding.before) or step == _last(folding)]
    new = {step: f"({moves[step]} AND NOT bitTest(s.{names.came}, {step - 1}))" for step in folding.steps}
    for step in folding.steps:
        cases = []
        for reached in reversed(required):
            path = folding.comes_from(reached)
            if step not in path:
                continue
            if step == reached:
                value = "toInt64(r.1)"
            else:
                before = folding.before[reached - 1]
                value = names.begun(reached) if not folding.before[step - 1] else names.arrived(before, step)
            cases.append(f"{new[reached]}, {value}")
        if step not in required:
            cases.append(f"{new[step]}, toInt64(r.1)")
        state.append(f"multiIf({', '.join(cases)}, s.{names.best(step)})")
    return state


def _last(folding: Folding) -> int:
    """The furthest required step: the end of the longest path."""
    return max(folding.steps, key=lambda step: (len(folding.comes_from(step)), step))


def _nothing(folding: Folding) -> list[str]:
    n = len(folding.before)
    start = ["toInt64(-1)"] * n + ["toUInt32(0)"]
    if folding.times:
        arrivals = sum(len(folding.comes_from(step)) - 1 for step in folding.steps)
        start += ["toInt64(0)"] * (arrivals + n)
    return start


def any_order_sql(steps: int, rows: str = "rows") -> str:
    """The same where steps may come in any order: a tuple of how many were done within one window, and its two ends.

    The fold remembers when each step was last done, and the last event that may begin a try (bit 31 of `mask`). What lies
    within a window before an event, and has a beginning among it, is one try.
    """
    n = steps
    last = [f"if(bitTest(r.4, {k - 1}), toInt64(r.1), s.{k})" for k in range(1, n + 1)]
    begins = f"if(bitTest(r.4, 31), toInt64(r.1), s.{n + 1})"
    since = f"(toInt64(r.1) - {WINDOW})"
    alive = " + ".join(f"toUInt8({one} >= {since} AND {one} >= 0)" for one in last)
    number = f"if({begins} >= 0 AND {begins} >= {since}, {alive}, 0)"
    earliest = f"arrayMin(arrayFilter(t -> t >= 0 AND t >= {since}, [{', '.join([*last, begins])}]))"
    more = f"({number} > s.{n + 2})"
    state = [*last, begins, f"if({more}, toUInt8({number}), s.{n + 2})"]
    state += [f"if({more}, {earliest}, s.{n + 3})", f"if({more}, toInt64(r.1), s.{n + 4})"]
    nothing = ", ".join(["toInt64(-1)"] * (n + 1) + ["toUInt8(0)", "toInt64(0)", "toInt64(0)"])
    folded = f"arrayFold((s, r) -> tuple({', '.join(state)}), {rows}, tuple({nothing}))"
    return f"arrayMap(f -> tuple(f.{n + 2}, f.{n + 3}, f.{n + 4}), [{folded}])[1]"
