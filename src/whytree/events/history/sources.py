"""Which tool a file comes from, and its rows as messages."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from whytree.engines.tables import Row, RowError, Table, open_table

from .amplitude import AMPLITUDE
from .common import Source, row_id
from .ga4 import GA4
from .mixpanel import MIXPANEL, MIXPANEL_PEOPLE
from .posthog import POSTHOG, POSTHOG_PERSONS
from .segment import SEGMENT, WAREHOUSE
from .snowplow import SNOWPLOW, SnowplowFile, is_snowplow

SOURCES = {
    source.name: source
    for source in (POSTHOG, POSTHOG_PERSONS, SEGMENT, WAREHOUSE, MIXPANEL, MIXPANEL_PEOPLE, AMPLITUDE, GA4, SNOWPLOW)
}
BATCH_ROWS = 1_000
BATCH_CHARACTERS = 1_500_000

File = Table | SnowplowFile


def open_source(path: Path, format: str, wanted: str) -> tuple[File, Source | None]:
    """The file, and whose export it is: the one that is wanted, or by its shape; None for any other table."""
    if wanted == "snowplow" or (not wanted and not format and is_snowplow(path)):
        return SnowplowFile(path), SNOWPLOW
    table = open_table(path, format=format or None)
    if wanted:
        return table, SOURCES.get(wanted)
    columns = set(table.columns) | {name for row in table.sample for name in row}
    return table, next((source for source in SOURCES.values() if source.fits(columns)), None)


def batches(file: File, source: Source, *, after: int = 0) -> Iterator[dict[str, Any]]:
    """Ready to send: `messages`, `errors` and `upto`. All rows are read: equal ones are told apart by their number."""
    seen: Counter[bytes] = Counter()
    known: dict[str, bytes] = {}
    batch: dict[str, Any] = _empty()
    size = 0
    for row in file:
        sent = _sent(row, source, seen, known)
        if row.row_number <= after:
            continue
        batch["upto"] = row.row_number
        if "reason" in sent:
            batch["errors"].append(sent)
        else:
            batch["messages"].append(sent)
            size += len(json.dumps(sent["message"], ensure_ascii=False))
        if len(batch["messages"]) + len(batch["errors"]) >= BATCH_ROWS or size >= BATCH_CHARACTERS:
            yield batch
            batch, size = _empty(), 0
    if batch["messages"] or batch["errors"]:
        yield batch


def _empty() -> dict[str, Any]:
    return {"messages": [], "errors": [], "upto": 0}


def _sent(row: Row | RowError, source: Source, seen: Counter[bytes], known: dict[str, bytes]) -> dict[str, Any]:
    if isinstance(row, RowError):
        return {"row": row.row_number, "reason": row.reason}
    try:
        message = json.loads(json.dumps(source.convert(row.values), default=str))
    except ValueError as error:
        return {"row": row.row_number, "reason": str(error)}
    if source.profile is not None:
        _tell_profile(message, *source.profile(row.values), known)
    own = "uuid" if source.dialect == "posthog" else "messageId"
    if not message.get(own):
        message[own] = row_id(row.values, seen)
    return {"row": row.row_number, "dialect": source.dialect, "message": message}


def _tell_profile(message: dict[str, Any], person: str, profile: dict[str, Any], known: dict[str, bytes]) -> None:
    """What is known of a person, with the first event that says so."""
    digest = hashlib.blake2b(json.dumps(profile, sort_keys=True, default=str).encode(), digest_size=8).digest()
    if profile and known.get(person) != digest:
        known[person] = digest
        message["$set"] = {**json.loads(json.dumps(profile, default=str)), **message.get("$set", {})}
