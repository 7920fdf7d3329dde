"""Read a table from a file somebody exported elsewhere, row by row, without trusting it.

    from whytree.engines.tables import RowError, Wanted, guess_mapping, open_table, parse_time

    table = open_table("reviews.csv.gz")
    mapping = guess_mapping(table.columns, table.sample, {"text": Wanted(["text", "review"], "text")})
    for row in table:
        if isinstance(row, RowError):
            print(row.row_number, row.reason)
        else:
            number, values = row

CSV, TSV, JSON lines, JSON arrays, Parquet and XLSX; each also as `.gz` or `.zst`. Memory stays constant
however long the file is. A broken row becomes a `RowError` and reading goes on after it.
"""

from whytree.engines.tables.guessing import Looks, Wanted, guess_mapping
from whytree.engines.tables.opening import FORMATS, Table, open_table
from whytree.engines.tables.rows import BEYOND_HEADER, MAX_CELL, MAX_ROW, MissingReader, Row, RowError, UnreadableTable
from whytree.engines.tables.times import guess_day_first, is_slashed, parse_time

__all__ = [
    "BEYOND_HEADER",
    "FORMATS",
    "MAX_CELL",
    "MAX_ROW",
    "Looks",
    "MissingReader",
    "Row",
    "RowError",
    "Table",
    "UnreadableTable",
    "Wanted",
    "guess_day_first",
    "guess_mapping",
    "is_slashed",
    "open_table",
    "parse_time",
]
