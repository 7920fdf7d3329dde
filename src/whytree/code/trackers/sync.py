"""Read a tracker's issues, comments and merged requests through its API, and tell the server.

    found = read_tracker(client, find_tracker(clone.remote))

Only what changed since the last time is asked for. Each page is told and then noted, so that whatever cuts a reading
off (a limit, a failure, Ctrl-C) the next one goes on there. Reading anew changes nothing that is the same.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from whytree.engines.links.tickets import parse_ticket_url, tracker_of_remote
from whytree.engines.tables import parse_time
from whytree.engines.tables.rows import flatten
from whytree.engines.trackers import (
    GITHUB_COMMENTS,
    GITHUB_ISSUES,
    GITHUB_REQUESTS,
    GITLAB_ISSUES,
    GITLAB_REQUESTS,
    RequestRow,
    Shape,
    TicketRow,
)
from whytree.workspace.terminal.client import Client, CommandError

from .exported import Problem, Taken
from .http import Gone, Page, Pause, Tracker, TrackerHttp
from .telling import Telling, Told

PER_PAGE = 100
# A request that is updated while the list is read may have been counted as read by its server's clock, not by ours.
CLOCKS_DIFFER = timedelta(minutes=1)
# GitLab: from Developer up one writes to the repository.
GITLAB_TEAM = 30

Progress = Callable[[str, int, int], None]


# Which tracker ----------------------------------------------------------------------------------------


def find_tracker(
    remote: str, *, api: str = "", token: str = "", environment: Mapping[str, str] = os.environ
) -> Tracker:
    """The tracker behind a clone's remote, with the token that is meant for it; `CommandError` where there is none.

    A token from the environment is only taken for the host it belongs to: github.com's is not shown to others.
    """
    name = tracker_of_remote(remote)
    if not name:
        raise CommandError(
            "This clone has no remote whose tracker could be asked. Name one: git remote add origin ADDRESS"
        )
    host, _, path = name.partition("/")
    address, kind = _api_of(host, api.strip(), environment)
    chosen = token.strip() or _token_of(kind, host, named=bool(api), environment=environment)
    if not chosen.isascii() or not chosen.isprintable() or " " in chosen:
        raise CommandError("The token holds characters that no token has. Copy it again, without line breaks.")
    return Tracker(kind, name, address, path, chosen)


def _api_of(host: str, api: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """Address of the API, and whose it is."""
    if api:
        return api, _kind_of(host, api)
    if host == "github.com":
        return "https://api.github.com", "github"
    if host.endswith(".ghe.com"):
        return f"https://api.{host}", "github"
    if host == "gitlab.com":
        return "https://gitlab.com/api/v4", "gitlab"
    if _is_server(environment.get("GITHUB_SERVER_URL", ""), host) and environment.get("GITHUB_API_URL"):
        return environment["GITHUB_API_URL"], "github"
    if environment.get("CI_SERVER_HOST") == host and environment.get("CI_API_V4_URL"):
        return environment["CI_API_V4_URL"], "gitlab"
    labels = host.split(".")
    if "gitlab" in labels:
        return f"https://{host}/api/v4", "gitlab"
    if "github" in labels:
        return f"https://{host}/api/v3", "github"
    raise CommandError(
        f"Is {host} GitHub or GitLab? Say it: --api https://{host}/api/v3 for GitHub, --api https://{host}/api/v4 for GitLab."
    )


def _kind_of(host: str, api: str) -> str:
    path = urlsplit(api).path.rstrip("/")
    if path.endswith("/api/v4") or host == "gitlab.com":
        return "gitlab"
    if path.endswith("/api/v3") or urlsplit(api).hostname == "api.github.com" or host == "github.com":
        return "github"
    raise CommandError(f"{api[:120]} does not say whose API it is: GitHub's ends with /api/v3, GitLab's with /api/v4.")


def _token_of(kind: str, host: str, *, named: bool, environment: Mapping[str, str]) -> str:
    """`named`: the person gave the API's address, so that its token is meant for it."""
    if kind == "gitlab":
        ours = host == "gitlab.com" or named or environment.get("CI_SERVER_HOST") == host
        return environment.get("GITLAB_TOKEN", "") if ours else ""
    public = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN") or ""
    if host == "github.com" or host.endswith(".ghe.com") or _is_server(environment.get("GITHUB_SERVER_URL", ""), host):
        return public
    enterprise = environment.get("GH_ENTERPRISE_TOKEN") or environment.get("GITHUB_ENTERPRISE_TOKEN") or ""
    if named:
        return enterprise or public
    return enterprise if environment.get("GH_HOST") == host else ""


def _is_server(url: str, host: str) -> bool:
    return bool(url) and urlsplit(url).hostname == host


