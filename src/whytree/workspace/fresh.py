"""What takes long and is asked again and again: kept for a while, and worked out by one thread for all who ask meanwhile.

    found = at_most("answer:...", 60, lambda: answer(product, question))   # so many seconds old, by its own `as_of`

Twenty people on one board whose answers just grew too old would otherwise ask the store the same twenty times at once. In
the last quarter of its time the first who asks works it out anew, and everybody else still takes what there is.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from django.core.cache import cache
from django.utils import timezone

#: Share of its time after which something is worked out anew.
EARLY = 0.75


class Dated(Protocol):
    """Says from when it is."""

    @property
    def as_of(self) -> datetime: ...


Found = TypeVar("Found", bound=Dated)

_guard = threading.Lock()
_under_way: dict[str, Future[Any]] = {}


def at_most(key: str, seconds: float, make: Callable[[], Found]) -> Found:
    """What is kept under `key` while it is at most so many seconds old, else what `make` gives or raises."""
    known: Found | None = cache.get(key)
    age = timedelta.max if known is None else timezone.now() - known.as_of
    if known is not None and timedelta(0) <= age < timedelta(seconds=seconds * EARLY):
        return known
    with _guard:
        work = _under_way.get(key)
        if work is None:
            mine = _under_way[key] = Future()
    if work is not None:
        if known is not None and timedelta(0) <= age < timedelta(seconds=seconds):
            return known
        shared: Found = work.result()
        return shared
    try:
        made = make()
        cache.set(key, made, seconds)
        mine.set_result(made)
        return made
    except BaseException as error:
        mine.set_exception(error)
        raise
    finally:
        with _guard:
            del _under_way[key]
