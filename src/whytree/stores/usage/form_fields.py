"""Form fields that events speak of: how many people met each, and how long it kept them.

An event speaks of a field when it has a property `field`; `seconds` is the time spent in it, `form` whose field it is.
"""

from dataclasses import dataclass
from datetime import datetime

from ..events import store
from ..pieces.sql import PEOPLE


@dataclass(frozen=True, slots=True)
class FieldSeen:
    """A field of a form ("" when events do not say which). `seconds` is a median; None when nobody measured it."""

    form: str
    field: str
    events: list[str]
    people: int
    times: int
    seconds: float | None
    timed: int
    first_seen: datetime
    last_seen: datetime


_FIELDS = """
SELECT form, field, arraySort(groupUniqArray(20)(event)) AS events, uniq(person) AS people, count() AS times,
    quantileExactIf(0.5)(spent, timed_here) AS seconds, countIf(timed_here) AS timed,
    min(timestamp) AS first_seen, max(timestamp) AS last_seen
FROM (
    SELECT event, person, timestamp, properties['form'] AS form, properties['field'] AS field,
        ifNull(toFloat64OrNull(properties['seconds']), -1) AS spent, spent >= 0 AND isFinite(spent) AS timed_here
    FROM events
    WHERE product = {product:UInt32} AND timestamp >= {start:DateTime64(3, 'UTC')}
        AND timestamp < {end:DateTime64(3, 'UTC')} AND properties['field'] != ''
)
WHERE length(field) <= 100 AND length(form) <= 200
GROUP BY form, field
ORDER BY people DESC, form, field
LIMIT {limit:UInt32}
"""


def fields_seen(product: int, start: datetime, end: datetime, limit: int = 500) -> list[FieldSeen]:
    """Fields that people met in this time, those of most people first."""
    rows = store().query(_FIELDS, {"product": product, "start": start, "end": end, "limit": limit}, PEOPLE)
    return [FieldSeen(**{**row, "seconds": row["seconds"] if row["timed"] else None}) for row in rows]
