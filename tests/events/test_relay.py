"""Calls are passed on as they came, to the host clients sent to before; whatever that host does is no client's matter."""

import gzip
import http.server
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import Live, until, whytree
from whytree.errors import Invalid
from whytree.events.relay.queue import Call, Full, Queue, Reading
from whytree.stores.events import EventStore
from whytree.workspace.entry.keys import create_key

from .conftest import Sender, track


class Host:
    """The tool that clients sent to before: notes what it gets, answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.status: Callable[[bytes], int] = lambda body: 200
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = host.status(body)
                if status == 200:
                    host.got.append((self.path, dict(self.headers), body))
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *words: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def names(self) -> set[str]:
        """The events it got, whatever they were packed in."""
        found = set()
        for _, _, body in self.got:
            said = json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
            found |= {one["event"] for one in said.get("batch", [said])}
        return found


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    yield made
    made.server.shutdown()
    made.server.server_close()


# ---- the queue -----------------------------------------------------------------------------------------------------


@pytest.fixture
def queues(tmp_path: Path) -> Iterator[Callable[..., Queue]]:
    """`queues()`: another process's view of the one folder."""
    made: list[Queue] = []

    def run(**options: Any) -> Queue:
        made.append(Queue(tmp_path / "relay", **options))
        return made[-1]

    yield run
    for queue in made:
        queue.close()


@pytest.fixture
def read(queues: Callable[..., Queue]) -> Iterator[Callable[..., Reading]]:
    made: list[Reading] = []

    def run() -> Reading:
        reading = queues().reading()
        assert reading is not None
        made.append(reading)
        return reading

    yield run
    for reading in made:
        reading.close()


def _call(number: int, size: int = 10) -> Call:
    return Call(float(number), f"/e/?n={number}", {"Content-Type": "text/plain"}, bytes([number % 256]) * size)


def test_calls_come_out_as_they_went_in_and_once(queues: Callable[..., Queue], read: Callable[[], Reading]) -> None:
    queue = queues()
    for number in range(5):
        queue.append(_call(number))
    reading = read()
    assert reading.next_calls(3) == [_call(number) for number in range(3)]
    assert reading.next_calls(3) == [_call(number) for number in range(3)], "shown again until they are dealt with"
    reading.done(delivered=3)
    reading.close()
    again = read()
    assert again.next_calls(9) == [_call(3), _call(4)]
    again.done(delivered=2)
    assert again.next_calls(9) == []
    assert queue.waiting_bytes() == 0


