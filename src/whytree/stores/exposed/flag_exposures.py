"""Who met which variant of a flag: people per day and variant."""

from dataclasses import dataclass
from datetime import date, datetime

from ..events import store
from ..pieces.sql import PEOPLE, PERSON
from .exposures import NOT_IN_ROLLOUT

_MET = """
PREWHERE event = '$exposure'
WHERE product = {product:UInt32}
    AND properties['flag'] = {flag:String}
    AND properties['reason'] NOT IN {not_in_rollout:Array(String)}
    AND timestamp >= {start:DateTime64(3, 'UTC')} AND timestamp < {end:DateTime64(3, 'UTC')}
"""

# Somebody may meet a variant on several days: the whole period is counted beside the days, in one reading.
_BY_DAY = f"""
SELECT
    toDate(timestamp, 'UTC') AS day,
    properties['variant'] AS variant,
    uniqExact({PERSON}) AS people,
    grouping(day) AS in_all
FROM events
{_MET}
GROUP BY GROUPING SETS ((day, variant), (variant))
ORDER BY day, variant
"""

_BY_VARIANT = f"""
SELECT
    properties['variant'] AS variant,
    uniqExact({PERSON}) AS people
FROM events
{_MET}
GROUP BY variant
ORDER BY variant
"""


_LATELY = f"""
SELECT variant, one_id, last_at
FROM (
    SELECT {PERSON} AS who, properties['variant'] AS variant, argMax(distinct_id, timestamp) AS one_id,
        max(timestamp) AS last_at
    FROM events
    {_MET}
    GROUP BY variant, who
)
ORDER BY last_at DESC, one_id
LIMIT {{limit:UInt32}} BY variant
"""


@dataclass(frozen=True)
class Met:
    """Somebody, by one of their ids, who met `variant` last then."""

    variant: str
    id: str
    at: datetime


@dataclass(frozen=True)
class DayOfVariant:
    """Different people who met `variant` on `day` (UTC)."""

    day: date
    variant: str
    people: int


def by_day(product_id: int, flag_key: str, start: datetime, end: datetime) -> tuple[list[DayOfVariant], dict[str, int]]:
    """One row for each day and variant with exposures, oldest first; and as `by_variant` counts."""
    rows = store().query(_BY_DAY, _parameters(product_id, flag_key, start, end), PEOPLE)
    days = [DayOfVariant(row["day"], row["variant"], row["people"]) for row in rows if not row["in_all"]]
    return days, {row["variant"]: row["people"] for row in rows if row["in_all"]}


def by_variant(product_id: int, flag_key: str, start: datetime, end: datetime) -> dict[str, int]:
    """Different people who met each variant at any time in the period; somebody who met two counts for both."""
    rows = store().query(_BY_VARIANT, _parameters(product_id, flag_key, start, end), PEOPLE)
    return {row["variant"]: row["people"] for row in rows}


def lately(product_id: int, flag_key: str, start: datetime, end: datetime, limit: int) -> list[Met]:
    """The last `limit` people of each variant, the latest first."""
    parameters = _parameters(product_id, flag_key, start, end) | {"limit": limit}
    rows = store().query(_LATELY, parameters, PEOPLE)
    return [Met(row["variant"], row["one_id"], row["last_at"]) for row in rows]


def _parameters(product_id: int, flag_key: str, start: datetime, end: datetime) -> dict[str, object]:
    period = {"start": start, "end": end}
    return {"product": product_id, "flag": flag_key, "not_in_rollout": list(NOT_IN_ROLLOUT)} | period
