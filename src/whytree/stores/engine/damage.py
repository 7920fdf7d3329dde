"""What the engine found damaged. It sets such a part aside, goes on without its rows, and tells nobody: every number is then short."""

from ..events import store


def damage() -> str:
    """A sentence that names what is damaged and what to do; empty when all can be read."""
    rows = store().query(
        "SELECT table, path FROM system.detached_parts "
        "WHERE database = currentDatabase() AND startsWith(reason, 'broken') ORDER BY path"
    )
    if not rows:
        return ""
    tables = ", ".join(sorted({row["table"] for row in rows}))
    return (
        f"{len(rows)} part{'s' * (len(rows) > 1)} of the event store could not be read, and what stood there ({tables}) is missing "
        f"from every answer. Restore the last backup into a new data folder: whytree restore. Where you do without, delete "
        f"{rows[0]['path']}{' and the others beside it' * (len(rows) > 1)}."
    )
