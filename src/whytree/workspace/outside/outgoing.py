"""Calls to addresses that people typed. They must not reach into the network this server stands in.

    post_json("https://hooks.example.com/...", {"text": "..."})

The name is looked up once, every address behind it must be public, and the connection goes to the very address that was
checked (a name that answers differently a moment later gains nothing). Redirects are not followed, answers are cut.
`WHYTREE_OUTGOING_PRIVATE=1` allows private and loopback addresses, and plain http.
"""

import http.client
import ipaddress
import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from django.conf import settings

from whytree.errors import Conflict, Invalid, Unavailable
from whytree.workspace.terminal.printing import plain

TIMEOUT_SECONDS = 10
MOST_ANSWER = 64 * 1024
LONGEST_URL = 1_000
_EXAMPLE = "https://hooks.slack.com/services/…"
OWN_SYSTEM = "https://example.org/hooks"
"""An example for a webhook that a system of the reader's own takes."""


class Refused(Conflict):
    """The other side will not take this, whenever it is sent."""


def check_url(url: str, example: str = "") -> str:
    """The address, if it may be called at all; says what is wrong with it otherwise. Looks nothing up."""
    _split(url.strip(), example or _EXAMPLE)
    return url.strip()


def checked_host(url: str) -> tuple[str, int, str]:
    """Host, port and the one address to go to, for a program that is told all three; refuses what may not be called."""
    parts = _split(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), _checked_address(parts)


def post_json(url: str, body: Any, sign: Callable[[bytes], Mapping[str, str]] | None = None) -> bytes:
    """POST `body`; the first bytes of a 2xx answer. `Refused` for an answer that will not change, else `Unavailable`.

    `sign` gives further headers for the very bytes that are sent.
    """
    parts = _split(url)
    data = json.dumps(body, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Whytree", "Host": parts.netloc}
    headers |= sign(data) if sign is not None else {}
    connection = _connection(parts, _checked_address(parts))
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, data, headers)
        with connection.getresponse() as response:
            answer = _answer(response)
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"{parts.hostname} does not answer: {plain(error)[:200]}", retry_after=300) from error
    finally:
        connection.close()
    if 200 <= response.status < 300:
        return answer
    said = plain(answer.decode("utf-8", "replace"))[:200]
    if response.status >= 500 or response.status in {408, 429}:
        raise Unavailable(f"{parts.hostname} wants it later: {response.status} {said}".strip(), retry_after=300)
    moved = " It answers with a redirect, which is not followed." if 300 <= response.status < 400 else ""
    raise Refused(f"{parts.hostname} refused it: {response.status} {said}".strip() + moved)


def call(
    url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, own: bool = False
) -> tuple[int, bytes]:
    """GET, or POST a form: status and answer, its first 64 KB. `own`: a host that this server's settings name, wherever it is.

    Raises `Unavailable` when nobody answers; `Invalid` when it may not be called.
    """
    parts = _split(url, own=own)
    data = urlencode(form).encode() if form is not None else None
    told = {"Accept": "application/json", "User-Agent": "Whytree", "Host": parts.netloc, **(headers or {})}
    if data is not None:
        told["Content-Type"] = "application/x-www-form-urlencoded"
    connection = _connection(parts, _checked_address(parts, own=own))
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET" if data is None else "POST", target, data, told)
        with connection.getresponse() as response:
            return response.status, _answer(response)
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"{parts.hostname} does not answer: {plain(error)[:200]}", retry_after=5) from error
    finally:
        connection.close()


@dataclass(frozen=True)
class Reply:
    """What the other side answered; `retry_after` in seconds when it said so."""

    status: int
    text: str
    retry_after: float | None = None

    @property
    def is_later(self) -> bool:
        """Whether it wants the same again, later."""
        return self.status >= 500 or self.status in {408, 429}


