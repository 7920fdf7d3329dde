"""Looks a clone through for the lines that send events, and tells the server."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from whytree.engines.code.event_calls import event_pattern, event_pcre, find_event_calls
from whytree.engines.code.flag_calls import is_code, is_test
from whytree.engines.code.flag_references import Reference, around
from whytree.engines.code.python.names import Project
from whytree.workspace.background.collecting import without_collecting
from whytree.workspace.terminal.client import Client

from ..clone.git import Clone, shown_path
from ..clone.snapshot import KeySearch, lines_of
from .flag_search import FlagSearch

REFERENCES_AT_ONCE = 1000
#: The most frequent ones; what comes after them is a name made at run time.
MOST_EVENTS = 2000
MOST_PLACES = 30


@dataclass
class EventsFound:
    """What a clone holds of events: places of each, those that send it first."""

    sha: str
    events: list[str]
    references: list[Reference] = field(default_factory=list)


class EventSearch:
    """One search of one clone, at its HEAD. Tests name events too, and send none: they are left out."""

    def __init__(self, clone: Clone, events: Collection[str]) -> None:
        self._clone = clone
        self._events = sorted({event for event in events if event.strip() and "\n" not in event})
        self._flags = FlagSearch(clone, [])
        self.snapshot = self._flags.snapshot
        self._project = Project(self.snapshot.entries, self.snapshot.text)

    def run(self) -> EventsFound:
        found = EventsFound(self._clone.head, self._events)
        if not self._events:
            return found
        pattern = event_pattern(self._events)
        search = KeySearch(self._clone, self._events, pattern, event_pcre, memory="event-names")
        paths = [path for path in search.paths(self.snapshot) if is_code(path) and not is_test(path)]
        files = self.snapshot.load(paths)
        with without_collecting():
            everything = find_event_calls(self._events, files, self._project, self._flags.speaking_of)
        by_event: dict[str, list[Reference]] = defaultdict(list)
        for one in everything:
            if not is_test(one.path):
                by_event[one.key].append(one)
        found.references = [one for some in by_event.values() for one in some[:MOST_PLACES]]
        return found

    def around(self, reference: Reference) -> str:
        """The line with two before and after it."""
        return "\n".join(around(lines_of(self.snapshot.text(reference.path) or b""), reference.line)[1])


def tell_events(client: Client, clone: Clone, repository: Mapping[str, Any]) -> EventsFound:
    """Look for all events that the product was sent, and tell the server which lines send them."""
    names = [event["name"] for event in client.get(f"/products/{client.product}/events/catalogue")["events"]]
    search = EventSearch(clone, [name for name in names if not name.startswith("$")][:MOST_EVENTS])
    found = search.run()
    if found.events:
        _send(client, search, found, repository)
    return found


def _send(client: Client, search: EventSearch, found: EventsFound, repository: Mapping[str, Any]) -> None:
    """In pieces that stay small; lines of code only where they may be stored."""
    path = f"/products/{client.product}/repositories/{repository['id']}/event-references"
    body = {"root_sha": repository["root_sha"], "rev": found.sha, "events": found.events}
    for start in range(0, len(found.references) or 1, REFERENCES_AT_ONCE):
        some = found.references[start : start + REFERENCES_AT_ONCE]
        references = [_told(search, one, with_code=repository["with_code"] or repository["with_hunks"]) for one in some]
        client.post(path, {**body, "references": references, "is_first": start == 0})


def _told(search: EventSearch, one: Reference, *, with_code: bool) -> dict[str, Any]:
    return {
        "event": one.key,
        "path": shown_path(one.path),
        "line": one.line,
        "how": "sent" if one.how == "resolved" else "text",
        "says": one.says,
        "hunk": search.around(one) if with_code else None,
    }
