"""Threads for what brings events, and threads for everything else: a flood of events keeps no page and no flag waiting.

Events wait for the disk in no thread. One of a few reads and checks a request, its view returns a `Later`, and once the
events are on disk one of them sends the answer: so a thousand clients may wait at once, and the interpreter, which one
thread at a time may have, is not handed around among a thousand.
"""

import logging
import threading
import time
from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import ThreadedTaskDispatcher, WSGITask
from waitress.utilities import InternalServerError, RequestEntityTooLarge

from whytree.events.urls import brings_events
from whytree.events.wire.later import LATER, TOO_MUCH, Later

log = logging.getLogger("whytree")

READERS = 2  # threads that read events: they compute, so more would only be in each other's way
ANSWERERS = 2
MOST_BYTES = 64 * 1024 * 1024  # of events under way, some seconds' worth: who comes then is told to come again
STOP_SECONDS = 5.0
TOO_LARGE = (
    "One request may have {most} MB. Send less at once; a file of any size is read by the command line: whytree import"
)


class Lanes:
    """What waitress gives its work to."""

    def __init__(self, threads: int) -> None:
        self._others = ThreadedTaskDispatcher()
        self._others.set_thread_count(threads)
        self._readers = ThreadedTaskDispatcher()
        self._readers.set_thread_count(READERS)
        self._answerers = ThreadedTaskDispatcher()  # apart: who is done need not wait behind those who came later
        self._answerers.set_thread_count(ANSWERERS)
        self._guard = threading.Lock()
        self._under_way = 0  # requests that bring events, and their bytes
        self._bytes = 0

    def add_task(self, channel: HTTPChannel) -> None:
        """Called by waitress when a connection's next request is whole."""
        request = channel.requests[0]
        if isinstance(request.error, RequestEntityTooLarge):
            request.error.body = TOO_LARGE.format(most=channel.server.adj.max_request_body_size >> 20)
        if request.error or not brings_events(request.command, request.path):
            self._others.add_task(channel)
            return
        size = int(request.headers.get("CONTENT_LENGTH") or 0)
        with self._guard:
            is_too_much = self._under_way > 0 and self._bytes + size > MOST_BYTES
            self._under_way += 1
            self._bytes += size
        self._readers.add_task(_Events(self, channel, size, is_too_much))

    def go_on(self, events: "_Events") -> None:
        """Its answer is known."""
        self._answerers.add_task(events)

    def is_over(self, size: int) -> None:
        """A request of so many bytes was answered."""
        with self._guard:
            self._under_way -= 1
            self._bytes -= size

    def shutdown(self) -> None:
        """Answer what is under way, then stop."""
        until = time.monotonic() + STOP_SECONDS
        while self._under_way and time.monotonic() < until:
            time.sleep(0.01)
        for lane in (self._readers, self._answerers, self._others):
            lane.shutdown(timeout=max(0.1, until - time.monotonic()))


class _Events:
    """One request that brings events: a task twice, to read it and to answer it."""

    def __init__(self, lanes: Lanes, channel: HTTPChannel, size: int, is_too_much: bool) -> None:
        self._lanes = lanes
        self._channel = channel
        self._size = size
        self._said = {LATER: True, TOO_MUCH: True} if is_too_much else {LATER: True}
        self._answer: Any = None

    def service(self) -> None:
        try:
            if self._is_waiting():
                return
        except Exception:  # whatever it was: its sender is answered, and the thread goes on to the next
            log.exception("a request that brought events could not be answered")
            self._channel.requests[0].error = InternalServerError("The server's log says why. Send it again.")
        try:
            self._channel.service()
        finally:
            if self._answer is not None:
                self._answer.close()
            self._lanes.is_over(self._size)

    def _is_waiting(self) -> bool:
        """Go on with it; whether its answer is still to come, and this a task once more."""
        if self._answer is not None:
            self._answer.settle()  # also when nobody is there to hear it: what follows from events is noted then
            return False
        if not self._channel.connected:
            return False
        request = self._channel.requests[0]
        environ = Channel.task_class(self._channel, request).get_environment() | self._said
        self._answer = request.answer = self._channel.server.application(environ, _unheard)
        if not isinstance(self._answer, Later):
            return False
        self._answer.begin(lambda: self._lanes.go_on(self))
        return True

    def cancel(self) -> None:
        self._channel.cancel()
        self._lanes.is_over(self._size)


def _unheard(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
    """They stand in the answer."""


class _Told(WSGITask):  # type: ignore[misc]  # waitress has no types
    """Sends an answer that is known by now, in one piece; what was not asked before is asked of the application as usual."""

    def execute(self) -> None:
        answer = getattr(self.request, "answer", None)
        if answer is None:
            super().execute()
            return
        self.complete = True
        self.status = f"{answer.status_code} {answer.reason_phrase}"
        self.response_headers.extend(answer.items())
        self.content_length = len(answer.content)
        head = self.build_response_header()
        self.wrote_header = True
        self.channel.write_soon(head + answer.content if self.has_body else head)


class Channel(HTTPChannel):  # type: ignore[misc]
    task_class = _Told