class Line:
    """A connection to one host that is kept between calls, each under the same rules. For one thread.

    line = Line("https://eu.i.posthog.com")
    line.send("POST", "/batch/", body, {"Content-Type": "application/json"})
    """

    def __init__(self, url: str) -> None:
        self._parts = _split(url)
        self._connection: http.client.HTTPConnection | None = None

    def send(self, method: str, target: str, data: bytes, headers: Mapping[str, str]) -> Reply:
        """Whatever it answers. Raises `Unavailable` when it does not; `Invalid` when it may not be called."""
        try:
            return self._send(method, target, data, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unavailable(f"{self._parts.hostname} does not answer: {plain(error)[:200]}", retry_after=5) from error

    def _send(self, method: str, target: str, data: bytes, headers: Mapping[str, str]) -> Reply:
        if self._connection is None:
            self._connection = _connection(self._parts, _checked_address(self._parts))
        self._connection.request(method, target, data or None, {**headers, "Host": self._parts.netloc})
        with self._connection.getresponse() as response:
            text = plain(_answer(response).decode("utf-8", "replace"))[:200]
            if response.will_close or not response.isclosed():  # an answer that was cut would be read as the next one's
                self.close()
            after = response.headers.get("Retry-After", "")
        return Reply(response.status, text, float(after) if after.isascii() and after.isdigit() else None)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _answer(response: http.client.HTTPResponse) -> bytes:
    """Its first bytes; somebody who sends one a second is not waited for."""
    answer, end = b"", time.monotonic() + TIMEOUT_SECONDS
    while len(answer) < MOST_ANSWER and time.monotonic() < end and (some := response.read1(MOST_ANSWER)):
        answer += some
    return answer[:MOST_ANSWER]


def _split(url: str, example: str = _EXAMPLE, *, own: bool = False) -> SplitResult:
    if len(url) > LONGEST_URL:
        raise Invalid(f"An address has at most {LONGEST_URL:,} characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Invalid(f"This is no address. Give one like {example}") from error
    allowed = {"https", "http"} if settings.WHYTREE.outgoing_private or own else {"https"}
    strange = any(character.isspace() or not character.isprintable() for character in url)
    if parts.scheme not in allowed or not parts.hostname or strange or port == 0:
        raise Invalid(f"Give an address that begins with https://, as {example}")
    if parts.username or parts.password:
        raise Invalid("An address with a password in it is not called. Leave out what stands before the @.")
    return parts


def _checked_address(parts: SplitResult, *, own: bool = False) -> str:
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"{host} cannot be found. Check the address.", retry_after=300) from error
    addresses = [str(entry[4][0]) for entry in found]
    if not own and not settings.WHYTREE.outgoing_private and not all(map(_is_public, addresses)):
        raise Invalid(
            f"{host} is in a private network, where this server calls nobody. "
            "If that is meant, set WHYTREE_OUTGOING_PRIVATE=1 on the server."
        )
    return addresses[0]


def _is_public(address: str) -> bool:
    """Neither loopback, private, link-local, shared, multicast nor reserved; also not one of these in IPv6's clothes."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        is_nat64 = parsed in ipaddress.ip_network("64:ff9b::/96")
        # All of ::/8 is reserved, and with it every other way to write an IPv4 address in it.
        if is_nat64 or parsed.is_reserved or parsed.is_site_local or (inner is not None and not _is_public(str(inner))):
            return False
    return parsed.is_global and not parsed.is_multicast


class _PinnedTls(http.client.HTTPSConnection):
    """TLS with the name's certificate, to the address that was checked."""

    def __init__(self, host: str, port: int, address: str) -> None:
        super().__init__(host, port, timeout=TIMEOUT_SECONDS)
        self._address = address

    def connect(self) -> None:
        plain_socket = socket.create_connection((self._address, self.port), TIMEOUT_SECONDS)
        try:
            self.sock = ssl.create_default_context().wrap_socket(plain_socket, server_hostname=self.host)
        except BaseException:
            plain_socket.close()
            raise


def _connection(parts: SplitResult, address: str) -> http.client.HTTPConnection:
    if parts.scheme == "https":
        return _PinnedTls(parts.hostname or "", parts.port or 443, address)
    return http.client.HTTPConnection(address, parts.port or 80, timeout=TIMEOUT_SECONDS)
