"""Whoever opens connections and says nothing in them keeps nobody else out."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from waitress import create_server

from whytree.site.serving import room

HALF = b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n12"


def _page(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "6")])
    return [b"a page"]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """A server with room for forty, which would wait ten minutes for the second half of a request."""
    monkeypatch.setattr(room, "SPARE", 20)
    monkeypatch.setattr(room, "PATIENCE_SECONDS", 0.0)
    server = create_server(
        _page, host="127.0.0.1", port=0, connection_limit=40, channel_timeout=600, cleanup_interval=0
    )
    room.keep_room(server)
    loop = threading.Thread(target=server.asyncore.loop, kwargs={"timeout": 0.02, "map": server._map, "use_poll": True})
    loop.start()
    yield "127.0.0.1", int(server.effective_port)
    server.task_dispatcher.shutdown()
    server.asyncore.close_all(server._map)
    loop.join(10)


def test_requests_that_are_never_whole_keep_nobody_out(small: tuple[str, int]) -> None:
    half = [socket.create_connection(small, 60) for _ in range(100)]
    for one in half[:60]:
        one.sendall(HALF)
    assert httpx.get("http://{}:{}".format(*small), timeout=60).text == "a page"
    for one in half:
        one.close()


@dataclass
class Channel:
    addr: tuple[str, int]
    creation_time: float
    requests: list[str] = field(default_factory=list)
    will_close: bool = False


def test_those_go_first_who_hold_most_and_longest() -> None:
    now = 1000.0
    crowd = [Channel(("192.0.2.66", port), port / 1000) for port in range(1600)]
    networks = [Channel((f"2001:db8::{port:x}", port), 500.0) for port in range(50)]
    others = [Channel((f"198.51.100.{number}", 1), 1.0) for number in range(200)]
    busy = [Channel(("192.0.2.66", 1), 0.0, requests=["whole"])]
    young = [Channel(("192.0.2.66", 1), now - 1)]
    everybody = [*others, *networks, *busy, *young, *reversed(crowd)]
    server = SimpleNamespace(
        adj=SimpleNamespace(connection_limit=2000),
        active_channels=dict(enumerate(everybody)),
        maintenance=lambda now: None,
    )
    room.keep_room(server)
    server.maintenance(now)
    surplus = len(everybody) - (2000 - room.SPARE)
    assert [channel.will_close for channel in crowd] == [at < surplus for at in range(1600)]
    assert not any(channel.will_close for channel in [*others, *networks, *busy, *young])


def test_while_there_is_room_nobody_goes() -> None:
    quiet = [Channel(("192.0.2.66", port), 0.0) for port in range(1500)]
    server = SimpleNamespace(adj=SimpleNamespace(connection_limit=2000), active_channels=dict(enumerate(quiet)))
    room._make_room(server, 1000.0)
    assert not any(channel.will_close for channel in quiet)
