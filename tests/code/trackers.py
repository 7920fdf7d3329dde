"""A small server that answers as GitHub and GitLab do: pages by Link, `since`, ETags, limits, redirects. Over a socket."""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

Row = dict[str, Any]
# (status, headers, body) in place of the real answer; None lets it through.
Trouble = Callable[[str, int], tuple[int, dict[str, str], bytes] | None]


@dataclass
class Asked:
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    status: int = 0


@dataclass
class FakeTracker:
    """Lists of rows by path; `trouble` may answer instead. `asked` is every request, in order."""

    lists: dict[str, list[Row]] = field(default_factory=dict)
    trouble: Trouble = lambda path, count: None
    limit: int = 5000
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    per_page: int = 100

    def answer(self, target: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        asked = Asked(parts.path, query, {name.lower(): value for name, value in headers.items()})
        self.asked.append(asked)
        status, more, body = self._answer(asked)
        asked.status = status
        return status, more, body

    def _answer(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        if troubled := self.trouble(asked.path, len(self.asked)):
            return troubled
        left = self.limit - len(self.asked)
        reset = str(int(time.time()) + 1800)
        headers = {"X-RateLimit-Remaining": str(max(left, 0)), "X-RateLimit-Reset": reset}
        if left < 0:
            return 403, headers, b'{"message": "API rate limit exceeded for user ID 1."}'
        if asked.path not in self.lists:
            return 404, headers, b'{"message": "Not Found"}'
        rows = self._rows(self.lists[asked.path], asked.query)
        size = min(int(asked.query.get("per_page", "30")), self.per_page)
        number = int(asked.query.get("page", "1"))
        body = json.dumps(rows[(number - 1) * size : number * size]).encode()
        etag = f'W/"{hashlib.sha256(body).hexdigest()}"'
        if asked.headers.get("if-none-match") == etag:
            return 304, headers, b""
        headers["ETag"] = etag
        if number * size < len(rows):
            query = urlencode({**asked.query, "page": number + 1})
            headers["Link"] = (
                f'<{self.url}{asked.path}?{query}>; rel="next", <{self.url}{asked.path}?page=9>; rel="last"'
            )
        return 200, headers, body

    def _rows(self, rows: list[Row], query: dict[str, str]) -> list[Row]:
        since = query.get("since") or query.get("updated_after")
        if since:
            rows = [row for row in rows if row["updated_at"] >= since[:19]]
        field_name = "created_at" if query.get("sort") == "created" else "updated_at"
        direction = query.get("direction") or query.get("sort")
        return sorted(rows, key=lambda row: str(row[field_name]), reverse=direction == "desc")


@contextmanager
def served(tracker: FakeTracker) -> Iterator[FakeTracker]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, body = tracker.answer(self.path, dict(self.headers))
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    tracker.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield tracker
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def issue(number: int, **more: Any) -> Row:
    """As GitHub tells it; the higher the number, the later it was updated."""
    at = f"2026-02-01T10:{number // 60 % 60:02}:{number % 60:02}Z"
    return {
        "number": number,
        "title": f"Issue {number}",
        "body": f"Words of {number}",
        "state": "open",
        "user": {"login": "rk", "type": "User"},
        "author_association": "NONE",
        "labels": [],
        "reactions": {"+1": 0},
        "created_at": at,
        "updated_at": at,
        "closed_at": None,
        "html_url": f"https://github.com/acme/sprout/issues/{number}",
        **more,
    }


def pull(number: int, **more: Any) -> Row:
    """A merged pull request as GitHub tells it."""
    row = issue(number, html_url=f"https://github.com/acme/sprout/pull/{number}")
    return {
        **row,
        "title": f"Change {number}",
        "state": "closed",
        "merged_at": row["updated_at"],
        "merge_commit_sha": f"{number:040x}",
        "head": {"ref": f"topic-{number}", "sha": "f" * 40},
        **more,
    }


def comment(number: int, ticket: int, **more: Any) -> Row:
    row = issue(number)
    kept = {name: row[name] for name in ("user", "author_association", "created_at", "updated_at")}
    address = f"https://github.com/acme/sprout/issues/{ticket}#issuecomment-{number}"
    return {"id": number, "html_url": address, "issue_url": "x", "body": f"Me too {number}", **kept, **more}