# Reading ----------------------------------------------------------------------------------------------


@dataclass
class Found:
    """What a reading found. `again_at`: it was stopped by the tracker's limit and goes on then. `notes` are sentences."""

    tracker: str
    told: Told
    requests: int = 0
    again_at: datetime | None = None
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "tracker": self.tracker,
            **self.told.as_json(),
            "requests": self.requests,
            "again_at": self.again_at.isoformat() if self.again_at else None,
            "notes": self.notes,
        }


def read_tracker(
    client: Client,
    tracker: Tracker,
    *,
    staff: Sequence[str] = (),
    comments: bool = True,
    everything: bool = False,
    progress: Progress = lambda what, done, total: None,
    http: TrackerHttp | None = None,
) -> Found:
    """Read what changed; with `everything`, all of it. A limit ends it early, with the time it goes on in `again_at`."""
    asking = http or TrackerHttp(tracker)
    try:
        return _Sync(client, tracker, asking, progress, everything=everything).run(staff, comments=comments)
    finally:
        asking.close()


@dataclass(frozen=True)
class _Reading:
    """How far a list was read, as the server keeps it."""

    what: str
    since_at: datetime | None = None
    page: int = 0
    etag: str = ""


class _Sync:
    def __init__(
        self, client: Client, tracker: Tracker, http: TrackerHttp, progress: Progress, *, everything: bool
    ) -> None:
        self._client = client
        self._tracker = tracker
        self._http = http
        self._progress = progress
        self._everything = everything
        self._path = f"/products/{client.product}/trackers"
        self._telling = Telling(client, tracker=tracker.name)
        self._done = 0
        self._called = ""

    def run(self, staff: Sequence[str], *, comments: bool) -> Found:
        found = Found(self._tracker.name, self._telling.told)
        try:
            self._telling = Telling(
                self._client, tracker=self._tracker.name, staff=[*staff, *self._team()], repeats=False
            )
            found.told = self._telling.told
            for what, read in self._lists(comments):
                try:
                    read()
                except Gone:
                    found.notes.append(f"{what.capitalize()} are switched off for {self._tracker.path}.")
        except Pause as pause:
            found.again_at = pause.again_at
            found.notes.append(pause.message)
        if self._called:
            found.notes.append(f"{self._tracker.name} is called {self._called} now: git remote set-url origin ADDRESS")
        found.requests = self._http.requests
        return found

    # The lists

    def _lists(self, comments: bool) -> Iterator[tuple[str, Callable[[], None]]]:
        yield "issues", self._read_issues
        if comments:
            yield "comments", self._read_comments
        yield "pull requests", self._read_requests

    def _read_issues(self) -> None:
        if self._tracker.kind == "github":
            self._read_changes("issues", f"/repos/{self._quoted}/issues", GITHUB_ISSUES, state="all", sort="updated")
        else:
            self._read_changes(
                "issues", f"/projects/{self._quoted}/issues", GITLAB_ISSUES, scope="all", order_by="updated_at"
            )

    def _read_comments(self) -> None:
        """GitLab lists comments ticket by ticket only: a request for each would be too many."""
        if self._tracker.kind == "github":
            self._read_changes("comments", f"/repos/{self._quoted}/issues/comments", GITHUB_COMMENTS, sort="updated")

    def _read_requests(self) -> None:
        if self._tracker.kind == "gitlab":
            where = f"/projects/{self._quoted}/merge_requests"
            self._read_changes("requests", where, GITLAB_REQUESTS, state="merged", scope="all", order_by="updated_at")
            return
        reading = self._reading("requests")
        if reading.page or reading.since_at is None:
            self._read_all_requests(reading)
        else:
            self._read_new_requests(reading)

    @property
    def _quoted(self) -> str:
        return quote(self._tracker.path, safe="/" if self._tracker.kind == "github" else "")

    def _team(self) -> list[str]:
        """GitHub says of each author whether they are of the team; GitLab lists its members."""
        if self._tracker.kind == "github":
            return []
        names, where = [], f"/projects/{self._quoted}/members/all?per_page={PER_PAGE}"
        try:
            while where:
                page = self._http.get(where)
                members = (one for one in page.rows if isinstance(one, dict))
                names += [
                    str(one.get("username"))
                    for one in members
                    if isinstance(one.get("access_level"), int) and one["access_level"] >= GITLAB_TEAM
                ]
                where = page.next
        except (CommandError, Gone):
            return names  # who may read issues need not be allowed to see the members
        return names

    def _read_changes(self, what: str, where: str, shape: Shape, **params: str) -> None:
        """A list that can be had in the order of change. Pages move while one reads; the time of change does not:
        each request asks for what changed since the last row of the one before."""
        github = self._tracker.kind == "github"
        params |= {"direction" if github else "sort": "asc", "per_page": str(PER_PAGE)}
        reading = self._reading(what)
        since, etag = reading.since_at, reading.etag
        url = _since(where, params, since, github=github)
        while url:
            page = self._http.get(url, etag=etag)
            if page.same:
                return
            self._tell(page, shape, what)
            newest = max([*_updated(page), *([since] if since else [])], default=None)
            moved = newest is not None and newest != since
            # The page is known by its mark only where the next reading asks for the very same one.
            self._note(_Reading(what, newest, etag="" if moved or page.next else page.etag))
            url = "" if not page.next else _since(where, params, newest, github=github) if moved else page.next
            since, etag = newest, ""

    def _read_all_requests(self, reading: _Reading) -> None:
        """GitHub cannot list pull requests by change from a moment on. A first reading goes by creation, whose pages
        stay as they are; it remembers when it began, for what changes meanwhile."""
        number, began_at = max(reading.page, 1), reading.since_at
        while number:
            params = {"state": "all", "sort": "created", "direction": "asc", "per_page": PER_PAGE, "page": number}
            page = self._http.get(f"/repos/{self._quoted}/pulls?{urlencode(params)}")
            began_at = began_at or (page.at - CLOCKS_DIFFER if page.at else parse_time("1970-01-03"))
            self._tell(page, GITHUB_REQUESTS, "requests")
            number = number + 1 if page.next else 0
            self._note(_Reading("requests", began_at, page=number))

    def _read_new_requests(self, reading: _Reading) -> None:
        """Later ones go back from the newest to where the last one began; only at the end is it noted."""
        params = {"state": "all", "sort": "updated", "direction": "desc", "per_page": PER_PAGE}
        url, etag, since = f"/repos/{self._quoted}/pulls?{urlencode(params)}", reading.etag, reading.since_at
        first: Page | None = None
        newest = since
        while url:
            page = self._http.get(url, etag=etag)
            if page.same:
                return
            first = first or page
            self._tell(page, GITHUB_REQUESTS, "requests")
            times = _updated(page)
            newest = max([*times, *([newest] if newest else [])], default=None)
            url = page.next if times and since and min(times) >= since else ""
            etag = ""
        self._note(_Reading("requests", newest, etag=first.etag if first else ""))

    # Telling and noting

    def _tell(self, page: Page, shape: Shape, what: str) -> None:
        for number, row in enumerate(page.rows, start=1):
            if not isinstance(row, dict):
                self._telling.take(Problem(self._done + number, "it is no object; the tracker sent something else"))
                continue
            told = shape.read(flatten(row))
            # Pull requests among the issues come with their commits in a list of their own.
            if told is None or (what == "issues" and isinstance(told, RequestRow)):
                continue
            if isinstance(told, TicketRow) and not told.ticket:
                self._telling.take(Problem(self._done + number, "it has no number"))
                continue
            self._telling.take(Taken(self._done + number, self._at_home(told)))
        self._telling.send()
        self._done += len(page.rows)
        self._progress(what, self._done, 0)

    def _at_home(self, told: TicketRow | RequestRow) -> TicketRow | RequestRow:
        """A repository that was renamed goes on under the name this clone knows, which its commits speak of too."""
        place = parse_ticket_url(told.url)
        if place is None or place.tracker == self._tracker.name:
            return told
        self._called = place.tracker
        return replace(told, url=told.url.lower().replace(place.tracker, self._tracker.name, 1))

    def _reading(self, what: str) -> _Reading:
        if not self._everything:
            for one in self._client.get(self._path):
                if (one["tracker"], one["what"]) == (self._tracker.name, what):
                    return _Reading(what, parse_time(one["since_at"]), one["page"], one["etag"])
        return _Reading(what)

    def _note(self, reading: _Reading) -> None:
        since = reading.since_at.isoformat() if reading.since_at else None
        body = {"tracker": self._tracker.name, "what": reading.what, "since_at": since}
        self._client.post(self._path, {**body, "page": reading.page, "etag": reading.etag})


def _since(where: str, params: Mapping[str, str], since: datetime | None, *, github: bool) -> str:
    more = {}
    if since:
        written = since.strftime("%Y-%m-%dT%H:%M:%SZ" if github else "%Y-%m-%dT%H:%M:%S.%fZ")
        more = {"since" if github else "updated_after": written}
    return f"{where}?{urlencode({**params, **more})}"


def _updated(page: Page) -> list[datetime]:
    rows = (row for row in page.rows if isinstance(row, dict))
    return [moment for row in rows if (moment := parse_time(row.get("updated_at")))]
