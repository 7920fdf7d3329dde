"""What some people did after they met a change: when they first met it, and when they first used it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from ..events import store
from ..pieces.sql import ASKING, OF_PERSONS, PERSON
from .exposures import NOT_IN_ROLLOUT

CHUNK = 5_000


@dataclass(frozen=True)
class Followed:
    """One person, by canonical hash. `used_at` is the first use after `exposed_at`; None: not yet."""

    who: int
    variant: str
    exposed_at: datetime
    used_at: datetime | None


# A person's two kinds of moments are put side by side; what they did before they met the change is no use of it.
_FOLLOWED = f"""
SELECT
    {PERSON} AS who,
    arraySort(groupArrayIf((toUnixTimestamp64Milli(timestamp), properties['variant']), {{met}})) AS met,
    arraySort(groupArrayIf(toUnixTimestamp64Milli(timestamp), event = {{{{used:String}}}})) AS uses,
    met[1].1 AS exposed,
    arrayFirst(at -> at >= exposed, uses) AS used
FROM events
WHERE product = {{{{product:UInt32}}}}
  AND event IN ('$exposure', {{{{used:String}}}})
  AND {{of_persons}}
GROUP BY who
HAVING notEmpty(met)
"""

_MET = """
    event = '$exposure'
    AND properties['reason'] NOT IN {not_in_rollout:Array(String)}
    AND concat(properties['flag'], '\\n', properties['variant']) IN {variants:Array(String)}
"""


def followed(
    product: int, variants: Collection[tuple[str, str]], used: str, persons: Collection[int]
) -> list[Followed]:
    """Those of `persons` (canonical hashes) who met one of `variants`, (flag, variant); `used` is an event's name."""
    if not variants or not persons:
        return []
    ordered = sorted(persons)
    found: list[Followed] = []
    for start in range(0, len(ordered), CHUNK):
        parameters = {
            "product": product,
            "used": used,
            "persons": ordered[start : start + CHUNK],
            "not_in_rollout": list(NOT_IN_ROLLOUT),
            "variants": sorted(f"{flag}\n{variant}" for flag, variant in variants),
        }
        for row in store().query(_FOLLOWED.format(met=_MET, of_persons=OF_PERSONS), parameters, ASKING):
            exposed, used_at = row["exposed"], row["used"]
            found.append(
                Followed(row["who"], row["met"][0][1], _moment(exposed), _moment(used_at) if used_at else None)
            )
    return found


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
