"""What must happen at the ends of things: when the server starts and stops, and after a whole workspace was brought in."""

import logging
from collections.abc import Callable

log = logging.getLogger("whytree")
_at_start: list[Callable[[], None]] = []
_at_shutdown: list[Callable[[], None]] = []


def at_start(function: Callable[[], None], *, first: bool = False) -> Callable[[], None]:
    """Run `function` when the server starts, once both stores are open: threads that only a server has. `first` before those
    that may hand it work.
    """
    _at_start.insert(0 if first else len(_at_start), function)
    return function


def run_start() -> None:
    for function in _at_start:
        function()


def at_shutdown(function: Callable[[], None]) -> Callable[[], None]:
    """Run `function` when the server stops, before the event store closes; last registered runs first."""
    _at_shutdown.append(function)
    return function


def run_shutdown() -> None:
    for function in reversed(_at_shutdown):
        try:
            function()
        except Exception:  # one that fails must not keep the others from writing what they hold
            log.exception("shutdown of %s failed", function.__qualname__)


def shut_down() -> None:
    """Write what still waits, then let the event store go: another process may open it next."""
    from whytree.stores.events import close

    run_shutdown()
    close()


UNDER_WAY = "import-under-way"
"""In the data folder while a whole workspace is brought in; there afterwards, it was cut off."""

_after_import: list[Callable[[], None]] = []


def after_import(function: Callable[[], None]) -> Callable[[], None]:
    """Run `function` after a whole workspace was brought in: rebuild what is derived (a search index, a dictionary)."""
    _after_import.append(function)
    return function


def run_after_import() -> None:
    for function in _after_import:
        function()
