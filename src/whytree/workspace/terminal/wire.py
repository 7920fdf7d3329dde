"""HTTP to the server on this machine with nothing but the standard library.

A command against a running server is mostly imports: httpx with its certificates takes longer than the answer does.
Servers elsewhere (proxies, TLS) and downloads are httpx's business.
"""

import json as codec
import sys
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import httpx


class Answer:
    """What the server said, under the names that httpx gives it."""

    def __init__(self, status_code: int, content: bytes) -> None:
        self.status_code = status_code
        self.content = content

    def json(self) -> Any:
        return codec.loads(self.content)


class LocalHttp:
    """Requests to one address, each over a connection of its own."""

    def __init__(self, url: str, headers: dict[str, str], timeout: float) -> None:
        self._url = url
        self._headers = headers
        self._timeout = timeout

    def request(self, method: str, path: str, *, params: dict[str, Any] | None = None, json: Any = None) -> Answer:
        parts = urlsplit(self._url)
        connection = HTTPConnection(parts.hostname or "localhost", parts.port or 80, timeout=self._timeout)
        query = "?" + urlencode(_pairs(params)) if params else ""
        body = None if json is None else codec.dumps(json).encode()
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        try:
            connection.request(method, parts.path.rstrip("/") + path + query, body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.read())
        finally:
            connection.close()

    def stream(self, method: str, path: str) -> "AbstractContextManager[httpx.Response]":
        import httpx

        return httpx.Client(base_url=self._url, headers=self._headers, timeout=self._timeout).stream(method, path)


def transport_errors() -> tuple[type[Exception], ...]:
    """What is raised when a server does not answer, by this module or by httpx where that was needed."""
    httpx = sys.modules.get("httpx")
    return (OSError, HTTPException, *((httpx.TransportError,) if httpx else ()))


def _pairs(params: dict[str, Any]) -> list[tuple[str, str]]:
    """A list says its name once for each of its values."""
    return [
        (name, _written(one))
        for name, value in params.items()
        for one in (value if isinstance(value, list) else [value])
    ]


def _written(value: Any) -> str:
    """As httpx writes a parameter."""
    return str(value).lower() if isinstance(value, bool) else str(value)
