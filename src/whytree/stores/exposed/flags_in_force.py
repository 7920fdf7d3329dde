"""Which variants were in force when something happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..events import store
from ..pieces.sql import ASKING, PERSON


@dataclass(frozen=True)
class InForce:
    """A variant of a flag, and for how many people it was in force with these events."""

    flag: str
    variant: str
    people: int


_IN_FORCE = f"""
SELECT pair.1 AS flag, pair.2 AS variant, uniq({PERSON}) AS people
FROM events
ARRAY JOIN arrayZip(mapKeys(flags), mapValues(flags)) AS pair
WHERE product = {{product:UInt32}} AND event IN {{events:Array(String)}} AND notEmpty(flags)
    AND timestamp >= {{start:DateTime64(3, 'UTC')}} AND timestamp < {{end:DateTime64(3, 'UTC')}}
GROUP BY flag, variant
ORDER BY flag, people DESC, variant
LIMIT {{most:UInt32}}
"""


def in_force(product: int, events: Sequence[str], start: datetime, end: datetime, *, most: int = 60) -> list[InForce]:
    """Flag by flag, the variant of most people first."""
    parameters = {"product": product, "events": list(events), "start": start, "end": end, "most": most}
    return [InForce(**row) for row in store().query(_IN_FORCE, parameters, ASKING)]


_FIELDS = """
SELECT event, groupUniqArray(20)(properties['field']) AS fields
FROM events
PREWHERE event IN {events:Array(String)}
WHERE product = {product:UInt32} AND properties['field'] != ''
GROUP BY event
"""


def fields_spoken_of(product: int, events: Sequence[str]) -> dict[str, list[str]]:
    """The form fields that these events speak of."""
    rows = store().query(_FIELDS, {"product": product, "events": list(events)}, ASKING)
    return {row["event"]: sorted(row["fields"]) for row in rows}
