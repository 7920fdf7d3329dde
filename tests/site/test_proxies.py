"""Behind a proxy each person has an address of their own, and nobody else can claim one."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import Live
from whytree.site.serving.proxies import BehindProxy
from whytree.workspace.entry.attempts import WRONG_PER_ACCOUNT


def _seen(peer: str, trusted: tuple[str, ...] = ("10.0.0.0/8",), **headers: str) -> dict[str, Any]:
    """What the application sees of a request."""
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.update(environ)
        return []

    names = {f"HTTP_X_FORWARDED_{name.upper()}": value for name, value in headers.items()}
    BehindProxy(application, trusted)({"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", **names}, None)  # type: ignore[arg-type]
    return seen


@pytest.mark.parametrize(
    ("peer", "hops", "asker"),
    [
        ("10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "192.0.2.7:4711", "192.0.2.7"),
        ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "203.0.113.9, 192.0.2.7", "192.0.2.7"),  # what the asker claimed stands before what the proxy saw
        ("10.0.0.1", "192.0.2.7, 10.0.0.2", "192.0.2.7"),  # two proxies of ours
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),  # asked from inside
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.7, <script>", "10.0.0.1"),
        ("10.0.0.1", "," * 5_000, "10.0.0.1"),
        ("192.0.2.1", "192.0.2.7", "192.0.2.1"),  # no proxy of ours
        ("", "192.0.2.7", ""),
    ],
)
def test_the_asker_is_who_the_last_trusted_proxy_heard(peer: str, hops: str, asker: str) -> None:
    assert _seen(peer, **{"for": hops})["REMOTE_ADDR"] == asker


@pytest.mark.parametrize(
    ("peer", "said", "scheme"),
    [
        ("10.0.0.1", "https", "https"),
        ("10.0.0.1", "HTTPS", "https"),
        ("10.0.0.1", "https, http", "http"),
        ("10.0.0.1", "gopher", "http"),
        ("192.0.2.1", "https", "http"),
    ],
)
def test_https_is_believed_from_the_proxy_alone(peer: str, said: str, scheme: str) -> None:
    seen = _seen(peer, proto=said)
    assert seen["wsgi.url_scheme"] == scheme
    assert not [name for name in seen if "FORWARDED" in name], "nothing behind us can read them by mistake"


def test_nobody_is_trusted_unless_named() -> None:
    assert _seen("127.0.0.1", (), **{"for": "192.0.2.7"})["REMOTE_ADDR"] == "127.0.0.1"


@pytest.mark.live
def test_guessing_through_the_proxy_locks_out_one_and_past_it_forges_nothing(
    tmp_path: Path, start: Callable[..., Live], begun: Callable[[Path], Path]
) -> None:
    live = start(begun(tmp_path), {"WHYTREE_TRUSTED_PROXY": "127.0.0.1"})
    with (
        httpx.Client(base_url=live.url) as proxy,
        httpx.Client(base_url=live.url, transport=httpx.HTTPTransport(local_address="127.0.0.2")) as stranger,
    ):
        wrong = [_guess(proxy, "192.0.2.1") for _ in range(WRONG_PER_ACCOUNT + 1)]
        assert wrong == [400] * WRONG_PER_ACCOUNT + [429]
        assert _guess(proxy, "192.0.2.2") == 400, "the next person behind the proxy"
        wrong = [_guess(stranger, f"198.51.100.{number}") for number in range(WRONG_PER_ACCOUNT + 1)]
        assert wrong == [400] * WRONG_PER_ACCOUNT + [429], "a new address with each guess, were it believed"
        assert "Secure" in _cookie(proxy, "https")
        assert "Secure" not in _cookie(proxy, "http")
        assert "Secure" not in _cookie(stranger, "https")


def _guess(client: httpx.Client, address: str) -> int:
    headers = {"X-Forwarded-For": address}
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get("/sign-in", headers=headers).text)
    assert found
    words = {"csrfmiddlewaretoken": found[1], "email": "alice@example.org", "password": "wrong horse"}
    return client.post("/sign-in", data=words, headers=headers).status_code


def _cookie(client: httpx.Client, scheme: str) -> str:
    client.cookies.clear()
    return client.get("/sign-in", headers={"X-Forwarded-Proto": scheme}).headers["Set-Cookie"]
