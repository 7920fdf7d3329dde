"""How people live with a product: new, returning, resurrected, dormant; and on how many days they did something.

Of each stretch of the calendar. Somebody is new in the stretch of their very first time, returning in one after a stretch in
which they did it too, resurrected after at least one in which they did not, and dormant in the first stretch without it.
"""

from dataclasses import dataclass
from datetime import date, datetime

from ..events import store
from ..pieces.filters import Bound, Selection, named, selected
from ..pieces.sql import ASKING, PERSON
from .retention import NUMBERS, Interval, first_day, number_of

STATES = ("new", "returning", "resurrected", "dormant")


@dataclass(frozen=True)
class Lived:
    """People by state in one stretch that begins on `start`."""

    start: date
    new: int
    returning: int
    resurrected: int
    dormant: int


@dataclass(frozen=True)
class Asked:
    """What counts as doing it, in which stretches, whose calendar it is."""

    selection: Selection
    start: datetime
    end: datetime
    interval: Interval
    zone: str


# Each person's stretches in order; what they are in each follows from the one before.
_EACH = """
SELECT who, one_id, last_at, arrayJoin(arrayConcat(
    arrayMap((number, before) -> (number, multiIf(before IS NULL, 'new', number = before + 1, 'returning', 'resurrected')),
        numbers, arrayPushFront(arrayMap(x -> toNullable(x), arrayPopBack(numbers)), NULL)),
    arrayMap(number -> (number + 1, 'dormant'), arrayFilter((number, next) -> next != number + 1, numbers,
        arrayPushBack(arrayPopFront(numbers), toInt64(-100000000))))
)) AS state
FROM (
    SELECT {person} AS who, arraySort(groupUniqArray({number})) AS numbers,
        argMax(distinct_id, timestamp) AS one_id, max(timestamp) AS last_at
    FROM events
    PREWHERE event IN {{names:Array(String)}}
    WHERE product = {{product:UInt32}} AND {condition}
        AND timestamp < {{end:DateTime64(3, 'UTC')}}
    GROUP BY who
)
"""

_LIFECYCLE = """
SELECT state.1 AS number, countIf(state.2 = 'new') AS new, countIf(state.2 = 'returning') AS returning,
    countIf(state.2 = 'resurrected') AS resurrected, countIf(state.2 = 'dormant') AS dormant
FROM ({each})
WHERE number >= {{first:Int64}} AND number <= {{last:Int64}}
GROUP BY number
ORDER BY number
"""


def lifecycle(product_id: int, asked: Asked, last: int) -> list[Lived]:
    """Stretches of the period in which anybody was in any state, up to number `last`."""
    bound = Bound()
    rows = store().query(
        _LIFECYCLE.format(each=_each(asked, bound)), _parameters(product_id, asked, bound, last), ASKING
    )
    return [Lived(first_day(asked.interval, row["number"]), *(row[state] for state in STATES)) for row in rows]


def who(product_id: int, asked: Asked, number: int, state: str) -> list[tuple[int, str]]:
    """People in one state in one stretch, those seen last first: hash and one id."""
    bound = Bound()
    each = _each(asked, bound)
    which = f"state.1 = {bound.add('Int64', number)} AND state.2 = {bound.add('String', state)}"
    sql = f"SELECT who, one_id FROM ({each}) WHERE {which} ORDER BY last_at DESC, who"
    parameters = _parameters(product_id, asked, bound, None)
    return [(row["who"], row["one_id"]) for row in store().query(sql, parameters, ASKING)]


def _each(asked: Asked, bound: Bound) -> str:
    condition = f"({selected(asked.selection, bound)})"
    return _EACH.format(person=PERSON, number=NUMBERS[asked.interval], condition=condition)


def _parameters(product_id: int, asked: Asked, bound: Bound, last: int | None) -> dict[str, object]:
    numbers = {} if last is None else {"first": number_of(asked.interval, asked.start.date()), "last": last}
    return (
        bound.values
        | numbers
        | {
            "product": product_id,
            "names": named([asked.selection]),
            "end": asked.end,
            "zone": asked.zone,
        }
    )


_STICKINESS = """
SELECT days, count() AS people
FROM (
    SELECT {person} AS who, uniqExact({number}) AS days
    FROM events
    PREWHERE event IN {{names:Array(String)}}
    WHERE product = {{product:UInt32}} AND {condition}
        AND timestamp >= {{start:DateTime64(3, 'UTC')}} AND timestamp < {{end:DateTime64(3, 'UTC')}}
    GROUP BY who
)
GROUP BY days
ORDER BY days
"""


def stickiness(product_id: int, asked: Asked) -> dict[int, int]:
    """In how many stretches of the period people did it: how many people by each number."""
    bound = Bound()
    condition = f"({selected(asked.selection, bound)})"
    sql = _STICKINESS.format(person=PERSON, number=NUMBERS[asked.interval], condition=condition)
    parameters = _parameters(product_id, asked, bound, None) | {"start": asked.start}
    return {row["days"]: row["people"] for row in store().query(sql, parameters, ASKING)}


_WHO_STICKS = """
SELECT {person} AS who, argMax(distinct_id, timestamp) AS one_id, max(timestamp) AS last_at
FROM events
PREWHERE event IN {{names:Array(String)}}
WHERE product = {{product:UInt32}} AND {condition}
    AND timestamp >= {{start:DateTime64(3, 'UTC')}} AND timestamp < {{end:DateTime64(3, 'UTC')}}
GROUP BY who
HAVING uniqExact({number}) = {{times:UInt32}}
ORDER BY last_at DESC, who
"""


def who_sticks(product_id: int, asked: Asked, times: int) -> list[tuple[int, str]]:
    """Those who did it in exactly so many stretches: hash and one id."""
    bound = Bound()
    condition = f"({selected(asked.selection, bound)})"
    sql = _WHO_STICKS.format(person=PERSON, number=NUMBERS[asked.interval], condition=condition)
    parameters = _parameters(product_id, asked, bound, None) | {"start": asked.start, "times": times}
    return [(row["who"], row["one_id"]) for row in store().query(sql, parameters, ASKING)]
