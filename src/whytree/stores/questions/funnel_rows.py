"""How far one person came, event by event: for what `windowFunnel` cannot say.

A person's events that matter are put in a row: what happened at one moment counts in the order of the steps, and what ends
a try comes after them. Where every event does at most one step, each is one number (its moment, its step, a bit for every
step at which it ends a try), since numbers sort many times faster; else it is (moment, first step it does, last step it
does, steps, ends). Then, step by step, one array goes along the whole row and says at each event when the latest try that
came so far began: a later beginning has more time left, so no earlier one can do better.

    v2    at an event that brings a try to step 2: when that try began; -1 where tries at step 2 end; else 0
    s2    the same carried on from event to event: when the latest try at step 2 began, so far
    u2    the place of the event that brought this try there

Arrays as wide as the row, not one event after the other: the engine goes along thousands of rows at once. (The same as an
`arrayFold` took ten times as long.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

#: Events of one person that are followed; whoever has more is a machine, and would cost all memory.
MOST_EVENTS = 20_000
_NO_STEP = 99
WINDOW = "toInt64({window:UInt64})"


@dataclass(frozen=True)
class Following:
    """`before` is, for each step, the step that a try comes from: 0 for the first. Steps count from 1."""

    before: tuple[int, ...]
    optional: frozenset[int] = frozenset()
    #: Steps at which some event ends a try.
    ended: frozenset[int] = frozenset()
    times: bool = False
    #: No event does two steps.
    apart: bool = False
    #: Any other event between two steps ends the try.
    strict: bool = False

    @property
    def steps(self) -> range:
        return range(1, len(self.before) + 1)


#: Of a packed event: the step stands above so many bits, which say at which steps it ends a try.
_ENDS_BITS = 16
_STEP_BITS = 5
_NONE_PACKED = 31


def bits_sql(conditions: Sequence[str], ends: Sequence[str]) -> str:
    """The columns `mask` and `ends` of one event: `conditions` say which steps it does, `ends` which tries it ends."""
    return f"{_bits(conditions)} AS mask, {_bits(ends)} AS ends"


def _bits(conditions: Sequence[str]) -> str:
    bits = [f"bitShiftLeft(toUInt64(ifNull({one}, 0)), {place})" for place, one in enumerate(conditions) if one != "0"]
    return f"toUInt32({' + '.join(bits)})" if bits else "toUInt32(0)"


def gathered_sql(steps: int, *, apart: bool) -> str:
    """A person's events in their order, as an aggregate over `t`, `mask` and `ends`. `apart`: no event does two steps."""
    first = ", ".join(f"bitTest(mask, {step - 1}), {step}" for step in range(1, steps + 1))
    if apart and steps <= _ENDS_BITS:
        step = f"multiIf({first}, {_NONE_PACKED})"
        packed = f"bitShiftLeft(toUInt64(t), {_ENDS_BITS + _STEP_BITS}) + bitShiftLeft(toUInt64({step}), {_ENDS_BITS}) + ends"
        return f"arraySort(groupArray({MOST_EVENTS})({packed}))"
    last = ", ".join(f"bitTest(mask, {step - 1}), {step}" for step in range(steps, 0, -1))
    row = f"(t, toUInt8(multiIf({first}, {_NO_STEP})), toUInt8(multiIf({last}, {_NO_STEP})), mask, ends)"
    return f"arraySort(groupArray({MOST_EVENTS})({row}))"


def _unpacked(steps: int, *, apart: bool) -> list[str]:
    """`t`, `m` and `e`: the moments, the steps' bits and the ends' bits of the row."""
    if not apart or steps > _ENDS_BITS:
        return ["rows.1 AS t", "rows.4 AS m", "rows.5 AS e"]
    step = f"bitAnd(bitShiftRight(rr, {_ENDS_BITS}), {2**_STEP_BITS - 1})"
    return [
        f"arrayMap(rr -> toInt64(bitShiftRight(rr, {_ENDS_BITS + _STEP_BITS})), rows) AS t",
        f"arrayMap(rr -> toUInt32(if({step} = {_NONE_PACKED}, 0, bitShiftLeft(toUInt64(1), {step} - 1))), rows) AS m",
        f"arrayMap(rr -> toUInt32(bitAnd(rr, {2**_ENDS_BITS - 1})), rows) AS e",
    ]


def followed_sql(following: Following, gathered: str) -> str:
    """`gathered` with `came` (a bit for every step) and, with times, `at1`, `at2`, ... of the try that came furthest first.

    Each step is a SELECT of its own around those before it: the engine would write out what a name stands for wherever it
    is used, and twenty steps would become half a million pieces.
    """
    layers = [_unpacked(len(following.before), apart=following.apart)]
    layers += [layer for step in following.steps for layer in _carried(following, step)]
    came = " + ".join(f"bitShiftLeft(toUInt32(arrayMax(v{step}) > 0), {step - 1})" for step in following.steps)
    layers.append([f"toUInt32({came}) AS came"])
    if following.times:
        layers += _places(following)
        layers.append([f"if(f{step} > 0, t[f{step}], 0) AS at{step}" for step in following.steps])
    return _nested(gathered, layers)


