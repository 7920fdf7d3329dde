"""How much happened in each stretch of time: occurrences, people, or what a number that came with them comes to.

Stretches are those of the product's calendar: weeks begin on Monday. A stretch without any is left out here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from ..events import store
from ..pieces.companies import Unit, has_unit, unit_sql
from ..pieces.filters import Bound, By, Selection, field_sql, group_sql, is_named, passes
from ..pieces.sql import ASKING, PERSON
from ..pieces.stretches import Interval, bucket_sql
from .funnels import MOST_GROUPS, NOTHING

#: Stretches of the calendar, or the whole period as one, which goes by its first day.
Cut = Interval | Literal["whole"]
Aggregate = Literal["sum", "mean", "median", "p90", "p95", "p99", "min", "max"]

_AGGREGATES: dict[Aggregate, str] = {
    "sum": "sum(x)",
    "mean": "avg(x)",
    "median": "quantileExactInclusive(0.5)(x)",
    "p90": "quantileExactInclusive(0.9)(x)",
    "p95": "quantileExactInclusive(0.95)(x)",
    "p99": "quantileExactInclusive(0.99)(x)",
    "min": "min(x)",
    "max": "max(x)",
}


@dataclass(frozen=True)
class Stretch:
    """What happened in one stretch that begins at `start`. `squares` and `largest` as in `metrics.Counted`."""

    start: date | datetime
    events: int
    people: int
    squares: int
    largest: int


@dataclass(frozen=True)
class Counts:
    """What happened in each stretch, and how many people (or companies) did it in the whole period, once each."""

    stretches: tuple[Stretch, ...]
    everybody: int


@dataclass(frozen=True)
class Figure:
    """A number that came with `n` events of one stretch, added up or averaged."""

    start: date | datetime
    value: float
    n: int


@dataclass(frozen=True)
class Asked:
    """Events in a period, cut into stretches."""

    selection: Selection
    start: datetime
    end: datetime
    interval: Cut
    zone: str

    @property
    def bucket(self) -> str:
        if self.interval == "whole":
            return "materialize(toDate32({start:DateTime64(3, 'UTC')}, {zone:String}))"
        return bucket_sql(self.interval)


_EVENTS = """events
    PREWHERE {named}
    WHERE product = {{product:UInt32}}
        AND timestamp >= {{start:DateTime64(3, 'UTC')}} AND timestamp < {{end:DateTime64(3, 'UTC')}}{passes}"""

_EACH = "sum(times) AS events, count() AS people, sum(times * times) AS squares, max(times) AS largest"

# A person's stretches in a row, cut where the next one begins: people alone are told apart while events are read, which takes
# a third less than telling (stretch, person) apart by day. Everybody is counted once, in their first.
_COUNTS = f"""
WITH length(piece) AS times
SELECT piece[1] AS bucket, {_EACH}, countIf(place = 1) AS begun
FROM (
    SELECT {{person}} AS who, arraySort(groupArray({{bucket}})) AS buckets,
        arraySplit((one, before) -> one != before, buckets, arrayPushFront(arrayPopBack(buckets), buckets[1])) AS pieces
    FROM {{events}}
    GROUP BY who
)
ARRAY JOIN pieces AS piece, arrayEnumerate(pieces) AS place
GROUP BY bucket
ORDER BY bucket
"""

_COUNTS_OF_WHOLE = f"""
SELECT {{bucket}} AS bucket, {_EACH}, count() AS begun
FROM (
    SELECT {{person}} AS who, count() AS times
    FROM {{events}}
    GROUP BY who
)
GROUP BY bucket
"""

_COUNTS_BY = f"""
SELECT bucket, own, value, {_EACH}
FROM (
    SELECT {{bucket}} AS bucket{{value}}, {{person}} AS who, count() AS times
    FROM {{events}}
    GROUP BY bucket, own, value, who
)
GROUP BY bucket, own, value
ORDER BY bucket, own, value
"""

# Which groups are the largest is told by what was counted of each: the events are read once for both.
_COUNTS_OF_LARGEST = f"""
SELECT *
FROM (
    SELECT *, dense_rank() OVER (ORDER BY size DESC, value) AS place
    FROM (
        SELECT bucket, value, {_EACH}, sum(events) OVER (PARTITION BY value) AS size
        FROM (
            SELECT {{bucket}} AS bucket, {{value}} AS value, {{person}} AS who, count() AS times
            FROM {{events}}
            GROUP BY bucket, value, who
        )
        GROUP BY bucket, value
    )
)
WHERE place <= {{{{groups:UInt32}}}} + 1
ORDER BY place, bucket
"""

_FIGURES = """
SELECT bucket{group}, {aggregate} AS value_of, count() AS n
FROM (
    SELECT {bucket} AS bucket{value}, toFloat64OrNull({number}) AS x
    FROM {events}
)
WHERE isFinite(x)
GROUP BY bucket{group}
ORDER BY bucket{group}
"""

# Everybody who did it in the days up to each day, once each: a day counts for itself and the days after it.
_ACTIVE = """
SELECT arrayJoin(range(0, {{days:UInt32}})) + day AS on_day{group}, uniqExact(who) AS people
FROM (
    SELECT DISTINCT toInt32(toDate32(timestamp, {{zone:String}})) AS day, {person} AS who{value}
    FROM {events}
)
GROUP BY on_day{group}
ORDER BY on_day{group}
"""

_WHO = """
SELECT {person} AS who, argMax(distinct_id, timestamp) AS one_id, max(timestamp) AS last_at
FROM {events}
GROUP BY who
ORDER BY last_at DESC, who
"""

_EVERYBODY = "SELECT uniqExact({person}) AS people FROM {events}"

_LARGEST = """
SELECT {value} AS value
FROM {events}
GROUP BY value
ORDER BY count() DESC, value
LIMIT {{groups:UInt32}}
"""


def counts(
    product_id: int, asked: Asked, *, by: Sequence[By] = (), groups: tuple[str, ...] = (), unit: Unit = None
) -> dict[str | None, list[Stretch]]:
    """Occurrences and people by stretch, for each of `groups` and (None) for all others; without `by` only for all.

    With `unit`, companies in place of people; what belongs to none is left out.
    """
    if not by:
        counted = counts_of_all(product_id, asked, unit=unit)
        return {None: list(counted.stretches)} if counted.stretches else {}
    bound = Bound()
    who = unit_sql(unit, bound, [asked.selection])
    rows = _rows(_COUNTS_BY, product_id, asked, by, groups, bound, more=has_unit(unit), person=who)
    return _stretches(rows, lambda row: _group(row, by))


def counts_of_all(product_id: int, asked: Asked, *, unit: Unit = None) -> Counts:
    """Of everybody together, with how many they are."""
    bound = Bound()
    who, template = unit_sql(unit, bound, [asked.selection]), _COUNTS_OF_WHOLE if asked.interval == "whole" else _COUNTS
    rows = _rows(template, product_id, asked, (), (), bound, more=has_unit(unit), person=who)
    stretches = _stretches(rows, lambda row: None)
    return Counts(tuple(stretches.get(None, ())), sum(row["begun"] for row in rows))


def counts_of_largest(
    product_id: int, asked: Asked, by: Sequence[By], *, unit: Unit = None
) -> dict[str | None, list[Stretch]]:
    """As `counts` of the groups that `largest_groups` tells, largest first; events are read once where these are all."""
    bound = Bound()
    who, value = unit_sql(unit, bound, [asked.selection]), group_sql(by, bound)
    known = {"groups": MOST_GROUPS}
    rows = _rows(
        _COUNTS_OF_LARGEST, product_id, asked, (), (), bound, known, more=has_unit(unit), person=who, value=value
    )
    found = _stretches([row for row in rows if row["place"] <= MOST_GROUPS], lambda row: row["value"])
    if not any(row["place"] > MOST_GROUPS for row in rows):
        return found
    bound = Bound()
    who, groups = unit_sql(unit, bound, [asked.selection]), tuple(value for value in found if value is not None)
    more = f"{has_unit(unit)} AND NOT own"
    others = _rows(_COUNTS_BY, product_id, asked, by, groups, bound, more=more, person=who)
    return found | _stretches(others, lambda row: None)


def _stretches(
    rows: list[dict[str, Any]], group: Callable[[dict[str, Any]], str | None]
) -> dict[str | None, list[Stretch]]:
    names = ("events", "people", "squares", "largest")
    found: dict[str | None, list[Stretch]] = {}
    for row in rows:
        found.setdefault(group(row), []).append(Stretch(row["bucket"], *(row[name] for name in names)))
    return found


def figures(
    product_id: int,
    asked: Asked,
    field: str,
    aggregate: Aggregate,
    *,
    by: Sequence[By] = (),
    groups: tuple[str, ...] = (),
) -> dict[str | None, list[Figure]]:
    """The same for a number that comes with the events; events without one, or with text instead, count for nothing."""
    bound = Bound()
    number = field_sql(field, bound)
    rows = _rows(_FIGURES, product_id, asked, by, groups, bound, number=number, aggregate=_AGGREGATES[aggregate])
    found: dict[str | None, list[Figure]] = {}
    for row in rows:
        found.setdefault(_group(row, by), []).append(Figure(row["bucket"], row["value_of"], row["n"]))
    return found


def active(
    product_id: int, asked: Asked, days: int, *, by: Sequence[By] = (), groups: tuple[str, ...] = ()
) -> dict[str | None, dict[date, int]]:
    """People who did it in the `days` days that end with each day. Days before the period count too where they belong to it."""
    earlier = Asked(asked.selection, asked.start - timedelta(days=days - 1), asked.end, "day", asked.zone)
    rows = _rows(_ACTIVE, product_id, earlier, by, groups, known={"days": days}, person=PERSON)
    found: dict[str | None, dict[date, int]] = {}
    for row in rows:
        found.setdefault(_group(row, by), {})[_EPOCH + timedelta(days=row["on_day"])] = row["people"]
    return found


_EPOCH = date(1970, 1, 1)


def who(product_id: int, asked: Asked, *, by: Sequence[By] = (), value: str | None = None) -> list[tuple[int, str]]:
    """People who did it in the period, those seen last first: hash and one id. With `by`, those of one group."""
    bound = Bound()
    more = f" AND {group_sql(by, bound)} = {bound.add('String', value or '')}" if by else ""
    sql = _WHO.format(person=PERSON, events=_events(asked, bound, more))
    rows = store().query(sql, _parameters(product_id, asked, bound, zoned=False), ASKING)
    return [(row["who"], row["one_id"]) for row in rows]


def people(product_id: int, asked: Asked) -> int:
    """Everybody who did it in the period, once each."""
    bound = Bound()
    sql = _EVERYBODY.format(person=PERSON, events=_events(asked, bound))
    return int(store().value(sql, _parameters(product_id, asked, bound, zoned=False), ASKING))


def largest_groups(product_id: int, asked: Asked, by: Sequence[By]) -> tuple[str, ...]:
    """The groups with the most events in the period."""
    bound = Bound()
    sql = _LARGEST.format(value=group_sql(by, bound), events=_events(asked, bound))
    rows = store().query(sql, _parameters(product_id, asked, bound, zoned=False) | {"groups": MOST_GROUPS}, ASKING)
    return tuple(row["value"] for row in rows)


def _rows(
    template: str,
    product_id: int,
    asked: Asked,
    by: Sequence[By],
    groups: tuple[str, ...],
    bound: Bound | None = None,
    known: Mapping[str, Any] = NOTHING,
    more: str = "",
    **parts: str,
) -> list[dict[str, Any]]:
    bound = bound or Bound()
    value = ""
    if by:
        text, own = group_sql(by, bound), bound.add("Array(String)", list(groups))
        value = f", {text} IN {own} AS own, if(own, {text}, '') AS value"
    filled = {"bucket": asked.bucket, "group": ", own, value" if by else "", "value": value}
    sql = template.format(**{**filled, **parts}, events=_events(asked, bound, more))
    return store().query(sql, {**_parameters(product_id, asked, bound), **known}, ASKING)


def _events(asked: Asked, bound: Bound, more: str = "") -> str:
    """What stands after FROM. `more` is a condition that begins with AND."""
    return _EVENTS.format(named=is_named(asked.selection, bound), passes=passes(asked.selection, bound) + more)


def _group(row: dict[str, Any], by: Sequence[By]) -> str | None:
    return row["value"] if by and row["own"] else None


def _parameters(product_id: int, asked: Asked, bound: Bound, *, zoned: bool = True) -> dict[str, Any]:
    zone = {"zone": asked.zone} if zoned else {}
    return (
        zone
        | bound.values
        | {
            "product": product_id,
            "start": asked.start,
            "end": asked.end,
        }
    )
