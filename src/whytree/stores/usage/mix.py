"""On what, and from where, people use the product: each person once, as they were seen last."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ..events import store
from ..pieces.sql import ASKING, INTERNAL_EVENTS, OF_PERSONS, PERSON

ACTIVE_OF = timedelta(days=28)


@dataclass(frozen=True)
class Mix:
    """People by platform, country and locale, by how often they come (days of the last 28; nobody who did not), by how long
    they had been here when they were seen last (from their first event of any kind), and in all.
    """

    platform: Counter[str] = field(default_factory=Counter)
    country: Counter[str] = field(default_factory=Counter)
    locale: Counter[str] = field(default_factory=Counter)
    activity: Counter[str] = field(default_factory=Counter)
    tenure: Counter[str] = field(default_factory=Counter)
    people: int = 0


_MIX = """
SELECT platform, country, locale, activity,
    multiIf(
        last_at < first_at + INTERVAL 7 DAY, 'under a week with you',
        last_at < first_at + INTERVAL 28 DAY, '1 to 4 weeks with you',
        last_at < first_at + INTERVAL 365 DAY, '1 to 12 months with you',
        'a year or more with you'
    ) AS tenure,
    count() AS people
FROM (
    SELECT {person} AS who,
        argMax(events.platform, timestamp) AS platform,
        argMax(events.country, timestamp) AS country,
        argMax(events.locale, timestamp) AS locale,
        max(timestamp) AS last_at,
        uniqExactIf(toDate(timestamp), timestamp >= {{lately:DateTime64(3, 'UTC')}}) AS days,
        multiIf(days = 0, '', days = 1, 'one day in 28', days < 8, '2 to 7 days in 28', '8 days in 28 or more') AS activity
    FROM events
    WHERE product = {{product:UInt32}} AND timestamp >= {{since:DateTime64(3, 'UTC')}}
      AND event NOT IN {{internal:Array(String)}} AND {{only}}
    GROUP BY who
) AS lately
INNER JOIN (
    SELECT {person} AS who, min(timestamp) AS first_at
    FROM events
    WHERE product = {{product:UInt32}} AND {{only}}
    GROUP BY who
) AS ever USING who
GROUP BY platform, country, locale, activity, tenure
"""


def mix_since(product: int, since: datetime, persons: Collection[int] | None = None) -> Mix:
    """Who was active since then, up to now; with `persons` (canonical hashes) only those."""
    only = "1" if persons is None else OF_PERSONS
    parameters = {
        "product": product,
        "since": since,
        "lately": datetime.now(UTC) - ACTIVE_OF,
        "internal": list(INTERNAL_EVENTS),
        "persons": sorted(persons or ()),
    }
    sql = _MIX.format(person=PERSON).replace("{only}", only)
    parts = {name: Counter[str]() for name in ("platform", "country", "locale", "activity", "tenure")}
    people = 0
    for row in store().query(sql, parameters, ASKING):
        for name, counted in parts.items():
            counted[row[name]] += row["people"]
        people += row["people"]
    return Mix(**parts, people=people)
