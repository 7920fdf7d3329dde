"""Move all events to another store, slice by slice: each is counted and compared, so a move that was cut off goes on.

The source is only read. Nobody may write to it meanwhile: the embedded store's lock sees to that, since this process has it.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from whytree.errors import Conflict, Unavailable

from ..engine.connection import engine_for
from ..events import EventStore, open_database
from .marks import read_mark, write_mark
from .transfer import TABLES, Slice, dump, dump_slice, is_empty, load, slices

MOVING = "moving from"
_REST = tuple(table for table in TABLES if table != "events")

# Maps are sorted, since the engine keeps their keys in no promised order. A sum, not an exclusive or: two equal rows count.
_SUM = """
SELECT count() AS n,
    sum(cityHash64(* EXCEPT (properties, flags), mapSort(properties), mapSort(flags))) AS checksum
FROM events
WHERE product = {product:UInt32} AND person >= {first:UInt64} AND person <= {last:UInt64}
"""
_CLEAR = """
ALTER TABLE events
DELETE WHERE product = {product:UInt32} AND person >= {first:UInt64} AND person <= {last:UInt64}
"""


@dataclass(frozen=True)
class Moved:
    """What a move came to: all events that are in the target now, and how many of them this run brought."""

    events: int
    brought: int
    slices: int


def open_target(url: str, memory_mb: int) -> EventStore:
    """The store at `url`, made and migrated when needed. `StoreUnavailable` says why not."""
    engine = engine_for(url, memory_mb)
    engine.open()
    return open_database(engine, engine.default_database)


def move(source: EventStore, target: EventStore, tell: Callable[[int, int], None]) -> Moved:
    """Copy every table and compare it; `tell` is called with events done and in all.

    Raises `Conflict` when the target holds events that no move brought, `Unavailable` when a copy differs.
    """
    _begin(source, target)
    total = int(source.value("SELECT count() FROM events"))
    done = brought = 0
    parts = list(slices(source))
    for part in parts:
        rows, copied = _move_slice(part, source, target)
        done += rows
        brought += copied
        tell(done, total)
    for table in _REST:
        _move_table(table, source, target)
    if target.value("SELECT count() FROM events") != total:
        raise Unavailable(
            "The target holds more events than there are here: somebody writes to it. Stop that, and run the same again."
        )
    target.execute("ALTER TABLE marks DELETE WHERE name = {name:String}", {"name": MOVING}, {"mutations_sync": 2})
    return Moved(total, brought, len(parts))


def _begin(source: EventStore, target: EventStore) -> None:
    began = read_mark(target, MOVING)
    if began is None and not is_empty(target):
        raise Conflict(f"{target.engine.name} holds events already, in {target.database}. Name an empty database.")
    if began not in (None, source.engine.name):
        raise Conflict(f"A move from {began} to {target.engine.name} was begun. Finish it, or name an empty database.")
    write_mark(target, MOVING, source.engine.name)


def _move_slice(part: Slice, source: EventStore, target: EventStore) -> tuple[int, int]:
    """Events of the slice, and how many of them had to be brought."""
    wanted, there = _sum(part, source), _sum(part, target)
    if there == wanted:
        return wanted[0], 0
    if there[0]:  # a run that was cut off left a part of it
        target.execute(_CLEAR, part.bounds, {"mutations_sync": 2})
    load("events", dump_slice(part, source), target)
    if _sum(part, target) != wanted:
        raise Unavailable(
            f"Events of product {part.product} differ after they were copied. Run the same again; it goes on here."
        )
    return wanted[0], wanted[0]


def _sum(part: Slice, events: EventStore) -> tuple[int, int]:
    (row,) = events.query(_SUM, part.bounds)
    return row["n"], row["checksum"]


def _move_table(table: str, source: EventStore, target: EventStore) -> None:
    if table == "marks":  # those of the target's own stay
        load(table, dump(table, source), target)
        return
    wanted = _digest(dump(table, source))
    if _digest(dump(table, target)) == wanted:
        return
    target.execute(f"TRUNCATE TABLE {table}")
    load(table, dump(table, source), target)
    if _digest(dump(table, target)) != wanted:
        raise Unavailable(f"The table {table} differs after it was copied. Run the same again.")


def _digest(lines: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line + b"\n")
    return digest.hexdigest()
