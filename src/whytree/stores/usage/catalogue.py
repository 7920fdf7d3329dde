"""Which events and properties there are, how much of them, since when and until when.

Events are counted where they are. Properties are too many for that: `roll_up` adds up what came in since the last time,
and what is newer than that is counted when somebody asks. Their JSON types are only known at the door, which notes each
as it sees it. `recount` puts right what late arrivals and the removal of events left askew.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ..events import store


@dataclass(frozen=True, slots=True)
class CataloguedEvent:
    name: str
    volume: int
    people: int
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class CataloguedProperty:
    """One property of one event, with the JSON types it was seen with."""

    event: str
    name: str
    types: tuple[str, ...]
    volume: int
    first_seen: datetime
    last_seen: datetime


_EVENTS = """
SELECT event AS name, count() AS volume, uniq(person) AS people, min(timestamp) AS first_seen, max(timestamp) AS last_seen
FROM events
WHERE product = {product:UInt32}
GROUP BY event
ORDER BY volume DESC, name
"""


def catalogued_events(product: int) -> list[CataloguedEvent]:
    """Every event name of a product, most frequent first. `people` counts ids, within 1 % or so."""
    return [CataloguedEvent(**row) for row in store().query(_EVENTS, {"product": product})]


_NAMES = """
SELECT event AS name FROM events WHERE product = {product:UInt32}
GROUP BY event ORDER BY count() DESC, event LIMIT {most:UInt32}
"""
ALL = 2**32 - 1


def event_names(product: int, most: int = ALL) -> list[str]:
    """The event names of a product, most frequent first: a tenth of the work that `catalogued_events` is."""
    return [row["name"] for row in store().query(_NAMES, {"product": product, "most": most})]


_EVENTS_AMONG = """
SELECT DISTINCT event AS name
FROM events
PREWHERE event IN {names:Array(String)}
WHERE product = {product:UInt32}
LIMIT {most:UInt32}
"""


def events_among(product: int, names: Collection[str]) -> set[str]:
    """Those of the names that were ever sent; looks no further than to the first event of each."""
    return _among(_EVENTS_AMONG, product, names) if names else set()


# A row without a type counts, one with a type says that it was seen; product 0's says up to when is counted.
_MARK = "counted"

_PROPERTIES = """
SELECT event, property AS name, arrayFilter(t -> t != '', groupUniqArray(type)) AS types, sum(n) AS volume,
    minIf(first, n > 0) AS first_seen, maxIf(last, n > 0) AS last_seen
