"""Writing rows into the store, with the culprit found when it refuses them."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from whytree.stores.errors import StoreRefused, StoreUnavailable
from whytree.stores.events import EventStore
from whytree.stores.writing.capture import put_aside

from .spool import Spooled

log = logging.getLogger("whytree.events")

GIVE_UP_AFTER = 8  # single rows refused in a row, none taken: then the fault is the store's, not theirs
# Properties that were handed on as they were sent: every scalar is kept as its JSON text. A block is smaller than what the
# engine would cut up for several threads, so looking for places to cut costs an eighth more and gains nothing.
AS_TEXT = {
    "input_format_json_read_numbers_as_strings": 1,
    "input_format_json_read_bools_as_strings": 1,
    "input_format_parallel_parsing": 0,
}


def store_rows(events: EventStore, rows: Spooled) -> dict[int, str]:
    """Write the edges, then the events. Returns what had to go to quarantine: event id -> why.

    Raises `StoreUnavailable` when the store cannot be written now; some rows may be in it by then.
    """
    if rows.edges:
        events.insert_block("merge_edges", b"\n".join(rows.edges))
    if not rows.events:
        return {}
    try:
        events.insert_block("events", rows.events, AS_TEXT)
    except StoreRefused as error:
        return _store_the_good(events, rows.event_lines(), error)
    return {}


def _store_the_good(events: EventStore, lines: Sequence[bytes], error: StoreRefused) -> dict[int, str]:
    """Halve until the refused rows stand alone; put them aside and keep the others."""
    refused: list[tuple[bytes, str]] = []
    taken = 0
    todo = [list(lines)]
    while todo:
        some = todo.pop()
        try:
            events.insert_block("events", b"\n".join(some), AS_TEXT)
            taken += len(some)
        except StoreRefused as refusal:
            if len(some) > 1:
                todo += [some[len(some) // 2 :], some[: len(some) // 2]]
                continue
            refused.append((some[0], refusal.message))
            if not taken and len(refused) >= GIVE_UP_AFTER:
                break
    if not taken and len(lines) > 1:
        raise StoreUnavailable(f"The event store refuses every row: {error.message}") from error
    log.error("%s of %s events went to quarantine: %s", len(refused), len(lines), error.message)
    put_aside([_as_quarantine(line, reason) for line, reason in refused], events)
    return {event_id_of(line): reason for line, reason in refused}


def event_id_of(line: bytes) -> int:
    """The id of a row that may be wrong in any other way; 0 when it has none."""
    event_id = _loosely(line).get("event_id")
    return event_id if isinstance(event_id, int) else 0


def _loosely(line: bytes) -> dict[str, Any]:
    try:
        row = msgspec.json.decode(line)
    except msgspec.MsgspecError:
        return {}
    return row if isinstance(row, dict) else {}


def _as_quarantine(line: bytes, reason: str) -> dict[str, Any]:
    row = _loosely(line)
    product = row.get("product")
    return {
        "product": product if isinstance(product, int) else 0,
        "received_at": datetime.now(UTC),
        "kind": "refused",
        "reason": f"The event store refused it: {reason}",
        "event": str(row.get("event", "")),
        "distinct_id": str(row.get("distinct_id", "")),
        "source": str(row.get("source", "")),
        "body": line[:4_000].decode("utf-8", "replace"),
    }
