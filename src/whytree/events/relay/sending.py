"""The threads that carry waiting calls over. None of them is ever waited for by a client.

Some calls go at once, over connections that are kept. What the other side cannot take now is tried again after growing
pauses, or when it says; what it will never take is counted, named and left. One process at a time sends for a relay.
"""

import logging
import random
import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import DatabaseError, close_old_connections

from whytree.errors import RetryLater, WhytreeError
from whytree.workspace.outside.outgoing import Line, Reply

from .queue import Call, Queue, Reading
from .services import Target, queue_of, targets

log = logging.getLogger("whytree.events")

AT_ONCE = 4
WINDOW = 16  # calls looked at together; the next ones wait until all of these are dealt with
IDLE_SECONDS = 0.5
LONGEST_PAUSE = 300.0
LOOK_SECONDS = 2.0


class Sender:
    """One relay's thread."""

    def __init__(self, target: Target, queue: Queue) -> None:
        self.target = target
        self.queue = queue
        self.stopping = threading.Event()
        self._local = threading.local()
        self._thread = threading.Thread(target=self._run, name=f"relay-{target.name}", daemon=True)

    def start(self) -> "Sender":
        self._thread.start()
        return self

    def stop(self) -> None:
        self.stopping.set()
        self._thread.join(timeout=15)

    def _run(self) -> None:
        reading: Reading | None = None
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"relay-{self.target.name}") as pool:
            while not self.stopping.is_set():
                try:
                    reading = reading or self.queue.reading()
                    if reading is None or not self.send_some(reading, pool):
                        self.stopping.wait(IDLE_SECONDS)
                except Exception:  # the thread must live on: what waits is on disk
                    log.exception("relay %s", self.target.name)
                    self.stopping.wait(LOOK_SECONDS)
        if reading is not None:
            reading.close()

    def send_some(self, reading: Reading, pool: ThreadPoolExecutor) -> bool:
        """Carry the next calls over, however long that takes; whether there were any."""
        calls = reading.next_calls(WINDOW)
        if not calls:
            return False
        waiting, failures, refused, trouble = calls, 0, 0, ""
        while waiting and not self.stopping.is_set():
            replies = list(pool.map(self._send, waiting))
            again = [call for call, reply in zip(waiting, replies, strict=True) if reply.is_later]
            final = [reply for reply in replies if not reply.is_later and reply.status >= 300]
            if final:
                refused += len(final)
                trouble = f"{final[-1].status}: {final[-1].text}"
                log.warning("relay %s: refused with %s", self.target.name, trouble)
            if again:
                failures = 1 if len(again) < len(waiting) else failures + 1
                self._pause(reading, failures, [reply for reply in replies if reply.is_later])
            waiting = again
        if waiting:
            return False  # stopped half-way: these are shown again at the next start
        reading.done(delivered=len(calls) - refused, refused=refused, trouble=trouble)
        return True

    def _send(self, call: Call) -> Reply:
        line = getattr(self._local, "line", None)
        try:
            if line is None:
                line = self._local.line = Line(self.target.url)
            return line.send(call.method, call.target, call.body, call.headers)
        except RetryLater as error:
            return Reply(503, error.message)
        except WhytreeError as error:  # the address may not be called (any more): that can be changed, so wait
            return Reply(503, error.message, LONGEST_PAUSE)

    def _pause(self, reading: Reading, failures: int, replies: list[Reply]) -> None:
        said = max((reply.retry_after or 0 for reply in replies), default=0)
        seconds = min(LONGEST_PAUSE, max(said, 2 ** min(failures, 9) * (0.5 + random.random() / 2)))  # noqa: S311
        reading.state.trouble = replies[-1].text
        reading.save()
        self.stopping.wait(seconds)


class Relays:
    """Keeps a sender for every relay that is on."""

    def __init__(self) -> None:
        self._senders: dict[str, Sender] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relays", daemon=True)

    def start(self) -> "Relays":
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=15)
        for sender in self._senders.values():
            sender.stopping.set()
        for sender in self._senders.values():
            sender.stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                close_old_connections()
                self._agree({target.name: target for target in targets()})
            except DatabaseError as error:
                log.warning("which relays are on cannot be read: %s", error)
            finally:
                close_old_connections()
            self._stopping.wait(LOOK_SECONDS)

    def _agree(self, wanted: dict[str, Target]) -> None:
        for name, sender in list(self._senders.items()):
            if wanted.get(name) != sender.target:
                sender.stop()
                del self._senders[name]
        for name, target in wanted.items():
            if name not in self._senders:
                self._senders[name] = Sender(target, queue_of(target.product_id, target.dialect)).start()


_current: Relays | None = None


def start_relays() -> None:
    """Called by the server once, before it takes requests."""
    global _current
    _current = Relays().start()


def stop_relays() -> None:
    global _current
    if _current is not None:
        _current.stop()
        _current = None