FROM (
    SELECT event, property, type, volume AS n, first_seen AS first, last_seen AS last
    FROM catalogue
    WHERE product = {product:UInt32} AND ({event:String} = '' OR event = {event:String})
    UNION ALL
    SELECT event, key AS property, '' AS type, 1 AS n, timestamp AS first, timestamp AS last
    FROM events
    ARRAY JOIN mapKeys(properties) AS key
    WHERE product = {product:UInt32} AND ({event:String} = '' OR event = {event:String})
        AND received_at > {counted:DateTime64(3, 'UTC')}
)
WHERE property != '$import'
GROUP BY event, property
HAVING volume > 0
ORDER BY event, volume DESC, name
"""


def catalogued_properties(product: int, event: str = "") -> list[CataloguedProperty]:
    """The properties of one event, or of all of them, most frequent first."""
    parameters = {"product": product, "event": event, "counted": counted_until()}
    rows = store().query(_PROPERTIES, parameters)
    return [CataloguedProperty(**{**row, "types": tuple(sorted(row["types"]))}) for row in rows]


# As above, by name alone and no more than are wanted: anybody with the public key can make up a hundred thousand.
_PROPERTY_NAMES = """
SELECT property AS name
FROM (
    SELECT property, sum(volume) AS n
    FROM catalogue
    WHERE product = {product:UInt32} AND ({event:String} = '' OR event = {event:String}) AND startsWith(property, {prefix:String})
    GROUP BY property
    UNION ALL
    SELECT key AS property, count() AS n
    FROM events
    ARRAY JOIN mapKeys(properties) AS key
    WHERE product = {product:UInt32} AND ({event:String} = '' OR event = {event:String}) AND startsWith(key, {prefix:String})
        AND received_at > {counted:DateTime64(3, 'UTC')}
    GROUP BY key
)
WHERE property != '$import'
GROUP BY property
HAVING sum(n) > 0
ORDER BY sum(n) DESC, name
LIMIT {most:UInt32}
"""


def property_names(product: int, event: str = "", *, prefix: str = "", most: int = ALL) -> list[str]:
    """Property names of one event, or of all, that begin so: most frequent first."""
    known = {"product": product, "event": event, "prefix": prefix, "most": most, "counted": counted_until()}
    return [row["name"] for row in store().query(_PROPERTY_NAMES, known)]


# Of some of them: the frequent values are among these too.
_SAMPLES = """
SELECT key AS name, arrayMap(one -> substringUTF8(one, 1, {long:UInt32}), topK(3)(value)) AS samples
FROM (
    SELECT properties FROM events PREWHERE event = {event:String} WHERE product = {product:UInt32} LIMIT {looked_at:UInt32}
)
ARRAY JOIN mapKeys(properties) AS key, mapValues(properties) AS value
WHERE value != '' AND NOT startsWith(key, '$set')
GROUP BY key
"""
SAMPLE_LENGTH, LOOKED_AT = 60, 1_000


def sample_values(product: int, event: str) -> dict[str, tuple[str, ...]]:
    """Of each property of an event the most frequent values, cut to `SAMPLE_LENGTH`."""
    known = {"product": product, "event": event, "long": SAMPLE_LENGTH, "looked_at": LOOKED_AT}
    rows = store().query(_SAMPLES, known)
    return {row["name"]: tuple(row["samples"]) for row in rows}


_PROPERTIES_AMONG = """
SELECT property AS name
FROM catalogue
WHERE product = {product:UInt32} AND property IN {names:Array(String)}
GROUP BY property
HAVING sum(volume) > 0
"""
_NEWER_AMONG = """
SELECT DISTINCT arrayJoin(arrayFilter(key -> key IN {names:Array(String)}, mapKeys(properties))) AS name
FROM events
WHERE product = {product:UInt32} AND received_at > {counted:DateTime64(3, 'UTC')}
LIMIT {most:UInt32}
"""


def properties_among(product: int, names: Collection[str]) -> set[str]:
    """Those of the names that any event came with."""
    found = _among(_PROPERTIES_AMONG, product, names) if names else set()
    rest = set(names) - found
    return found | _among(_NEWER_AMONG, product, rest, counted=counted_until()) if rest else found


def _among(sql: str, product: int, names: Collection[str], **more: datetime) -> set[str]:
    known = {"product": product, "names": sorted(names), "most": len(set(names)), **more}
    return {row["name"] for row in store().query(sql, known)}


def note_types(types: Iterable[tuple[int, str, str, str]]) -> None:
    """Remember that a property was seen with a type: product, event, property, type."""
    names = ("product", "event", "property", "type")
    store().insert("catalogue", [dict(zip(names, each, strict=True)) for each in types])


def counted_until() -> datetime:
    """Up to when (of `received_at`) properties are added up."""
    moment: datetime = store().value(
        "SELECT max(last_seen) AS moment FROM catalogue WHERE product = 0 AND type = {mark:String}", {"mark": _MARK}
    )
    return moment


_COUNT = """
SELECT product, event, key AS property, count() AS volume, min(timestamp) AS first_seen, max(timestamp) AS last_seen
FROM events
ARRAY JOIN mapKeys(properties) AS key
WHERE received_at > {since:DateTime64(3, 'UTC')} AND received_at <= {until:DateTime64(3, 'UTC')}
    AND ({product:UInt32} = 0 OR product = {product:UInt32})
GROUP BY product, event, key
"""


def roll_up(until: datetime) -> int:
    """Add up the properties of what came in since the last time; how many rows. One process at a time may do this."""
    since = counted_until()
    rows = store().query(_COUNT, {"since": since, "until": until, "product": 0})
    mark = {"product": 0, "type": _MARK, "first_seen": until, "last_seen": until}
    store().insert("catalogue", [*rows, mark])  # in one insert: what is counted is marked as counted
    return len(rows)


def recount(product: int) -> int:
    """Count the properties of a product anew, up to where they are added up; how many rows."""
    parameters = {"since": datetime.fromtimestamp(0, UTC), "until": counted_until(), "product": product}
    rows = store().query(_COUNT, parameters)
    store().execute(
        "ALTER TABLE catalogue DELETE WHERE product = {product:UInt32} AND type = ''",
        {"product": product},
        {"mutations_sync": 2},
    )
    store().insert("catalogue", rows)
    return len(rows)


@dataclass(frozen=True, slots=True)
class PutAside:
    """Something that was sent and is no event, with the reason."""

    received_at: datetime
    kind: str
    reason: str
    event: str
    distinct_id: str
    message_id: str
    source: str
    body: str


_ASIDE = """
SELECT received_at, kind, reason, event, distinct_id, message_id, source, body
FROM quarantine
WHERE product = {product:UInt32}
ORDER BY received_at DESC, message_id
LIMIT {limit:UInt32}
"""


def latest_put_aside(product: int, limit: int = 50) -> list[PutAside]:
    return [PutAside(**row) for row in store().query(_ASIDE, {"product": product, "limit": limit})]


def count_put_aside(product: int, since: datetime) -> int:
    """How many were put aside since then."""
    number: int = store().value(
        "SELECT count() AS n FROM quarantine "
        "WHERE product = {product:UInt32} AND received_at >= {since:DateTime64(3, 'UTC')}",
        {"product": product, "since": since},
    )
    return number


def refused_before(product: int, message_ids: Sequence[str], kind: str = "merge") -> set[str]:
    """Which of these refused merges, or other things put aside under an id of ours, are on record already."""
    rows = store().query(
        "SELECT DISTINCT message_id FROM quarantine "
        "WHERE product = {product:UInt32} AND kind = {kind:String} AND message_id IN {ids:Array(String)}",
        {"product": product, "kind": kind, "ids": list(message_ids)},
    )
    return {row["message_id"] for row in rows}
