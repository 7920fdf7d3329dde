"""Calls to addresses that people typed: never into our own network, never further than the address itself."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from whytree.errors import Invalid, Unavailable
from whytree.workspace.outside.outgoing import Refused, _is_public, check_url, post_json


@dataclass
class Receiver:
    """A real server that notes what it gets and answers as told."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[Any] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    noted = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            noted.got.append((self.path, self.headers["Host"], json.loads(body)))
            status = noted.answers.pop(0) if noted.answers else 200
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", noted.url + "/elsewhere")
            self.end_headers()
            self.wfile.write(b"\x1b[31mok")

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    noted.url = f"http://127.0.0.1:{server.server_port}/hook?x=1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield noted
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def private(settings: Any) -> None:
    settings.WHYTREE = replace(settings.WHYTREE, outgoing_private=True)


def test_it_posts_json_where_private_addresses_are_allowed(receiver: Receiver, private: None) -> None:
    assert post_json(receiver.url, {"text": "Größe"}) == b"\x1b[31mok"
    ((path, host, body),) = receiver.got
    assert (path, body) == ("/hook?x=1", {"text": "Größe"})
    assert host in receiver.url


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x", "https://localhost/x", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data",
        "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://0.0.0.0/", "https://2130706433/", "https://0x7f.1/",
        "https://[64:ff9b::7f00:1]/", "https://[fe80::1%25lo]/", "https://100.64.0.1/",
    ],
)  # fmt: skip
def test_it_calls_nobody_in_a_private_network(url: str) -> None:
    with pytest.raises((Invalid, Unavailable)):
        post_json(url, {})


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("127.0.0.1", False), ("192.168.1.1", False), ("::1", False),
        ("::ffff:10.0.0.1", False), ("2002:7f00:0001::", False), ("64:ff9b::a00:1", False), ("224.0.0.1", False),
        ("fc00::1", False), ("100.64.0.1", False), ("::127.0.0.1", False), ("fec0::1", False), ("feff::1", False),
        ("64:ff9b:1::a00:1", False), ("::ffff:0:7f00:1", False), ("1.1.1.1", True), ("2a00:1450:4001::1", True),
    ],
)  # fmt: skip
def test_it_knows_a_public_address(address: str, public: bool) -> None:
    assert _is_public(address) is public


def test_a_name_with_one_private_address_is_private(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *words, **more: both)
    with pytest.raises(Invalid, match="private network"):
        post_json("https://rebind.example/x", {})


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.slack.com/x", "http://hooks.slack.com/x", "ftp://x/y", "file:///etc/passwd", "https://", "https://x:0/",
        "https://x:99999/", "https://user:pw@example.org/", "https://a b/", "https://x/\r\nHost: y", "https://[bad/",
        "https://x/" + "y" * 1_000, "https://x/\x00",
    ],
)  # fmt: skip
def test_what_is_no_address_is_a_sentence(url: str) -> None:
    with pytest.raises(Invalid, match="address"):
        check_url(url)


def test_a_redirect_is_not_followed(receiver: Receiver, private: None) -> None:
    receiver.answers = [302]
    with pytest.raises(Refused, match="redirect"):
        post_json(receiver.url, {})
    assert len(receiver.got) == 1


@pytest.mark.parametrize(("status", "error"), [(500, Unavailable), (429, Unavailable), (404, Refused), (410, Refused)])
def test_it_tells_later_from_never(receiver: Receiver, private: None, status: int, error: type[Exception]) -> None:
    receiver.answers = [status]
    with pytest.raises(error) as raised:
        post_json(receiver.url, {})
    assert "\x1b" not in str(raised.value)


def test_nobody_there_is_later(private: None) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        post_json("http://127.0.0.1:9/", {})
