"""Asking a tracker's REST API, from the command line's side: one page at a time, within its limits.

The token goes to the API's own origin and nowhere else: not to where a redirect or a `Link` points, not into a message.
Every failure is a `CommandError`; a limit that takes longer than a moment is a `Pause`, which says when to go on.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from whytree.workspace.terminal.client import CommandError

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 30.0
TRIES = 4
FIRST_WAIT_SECONDS = 0.5
# A limit that ends within this is waited for; beyond it the person gets their terminal back.
LONGEST_WAIT_SECONDS = 5.0
# A hundred issues with their words stay below a few megabytes; what is larger is no list of issues.
MOST_BYTES = 50_000_000
MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEPT = "What was read is kept; run it again later."


class Pause(Exception):
    """The tracker takes no more requests before `again_at`."""

    def __init__(self, name: str, again_at: datetime) -> None:
        local = again_at.astimezone()
        when = local.strftime("%H:%M" if local.date() == datetime.now().astimezone().date() else "%-d %b, %H:%M")
        self.again_at = again_at
        self.message = f"{name} takes no more requests for now. What was read is kept; it goes on at {when}: run again."
        super().__init__(self.message)


@dataclass(frozen=True)
class Tracker:
    """A repository's tracker. `name` is how links know it ("github.com/acme/sprout"), `path` how its API does."""

    kind: str  # "github" or "gitlab"
    name: str
    api: str
    path: str
    token: str = field(default="", repr=False)

    @property
    def title(self) -> str:
        return {"github": "GitHub", "gitlab": "GitLab"}[self.kind]


@dataclass(frozen=True)
class Page:
    """One page of a list. `same`: nothing has changed since `etag`. `next` is "" on the last page."""

    rows: list[Any]
    next: str = ""
    etag: str = ""
    same: bool = False
    at: datetime | None = None


@dataclass(frozen=True)
class Answer:
    """One answer, read whole. `headers` are found whatever their case; `next` is what its `Link` says."""

    status: int
    headers: "httpx.Headers"
    body: bytes
    next: str


class Gone(Exception):
    """The list is switched off for this repository."""


