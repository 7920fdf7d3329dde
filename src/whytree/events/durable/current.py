"""What there is one of in a process, for the event store in force."""

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from whytree.stores.events import EventStore, store


class OnStore(Protocol):
    events: EventStore

    def close(self) -> None: ...


T = TypeVar("T", bound=OnStore)


class Current(Generic[T]):
    """Made on first use; made anew, and the former one closed, when another store is in force."""

    def __init__(self, make: Callable[[EventStore], T]) -> None:
        self._make = make
        self._made: T | None = None
        self._guard = threading.Lock()

    def __call__(self) -> T:
        events, found = store(), self._made
        if found is not None and found.events is events:
            return found
        with self._guard:
            if self._made is None or self._made.events is not events:
                if self._made is not None:
                    self._made.close()
                self._made = self._make(events)
            return self._made

    def close(self) -> None:
        """The next use makes another."""
        with self._guard:
            if self._made is not None:
                self._made.close()
                self._made = None
