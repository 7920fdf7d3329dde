"""Who saw a door, and who of them pressed it: the first so many people, each once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..events import store
from ..pieces.sql import ASKING, PERSON


@dataclass(frozen=True)
class Door:
    """`full_at`: when the last of the first `of` people saw it; None while fewer have."""

    seen: int
    pressed: int
    full_at: datetime | None


# Nobody's pressing before they saw it counts, nor a person's who came after the first `of`.
_DOOR = f"""
SELECT count() AS seen, countIf(did) AS pressed, max(first) AS last_at
FROM (
    SELECT
        {PERSON} AS who,
        minIf(timestamp, event = {{seen:String}}) AS first,
        arrayExists(at -> at >= first, groupArrayIf(timestamp, event = {{pressed:String}})) AS did
    FROM events
    WHERE product = {{product:UInt32}}
      AND event IN ({{seen:String}}, {{pressed:String}})
      AND timestamp >= {{start:DateTime64(3, 'UTC')}} AND timestamp <= {{end:DateTime64(3, 'UTC')}}
      AND {PERSON} NOT IN {{without:Array(UInt64)}}
    GROUP BY who
    HAVING countIf(event = {{seen:String}}) > 0
    ORDER BY first, who
    LIMIT {{of:UInt32}}
)
"""


def at_the_door(
    product_id: int,
    *,
    seen: str,
    pressed: str,
    of: int,
    start: datetime,
    end: datetime,
    without: Sequence[int] = (),
) -> Door:
    """The first `of` people who did `seen` since `start`, and how many of them did `pressed` then or later."""
    parameters = {
        "product": product_id,
        "seen": seen,
        "pressed": pressed,
        "of": of,
        "start": start,
        "end": end,
        "without": list(without),
    }
    row = store().query(_DOOR, parameters, ASKING)[0]
    return Door(row["seen"], row["pressed"], row["last_at"] if row["seen"] >= of else None)
