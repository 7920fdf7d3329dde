"""Room for one more connection, however many somebody holds open with half a request in them.

waitress takes no more once it has `connection_limit`, and lets silent ones go after a minute: two thousand half-sent requests
would keep everybody out for that long, and for good when each sends a letter now and then. Here those give way before.
"""

import functools
from collections import Counter
from typing import Any

from whytree.workspace.entry.pace import holder_of

SPARE = 500  # connections below the limit from which on room is made
PATIENCE_SECONDS = 2.0  # for the first letters of a request, once it is full


def keep_room(server: Any) -> None:
    """Let a waitress server look after it every second or so (`cleanup_interval`), in the thread that takes connections."""
    usual = server.maintenance

    def maintain(now: float) -> None:
        usual(now)
        _make_room(server, now)

    server.maintenance = maintain


def _make_room(server: Any, now: float) -> None:
    """Close connections in which no request is whole: first of whoever has most of them, and the oldest of those first."""
    surplus = len(server.active_channels) - (server.adj.connection_limit - SPARE)
    if surplus <= 0:
        return
    holder = functools.cache(holder_of)
    unheard = [
        channel
        for channel in server.active_channels.values()
        if not channel.requests and channel.creation_time < now - PATIENCE_SECONDS
    ]
    held = Counter(holder(str(channel.addr[0])) for channel in unheard)
    unheard.sort(key=lambda channel: (-held[holder(str(channel.addr[0]))], channel.creation_time))
    for channel in unheard[:surplus]:
        channel.will_close = True
