"""Sessions: stretches of what somebody does without a pause longer than so many minutes, told at the time of asking.

A person's events are sorted and cut where the pause is too long. Nothing is stored: a late event, a merge of two people
or another length of pause is right at once. Over five million events it took twice as long as a funnel of three steps.
"""

from dataclasses import dataclass
from datetime import datetime

from .events import store
from .sql import ASKING, INTERNAL_EVENTS, PERSON


@dataclass(frozen=True, slots=True)
class SessionSums:
    """All sessions that began in a period."""

    sessions: int
    people: int
    bounced: int  # of one event only
    seconds: float | None  # median from the first to the last event
    p90_seconds: float | None
    events: float | None  # mean in a session
    pages: float | None  # mean of page views and screens in those that have any


@dataclass(frozen=True, slots=True)
class Place:
    """A page or screen at which sessions begin or end; "" when the event had none."""

    name: str
    entered: int
    left: int
    bounced: int


# One row a person with all their sessions. Each is an array of (time, what) in the order of time; `what` is what is
# asked about: texts cost three times what a number does, so lengths are counted without them.
_SESSIONS = f"""
SELECT {PERSON} AS who,
    arraySort(groupArray((toUnixTimestamp64Milli(timestamp) AS at, {{what}}))) AS moments,
    arrayMap(moment -> moment.1, moments) AS times,
    arrayMap((time, pause) -> pause > {{{{idle:Int64}}}}, times, arrayDifference(times)) AS begins,
    arraySplit((moment, starts) -> starts, moments, begins) AS pieces,
    arrayFilter(piece -> piece[1].1 >= toUnixTimestamp64Milli({{{{start:DateTime64(3, 'UTC')}}}})
        AND piece[1].1 < toUnixTimestamp64Milli({{{{end:DateTime64(3, 'UTC')}}}}), pieces) AS sessions
FROM events
WHERE product = {{{{product:UInt32}}}} AND event NOT IN {{{{internal:Array(String)}}}}
    AND timestamp >= subtractMilliseconds({{{{start:DateTime64(3, 'UTC')}}}}, {{{{idle:Int64}}}})
    AND timestamp < addHours({{{{end:DateTime64(3, 'UTC')}}}}, 24)
GROUP BY who
"""

_SUMS = f"""
SELECT count() AS sessions, uniqExact(who) AS people, countIf(length(session) = 1) AS bounced,
    quantileExactOrNull(0.5)((session[-1].1 - session[1].1) / 1000) AS seconds,
    quantileExactOrNull(0.9)((session[-1].1 - session[1].1) / 1000) AS p90_seconds,
    avgOrNull(length(session)) AS events,
    avgIfOrNull(views, views > 0) AS pages
FROM (
    SELECT who, arrayJoin(sessions) AS session, arrayCount(moment -> moment.2, session) AS views
    FROM ({_SESSIONS.format(what="event IN ('$pageview', '$screen')")})
)
"""

_PLACES = f"""
SELECT name, countIf(side = 'in') AS entered, countIf(side = 'out') AS left, countIf(side = 'in' AND alone) AS bounced
FROM (
    SELECT length(session) = 1 AS alone,
        arrayJoin([('in', session[1].2), ('out', session[-1].2)]) AS end, end.1 AS side, end.2 AS name
    FROM (SELECT arrayJoin(sessions) AS session FROM ({_SESSIONS.format(what="path")}))
)
GROUP BY name
ORDER BY entered DESC, left DESC, name
LIMIT {{limit:UInt32}}
"""


def session_sums(product: int, start: datetime, end: datetime, idle_minutes: int) -> SessionSums:
    """The sessions that began in this time."""
    return SessionSums(**store().query(_SUMS, _parameters(product, start, end, idle_minutes), ASKING)[0])


def session_places(product: int, start: datetime, end: datetime, idle_minutes: int, limit: int = 50) -> list[Place]:
    """Where they began and ended, most entered first."""
    parameters = _parameters(product, start, end, idle_minutes) | {"limit": limit}
    return [Place(**row) for row in store().query(_PLACES, parameters, ASKING)]


def _parameters(product: int, start: datetime, end: datetime, idle_minutes: int) -> dict[str, object]:
    return {
        "product": product,
        "start": start,
        "end": end,
        "idle": idle_minutes * 60_000,
        "internal": list(INTERNAL_EVENTS),
    }
