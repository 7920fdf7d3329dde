"""Move the events of this workspace to another store, with all that was acknowledged."""

from collections.abc import Callable

from whytree.errors import Invalid
from whytree.stores.events import store
from whytree.stores.writing.moving import Moved, move, open_target

from .commit import close_commit, commit

SCHEMES = ("clickhouse://", "clickhouses://")  # the embedded engine has one folder a process


def move_to(url: str, tell: Callable[[int, int], None]) -> Moved:
    """Copy every event to the store at `url` and compare; see `stores.writing.moving`. The one in force stays as it was."""
    from django.conf import settings

    if not url.startswith(SCHEMES):
        raise Invalid(f"{url[:200]} is no event store. Name one as clickhouse://user:password@host:8123/database.")
    if url == settings.WHYTREE.events_url:
        raise Invalid("The events are there already. Name another store.")
    commit().replay()  # what waits in the spool goes along
    close_commit()
    target = open_target(url, settings.WHYTREE.events_memory_mb)
    try:
        return move(store(), target, tell)
    finally:
        target.close()
        target.engine.release()
