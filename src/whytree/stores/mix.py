"""On what, and from where, people use the product: each person once, as they were seen last."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from .events import store
from .sql import ASKING, INTERNAL_EVENTS, OF_PERSONS, PERSON


@dataclass(frozen=True)
class Mix:
    """People by platform, by country, and in all."""

    platform: Counter[str]
    country: Counter[str]
    people: int


_MIX = """
SELECT platform, country, count() AS people
FROM (
    SELECT {person} AS who, argMax(events.platform, timestamp) AS platform, argMax(events.country, timestamp) AS country
    FROM events
    WHERE product = {{product:UInt32}} AND timestamp >= {{since:DateTime64(3, 'UTC')}}
      AND event NOT IN {{internal:Array(String)}} AND {{only}}
    GROUP BY who
)
GROUP BY platform, country
"""


def mix_since(product: int, since: datetime, persons: Collection[int] | None = None) -> Mix:
    """Who was active since then; with `persons` (canonical hashes) only those."""
    only = "1" if persons is None else OF_PERSONS
    parameters = {
        "product": product,
        "since": since,
        "internal": list(INTERNAL_EVENTS),
        "persons": sorted(persons or ()),
    }
    sql = _MIX.format(person=PERSON).replace("{only}", only)
    platform, country, people = Counter[str](), Counter[str](), 0
    for row in store().query(sql, parameters, ASKING):
        platform[row["platform"]] += row["people"]
        country[row["country"]] += row["people"]
        people += row["people"]
    return Mix(platform, country, people)
