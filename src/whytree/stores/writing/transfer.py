"""The store's tables as lines of JSON, for exports and backups: always the same bytes for the same content."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from ..events import EventStore, store

# Each table's total order, so that two exports of the same content are equal. Events go in slices, below.
_ORDER = {
    "events": "product, person, timestamp, event_id, received_at, event",
    "merge_edges": "product, one, other, kind, trusted, run",
    "person_overrides": "product, person",
    "quarantine": "product, received_at, kind, event, distinct_id, message_id, body",
    "catalogue": "product, event, property, type",
    "marks": "name",
    "cohort_members": "product, cohort, version, person",
}
TABLES = tuple(_ORDER)
_SLICE_ROWS = 100_000
_INSERT_ROWS = 50_000
_HASHES = 2**64
_AS_JSON = {"output_format_json_quote_64bit_integers": 1}

_CATALOGUE = """
SELECT product, event, property, type,
       sum(volume) AS volume, min(first_seen) AS first_seen, max(last_seen) AS last_seen
FROM catalogue
GROUP BY product, event, property, type
ORDER BY product, event, property, type
"""

# Maps are sorted: the engine keeps their keys in buckets, in no order anybody promises.
_EVENTS = """
SELECT * REPLACE (mapSort(properties) AS properties, mapSort(flags) AS flags)
FROM events
WHERE product = {product:UInt32} AND person >= {first:UInt64} AND person <= {last:UInt64}
ORDER BY person, timestamp, event_id, received_at, event
"""


def dump(table: str, source: EventStore | None = None) -> Iterator[bytes]:
    """Every row of `table`, one JSON object each, in its total order; of the store in force unless another is given."""
    source = source or store()
    if table == "events":
        for part in slices(source):
            yield from dump_slice(part, source)
    elif table == "catalogue":
        yield from source.lines(_CATALOGUE, settings=_AS_JSON)
    else:
        final = "FINAL" if table in {"merge_edges", "person_overrides", "marks", "cohort_members"} else ""
        yield from source.lines(f"SELECT * FROM {table} {final} ORDER BY {_ORDER[table]}", settings=_AS_JSON)


@dataclass(frozen=True)
class Slice:
    """Events of one product whose person hash is within bounds; the hash is uniform, so each holds about as many."""

    product: int
    first: int
    last: int

    @property
    def bounds(self) -> dict[str, int]:
        return {"product": self.product, "first": self.first, "last": self.last}


def slices(source: EventStore) -> Iterator[Slice]:
    """All events in parts of about `_SLICE_ROWS`, so that memory stays flat; the same parts for the same events."""
    for row in source.query("SELECT product, count() AS n FROM events GROUP BY product ORDER BY product"):
        parts = max(1, -(-row["n"] // _SLICE_ROWS))
        for index in range(parts):
            yield Slice(row["product"], _HASHES * index // parts, _HASHES * (index + 1) // parts - 1)


def dump_slice(part: Slice, source: EventStore) -> Iterator[bytes]:
    yield from source.lines(_EVENTS, part.bounds, settings=_AS_JSON)


def load(table: str, lines: Iterable[bytes], target: EventStore | None = None) -> None:
    """Write what `dump` gave."""
    for batch in _in_batches(lines):
        (target or store()).insert_block(table, b"\n".join(batch))


def _in_batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for line in lines:
        batch.append(line)
        if len(batch) >= _INSERT_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def is_empty(target: EventStore | None = None) -> bool:
    """No event is kept yet."""
    return cast(int, (target or store()).value("SELECT count() FROM events")) == 0


def clear() -> None:
    """Take out whatever `load` brought."""
    for table in TABLES:
        store().execute(f"TRUNCATE TABLE {table}")
