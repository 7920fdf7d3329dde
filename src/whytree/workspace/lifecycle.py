"""What must still happen when the process ends: queues are written, threads are let go."""

import logging
from collections.abc import Callable

log = logging.getLogger("whytree")
_at_shutdown: list[Callable[[], None]] = []


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