class TrackerHttp:
    """GET for one tracker. `wait` is `time.sleep` but in tests."""

    def __init__(self, tracker: Tracker, *, wait: Callable[[float], None] = time.sleep) -> None:
        import httpx

        refuse_plain(tracker.api)
        self._tracker = tracker
        self._wait = wait
        try:
            self._http = httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False)
        except (ValueError, httpx.InvalidURL, ImportError) as error:
            raise CommandError(f"The proxy of this environment (HTTPS_PROXY) cannot be used: {error}") from error
        self._origin = _origin(tracker.api)
        self._free_at: datetime | None = None
        self.requests = 0

    def close(self) -> None:
        self._http.close()

    def get(self, where: str, *, etag: str = "") -> Page:
        """A page of a list: `where` is a path below the API's address, or the address of the next page."""
        url = where if where.startswith("http") else self._tracker.api.rstrip("/") + where
        failure = ""
        for attempt in range(TRIES):
            if attempt:
                self._wait(FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
            self._wait_for_limit()
            try:
                answer = self._follow(url, etag)
            except _transport_errors() as error:
                failure = f"does not answer ({type(error).__name__})"
                continue
            self._note_limit(answer)
            if answer.status >= 500:
                failure = f"answers {answer.status}"
            elif not self._is_limited(answer):
                return self._page(answer)
        if not failure:  # limited again and again, always for a moment only
            raise Pause(self._tracker.title, _now() + timedelta(minutes=1))
        raise CommandError(f"{self._host} {failure}, {TRIES} times. {_KEPT}")

    @property
    def _host(self) -> str:
        return urlsplit(self._tracker.api).netloc

    # One request

    def _follow(self, url: str, etag: str) -> Answer:
        for _ in range(MOST_REDIRECTS + 1):
            refuse_plain(url)
            answer = self._send(url, etag)
            target = answer.headers.get("location", "")
            if answer.status not in _REDIRECTS or not target:
                return answer
            url = urljoin(url, target)
        raise CommandError(f"{self._host} sends us from address to address. Check --api. {_KEPT}")

    def _send(self, url: str, etag: str) -> Answer:
        headers = {"Accept": "application/json", "User-Agent": "whytree"}
        if self._tracker.kind == "github":
            headers |= {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        if self._tracker.token and _origin(url) == self._origin:
            headers["Authorization"] = f"Bearer {self._tracker.token}"
        if etag:
            headers["If-None-Match"] = etag
        self.requests += 1
        with self._http.stream("GET", url, headers=headers) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise CommandError(
                        f"{self._host} answers with more than {MOST_BYTES:,} bytes. Check --api. {_KEPT}"
                    )
            return Answer(response.status_code, response.headers, bytes(body), _next(response))

    # Limits

    def _wait_for_limit(self) -> None:
        if self._free_at is None:
            return
        seconds = (self._free_at - _now()).total_seconds()
        if seconds > LONGEST_WAIT_SECONDS:
            raise Pause(self._tracker.title, self._free_at)
        if seconds > 0:
            self._wait(seconds)
        self._free_at = None

    def _note_limit(self, answer: Answer) -> None:
        """GitHub's X-RateLimit-*, GitLab's RateLimit-*: requests left, and the second they are given anew."""
        headers = answer.headers
        left = headers.get("x-ratelimit-remaining") or headers.get("ratelimit-remaining")
        if left == "0" and answer.status != 304:
            self._free_at = _moment(headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset") or "")

    def _is_limited(self, answer: Answer) -> bool:
        """Whether this answer says "not now"; when to ask again is noted."""
        again = _after(answer.headers.get("retry-after", ""))
        limited = answer.status == 429 or (
            answer.status == 403
            and (again is not None or self._free_at is not None or "rate limit" in _message(answer).lower())
        )
        if limited:
            self._free_at = again or self._free_at or _now() + timedelta(minutes=1)
        return limited

    # The answer

    def _page(self, answer: Answer) -> Page:
        etag = answer.headers.get("etag", "")[:200]
        at = _date(answer.headers.get("date", ""))
        if answer.status == 304:
            return Page([], etag=etag, same=True, at=at)
        if answer.status in {404, 410} and "disabled" in _message(answer).lower():
            raise Gone
        if answer.status >= 300:
            raise CommandError(self._refusal(answer))
        try:
            rows = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise CommandError(
                f"{self._host} answered with something that is no JSON: is {self._tracker.api} the address of its API? "
                f"Say it with --api. {_KEPT}"
            ) from None
        if not isinstance(rows, list):
            raise CommandError(
                f"{self._host} answered with no list. Is {self._tracker.api} the address of its API? {_KEPT}"
            )
        return Page(rows, next=answer.next, etag=etag, at=at)

    def _refusal(self, answer: Answer) -> str:
        title, path, has_token = self._tracker.title, self._tracker.path, bool(self._tracker.token)
        if answer.status == 401:
            return f"{title} does not know this token: it is wrong, was revoked or ran out. Make a new one. {_KEPT}"
        if answer.status == 403:
            if answer.headers.get("x-github-sso"):
                return f"The token waits for single sign-on: authorise it for the organisation of {path}. {_KEPT}"
            return f"The token may not read {path}: give it the right to read issues and pull requests. {_KEPT}"
        if answer.status == 404:
            advice = (
                "a private one looks so to a token without access. Check its repositories and scopes"
                if has_token
                else "a private one looks so to everybody. Give a token: GITHUB_TOKEN, GITLAB_TOKEN or --token"
            )
            return f"{title} shows no {path}: {advice}. {_KEPT}"
        return f"{title} answered {answer.status}: {_message(answer)[:200] or 'no reason given'}. {_KEPT}"


def refuse_plain(url: str) -> None:
    """Only https, but on this very machine."""
    parts = urlsplit(url)
    loopback = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and loopback)):
        raise CommandError(
            f"{url.partition('?')[0][:120]} is not safe to ask: use an address that begins with https://."
        )


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _next(response: "httpx.Response") -> str:
    link = response.links.get("next", {}).get("url", "")
    return urljoin(str(response.url), link) if link else ""


def _message(answer: Answer) -> str:
    """The tracker's own words, on one line without control characters."""
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    words = body.get("message") or body.get("error") if isinstance(body, dict) else ""
    return "".join(char if char.isprintable() else " " for char in str(words or ""))


def _moment(seconds: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _after(written: str) -> datetime | None:
    """`Retry-After`: seconds, or a date."""
    if written.isdecimal() and len(written) < 9:
        return _now() + timedelta(seconds=int(written))
    return _date(written)


def _date(written: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(written)
    except (ValueError, TypeError, IndexError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _now() -> datetime:
    return datetime.now(UTC)


def _transport_errors() -> tuple[type[Exception], ...]:
    import httpx

    return httpx.RequestError, httpx.InvalidURL