def _nested(source: str, layers: Sequence[Sequence[str]]) -> str:
    for layer in layers:
        source = f"SELECT *, {', '.join(layer)} FROM ({source})"
    return source


def _carried(following: Following, step: int) -> list[list[str]]:
    """`v` and `s` of one step."""
    does, ended = f"bitTest(mm, {step - 1})", step in following.ended
    ending = f"if(bitTest(ee, {step - 1}), -1, 0)" if ended else "0"
    before = following.before[step - 1]
    if not before:
        value = f"arrayMap((mm, tt, ee) -> if({does}, tt, {ending}), m, t, e) AS v{step}"
    else:
        came_from = _shifted(f"s{before}")
        alive = f"xx > 0 AND NOT bitTest(ee, {before - 1})" if before in following.ended else "xx > 0"
        moves = f"{does} AND {alive} AND tt - xx <= {WINDOW}"
        value = f"arrayMap((mm, tt, ee, xx) -> if({moves}, xx, {ending}), m, t, e, {came_from}) AS v{step}"
    carried = f"v{step}" if following.strict else f"arrayFill(vv -> vv != 0, v{step})"
    return [[value], [f"{carried} AS s{step}"]]


def _places(following: Following) -> list[list[str]]:
    """`f`: the place of the event that brought the furthest try to each step; from the last step back to the first."""
    layers, later = [], 0
    required = [step for step in following.steps if step not in following.optional]
    for step in reversed(required):
        first = f"arrayFirstIndex(vv -> vv > 0, v{step})"
        if not later:
            layers.append([f"{first} AS f{step}"])
        else:
            layers.append([_arrivals(following, step)])
            layers.append([f"if(f{later} > 0, u{step}[f{later} - 1], {first}) AS f{step}"])
        later = step
    others = [f"arrayFirstIndex(vv -> vv > 0, v{step}) AS f{step}" for step in sorted(following.optional)]
    return [*layers, others] if others else layers


def _arrivals(following: Following, step: int) -> str:
    """`u` of one step. A try that began at the same moment does not come there anew."""
    if following.strict:
        return f"arrayMap((vv, ii) -> if(vv > 0, ii, 0), v{step}, arrayEnumerate(v{step})) AS u{step}"
    alive = f"if(bitTest(ee, {step - 1}), -1, aa)" if step in following.ended else "aa"
    ending = f"if(bitTest(ee, {step - 1}), -1, 0)" if step in following.ended else "0"
    arrived = f"if(vv > 0 AND vv > {alive}, toInt64(ii), {ending})"
    each = f"arrayMap((vv, aa, ii, ee) -> {arrived}, v{step}, {_shifted(f's{step}')}, arrayEnumerate(v{step}), e)"
    return f"arrayFill(uu -> uu != 0, {each}) AS u{step}"


def _shifted(name: str) -> str:
    """At each event, what was true before it."""
    return f"arrayPushFront(arrayPopBack({name}), toInt64(0))"


def any_order_sql(steps: int, gathered: str) -> str:
    """`gathered` with `level`, how many steps were done within one window, in any order, and its two ends.

    At each event: when each step was last done, and when the last event that may begin a try happened (bit 0 of `ends`).
    What lies within a window before an event, and has a beginning among it, is one try.
    """
    lasts = []
    for name, bits, bit in [*((f"l{step}", "m", step - 1) for step in range(1, steps + 1)), ("b", "e", 0)]:
        lasts.append(
            f"arrayFill(x -> x != 0, arrayMap((mm, tt) -> if(bitTest(mm, {bit}), tt, 0), {bits}, t)) AS {name}"
        )
    names = [f"l{step}" for step in range(1, steps + 1)]
    letters = [f"x{step}" for step in range(1, steps + 1)]
    since = f"tt - {WINDOW}"
    alive = " + ".join(f"toUInt8({one} > 0 AND {one} >= {since})" for one in letters)
    number = f"if(bb > 0 AND bb >= {since}, {alive}, 0)"
    each = f"arrayMap((tt, bb, {', '.join(letters)}) -> toUInt8({number}), t, b, {', '.join(names)}) AS n"
    here = ", ".join([*(f"{name}[at]" for name in names), "b[at]"])
    begun = f"arrayMin(arrayFilter(x -> x > 0 AND x >= t[at] - {WINDOW}, [{here}])) AS begun"
    layers = [_unpacked(steps, apart=True), lasts, [each], ["arrayMax(n) AS level"], ["indexOf(n, level) AS at"]]
    return _nested(gathered, [*layers, [begun, "t[at] AS ended"]])
