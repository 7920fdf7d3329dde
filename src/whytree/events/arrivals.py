"""What arrived lately, for whoever is setting up an integration: which key, which events, what became of them and why.

Kept in the memory of the process that took it, a few requests for each product: looking costs no query and no disk.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from whytree.workspace.entry.keys import KeyFacts

from .services import Accepted
from .shaping.rows import LeftOut, Normalised, Outcome, Rejected, as_datetime

REQUESTS = 60  # kept for each product
EVENTS = 20  # of each request
STRANGERS = 50  # requests whose key is unknown
PRODUCTS = 200


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message. `state` is taken, again (seen before), refused or left out."""

    at: float
    number: int
    key_id: int
    key: str
    dialect: str
    event: str
    who: str
    state: str
    reason: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    bot: bool = False

    @property
    def moment(self) -> datetime:
        return as_datetime(self.at)


@dataclass(frozen=True, slots=True)
class Turned:
    """A request that was refused as a whole: `client` is the page it came from, else the User-Agent; `key` how its key begins."""

    at: float
    path: str
    client: str
    key: str
    status: int
    reason: str

    @property
    def moment(self) -> datetime:
        return as_datetime(self.at)


@dataclass(frozen=True, slots=True)
class _Request:
    at: float
    number: int
    facts: KeyFacts
    dialect: str
    items: Sequence[Outcome]
    accepted: Accepted


_lock = threading.Lock()
_requests: dict[int, deque[_Request]] = {}
_strangers: deque[Turned] = deque(maxlen=STRANGERS)
_number = 0


def note(facts: KeyFacts, dialect: str, items: Sequence[Outcome], accepted: Accepted) -> None:
    """Remember a request that was answered. Costs no more for a thousand events than for one."""
    global _number
    product_id = facts.product_id or 0
    with _lock:
        _number += len(items)
        if product_id not in _requests and len(_requests) >= PRODUCTS:
            _requests.pop(next(iter(_requests)))
        lately = _requests.setdefault(product_id, deque(maxlen=REQUESTS))
        lately.append(_Request(time.time(), _number, facts, dialect, items[:EVENTS], accepted))


def note_turned(turned: Turned) -> None:
    """Remember a request that was refused as a whole."""
    _strangers.append(turned)


def arrivals(product_id: int, *, key_id: int | None = None, limit: int = 100) -> list[Arrival]:
    """The latest messages, newest first; of one key when asked."""
    with _lock:
        requests = list(_requests.get(product_id, ()))
    found: list[Arrival] = []
    for request in reversed(requests):
        if key_id is None or request.facts.id == key_id:
            found += _messages(request)
        if len(found) >= limit:
            break
    return found[:limit]


def turned_away(limit: int = 20) -> list[Turned]:
    """The latest requests that were refused as a whole, newest first, of every product: their key belongs to none."""
    return list(reversed(_strangers))[:limit]


def forget() -> None:
    """For tests."""
    with _lock:
        _requests.clear()
        _strangers.clear()


def _messages(request: _Request) -> list[Arrival]:
    refused = {refusal.index: refusal.reason for refusal in request.accepted.refused}
    found = []
    for index, item in enumerate(request.items):
        place = {
            "at": request.at,
            "number": request.number - index,
            "key_id": request.facts.id,
            "key": request.facts.label,
            "dialect": request.dialect,
        }
        found.append(_message(item, refused.get(index, ""), index in request.accepted.again, place))
    return list(reversed(found))


def _message(item: Outcome, reason: str, again: bool, place: dict[str, object]) -> Arrival:
    if isinstance(item, LeftOut):
        return Arrival(**place, event="", who="", state="left out", reason=item.reason)  # type: ignore[arg-type]
    if isinstance(item, Rejected):
        return Arrival(**place, event=item.event, who=item.distinct_id, state="refused", reason=reason or item.reason)  # type: ignore[arg-type]
    assert isinstance(item, Normalised)  # noqa: S101 - for the type checker
    event = item.event
    return Arrival(
        **place,  # type: ignore[arg-type]
        event=event.event,
        who=event.distinct_id,
        state="refused" if reason else "again" if again else "taken",
        reason=reason,
        properties=event.said,
        bot=event.bot,
    )