def test_files_that_are_passed_on_go_away(
    queues: Callable[..., Queue], read: Callable[[], Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whytree.events.relay.queue.FILE_BYTES", 1_000)
    queue = queues()
    for number in range(20):
        queue.append(_call(number, size=300))
    assert len(queue.files()) > 5
    reading = read()
    seen = []
    while calls := reading.next_calls(3):
        seen += calls
        reading.done(delivered=len(calls))
    assert seen == [_call(number, size=300) for number in range(20)]
    assert len(queue.files()) == 1


def test_what_a_crash_cut_short_hides_nothing_before_or_after_it(
    queues: Callable[..., Queue], read: Callable[[], Reading]
) -> None:
    queue = queues()
    queue.append(_call(1))
    queue.append(_call(2))
    queue.close()
    (path,) = queue.files()
    path.write_bytes(path.read_bytes()[:-3])
    queues().append(_call(3))
    reading = read()
    assert reading.next_calls(9) == [_call(1)]
    reading.done(delivered=1)
    assert reading.next_calls(9) == [_call(3)]


def test_a_file_whose_process_id_is_anothers_by_now_holds_nothing_up(
    queues: Callable[..., Queue], read: Callable[[], Reading]
) -> None:
    """After the machine started anew; the process with that id may run for ever."""
    queue = queues()
    queue.append(_call(1))
    queue.close()
    (path,) = queue.files()
    path.rename(path.with_name(f"{path.name.partition('-')[0]}-{os.getppid()}.calls"))
    queues().append(_call(2))
    reading = read()
    assert reading.next_calls(9) == [_call(1)]
    reading.done(delivered=1)
    assert reading.next_calls(9) == [_call(2)]


def test_a_file_that_another_process_writes_is_waited_for(
    queues: Callable[..., Queue], read: Callable[[], Reading]
) -> None:
    theirs, ours = queues(), queues()
    theirs.append(_call(1))
    ours.append(_call(3))
    reading = read()
    assert reading.next_calls(9) == [_call(1)]
    reading.done(delivered=1)
    assert reading.next_calls(9) == []
    theirs.append(_call(2))
    assert reading.next_calls(9) == [_call(2)]
    reading.done(delivered=1)
    theirs.close()
    assert reading.next_calls(9) == [_call(3)]


def test_only_one_process_reads(queues: Callable[..., Queue], read: Callable[[], Reading]) -> None:
    first = read()
    assert queues().reading() is None
    first.close()
    read()


def test_more_than_may_wait_is_said(queues: Callable[..., Queue], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whytree.events.relay.queue.FILE_BYTES", 1_000)
    queue = queues(most_bytes=3_000)
    for number in range(4):
        queue.append(_call(number, size=400))
    with pytest.raises(Full):
        [queue.append(_call(number, size=400)) for number in range(4, 50)]


def test_many_threads_share_their_fsyncs_and_lose_nothing(
    queues: Callable[..., Queue], read: Callable[[], Reading]
) -> None:
    queue = queues()
    threads = [
        threading.Thread(target=lambda at=at: [queue.append(_call(at * 25 + n)) for n in range(25)]) for at in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(call.at for call in read().next_calls(999)) == [float(number) for number in range(200)]


# ---- setting it ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_only_a_maintainer_sets_it_and_only_to_an_address_that_may_be_called(
    api: Any, api_bob: Any, api_charlie: Any, as_alice: Any, as_viewer: Any, store: EventStore
) -> None:
    path = "/products/sprout/events/relays/posthog"
    assert api_bob.put(path, {"url": "https://eu.i.posthog.com"}).status == 403
    assert api_charlie.put(path, {"url": "https://eu.i.posthog.com"}).status == 404
    for wrong in ("http://eu.i.posthog.com", "ftp://x", "https://u:p@x.org", "nonsense"):
        assert api.put(path, {"url": wrong}).status == 400
    assert api.put("/products/sprout/events/relays/mixpanel", {"url": "https://example.org"}).status == 400
    assert "Nothing is passed on" in as_viewer.get("/p/sprout/events/relay").content.decode()
    assert as_alice.post("/p/sprout/events/relay", {"dialect": "posthog", "url": "http://x"}).status_code == 400
    assert (
        as_alice.post("/p/sprout/events/relay", {"dialect": "posthog", "url": "https://eu.i.posthog.com/"}).status_code
        == 302
    )
    (relay,) = api.get("/products/sprout/events/relays").ok
    assert (relay["url"], relay["waiting_bytes"]) == ("https://eu.i.posthog.com", 0)
    assert "https://eu.i.posthog.com" in as_viewer.get("/p/sprout/events/relay").content.decode()
    assert api_bob.delete(path).status == 403
    assert api.delete(path).status == 204
    assert api.delete(path).status == 404


@pytest.mark.django_db
def test_a_key_that_clients_have_already_is_taken_once_and_only_as_a_public_one(
    actor: Any, product: Any, store: EventStore
) -> None:
    _, secret = create_key(actor, product, kind="capture", name="old", secret="phc_what_our_pages_hold")
    assert secret == "phc_what_our_pages_hold"
    assert Sender(secret).batch(track()).status == 200
    with pytest.raises(Exception, match="taken already"):
        create_key(actor, product, kind="capture", name="again", secret=secret)
    for kind, wrong in (
        ("server", "phc_other_key"),
        ("capture", "short"),
        ("capture", "with a space"),
        ("capture", "wts_" + "x" * 20),
    ):
        with pytest.raises(Invalid):
            create_key(actor, product, kind=kind, name="x", secret=wrong)


@pytest.mark.django_db
def test_a_client_is_answered_though_the_queue_cannot_be_written(
    web: Sender, store: EventStore, api: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    api.put("/products/sprout/events/relays/segment", {"url": "https://api.segment.io"}).must_succeed()
    from whytree.events.intake import rules

    rules.forget()

    def broken(self: Queue, call: Call) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Queue, "append", broken)
    assert web.batch(track()).status == 200
    assert "was not passed on" in caplog.text


@pytest.mark.django_db
def test_what_came_with_a_server_key_stays_here(
    web: Sender, backend: Sender, store: EventStore, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.put("/products/sprout/events/relays/segment", {"url": "https://api.segment.io"}).must_succeed()
    from whytree.events.intake import rules

    rules.forget()
    passed: list[Call] = []
    monkeypatch.setattr(Queue, "append", lambda self, call: passed.append(call))
    assert backend.batch(track()).status == 200
    assert not passed
    assert web.batch(track()).status == 200
    assert len(passed) == 1


# ---- end to end ----------------------------------------------------------------------------------------------------

PRIVATE = {"WHYTREE_OUTGOING_PRIVATE": "1"}


@pytest.fixture
def served(start: Callable[..., Live], begun: Callable[[Path], Path], tmp_path: Path) -> Callable[..., Live]:
    """A server with Alice, Sprout and the key that her clients have."""

    def run(extra: dict[str, str]) -> Live:
        live = start(begun(tmp_path / "live"), extra)
        live.cli("key", "add", "capture", "--name", "old", "--secret", "phc_what_our_pages_hold")
        return live

    return run


def _send(live: Live, name: str, **options: Any) -> httpx.Response:
    body = {"api_key": "phc_what_our_pages_hold", "batch": [{"event": name, "distinct_id": "ana", "uuid": name}]}
    packed = gzip.compress(json.dumps(body).encode())
    return httpx.post(
        f"{live.url}/batch/?retry_count=1",
        content=packed,
        headers={"Content-Encoding": "gzip", "Cookie": "a=b"},
        timeout=30,
    )


@pytest.mark.live
def test_a_call_arrives_there_as_it_came_and_survives_kill_9_and_a_host_that_is_away(
    served: Callable[..., Live], start: Callable[..., Live], host: Host
) -> None:
    live = served(PRIVATE)
    live.cli("event", "relay", "posthog", host.url)
    time.sleep(2.5)  # what the doors know may be two seconds old
    assert _send(live, "first").status_code == 200
    until(lambda: host.names() == {"first"})
    path, headers, body = host.got[0]
    assert path == "/batch/?retry_count=1"
    assert headers["Content-Encoding"] == "gzip"
    assert "Cookie" not in headers
    assert json.loads(gzip.decompress(body))["api_key"] == "phc_what_our_pages_hold"

    host.status = lambda body: 503
    began = time.monotonic()
    names = {f"while away {n}" for n in range(30)}
    assert all(_send(live, name).status_code == 200 for name in sorted(names))
    assert time.monotonic() - began < 20
    assert (
        httpx.post(f"{live.url}/batch/", json={"api_key": "phc_what_our_pages_hold", "batch": [{}]}).status_code == 400
    )
    live.process.send_signal(signal.SIGKILL)
    live.process.wait(10)

    host.status = lambda body: 200
    again = start(live.data, PRIVATE)
    until(lambda: host.names() == {"first"} | names)
    (relay,) = json.loads(whytree(again.env, "event", "relay", "--json").stdout)
    assert (relay["refused"], relay["waiting_bytes"]) == (0, 0)

    host.status = lambda body: 400 if b"never" in gzip.decompress(body) else 200
    _send(again, "never")
    _send(again, "after")
    until(lambda: "after" in host.names())
    until(lambda: json.loads(whytree(again.env, "event", "relay", "--json").stdout)[0]["refused"] == 1)


@pytest.mark.live
def test_a_private_address_is_not_called_and_it_says_so(served: Callable[..., Live], host: Host) -> None:
    live = served({})
    port = host.url.rpartition(":")[2]
    live.cli("event", "relay", "posthog", f"https://127.0.0.1:{port}")
    time.sleep(2.5)
    assert _send(live, "first").status_code == 200
    until(lambda: "private network" in live.cli_json("event", "relay")[0]["trouble"])
    assert host.got == []
    assert live.cli_json("event", "relay")[0]["waiting_bytes"] > 0
