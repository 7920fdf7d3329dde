"""Everything that a clone tells when it is read: commits, lines, flags, events, form fields. The commands and mirrors do it so."""

from collections.abc import Callable
from typing import Any

from whytree.workspace.terminal.client import Client, CommandError

from ..clone.git import Clone
from .reading import Found, Progress, Reading

STORE_IS_DOWN = 503


def read_all(
    client: Client,
    clone: Clone,
    repository: dict[str, Any],
    show: Progress,
    *,
    lines: bool = True,
    everything: bool = False,
) -> Found:
    """Tell the server what is new in a registered clone. What cannot be told is a sentence in `left_out`."""
    from .event_search import tell_events
    from .field_search import tell_fields
    from .flag_search import tell_flags

    found = Reading(client, clone, repository, show).run(lines=lines, everything=everything)
    show("flags and events", 0, 0)
    found.left_out += tell_flags(client, clone, repository).left_out
    found.left_out += _from_events(lambda: tell_events(client, clone, repository), "Events were not looked for")
    found.left_out += _from_events(lambda: tell_fields(client, clone, repository), "Form fields were not looked for")
    keep_point(client, repository)
    return found


def keep_point(client: Client, repository: dict[str, Any]) -> None:
    """Let the server write down how much is explained after a reading."""
    client.post(f"/products/{client.product}/repositories/{repository['id']}/coverage")


def _from_events(tell: Callable[[], object], otherwise: str) -> list[str]:
    """What needs the events to say what to look for is left out, in a sentence, while their store is down."""
    try:
        tell()
    except CommandError as error:
        if error.status != STORE_IS_DOWN:
            raise
        return [f"{otherwise}: {error.message}"]
    return []
