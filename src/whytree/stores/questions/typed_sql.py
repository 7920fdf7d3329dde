"""Runs what a person typed as SQL, after `engines.sql_guard` wrote it anew: within time, memory and rows."""

import re
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.exceptions import ClickHouseError

from whytree.errors import Invalid

from ..events import store
from ..pieces.sql import PERSON

MOST_ROWS = 1_000
#: Of one question; the engine's other work goes on.
LIMITS = {
    "max_execution_time": 10,
    "max_memory_usage": 1_000_000_000,
    "max_result_bytes": 50_000_000,
    "max_rows_to_group_by": 2_000_000,
    "group_by_overflow_mode": "throw",
    "enable_extended_results_for_datetime_functions": 1,
    "allow_introspection_functions": 0,
} | {
    # What a person filters by is worked out on rows of this product only. Moved beside our own condition, it would be worked
    # out on the neighbours in the same granule too, and `toInt64(distinct_id)` would say in its error who they are.
    "query_plan_merge_filters": 0,
    "query_plan_filter_push_down": 0,
    "enable_optimize_predicate_expression": 0,
    "allow_experimental_analyzer": 1,  # without it a name given outside would also be read inside, in place of a column
}
COLUMNS = {
    "person": "who did it, after all ids of a person were joined",
    "distinct_id": "the id it came with",
    "timestamp": "when, in UTC",
    "event": "its name",
    "platform, os, browser, app, version, locale, country, path": "where",
    "properties": "a map of texts: properties['plan']",
    "flags": "variants in force: flags['new_checkout']",
    "source": "capture, server or import",
}
_EVENTS = (
    f"SELECT {PERSON} AS person, distinct_id, timestamp, event, platform, os, browser, app, version, locale, country, path, "
    "properties, flags, source FROM events WHERE product = {product:UInt32}"
)


_UNKNOWN = re.compile(r"Unknown expression(?: or function)? identifier [`'](.{1,60}?)[`']")


@dataclass(frozen=True)
class Table:
    """What came out. `cut`: there was more than `MOST_ROWS`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    cut: bool


def run_typed(product_id: int, typed: str) -> Table:
    """Raises `Invalid` for what is refused, `StoreUnavailable` for what took too long or too much."""
    from whytree.engines.sql_guard import guarded  # a parser of every dialect: no other command has to load it

    safe = guarded(typed, {"events": _EVENTS})
    sql = f"SELECT * FROM ({safe.sql}) LIMIT {MOST_ROWS + 1}"
    try:
        rows = store().query(sql, {**safe.values, "product": product_id}, LIMITS)
    except ClickHouseError as error:
        raise Invalid(f"The engine says: {_said(error)}") from error
    columns = tuple(rows[0]) if rows else ()
    return Table(columns, tuple(tuple(row.values()) for row in rows[:MOST_ROWS]), len(rows) > MOST_ROWS)


def _said(error: Exception) -> str:
    """What the engine has against it, without the whole question that it repeats."""
    text = str(error).strip().splitlines()[0]
    text = text.split("DB::Exception: ", 1)[-1]
    if found := _UNKNOWN.match(text):
        return f"there is no column {found[1]}. There are {', '.join(COLUMNS)}."
    for mark in (" In query ", ": In scope ", ". In scope ", ": While ", " in query: "):
        text = text.split(mark, 1)[0]
    return text[:300]
