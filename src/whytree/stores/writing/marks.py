"""Small things the store remembers of itself."""

from datetime import UTC, datetime

from ..events import EventStore


def read_mark(events: EventStore, name: str) -> str | None:
    """What was remembered last under this name."""
    value: str | None = events.value(
        "SELECT argMax(value, at) AS value FROM marks WHERE name = {name:String} HAVING count() > 0", {"name": name}
    )
    return value


def write_mark(events: EventStore, name: str, value: str) -> None:
    events.insert("marks", [{"name": name, "value": value, "at": datetime.now(UTC)}])
