"""What people did after they met a flag: one row of sums for each period of constant weights and each arm.

No row about a person leaves the store; `engines.stats` makes the comparison from these sums.

Who belongs where:

- A person enters with the first exposure, into its arm and the period it fell in. What happened before never counts.
- Somebody seen in a second arm *while the weights stood still* (before their window closed) is quarantined: the draw
  was broken for them, by a client without a stable id or by two ids that turned out to be one person.
- Somebody whom a change of weights moved to another arm stays in the first one and is counted as moved. Leaving them
  out would remove those who came back, and mostly from the arm that was shrunk: that invents effects.
- Only people whose window has closed are summed up; the others are seen, and wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .events import store
from .sql import PEOPLE, PERSON


@dataclass(frozen=True)
class Span:
    """A period of constant weights: `start` <= t < `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class ArmSums:
    """One arm among those who entered in one period (`period` counts from 0, in the order that was asked for).

    `closed`, `converted`, `total` and `squares` speak of people whose window has closed: how many they are, how many
    did it at least once, how often all of them did it, and the sum of the squares of that.
    """

    period: int
    arm: str
    seen: int
    closed: int
    converted: int
    total: int
    squares: int
    moved: int
    quarantined: int


# Clients may report every evaluation; these reasons say that the person was not in the rollout.
NOT_IN_ROLLOUT = ("DEFAULT", "DISABLED", "ERROR")

_EXPOSED = """
    event = '$exposure'
    AND properties['flag'] = {flag:String}
    AND properties['reason'] NOT IN {not_in_rollout:Array(String)}
"""

_ARMS = f"""
SELECT
    place - 1 AS period,
    arm,
    countIf(NOT was_quarantined) AS seen,
    countIf(counts) AS closed,
    countIf(counts AND times > 0) AS converted,
    sumIf(times, counts) AS total,
    sumIf(times * times, counts) AS squares,
    countIf(was_moved) AS moved,
    countIf(was_quarantined) AS quarantined
FROM (
    SELECT
        arraySort(seen -> (seen.2, seen.1), arrayZip(mapKeys(first_seen), mapValues(first_seen))) AS arms,
        arms[1].1 AS arm,
        arms[1].2 AS entry,
        entry + {{window:Int64}} AS until,
        arrayFirstIndex((s, e) -> entry >= s AND entry < e, {{starts:Array(Int64)}}, {{ends:Array(Int64)}}) AS place,
        length(arms) > 1 AND arms[2].2 <= until AS two_arms,
        two_arms AND arms[2].2 < {{ends:Array(Int64)}}[place] AS was_quarantined,
        two_arms AND NOT was_quarantined AS was_moved,
        until <= {{as_of:Int64}} AND NOT was_quarantined AS counts,
        arrayCount(at -> at >= entry AND at <= until, goals) AS times
    FROM (
        SELECT
            {PERSON} AS who,
            minMapIf(map(properties['variant'], toUnixTimestamp64Milli(timestamp)), {_EXPOSED}) AS first_seen,
            groupArrayIf(toUnixTimestamp64Milli(timestamp), event = {{goal:String}}) AS goals
        FROM events
        WHERE product = {{product:UInt32}}
          AND event IN ('$exposure', {{goal:String}})
          AND timestamp >= {{start:DateTime64(3, 'UTC')}} AND timestamp <= {{end:DateTime64(3, 'UTC')}}
          AND {PERSON} NOT IN {{without:Array(UInt64)}}
        GROUP BY who
        HAVING notEmpty(first_seen)
    )
)
WHERE place > 0
GROUP BY place, arm
ORDER BY period, arm
"""


def by_period_and_arm(
    product_id: int,
    flag_key: str,
    spans: Sequence[Span],
    goal: str,
    window: timedelta,
    *,
    as_of: datetime,
    without: Sequence[int] = (),
) -> list[ArmSums]:
    """How often people did `goal` within `window` of first meeting the flag.

    People first exposed outside all `spans` (the flag was off, a client was late) are left out, and so are the people
    in `without`, hashes of those marked internal.
    """
    if not spans:
        return []
    parameters = {
        "product": product_id,
        "flag": flag_key,
        "not_in_rollout": list(NOT_IN_ROLLOUT),
        "goal": goal,
        "window": int(window / timedelta(milliseconds=1)),
        "starts": [_milliseconds(span.start) for span in spans],
        "ends": [_milliseconds(span.end) for span in spans],
        "start": spans[0].start,
        "end": as_of,
        "as_of": _milliseconds(as_of),
        "without": list(without),
    }
    return [ArmSums(**row) for row in store().query(_ARMS, parameters, PEOPLE)]


_FIRST = f"""
SELECT count() AS exposures, min(timestamp) AS first_at
FROM events
WHERE product = {{product:UInt32}} AND {_EXPOSED}
"""


def first_exposure(product_id: int, flag_key: str) -> datetime | None:
    """When the first person met the flag; None when nobody has."""
    parameters = {"product": product_id, "flag": flag_key, "not_in_rollout": list(NOT_IN_ROLLOUT)}
    row = store().query(_FIRST, parameters)[0]
    return row["first_at"] if row["exposures"] else None


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
