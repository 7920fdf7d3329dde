"""How far people come along a row of steps.

    funnel(product, Steps((Selection(("opened",)), Selection(("paid",))), timedelta(days=1)), period)

A person is followed from each of their first steps in the period; what counts is how far their best try came. A later
step may be done when the period is over, as long as it falls within the window, which begins with the first step; both
ends of it count. Other events may lie between. Each step takes an event of its own. What happened at one moment
counts in the order of the steps.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .events import store
from .filters import Bound, Selection, field_sql, named, selected
from .sql import ASKING, PERSON

#: Events of one person that are followed where steps share an event; whoever has more is a machine, and would cost all memory.
MOST_EVENTS = 20_000
#: Groups of a breakdown that are told apart; the others are added up.
MOST_GROUPS = 12


@dataclass(frozen=True)
class Steps:
    """What has to be done, in this order, and how much time there is from the first to the last."""

    selections: tuple[Selection, ...]
    window: timedelta


@dataclass(frozen=True)
class Reached:
    """How many people came at least to each step, in the steps' order. `value` is a group's; None is everybody (else)."""

    people: tuple[int, ...]
    value: str | None = None


# One row a person: how far they came. `windowFunnel` takes an event for two steps when both mean it, so steps that may
# share an event are followed by hand instead: for each step the latest first step that leads there, row by row.
_LEVELS = """
SELECT {person} AS who, {level} AS level{more}
FROM events
WHERE product = {{product:UInt32}}
  AND event IN {{names:Array(String)}}
  AND timestamp >= {{start:DateTime64(3, 'UTC')}}
  AND timestamp <= addMilliseconds({{end:DateTime64(3, 'UTC')}}, {{window:UInt64}})
GROUP BY who
HAVING level > 0
"""

_FUNNEL = "SELECT {counts} FROM ({levels})"

_FUNNEL_BY = """
WITH people AS ({levels}),
    largest AS (SELECT value FROM people GROUP BY value ORDER BY count() DESC, value LIMIT {{groups:UInt32}})
SELECT value IN largest AS own, if(own, value, '') AS shown, {counts}
FROM people
GROUP BY own, shown
ORDER BY own DESC, reached1 DESC, shown
"""

_WHO = """
SELECT who, one_id
FROM ({levels})
WHERE level = {{level:UInt8}}
ORDER BY last_at DESC, who
"""


def funnel(product_id: int, steps: Steps, start: datetime, end: datetime) -> Reached:
    """Everybody."""
    bound = Bound()
    sql = _FUNNEL.format(counts=_counts(steps), levels=_levels(steps, bound))
    row = store().query(sql, _parameters(product_id, steps, start, end, bound), ASKING)[0]
    return Reached(_people(row, steps))


def funnel_by(product_id: int, steps: Steps, start: datetime, end: datetime, by: str) -> list[Reached]:
    """By what `by` was at each person's first first step in the period; the largest groups, then all others as one."""
    bound = Bound()
    first = _first_step(steps, bound)
    value = f", argMinIf({field_sql(by, bound)}, timestamp, {first}) AS value"
    sql = _FUNNEL_BY.format(counts=_counts(steps), levels=_levels(steps, bound, value))
    parameters = _parameters(product_id, steps, start, end, bound) | {"groups": MOST_GROUPS}
    rows = store().query(sql, parameters, ASKING)
    return [Reached(_people(row, steps), row["shown"] if row["own"] else None) for row in rows]


def who_stopped(product_id: int, steps: Steps, start: datetime, end: datetime, *, level: int) -> list[tuple[int, str]]:
    """People whose best try ended with step `level` (1 is the first), those seen last first: hash and one id."""
    bound = Bound()
    more = ", max(timestamp) AS last_at, argMax(distinct_id, timestamp) AS one_id"
    sql = _WHO.format(levels=_levels(steps, bound, more))
    parameters = _parameters(product_id, steps, start, end, bound) | {"level": level}
    return [(row["who"], row["one_id"]) for row in store().query(sql, parameters, ASKING)]


def _levels(steps: Steps, bound: Bound, more: str = "") -> str:
    conditions = [_first_step(steps, bound), *(f"({selected(one, bound)})" for one in steps.selections[1:])]
    events = [event for one in steps.selections for event in one.events]
    level = _apart(conditions) if len(set(events)) == len(events) else _together(conditions)
    return _LEVELS.format(person=PERSON, level=level, more=more)


def _first_step(steps: Steps, bound: Bound) -> str:
    return f"({selected(steps.selections[0], bound)} AND timestamp < {{end:DateTime64(3, 'UTC')}})"


def _apart(conditions: list[str]) -> str:
    return f"windowFunnel({{window:UInt64}})(toUInt64(toUnixTimestamp64Milli(timestamp)), {', '.join(conditions)})"


def _together(conditions: list[str]) -> str:
    """`at` of level k is when the latest try that came so far began; -1 when none did. One event moves each try once."""
    flags = ", ".join(f"toUInt8({condition})" for condition in conditions)
    n = len(conditions)
    any_step = " OR ".join(conditions)
    rows = (
        "arraySort(row -> (row.1, indexOf(row.2, 1), -indexOf(arrayReverse(row.2), 1)), "
        f"groupArraySortedIf({MOST_EVENTS})((toUnixTimestamp64Milli(timestamp), [{flags}]), {any_step}))"
    )
    step = (
        "arrayMap((does, here, before, k) -> multiIf("
        "NOT does, here, k = 1, row.1, before >= 0 AND row.1 <= before + toInt64({window:UInt64}), before, here), "
        f"row.2, at, arrayPushFront(arrayPopBack(at), toInt64(-1)), range(1, {n + 1}))"
    )
    last = f"arrayFold((at, row) -> {step}, {rows}, arrayWithConstant({n}, toInt64(-1)))"
    return f"arrayCount(began -> began >= 0, {last})"


def _counts(steps: Steps) -> str:
    return ", ".join(f"countIf(level >= {at}) AS reached{at}" for at in range(1, len(steps.selections) + 1))


def _people(row: dict[str, Any], steps: Steps) -> tuple[int, ...]:
    return tuple(row[f"reached{at}"] for at in range(1, len(steps.selections) + 1))


def _parameters(product_id: int, steps: Steps, start: datetime, end: datetime, bound: Bound) -> dict[str, Any]:
    return bound.values | {
        "product": product_id,
        "names": named(steps.selections),
        "start": start,
        "end": end,
        "window": int(steps.window.total_seconds() * 1000),
    }
