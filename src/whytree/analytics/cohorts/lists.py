"""Ids of people in a file: one a line, or a column of a CSV. Pure."""

import csv
import io

from whytree.errors import Invalid

_ID_COLUMNS = ("distinct_id", "user_id", "userid", "id", "person", "email")


def ids_of(data: bytes) -> list[str]:
    """The first column, or the one that is called like an id, without its head."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("The list is not written in UTF-8. Save it as UTF-8, then bring it again.") from error
    try:
        rows = [row for row in csv.reader(io.StringIO(text)) if any(part.strip() for part in row)]
    except csv.Error as error:
        raise Invalid(f"The list could not be read as CSV: {error}.") from error
    if not rows:
        return []
    head = [part.strip().lower() for part in rows[0]]
    column = next((head.index(name) for name in _ID_COLUMNS if name in head), None)
    body = rows if column is None else rows[1:]
    return [row[column or 0].strip() for row in body if len(row) > (column or 0) and row[column or 0].strip()]
