"""How much happened in each stretch of time: occurrences, people, or what a number that came with them comes to.

Stretches are those of the product's calendar: weeks begin on Monday. A stretch without any is left out here.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from .events import store
from .filters import Bound, Selection, field_sql, named, selected
from .funnels import MOST_GROUPS
from .sql import ASKING, PERSON

Interval = Literal["hour", "day", "week", "month"]
Aggregate = Literal["sum", "mean", "median", "p90", "p95", "p99", "min", "max"]

_BUCKETS: dict[Interval, str] = {
    "hour": "toStartOfHour(timestamp, {zone:String})",
    "day": "toDate(timestamp, {zone:String})",
    "week": "toMonday(timestamp, {zone:String})",
    "month": "toStartOfMonth(timestamp, {zone:String})",
}
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
    interval: Interval
    zone: str


_PERIOD = """
    product = {{product:UInt32}}
    AND event IN {{names:Array(String)}}
    AND timestamp >= {{start:DateTime64(3, 'UTC')}} AND timestamp < {{end:DateTime64(3, 'UTC')}}
    AND {condition}
"""

_COUNTS = """
SELECT bucket{group}, sum(times) AS events, count() AS people, sum(times * times) AS squares, max(times) AS largest
FROM (
    SELECT {bucket} AS bucket{value}, {person} AS who, count() AS times
    FROM events
    WHERE {period}
    GROUP BY bucket{group}, who
)
GROUP BY bucket{group}
ORDER BY bucket{group}
"""

_FIGURES = """
SELECT bucket{group}, {aggregate} AS value_of, count() AS n
FROM (
    SELECT {bucket} AS bucket{value}, toFloat64OrNull({number}) AS x
    FROM events
    WHERE {period}
)
WHERE isFinite(x)
GROUP BY bucket{group}
ORDER BY bucket{group}
"""

_EVERYBODY = "SELECT uniqExact({person}) AS people FROM events WHERE {period}"

_LARGEST = """
SELECT {value} AS value
FROM events
WHERE {period}
GROUP BY value
ORDER BY count() DESC, value
LIMIT {{groups:UInt32}}
"""


def counts(
    product_id: int, asked: Asked, *, by: str = "", groups: tuple[str, ...] = ()
) -> dict[str | None, list[Stretch]]:
    """Occurrences and people by stretch, for each of `groups` and (None) for all others; without `by` only for all."""
    names = ("events", "people", "squares", "largest")
    rows = _rows(_COUNTS, product_id, asked, by, groups, person=PERSON)
    found: dict[str | None, list[Stretch]] = {}
    for row in rows:
        found.setdefault(_group(row, by), []).append(Stretch(row["bucket"], *(row[name] for name in names)))
    return found


def figures(
    product_id: int, asked: Asked, field: str, aggregate: Aggregate, *, by: str = "", groups: tuple[str, ...] = ()
) -> dict[str | None, list[Figure]]:
    """The same for a number that comes with the events; events without one, or with text instead, count for nothing."""
    bound = Bound()
    number = field_sql(field, bound)
    rows = _rows(_FIGURES, product_id, asked, by, groups, bound, number=number, aggregate=_AGGREGATES[aggregate])
    found: dict[str | None, list[Figure]] = {}
    for row in rows:
        found.setdefault(_group(row, by), []).append(Figure(row["bucket"], row["value_of"], row["n"]))
    return found


def people(product_id: int, asked: Asked) -> int:
    """Everybody who did it in the period, once each."""
    bound = Bound()
    sql = _EVERYBODY.format(person=PERSON, period=_PERIOD.format(condition=selected(asked.selection, bound)))
    return int(store().value(sql, _parameters(product_id, asked, bound, zoned=False), ASKING))


def largest_groups(product_id: int, asked: Asked, by: str) -> tuple[str, ...]:
    """The values of a field with the most events in the period."""
    bound = Bound()
    sql = _LARGEST.format(value=field_sql(by, bound), period=_PERIOD.format(condition=selected(asked.selection, bound)))
    rows = store().query(sql, _parameters(product_id, asked, bound, zoned=False) | {"groups": MOST_GROUPS}, ASKING)
    return tuple(row["value"] for row in rows)


def _rows(
    template: str,
    product_id: int,
    asked: Asked,
    by: str,
    groups: tuple[str, ...],
    bound: Bound | None = None,
    **parts: str,
) -> list[dict[str, Any]]:
    bound = bound or Bound()
    value = ""
    if by:
        text, own = field_sql(by, bound), bound.add("Array(String)", list(groups))
        value = f", {text} IN {own} AS own, if(own, {text}, '') AS value"
    sql = template.format(
        bucket=_BUCKETS[asked.interval],
        group=", own, value" if by else "",
        value=value,
        period=_PERIOD.format(condition=selected(asked.selection, bound)),
        **parts,
    )
    return store().query(sql, _parameters(product_id, asked, bound), ASKING)


def _group(row: dict[str, Any], by: str) -> str | None:
    return row["value"] if by and row["own"] else None


def _parameters(product_id: int, asked: Asked, bound: Bound, *, zoned: bool = True) -> dict[str, Any]:
    zone = {"zone": asked.zone} if zoned else {}
    return (
        zone
        | bound.values
        | {
            "product": product_id,
            "names": named([asked.selection]),
            "start": asked.start,
            "end": asked.end,
        }
    )
