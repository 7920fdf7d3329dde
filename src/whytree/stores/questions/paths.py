"""Which way people go: from event to event, after one that begins or before one that ends.

Of each person every beginning in the period is followed for some events, until a pause longer than `gap`; the same thing done
several times in a row counts once. Ways are counted, and people: somebody may go the same way twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..events import store
from ..pieces.cohorts import AT
from ..pieces.filters import Bound, Condition, Selection, condition_sql, selected
from ..pieces.sql import ASKING, INTERNAL_EVENTS, PERSON

MOST_EVENTS = 5_000
MOST_EDGES = 400


@dataclass(frozen=True)
class Asked:
    """`begin` or `end` is where the ways start or lead to; with both, between the two. Without either, wherever somebody begins.

    `hidden` events do not count, nor does what says who somebody is.
    """

    start: datetime
    end: datetime
    depth: int
    gap: timedelta
    begin: Selection | None = None
    finish: Selection | None = None
    hidden: tuple[str, ...] = ()
    filters: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Edge:
    """From the event at place `at` (0 is the first) to the next, how many ways and how many people; "" is where one ends."""

    at: int
    source: str
    target: str
    ways: int
    people: int

    @property
    def place(self) -> int:
        """1 is the first, as a part of the answer names it."""
        return self.at + 1


# A person's events in order, each with a mark where it begins or ends a way, cut where they paused; then every way as a list.
_WAYS = """
SELECT who, one_id, last_at, arrayJoin(arrayMap(from -> {cut}, {starts})) AS way
FROM (
    SELECT who, one_id, last_at, seen.2 AS names, seen.3 AS begins, seen.4 AS finishes
    FROM (
        SELECT who, one_id, last_at, arrayJoin(arraySplit((x, pause) -> pause, events, pauses)) AS run,
            arrayFilter((x, i) -> i = 1 OR x.2 != run[i - 1].2, run, arrayEnumerate(run)) AS seen
        FROM (
            SELECT {person} AS who, argMax(distinct_id, timestamp) AS one_id, max(timestamp) AS last_at,
                arraySort(groupArray({most})((toInt64({at}), toString(event), {begin}, {finish}))) AS events,
                arrayMap((x, i) -> i > 1 AND x.1 - events[i - 1].1 > {{gap:Int64}}, events, arrayEnumerate(events)) AS pauses
            FROM events
            WHERE product = {{product:UInt32}} AND event NOT IN {{hidden:Array(String)}}
                AND timestamp >= {{start:DateTime64(3, 'UTC')}} AND timestamp < {{end:DateTime64(3, 'UTC')}}{where}
            GROUP BY who
        )
    )
)
WHERE notEmpty(way)
"""

_EDGES = """
SELECT edge.1 AS at, edge.2 AS source, edge.3 AS target, count() AS ways, uniqExact(who) AS people
FROM (
    SELECT who, arrayJoin(arrayMap((name, i) -> (i - 1, name, if(i < length(way), way[i + 1], '')), way, arrayEnumerate(way))) AS edge
    FROM ({ways})
)
GROUP BY at, source, target
ORDER BY at, ways DESC, source, target
LIMIT {{most_edges:UInt32}}
"""


_WHO = """
SELECT who, any(one_id) AS one_id
FROM ({ways})
WHERE way[{{place:UInt32}}] = {{source:String}} AND {{source:String}} != '' AND way[{{place:UInt32}} + 1] = {{target:String}}
GROUP BY who
ORDER BY max(last_at) DESC, who
"""


def edges(product_id: int, asked: Asked) -> list[Edge]:
    """The steps of all ways, place by place, the most frequent first."""
    bound = Bound()
    sql = _EDGES.format(ways=_ways(asked, bound))
    rows = store().query(sql, _parameters(product_id, asked, bound) | {"most_edges": MOST_EDGES}, ASKING)
    return [Edge(**row) for row in rows]


def people(product_id: int, asked: Asked) -> int:
    """Everybody who went any of these ways."""
    bound = Bound()
    sql = f"SELECT uniqExact(who) AS people FROM ({_ways(asked, bound)})"
    return int(store().query(sql, _parameters(product_id, asked, bound), ASKING)[0]["people"])


def who(product_id: int, asked: Asked, at: int, source: str, target: str) -> list[tuple[int, str]]:
    """Those who went from one event at place `at` to the next, or with "" ended there; seen last first: hash and one id."""
    bound = Bound()
    sql = _WHO.format(ways=_ways(asked, bound))
    known = {"place": at + 1, "source": source, "target": target}
    rows = store().query(sql, _parameters(product_id, asked, bound) | known, ASKING)
    return [(row["who"], row["one_id"]) for row in rows]


def _ways(asked: Asked, bound: Bound) -> str:
    begin = f"toUInt8({selected(asked.begin, bound)})" if asked.begin else "toUInt8(0)"
    finish = f"toUInt8({selected(asked.finish, bound)})" if asked.finish else "toUInt8(0)"
    where = "".join(f" AND {condition_sql(one, bound)}" for one in asked.filters)
    depth = bound.add("Int64", asked.depth)
    marks = "arrayFilter((i, mark) -> mark, arrayEnumerate(names), {0})"
    if asked.begin and asked.finish:
        # from each beginning to the next finish after it, when it lies within the depth
        starts = marks.format("begins")
        stop = "arrayFirst(i -> i > from, arrayFilter((i, mark) -> mark, arrayEnumerate(names), finishes))"
        cut = f"if({stop} > from AND {stop} - from <= {depth}, arraySlice(names, from, {stop} - from + 1), emptyArrayString())"
    elif asked.finish:
        starts = marks.format("finishes")
        cut = f"arrayReverse(arraySlice(names, greatest(from - {depth}, 1), from - greatest(from - {depth}, 1) + 1))"
    else:
        starts = marks.format("begins") if asked.begin else "[1]"
        cut = f"arraySlice(names, from, {depth} + 1)"
    return _WAYS.format(
        person=PERSON, at=AT, most=MOST_EVENTS, begin=begin, finish=finish, where=where, cut=cut, starts=starts
    )


def _parameters(product_id: int, asked: Asked, bound: Bound) -> dict[str, object]:
    return bound.values | {
        "product": product_id,
        "hidden": [*INTERNAL_EVENTS, *asked.hidden],
        "start": asked.start,
        "end": asked.end,
        "gap": int(asked.gap.total_seconds() * 1000),
    }
