"""The store's tables as lines of JSON, for exports and backups: always the same bytes for the same content."""

from collections.abc import Iterable, Iterator
from typing import cast

from .events import store

# Each table's total order, so that two exports of the same content are equal. Events go in slices, below.
_ORDER = {
    "events": "product, person, timestamp, event_id, received_at, event",
    "merge_edges": "product, one, other, kind, trusted",
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


def dump(table: str) -> Iterator[bytes]:
    """Every row of `table`, one JSON object each, in its total order."""
    if table == "events":
        yield from _dump_events()
    elif table == "catalogue":
        yield from store().lines(_CATALOGUE, settings=_AS_JSON)
    else:
        final = "FINAL" if table in {"merge_edges", "person_overrides", "marks", "cohort_members"} else ""
        yield from store().lines(f"SELECT * FROM {table} {final} ORDER BY {_ORDER[table]}", settings=_AS_JSON)


def _dump_events() -> Iterator[bytes]:
    """In slices of the person hash, which is uniform: each holds about `_SLICE_ROWS`, and memory stays flat."""
    for row in store().query("SELECT product, count() AS n FROM events GROUP BY product ORDER BY product"):
        slices = max(1, -(-row["n"] // _SLICE_ROWS))
        for index in range(slices):
            bounds = {"first": _HASHES * index // slices, "last": _HASHES * (index + 1) // slices - 1}
            yield from store().lines(_EVENTS, {"product": row["product"], **bounds}, settings=_AS_JSON)


def load(table: str, lines: Iterable[bytes]) -> None:
    """Write what `dump` gave into an empty table."""
    for batch in _in_batches(lines):
        store().insert_block(table, b"\n".join(batch))


def _in_batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for line in lines:
        batch.append(line)
        if len(batch) >= _INSERT_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def is_empty() -> bool:
    """No event is kept yet."""
    return cast(int, store().value("SELECT count() FROM events")) == 0
