"""What goes with coming further in a funnel: counts for properties at the beginning, and for events in between."""

from dataclasses import dataclass

from ..pieces.cohorts import SINCE_1900
from ..pieces.filters import COLUMNS, Bound, field_sql
from ..pieces.sql import INTERNAL_EVENTS, PERSON
from .funnels import Asking, Period, Steps

MOST_VALUES = 400
MOST_EVENTS = 200


@dataclass(frozen=True)
class Whole:
    """Of `people` who came to the one step, `came` came to the other, a quarter of them within `quarter` milliseconds."""

    people: int
    came: int
    quarter: int = 0


@dataclass(frozen=True)
class Counted:
    """Of `people` who came to the one step and had this, `came` came to the other. `name` is a property or an event."""

    name: str
    value: str
    people: int
    came: int


# A row a person who came to the one step: when, whether they came to the other, and how long that took.
_BASE = """
SELECT who, at{first} AS begun, bitTest(came, {last} - 1) AS came_further, at{last} - at{first} AS took
FROM ({people})
WHERE bitTest(came, {first} - 1) AND at{first} > 0
"""

_WHOLE = """
SELECT count() AS people, countIf(came_further) AS came,
    ifNotFinite(quantileExactInclusiveIf(0.25)(took, came_further), 0) AS quarter
FROM ({base})
"""

# Whoever comes to the end quickly has less time to do other things, and would seem to have come there by doing nothing.
# So everybody is looked at for the same time, and those who were through by then are left out of both sides (a landmark:
# Anderson, Cain and Gelber, Journal of Clinical Oncology 1, 1983).
_AFTER = "SELECT * FROM ({base}) WHERE NOT came_further OR took > {{landmark:Int64}}"

# Of the event that brought them to the step; every property it has, and what we know of its sender.
_PROPERTIES = """
WITH base AS ({base})
SELECT pair.1 AS name, pair.2 AS value, uniqExact(who) AS people, uniqExactIf(who, came_further) AS came
FROM (
    SELECT {person} AS who, toInt64(toUnixTimestamp64Milli(timestamp)) + {since} AS t,
        arrayJoin(arrayConcat([{columns}], arrayZip(mapKeys(properties), mapValues(properties)))) AS pair
    FROM events
    WHERE product = {{product:UInt32}} AND event IN {{firsts:Array(String)}} AND {person} IN (SELECT who FROM base)
) AS seen
INNER JOIN base USING (who)
WHERE t = begun AND pair.2 != '' AND length(pair.2) <= 120
GROUP BY name, value
HAVING people >= {{fewest:UInt32}}
ORDER BY people DESC, name, value
LIMIT {{most:UInt32}}
"""

_EVENTS = """
WITH base AS ({base})
SELECT event AS name, '' AS value, uniqExact(who) AS people, uniqExactIf(who, came_further) AS came
FROM (
    SELECT {person} AS who, toInt64(toUnixTimestamp64Milli(timestamp)) + {since} AS t, event
    FROM events
    WHERE product = {{product:UInt32}} AND event NOT IN {{own:Array(String)}}
        AND timestamp >= {{start:DateTime64(3, 'UTC')}}
        AND timestamp <= addMilliseconds({{end:DateTime64(3, 'UTC')}}, {{window:UInt64}})
) AS seen
INNER JOIN base USING (who)
WHERE t > begun AND t <= begun + {{landmark:Int64}}
GROUP BY event
HAVING people >= {{fewest:UInt32}}
ORDER BY people DESC, name
LIMIT {{most:UInt32}}
"""


@dataclass(frozen=True)
class Between:
    """From one step to a later one; what fewer than `fewest` people had or did is not looked at."""

    first: int
    last: int
    fewest: int


def whole(product_id: int, steps: Steps, period: Period, between: Between) -> Whole:
    asking = Asking(product_id, steps, period)
    row = asking.rows(_WHOLE.format(base=_base(asking, between)))[0]
    return Whole(row["people"], row["came"], int(row["quarter"]))


def whole_after(product_id: int, steps: Steps, period: Period, between: Between, landmark: int) -> Whole:
    """Without those who were through within `landmark` milliseconds."""
    asking = Asking(product_id, steps, period)
    row = asking.rows(_WHOLE.format(base=_AFTER.format(base=_base(asking, between))), landmark=landmark)[0]
    return Whole(row["people"], row["came"], landmark)


def properties(product_id: int, steps: Steps, period: Period, between: Between) -> list[Counted]:
    """Values of the event that brought people to the first step, the most frequent ones."""
    asking = Asking(product_id, steps, period)
    base = _base(asking, between)
    columns = ", ".join(_column(name, asking.bound) for name in COLUMNS)
    sql = _PROPERTIES.format(base=base, person=PERSON, since=SINCE_1900, columns=columns)
    more = {"firsts": list(steps.selections[between.first - 1].events), "fewest": between.fewest, "most": MOST_VALUES}
    return [Counted(**row) for row in asking.rows(sql, **more)]


def events(product_id: int, steps: Steps, period: Period, between: Between, landmark: int) -> list[Counted]:
    """What people did in the first `landmark` milliseconds after the first step, without those who were through by then."""
    asking = Asking(product_id, steps, period)
    sql = _EVENTS.format(base=_AFTER.format(base=_base(asking, between)), person=PERSON, since=SINCE_1900)
    own = sorted({*INTERNAL_EVENTS, *(event for one in steps.selections for event in one.events)})
    more = {"own": own, "fewest": between.fewest, "most": MOST_EVENTS, "landmark": landmark}
    return [Counted(**row) for row in asking.rows(sql, **more)]


def _base(asking: Asking, between: Between) -> str:
    return _BASE.format(first=between.first, last=between.last, people=asking.people(times=True))


def _column(name: str, bound: Bound) -> str:
    return f"({bound.add('String', name)}, toString({field_sql(name, bound)}))"
